package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Each move and each fence is counted, and once (rule 15).

// fire lets a timer fire that is armed.
func (m *benchMember) fire(k TimerKind, index uint8) {
	m.t.Helper()
	if m.s.Timers[k]&(1<<index) == 0 {
		m.t.Fatalf("timer %s is not armed", k)
	}
	m.do(Event{Kind: TimerFired, Timer: Timer{k, index}})
}

// A switchover whose owner dies is a takeover: it is counted, and the limit is tested.
func TestASwitchoverThatNeedsAFenceIsAMove(t *testing.T) {
	for _, spent := range []bool{false, true} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[1]
		if spent {
			m.s.Moves = m.cfg.MaxMoves
		}
		before := m.s.Moves
		m.command(CmdSwitchover, 1)
		m.write()
		if m.s.Groups[0].Phase != pulse.Requesting || m.s.Moves != before {
			t.Fatalf("bravo is %s, %d moves: this shows nothing", m.s.Groups[0].Phase, m.s.Moves)
		}
		m.do(Event{Kind: WentSilent, Peer: 0})
		m.write()
		cuts := m.take(Cut)
		if len(cuts) != 0 == spent || m.s.Locked != spent || !spent && m.s.Moves != 1 {
			t.Fatalf("limit reached %v: %d cuts, locked out %v, %d moves", spent, len(cuts), m.s.Locked, m.s.Moves)
		}
		if spent {
			continue
		}
		m.fenced(cuts[0], fencing.None)
		m.fire(TimerRetry, 0)
		m.write()
		m.fenced(m.one(Cut), fencing.FailSafe)
		m.write()
		if m.s.Moves != 1 || len(m.take(Start)) != 1 {
			t.Errorf("one takeover with a retry is %d moves", m.s.Moves)
		}
	}
}

// A failback is counted when it begins. If its owner dies it goes on as that same move; if nothing comes of it, what
// follows is another one.
func TestAFailbackThatNeedsAFenceIsOneMove(t *testing.T) {
	for _, nothing := range []bool{false, true} {
		b := newBench(t, 2)
		b.owned()
		alpha, bravo := b.members[0], b.members[1]
		if !bravo.takesOver(takes) {
			t.Fatal("bravo does not take over")
		}
		alpha.cfg.Groups[0].Failback = FailbackAuto
		alpha.cfg.Boot++
		alpha.begin(Volatile{}, false, FoundStopped)
		b.talk(4)
		alpha.fire(TimerRestore, 0)
		alpha.write()
		want := uint8(1)
		if nothing {
			want = 2
			alpha.fire(TimerMove, 0)
		}
		alpha.do(Event{Kind: WentSilent, Peer: 1})
		if nothing {
			alpha.fire(TimerBackoff, 0)
		}
		alpha.write()
		alpha.fenced(alpha.one(Cut), fencing.None)
		alpha.fire(TimerRetry, 1)
		alpha.write()
		alpha.fenced(alpha.one(Cut), fencing.FailSafe)
		alpha.write()
		if alpha.s.Moves != want || len(alpha.take(Start)) != 1 {
			t.Errorf("nothing came of it %v: %d moves; alpha is %s", nothing, alpha.s.Moves, alpha.s.Groups[0].Phase)
		}
	}
}

// A daemon that dies in the middle of the last move that is allowed is followed by one that finishes it.
func TestAMoveOutlivesTheDaemon(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.s.Moves, m.s.Fences = m.cfg.MaxMoves-1, m.cfg.MaxFences-1
	m.cutting(0)
	m.begin(reread(t, m.s.Volatile()), true, FoundStopped)
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.fire(TimerDelay, 0) // it does not know any more what alpha had
	m.write()
	m.fenced(m.one(Cut), fencing.FailSafe)
	m.write()
	if len(m.take(Start)) != 1 || m.s.Locked || m.s.Moves != m.cfg.MaxMoves || m.s.Fences != m.cfg.MaxFences {
		t.Errorf("bravo is %s, locked out %v, %d moves, %d fences", m.s.Groups[0].Phase, m.s.Locked, m.s.Moves, m.s.Fences)
	}
	v := Volatile{} // of an incident that is over: the next one is another move
	v.Groups[0].Moved = true
	if s := New(&m.cfg, 7, v, Durable{}, true); s.Groups[0].Moved {
		t.Error("a move goes on, and no incident does")
	}
}

// What this member could not take went to another one. To take it from there is another move, in the same incident.
func TestAMoveEndsWhenAnotherHasIt(t *testing.T) {
	b := newBench(t, 3)
	b.owned()
	m := b.members[1]
	m.fenced(m.cutting(0), fencing.None)
	charlie := b.members[2]
	charlie.do(Event{Kind: Beat})
	p := charlie.pulse(1)
	p.Groups[0] = pulse.GroupClaim{Holds: pulse.HoldsYes, Phase: pulse.Active, Term: 9}
	m.do(Event{Kind: Heard, Pulse: p})
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.fire(TimerRetry, 0)
	m.write()
	if !m.s.Incident.Open || m.s.Incident.ID != 1 || m.s.Groups[0].Phase != pulse.Fencing || m.s.Moves != 2 {
		t.Errorf("incident %+v, bravo is %s, %d moves", m.s.Incident, m.s.Groups[0].Phase, m.s.Moves)
	}
}

// A cut that a person ordered is none of the budget, and hides none that follows.
func TestAPersonsCutHidesNoFence(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.command(CmdFenceOff, 0)
	m.write()
	m.fenced(m.one(Cut), fencing.None)
	b.say(0, 1)
	if m.s.Fences != 0 {
		t.Fatalf("a person's cut is %d fences", m.s.Fences)
	}
	m.cutting(0)
	if m.s.Fences != 1 {
		t.Errorf("an automatic fence after a person's cut: %d fences are counted", m.s.Fences)
	}
}

// A move that was begun needs two proofs, and the first is the last fence of the budget.
func TestAMoveWithTwoFencesIsFinished(t *testing.T) {
	b := newBench(t, 3)
	b.owned()
	m := b.members[1]
	m.s.Fences = m.cfg.MaxFences - 1
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	if cuts := m.take(Cut); len(cuts) != 2 || m.s.Locked || m.s.Fences != m.cfg.MaxFences+1 {
		t.Errorf("%d cuts, locked out %v, %d fences", len(cuts), m.s.Locked, m.s.Fences)
	}
}
