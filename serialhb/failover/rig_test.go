package failover

import (
	"slices"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// bench is a few members on a table: nothing moves unless a test moves it.
type bench struct {
	t       *testing.T
	members []*benchMember
}

type benchMember struct {
	t    *testing.T
	cfg  Config
	s    State
	acts []Action // not taken yet
}

// benchConfig is a member of n that can cut all others, whose senses are fail-safe.
func benchConfig(me, n, g uint8) Config {
	c := Config{Me: me, N: n, G: g, Core: 7, Rest: 7, Boot: 100 + uint32(me), IntervalMS: 100, QuietMS: 2000,
		DetectTime: time.Second, FenceDelay: time.Second, MoveTime: time.Second, Backoff: time.Second, ApprovalTime: time.Second,
		DoubtTime: time.Second, FenceRetries: 2, FenceRetryTime: time.Second, Window: time.Hour, MaxMoves: 3, MaxFences: 3,
		RestoreTime: time.Second, FarewellTime: time.Second}
	for m := range n {
		c.Members[m] = MemberConfig{Fenceable: true, RestoreAfter: time.Second}
		c.Members[m].Senses[0] = SenseConfig{Present: true, FailSafe: true}
	}
	for k := range g {
		for m := range uint8(MaxMembers) {
			c.Groups[k].Rank[m] = NoRank
		}
		for m := range n {
			c.Groups[k].Rank[m] = m
		}
		c.Groups[k].Failback = FailbackManual
	}
	return c
}

// newBench starts n armed members of one group, each of which found it stopped and has written that down.
func newBench(t *testing.T, n uint8) *bench {
	b := &bench{t: t}
	for i := range n {
		b.members = append(b.members, &benchMember{t: t, cfg: benchConfig(i, n, 1)})
		b.members[i].begin(Volatile{}, true, FoundStopped)
	}
	return b
}

// begin is a daemon start whose probes find the same everywhere.
func (m *benchMember) begin(v Volatile, sameBoot bool, found Found) {
	m.s = New(&m.cfg, 1000+uint32(m.cfg.Me)+10*m.s.Session, v, Durable{Armed: true}, sameBoot)
	m.acts = nil
	m.do(Event{Kind: Started})
	for _, a := range m.take(Probe) {
		m.do(Event{Kind: Probed, Group: a.Group, ID: a.ID, Found: found})
	}
	m.write()
}

func (m *benchMember) do(e Event) {
	var out []Action
	m.s, out = Step(&m.cfg, m.s, e)
	m.acts = append(m.acts, out...)
}

func (m *benchMember) command(k CommandKind, peer uint8) {
	m.do(Event{Kind: Commanded, Command: Command{Kind: k, Peer: peer, Incident: m.s.Incident.ID}})
}

// take gives the actions of one kind that nobody took yet.
func (m *benchMember) take(k ActionKind) (taken []Action) {
	m.acts = slices.DeleteFunc(m.acts, func(a Action) bool {
		if a.Kind == k {
			taken = append(taken, a)
		}
		return a.Kind == k
	})
	return taken
}

// one gives the only action of a kind.
func (m *benchMember) one(k ActionKind) Action {
	m.t.Helper()
	taken := m.take(k)
	if len(taken) != 1 {
		m.t.Fatalf("member %d has %d actions %s, not one: %v", m.cfg.Me, len(taken), k, taken)
	}
	return taken[0]
}

func (m *benchMember) told(c Code) bool {
	return slices.ContainsFunc(m.acts, func(a Action) bool { return a.Kind == Note && a.Code == c })
}

// write answers all that is to be written.
func (m *benchMember) write() {
	for range 4 {
		m.do(Event{Kind: Saved, Gen: m.s.Gen, OK: true})
		m.do(Event{Kind: Kept, Gen: m.s.KeepGen, OK: true})
	}
	m.take(Save)
	m.take(Keep)
}

// probed answers the probe that is asked for.
func (m *benchMember) probed(f Found) {
	m.t.Helper()
	a := m.one(Probe)
	m.do(Event{Kind: Probed, Group: a.Group, ID: a.ID, Found: f})
}

// pulse is what a member says now to another one.
func (m *benchMember) pulse(to uint8) *pulse.Pulse {
	p := m.s.Pulse(&m.cfg, to)
	p.Echo = m.s.Peers[to].In.LinkSeq[0]
	return &p
}

// say beats once and hands the pulse over.
func (b *bench) say(from, to uint8) {
	m := b.members[from]
	m.do(Event{Kind: Beat})
	b.members[to].do(Event{Kind: Heard, Pulse: m.pulse(to)})
}

// talk lets everybody hear everybody, a few times.
func (b *bench) talk(rounds int) {
	n := uint8(len(b.members))
	for range rounds {
		for from := range n {
			b.members[from].do(Event{Kind: Beat})
			for to := range n {
				if to != from {
					b.members[to].do(Event{Kind: Heard, Pulse: b.members[from].pulse(to)})
				}
			}
		}
	}
}

// meet is talk until nobody is a stranger, with all probes finding nothing and all facts written, but no starts answered.
func (b *bench) meet() {
	for range 4 {
		b.talk(2)
		for _, m := range b.members {
			for _, a := range m.take(Probe) {
				m.do(Event{Kind: Probed, Group: a.Group, ID: a.ID, Found: FoundStopped})
			}
			m.write()
		}
	}
}

// owned has the first member own and run the group, heard by all.
func (b *bench) owned() {
	b.t.Helper()
	b.meet()
	a := b.members[0]
	start := a.one(Start)
	a.do(Event{Kind: StartDone, Group: 0, ID: start.ID, OK: true})
	b.meet()
	if g := a.s.Groups[0]; g.Phase != pulse.Active || b.members[1].s.Owner(&b.members[1].cfg, 0) != 0 {
		b.t.Fatalf("member 0 is %s", g.Phase)
	}
}

// cutting brings a member, to which another one is silent, to the running fence.
func (m *benchMember) cutting(p uint8) Action {
	m.t.Helper()
	m.do(Event{Kind: WentSilent, Peer: p})
	m.write()
	return m.one(Cut)
}

func (m *benchMember) fenced(a Action, proof fencing.Proof) {
	m.do(Event{Kind: FenceDone, Peer: a.Peer, ID: a.ID, OK: proof != fencing.None, Proof: proof})
}
