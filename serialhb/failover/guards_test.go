package failover

import (
	"strings"
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Each condition of a guard by itself. In a whole run another guard often stands behind it, so that no story would miss one.

// guard has a question that is yes on a state, and changes each of which makes it no.
type guard struct {
	base    func(m *machine)
	ask     func(m *machine) bool
	changes map[string]func(m *machine)
}

func (g guard) check(t *testing.T, b *bench, member uint8) {
	t.Helper()
	for name, change := range g.changes {
		c, s := b.members[member].cfg, b.members[member].s
		m := &machine{c: &c, s: &s}
		g.base(m)
		if !g.ask(m) {
			t.Fatal("the base is no already: this shows nothing")
		}
		c, s = b.members[member].cfg, b.members[member].s
		g.base(m)
		change(m)
		if g.ask(m) {
			t.Errorf("%s: still yes", name)
		}
	}
}

func TestWhoseWordIsGoodEnough(t *testing.T) { // rule 2, and rule 4 of the protocol
	b := newBench(t, 2)
	b.owned()
	guard{func(*machine) {}, func(m *machine) bool { return m.grantable(0) }, map[string]func(m *machine){
		"silent":              func(m *machine) { m.s.Peers[0].Presence = Silent },
		"no claim":            func(m *machine) { m.s.Peers[0].Claim.Valid = false },
		"other nodes":         func(m *machine) { m.s.Peers[0].Claim.Core++ },
		"away, and not ended": func(m *machine) { m.s.Peers[0].Withdrawn = true },
		"two machines":        func(m *machine) { m.s.Peers[0].Doubt = DoubtBoot },
	}}.check(t, b, 1)
}

func TestWhenAnOwnerReleases(t *testing.T) { // rule 13
	b := newBench(t, 2)
	b.owned()
	said := pulse.GroupClaim{Request: 4, Wish: pulse.Wish{To: 2, ID: 1}}
	guard{func(*machine) {}, func(m *machine) bool { return m.releasable(1, 0, &said) }, map[string]func(m *machine){
		"starting":             func(m *machine) { m.s.Groups[0].Phase = pulse.Starting },
		"something under way":  func(m *machine) { m.s.Groups[0].Doing = 7 },
		"two owners":           func(m *machine) { m.s.Groups[0].Frozen = true },
		"other configurations": func(m *machine) { m.s.Peers[1].Claim.Rest++ },
		"leaving":              func(m *machine) { m.s.Leaving = QuietSaying },
		"not written":          func(m *machine) { m.s.SavedGen-- },
		"another wish":         func(m *machine) { m.s.Groups[0].Announced = pulse.Wish{To: 2, ID: 2} },
	}}.check(t, b, 0)
	other := pulse.GroupClaim{Request: 4, Wish: pulse.Wish{To: 1, ID: 1}}
	if m := (machine{c: &b.members[0].cfg, s: &b.members[0].s}); m.releasable(1, 0, &other) {
		t.Error("released for a wish that is for somebody else")
	}
}

func TestWhenAGrantIsGiven(t *testing.T) { // rules 2 and 4
	b := newBench(t, 2)
	b.owned()
	base := func(m *machine) { m.s.Peers[0].Claim.Groups[0].Request = 4 }
	ask := func(m *machine) bool {
		m.grant(0, 0, 4)
		return m.s.Groups[0].Grants[0].Request != 0
	}
	guard{base, ask, map[string]func(m *machine){
		"held":            func(m *machine) { m.s.Groups[0].Holds = pulse.HoldsYes },
		"unknown":         func(m *machine) { m.s.Groups[0].Holds = pulse.HoldsUnknown },
		"an own request":  func(m *machine) { m.s.Groups[0].Request = 1 },
		"silent":          func(m *machine) { m.s.Peers[0].Presence = Silent },
		"another request": func(m *machine) { m.s.Peers[0].Claim.Groups[0].Request = 5 },
	}}.check(t, b, 1)

	probes := func(m *machine) bool {
		m.answerTo(0, 0, &m.s.Peers[0].Claim.Groups[0])
		for _, a := range m.out {
			if a.Kind == Probe {
				m.out = nil
				return true
			}
		}
		return false
	}
	guard{base, probes, map[string]func(m *machine){
		"unknown":             func(m *machine) { m.s.Groups[0].Holds = pulse.HoldsUnknown },
		"something under way": func(m *machine) { m.s.Groups[0].Doing = 7 },
		"the better right":    func(m *machine) { m.s.Groups[0].Request, m.s.Groups[0].OwnTerm = 1, 99 },
	}}.check(t, b, 1)

	// A wish goes before the better right: a person wants it there.
	c, s := b.members[1].cfg, b.members[1].s
	m := &machine{c: &c, s: &s}
	m.ask(0, NoteAsks)
	s.Groups[0].OwnTerm = 99
	s.Peers[0].Claim.Groups[0] = pulse.GroupClaim{Request: 4, Wish: pulse.Wish{To: 1, ID: 3}}
	if !probes(m) || s.Groups[0].Request != 0 {
		t.Error("a wish does not go before an own request")
	}
}

// What ends an open request, of which some was asked for by a person.
func TestWhatEndsARequest(t *testing.T) { // rules 1, 8, 10 to 12, 16
	b := newBench(t, 2)
	b.owned()
	silent := func(m *machine) {
		m.ask(0, NoteAsks)
		m.s.Peers[0].Presence = Silent
	}
	goes := func(m *machine) bool {
		why, about := m.lost(0)
		if text := words[why].sentence; strings.Contains(text, "{peer}") && about != 0 {
			t.Errorf("%q is said about member %d", text, about)
		}
		return why == None
	}
	ends := map[string]func(m *machine){
		"standby":     func(m *machine) { m.s.Standby = true },
		"maintenance": func(m *machine) { m.s.Maintenance = true },
		"leaving":     func(m *machine) { m.s.Leaving = LeaveStopping },
		"fence-me":    func(m *machine) { m.s.FenceMe = true },
		"other nodes": func(m *machine) { m.s.Peers[0].Claim.Core++ },
		"no relay":    func(m *machine) { m.c.Members[0].Fenceable = false },
		"disarmed":    func(m *machine) { m.s.Armed = false },
		"locked out":  func(m *machine) { m.s.Locked = true },
		"deaf":        func(m *machine) { m.s.Deaf = true },
		"failed":      func(m *machine) { m.s.Peers[0].Fence.Phase = FenceFailed },
		"never seen":  func(m *machine) { m.s.Peers[0].Seen = false },
		"denied":      func(m *machine) { m.s.Incident.Question.Denied = true },
		"fences":      func(m *machine) { m.s.Fences = m.c.MaxFences },
		"not kept":    func(m *machine) { m.s.Peers[0].CountGen = m.s.KeptGen + 1 },
	}
	guard{silent, goes, ends}.check(t, b, 1)

	heard := func(m *machine) { m.ask(0, NoteAsks) }
	guard{heard, goes, map[string]func(m *machine){
		"standby": ends["standby"], "maintenance": ends["maintenance"], "leaving": ends["leaving"], "fence-me": ends["fence-me"],
		"other nodes": ends["other nodes"], "two machines": func(m *machine) { m.s.Peers[0].Doubt = DoubtTwin },
	}}.check(t, b, 1)

	// A person asked for it.
	c, s := b.members[1].cfg, b.members[1].s
	m := &machine{c: &c, s: &s}
	m.ask(0, NoteAsksSwitchover)
	s.Groups[0].Planned, s.Standby, s.Maintenance = true, true, true
	if why, _ := m.lost(0); why != None {
		t.Errorf("what a person asked for ends because of %s", why)
	}
	s.Peers[0].Presence = Silent
	if why, about := m.lost(0); why != WhyMaintenance || about != 1 {
		t.Error("in maintenance a switchover goes on to a cut")
	}
}

// A completion counts for the fence that it names, and a proof that is none proves nothing (rule 8).
func TestWhatEndsAFence(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	cut := m.cutting(0)
	late := cut
	late.ID--
	if m.fenced(late, fencing.FailSafe); m.s.Peers[0].Fence.Phase != FenceRunning || m.s.Peers[0].Proof != fencing.None {
		t.Fatal("the end of another fence is taken for the end of this one")
	}
	m.do(Event{Kind: FenceDone, Peer: 0, ID: cut.ID, OK: true, Proof: fencing.None})
	if m.s.Peers[0].Fence.Phase != FenceFailed || m.s.Groups[0].Permits[0] != NoPermit {
		t.Errorf("it says done, and by no proof: the fence is %s", m.s.Peers[0].Fence.Phase)
	}
}

// What keeps an owner from cutting its silent standby (rules 11, 12 and 15).
func TestWhatKeepsTheSurvivor(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	base := func(m *machine) {
		m.c.Split = OwnerSurvives
		m.s.Peers[1].Presence = Silent
	}
	cuts := func(m *machine) bool {
		_, want := m.fenceWanted(1)
		return want
	}
	guard{base, cuts, map[string]func(m *machine){
		"the other rule": func(m *machine) { m.c.Split = StandbySurvives },
		"owns nothing":   func(m *machine) { m.s.Groups[0].Holds = pulse.HoldsNo },
		"heard":          func(m *machine) { m.s.Peers[1].Presence = Present },
		"never seen":     func(m *machine) { m.s.Peers[1].Seen = false },
		"never seen, and its sense reads off": func(m *machine) {
			m.s.Peers[1].Seen, m.s.Peers[1].Senses[0].Reading = false, ReadsOff
		},
		"proven off":  func(m *machine) { m.s.Peers[1].Proof = fencing.FailSafe },
		"away":        func(m *machine) { m.s.Peers[1].Withdrawn = true },
		"a doubt":     func(m *machine) { m.s.Peers[1].Doubt = DoubtRising },
		"approve":     func(m *machine) { m.c.Takeover = Approve },
		"late":        func(m *machine) { m.s.Incident.Late = true },
		"maintenance": func(m *machine) { m.s.Maintenance = true },
		"leaving":     func(m *machine) { m.s.Leaving = QuietSaying },
		"disarmed":    func(m *machine) { m.s.Armed = false },
	}}.check(t, b, 0)
}
