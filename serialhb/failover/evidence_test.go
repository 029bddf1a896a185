package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// What counts as evidence that a member is off, away or alive, each condition by itself.

func TestWhatSpeaksAgainstAWord(t *testing.T) { // rules 5 and 16
	b := newBench(t, 2)
	b.owned()
	silent := func(m *machine) { m.s.Peers[0].Presence = Silent }
	guard{silent, func(m *machine) bool { return m.lives(0, 0) == None }, map[string]func(m *machine){
		"not judged yet":   func(m *machine) { m.s.Peers[0].Presence = Unjudged },
		"heard":            func(m *machine) { m.s.Peers[0].Presence = Present },
		"somebody sends":   func(m *machine) { m.s.Peers[0].Doubt = DoubtRising },
		"a sense reads on": func(m *machine) { m.s.Peers[0].Senses[0].Reading = ReadsOn },
	}}.check(t, b, 1)

	away := func(m *machine) {
		m.s.Peers[0].Withdrawn, m.s.Peers[0].Presence, m.s.Peers[0].Senses[0].Reading = true, Silent, ReadsOff
	}
	guard{away, func(m *machine) bool { return m.away(0) }, map[string]func(m *machine){
		"no word":        func(m *machine) { m.s.Peers[0].Withdrawn = false },
		"not judged yet": func(m *machine) { m.s.Peers[0].Presence = Unjudged },
		"the word of an earlier boot": func(m *machine) {
			m.s.Peers[0].Stale, m.s.Peers[0].Senses[0].Reading = true, NotRead
		},
		"and its sense is broken": func(m *machine) { m.s.Peers[0].Stale, m.s.Peers[0].Senses[0].Broken = true, true },
	}}.check(t, b, 1)
}

func TestWhichSenseProves(t *testing.T) { // section 5
	b := newBench(t, 2)
	b.owned()
	off := func(m *machine) { m.s.Peers[0].Senses[0].Reading = ReadsOff }
	guard{off, func(m *machine) bool { return m.offBySense(0) }, map[string]func(m *machine){
		"plain":    func(m *machine) { m.c.Members[0].Senses[0].FailSafe = false },
		"broken":   func(m *machine) { m.s.Peers[0].Senses[0].Broken = true },
		"on":       func(m *machine) { m.s.Peers[0].Senses[0].Reading = ReadsOn },
		"not read": func(m *machine) { m.s.Peers[0].Senses[0].Reading = NotRead },
		"none":     func(m *machine) { m.c.Members[0].Senses[0].Present = false },
		"a second": func(m *machine) { m.c.Members[0].Senses[1] = SenseConfig{Present: true, FailSafe: true} },
	}}.check(t, b, 1)
	plain := func(m *machine) {
		m.c.Members[0].Senses[0].FailSafe = false
		m.s.Peers[0].Senses[0].Proven = true
	}
	guard{plain, func(m *machine) bool { return m.trusted(0) == 1 }, map[string]func(m *machine){
		"broken":                      func(m *machine) { m.s.Peers[0].Senses[0].Broken = true },
		"never on while it was heard": func(m *machine) { m.s.Peers[0].Senses[0].Proven = false },
	}}.check(t, b, 1)

	// Only a claim that answers what was sent after the fall speaks against a sense.
	c, s := b.members[1].cfg, b.members[1].s
	m := &machine{c: &c, s: &s}
	sense := &s.Peers[0].Senses[0]
	sense.Reading, sense.FellAt, s.Peers[0].Claim.Echo = ReadsOff, 50, 50
	if m.judgeSenses(0); sense.Suspect != 0 {
		t.Error("a claim of before the fall speaks against a sense")
	}
	s.Peers[0].Claim.Echo = 51
	if m.judgeSenses(0); sense.Suspect == 0 {
		t.Error("a claim of after the fall speaks not against a sense")
	}
}

func TestWhatContradictsAProof(t *testing.T) { // rule 6
	b := newBench(t, 2)
	b.owned()
	var p pulse.Pulse
	claimed := true
	base := func(m *machine) {
		p, claimed = pulse.Pulse{From: 0, To: 1, Boot: 5, PeerSession: m.s.Session, Echo: 51, Seq: 9}, true
		m.s.Peers[0].Proof, m.s.Peers[0].ProofBoot, m.s.Peers[0].ProofSeq = fencing.FailSafe, 5, 50
	}
	guard{base, func(m *machine) bool { return m.contradicts(&p, claimed) }, map[string]func(m *machine){
		"another session of mine": func(*machine) { p.PeerSession++ },
		"sent before the proof":   func(*machine) { p.Echo = 50 },
		"no claim":                func(*machine) { claimed = false },
		"another boot":            func(*machine) { p.Boot = 6 },
		"nothing was proven":      func(m *machine) { m.s.Peers[0].Proof = fencing.None },
	}}.check(t, b, 1)

	// One late pulse is no sign of life, however often the timer fires.
	c, s := b.members[1].cfg, b.members[1].s
	m := &machine{c: &c, s: &s}
	base(m)
	p.Echo = 0
	m.contradicts(&p, true)
	for range 2 * riseRuns {
		m.risingTime(0)
	}
	if s.Peers[0].Proof == fencing.None {
		t.Error("one late pulse contradicts a proof")
	}
}

func TestWhatEndsAGoodbye(t *testing.T) { // rule 5
	for name, c := range map[string]struct {
		echo  uint32
		flags pulse.Flags
		ends  bool
	}{
		"a claim after it":          {51, 0, true},
		"a claim of before it":      {50, 0, false},
		"the goodbye itself, later": {51, pulse.Leaving, false},
	} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[1]
		peer := &m.s.Peers[0]
		m.s.Groups[0].Permits[0], peer.LeftSeq, peer.Claim.Echo, peer.Claim.Flags = LeftIt, 50, c.echo, c.flags
		machine := machine{c: &m.cfg, s: &m.s}
		machine.believeLife(0)
		if ended := m.s.Groups[0].Permits[0] == NoPermit; ended != c.ends {
			t.Errorf("%s: it ends %v", name, ended)
		}
	}
}

// A withdrawal that ends is kept before any pulse goes there, and a sense that reads on ends it (rule 16).
func TestTheEndOfAWithdrawalIsKeptFirst(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.s.Peers[0].Withdrawn = true
	before := m.s.KeepGen
	m.do(Event{Kind: SenseRead, Peer: 0, Reading: ReadsOn})
	if p := m.s.Peers[0]; p.Withdrawn || !p.Muted || m.s.Durable().Withdrawn[0] {
		t.Fatalf("withdrawn %v, muted %v", p.Withdrawn, p.Muted)
	}
	for name, e := range map[string]Event{
		"the run directory is written": {Kind: Saved, Gen: m.s.Gen, OK: true},
		"the disk has what was before": {Kind: Kept, Gen: before, OK: true},
		"the disk takes nothing":       {Kind: Kept, Gen: m.s.KeepGen},
		"it is time to try again":      {Kind: TimerFired, Timer: Timer{TimerKeep, 0}},
	} {
		if m.do(e); !m.s.Peers[0].Muted {
			t.Fatalf("%s, and a pulse goes to it", name)
		}
	}
	m.do(Event{Kind: Kept, Gen: m.s.KeepGen, OK: true})
	if m.s.Peers[0].Muted {
		t.Error("it stays mute")
	}
}

// A clear in an open incident asks before anything (rule 12).
func TestAClearAsks(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.s.Locked = true
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.command(CmdClear, NoPeer)
	m.write()
	if len(m.take(Cut)) != 0 || m.s.Groups[0].Phase != pulse.AwaitingApproval {
		t.Errorf("cleared, and bravo is %s", m.s.Groups[0].Phase)
	}
}

// A timer of a whole well window that fires late, in an incident, makes no budget fresh (rule 15).
func TestNoFreshBudgetInAnIncident(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.s.Moves, m.s.Incident.Open = 2, true
	machine := machine{c: &m.cfg, s: &m.s}
	if machine.windowTime(); m.s.Moves != 2 {
		t.Error("the budget is fresh in the middle of an incident")
	}
}

// Whoever was neither heard nor missed long enough is not silent: only a proof stands for the permit of one who is (rule 10).
func TestWhoIsNotJudgedIsNotSilent(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	c, s := b.members[1].cfg, b.members[1].s
	m := &machine{c: &c, s: &s}
	for presence, want := range map[Presence]bool{Unjudged: false, Present: false, Silent: true, Gone: true} {
		s.Peers[0].Presence = presence
		if got := m.cuttable(0); got != want {
			t.Errorf("%s: only a proof will do: %v", presence, got)
		}
	}
}
