package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// What the budget does when its counts do not get to the disk (rule 15): one more move, then locked.

// disk is what becomes of durable facts.
type disk func(m *benchMember)

func hangs(*benchMember)     {}
func refuses(m *benchMember) { m.do(Event{Kind: Kept, Gen: m.s.KeepGen}) }
func takes(m *benchMember)   { m.do(Event{Kind: Kept, Gen: m.s.KeepGen, OK: true}) }

// save answers for the run directory alone.
func (m *benchMember) save(d disk) {
	for range 3 {
		m.do(Event{Kind: Saved, Gen: m.s.Gen, OK: true})
		d(m)
	}
}

// takesOver has a silent member cut, and its group started.
func (m *benchMember) takesOver(d disk) bool {
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.save(d)
	cut := m.take(Cut)
	if len(cut) != 1 {
		return false
	}
	m.fenced(cut[0], fencing.FailSafe)
	m.save(d)
	start := m.one(Start)
	m.do(Event{Kind: StartDone, ID: start.ID, OK: true})
	m.save(d)
	return m.s.Groups[0].Phase == pulse.Active
}

// back brings the other member back under a new boot, as the owner by a person's failback.
func (b *bench) back(d disk) {
	b.t.Helper()
	alpha, bravo := b.members[0], b.members[1]
	alpha.cfg.Boot++
	alpha.begin(Volatile{}, false, FoundStopped)
	b.talk(4)
	bravo.take(Restore)
	bravo.save(d)
	alpha.command(CmdFailback, NoPeer)
	for range 6 {
		b.talk(2)
		for _, a := range bravo.take(Stop) {
			bravo.do(Event{Kind: StopDone, ID: a.ID, OK: true})
		}
		for _, a := range bravo.take(Probe) {
			bravo.do(Event{Kind: Probed, ID: a.ID, Found: FoundStopped})
		}
		bravo.save(d)
		alpha.write()
	}
	alpha.do(Event{Kind: StartDone, ID: alpha.one(Start).ID, OK: true})
	b.talk(4)
	if bravo.s.Owner(&bravo.cfg, 0) != 0 || bravo.s.Incident.Open {
		b.t.Fatalf("alpha is not back as the owner: bravo is %s, incident %+v", bravo.s.Groups[0].Phase, bravo.s.Incident)
	}
}

func TestOneMoveWhoseCountIsNotKept(t *testing.T) {
	for _, c := range []struct {
		name   string
		before disk // when nothing moved yet
		during disk
		after  disk // when everything is well again
		second bool
	}{
		{"a good disk", takes, takes, takes, true},
		{"it refuses from the move on", takes, refuses, refuses, false},
		{"it is known to refuse", refuses, refuses, refuses, false},
		{"it hangs from the move on", takes, hangs, hangs, false},
		{"it hung before", hangs, hangs, hangs, false},
		{"it refuses, then hangs", refuses, hangs, hangs, false},
		{"it is only slow", hangs, hangs, takes, true},
		{"it was mended", takes, refuses, takes, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 2)
			b.owned()
			m := b.members[1]
			m.command(CmdStandbyOff, NoPeer) // something is to be kept
			c.before(m)
			if !m.takesOver(c.during) {
				t.Fatalf("the one move is not made: bravo is %s, locked out %v", m.s.Groups[0].Phase, m.s.Locked)
			}
			b.back(c.after)
			if m.takesOver(c.after) != c.second || m.s.Locked == c.second || m.told(NoteCountNotKept) == c.second {
				t.Fatalf("second move: bravo is %s, locked out %v, told why %v", m.s.Groups[0].Phase, m.s.Locked, m.told(NoteCountNotKept))
			}
			if c.second {
				return
			}
			// A person who looked may have it moved.
			m.command(CmdClear, NoPeer)
			m.do(Event{Kind: Commanded, Command: Command{Kind: CmdApprove, Incident: m.s.Incident.ID}})
			m.save(c.after)
			if len(m.take(Cut)) != 1 {
				t.Errorf("after a clear and an approval bravo is %s", m.s.Groups[0].Phase)
			}
		})
	}
}

// inherits lets the disk hold nothing of what was counted by one daemon, and a second one start.
func (m *benchMember) inherits(d disk) {
	m.t.Helper()
	m.s = New(&m.cfg, m.s.Session+10, m.s.Volatile(), Durable{Armed: true}, true)
	m.acts = nil
	m.do(Event{Kind: Started})
	m.probed(FoundStopped)
	if len(m.take(Keep)) != 1 {
		m.t.Fatal("the start does not ask for what an earlier daemon could not keep")
	}
	m.save(d)
}

func TestCountThatIsNotKeptOutlivesTheDaemon(t *testing.T) {
	for _, c := range []struct {
		name  string
		disk  disk
		moves bool
	}{{"it hangs still", hangs, false}, {"it refuses still", refuses, false}, {"it answers", takes, true}} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[1]
		if !m.takesOver(hangs) {
			t.Fatal("the one move is not made")
		}
		b.back(hangs)
		m.inherits(c.disk)
		b.talk(4)
		if m.takesOver(c.disk) != c.moves || m.s.Locked == c.moves {
			t.Errorf("%s: bravo is %s, locked out %v", c.name, m.s.Groups[0].Phase, m.s.Locked)
		}
	}
}

// A move after a goodbye needs no fence, and is one move like any other.
func TestMoveWithoutAFenceIsCountedAlike(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		b := newBench(t, 2)
		b.owned()
		alpha, m := b.members[0], b.members[1]
		starts := func() (n int) {
			alpha.command(CmdLeave, NoPeer)
			alpha.do(Event{Kind: StopDone, ID: alpha.one(Stop).ID, OK: true})
			alpha.write()
			b.say(0, 1)
			for range 3 {
				m.save(hangs)
				for _, a := range m.take(Start) {
					m.do(Event{Kind: StartDone, ID: a.ID, OK: true})
					n++
				}
			}
			return n
		}
		if starts() != 1 {
			t.Fatalf("the one move is not made: bravo is %s", m.s.Groups[0].Phase)
		}
		b.back(hangs)
		if restarts {
			m.inherits(hangs)
			b.talk(4)
		}
		if starts() != 0 || !m.s.Locked {
			t.Errorf("restarted %v: a second move; bravo is %s, locked out %v", restarts, m.s.Groups[0].Phase, m.s.Locked)
		}
	}
}

// The owner that cuts its silent standby moves nothing, and its fence is counted alike.
func TestFenceWithoutAMoveIsCountedAlike(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		b := newBench(t, 2)
		b.owned()
		m, bravo := b.members[0], b.members[1]
		m.cfg.Split = OwnerSurvives
		cuts := func() bool {
			m.do(Event{Kind: WentSilent, Peer: 1})
			m.save(hangs)
			cut := m.take(Cut)
			if len(cut) == 1 {
				m.fenced(cut[0], fencing.FailSafe)
				m.save(hangs)
			}
			return len(cut) == 1
		}
		if !cuts() {
			t.Fatal("the one fence is not made")
		}
		bravo.cfg.Boot++
		bravo.begin(Volatile{}, false, FoundStopped)
		b.talk(4)
		if m.s.Incident.Open || m.s.Peers[1].Proof != fencing.None {
			t.Fatalf("bravo is not back: %+v", m.s.Incident)
		}
		if restarts {
			v := m.s.Volatile()
			m.s = New(&m.cfg, 99, v, Durable{Armed: true}, true)
			m.do(Event{Kind: Started})
			m.probed(FoundRunning)
			m.save(hangs)
			b.talk(4)
		}
		if cuts() {
			t.Errorf("restarted %v: a second fence", restarts)
		}
	}
}

// Automatic failback is a move too.
func TestFailbackWaitsForTheCount(t *testing.T) {
	for _, d := range []disk{takes, hangs, refuses} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[1]
		if !m.takesOver(takes) {
			t.Fatal("bravo does not take over")
		}
		alpha := b.members[0]
		alpha.cfg.Groups[0].Failback = FailbackAuto
		alpha.cfg.Boot++
		alpha.begin(Volatile{}, false, FoundStopped)
		alpha.s.Groups[0].MoveGen = alpha.s.KeptGen + 1
		alpha.s.KeepGen = alpha.s.KeptGen + 1
		b.talk(4)
		d(alpha)
		if m.s.Owner(&m.cfg, 0) != 1 || alpha.s.Owner(&alpha.cfg, 0) != 1 {
			t.Fatal("bravo is not the owner: this shows nothing")
		}
		kept := alpha.s.KeptGen == alpha.s.KeepGen
		if waits := alpha.s.Timers[TimerRestore] != 0; waits != kept {
			t.Errorf("count kept %v: a failback is prepared: %v", kept, waits)
		}
		alpha.do(Event{Kind: TimerFired, Timer: Timer{TimerRestore, 0}})
		if counted := alpha.s.Moves == 1 && alpha.s.Groups[0].MoveGen == alpha.s.KeepGen; counted != kept {
			t.Errorf("count kept %v: %d moves, generation %d of %d", kept, alpha.s.Moves, alpha.s.Groups[0].MoveGen, alpha.s.KeepGen)
		}
	}
}

// Two groups of one dead owner are taken together: the second does not wait for the count of the first.
func TestMovesOfOneIncidentDoNotWaitForTheDisk(t *testing.T) {
	c := benchConfig(1, 2, 2)
	m := &benchMember{t: t, cfg: c}
	m.begin(Volatile{}, true, FoundStopped)
	p := m.pulse(0)
	p.From, p.To, p.Session, p.PeerSession, p.Boot = 0, 1, 77, m.s.Session, 5
	for i := range uint32(2) {
		p.Seq = i + 1
		for g := range 2 {
			p.Groups[g] = pulse.GroupClaim{Holds: pulse.HoldsYes, Phase: pulse.Active, Term: 4}
		}
		m.do(Event{Kind: Heard, Pulse: p})
	}
	m.write()
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.save(hangs)
	m.fenced(m.one(Cut), fencing.FailSafe)
	m.save(hangs)
	if n := len(m.take(Start)); n != 2 || m.s.Moves != 2 || m.s.Locked {
		t.Errorf("%d groups start, %d moves, locked out %v", n, m.s.Moves, m.s.Locked)
	}
}

// An owner whose run directory takes nothing could not say the grant: it must not stop for a switchover.
func TestOwnerReleasesOnlyWhatItCanGrant(t *testing.T) {
	for name, wedge := range map[string]func(m *benchMember){
		"it hangs":   func(*benchMember) {},
		"it refuses": func(m *benchMember) { m.do(Event{Kind: Saved, Gen: m.s.Gen}) },
		"it is tried again": func(m *benchMember) {
			m.do(Event{Kind: Saved, Gen: m.s.Gen})
			m.do(Event{Kind: TimerFired, Timer: Timer{TimerSave, 0}})
		},
	} {
		b := newBench(t, 2)
		b.owned()
		alpha, bravo := b.members[0], b.members[1]
		alpha.do(Event{Kind: Commanded, Command: Command{Kind: CmdArm}}) // something is to be written
		wedge(alpha)
		bravo.command(CmdSwitchover, 1)
		b.talk(4)
		if bravo.s.Groups[0].Wish.To == 0 {
			t.Fatalf("%s: bravo does not show its wish: this shows nothing", name)
		}
		wedge(alpha)
		if len(alpha.take(Stop)) != 0 {
			t.Errorf("%s: alpha stops what it cannot grant", name)
		}
		alpha.write()
		if len(alpha.take(Stop)) != 1 {
			t.Errorf("%s: alpha does not release when it can", name)
		}
	}
}
