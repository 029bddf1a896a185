package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// A leave and what a relay does meanwhile (rule 7).

// restored ends the restore that is asked for.
func (m *benchMember) restored() {
	m.t.Helper()
	a := m.one(Restore)
	m.do(Event{Kind: RestoreDone, Peer: a.Peer, ID: a.ID, OK: true})
}

// goodbye beats until a member that has nothing to wait for is gone.
func (m *benchMember) goodbye(how uint32) {
	m.t.Helper()
	m.write()
	m.do(Event{Kind: Beat})
	m.do(Event{Kind: Beat})
	if a := m.one(Exit); a.Arg != how {
		m.t.Errorf("it ends by %d, not by %d", a.Arg, how)
	}
	if n := len(m.take(Start)); n != 0 {
		m.t.Errorf("%d starts of a member that leaves", n)
	}
}

// waits fails if a member that leaves says goodbye, ends, or drives a coil.
func (m *benchMember) waits() {
	m.t.Helper()
	m.write()
	m.do(Event{Kind: Beat})
	m.do(Event{Kind: TimerFired, Timer: Timer{TimerFarewell, 0}})
	if m.s.Leaving != LeaveStopping || m.pulse(0).Flags.Has(pulse.Leaving) || len(m.take(Exit)) != 0 {
		m.t.Fatalf("it does not wait: stage %d", m.s.Leaving)
	}
}

func TestLeaveWaitsForARunningFence(t *testing.T) {
	for _, c := range []struct {
		name   string
		proof  fencing.Proof
		dwells bool
		gives  bool // power is given back before the goodbye
	}{
		{"proven, mode reboot", fencing.FailSafe, true, true},
		{"proven, mode off", fencing.FailSafe, false, false},
		{"failed, mode reboot", fencing.None, true, true},
		{"failed, mode off", fencing.None, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 2)
			b.owned()
			m := b.members[1]
			if !c.dwells {
				m.cfg.Members[0].RestoreAfter = 0
			}
			cut := m.cutting(0)
			m.command(CmdLeave, NoPeer)
			m.waits()
			if !m.told(NoteLeaveWaits) || m.told(NoteNobodyHas) {
				t.Error("nobody is told what it waits for, or the outcome before it is known")
			}
			m.fenced(cut, c.proof)
			if c.gives {
				m.waits()
				m.restored()
			}
			m.goodbye(ExitLeft)
			if !m.told(NoteNobodyHas) || len(m.take(Cut)) != 0 {
				t.Error("nobody is told that web stays down, or alpha is cut again")
			}
			v := m.s.Volatile()
			if v.Groups[0].Permits[0] != NoPermit || v.Peers[0].Seen || v.Peers[0].Proof != fencing.None || v.Peers[0].Open == c.gives {
				t.Errorf("it leaves %+v and permit %s", v.Peers[0], v.Groups[0].Permits[0])
			}
		})
	}
}

func TestLeaveWaitsForAConfirmation(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.fenced(m.cutting(0), fencing.None)
	m.command(CmdConfirmOff, 0)
	m.write()
	open := m.one(OpenCuts)
	m.command(CmdLeave, NoPeer)
	m.waits()
	m.do(Event{Kind: CutsOpened, Peer: 0, ID: open.ID, OK: true})
	m.restored()
	m.goodbye(ExitLeft)
}

func TestLeaveCallsOffWhatDroveNoCoil(t *testing.T) {
	for name, begin := range map[string]func(m *benchMember){
		"silence":       func(m *benchMember) { m.do(Event{Kind: WentSilent, Peer: 0}) },
		"the wait":      func(m *benchMember) { m.cfg.Split = OwnerSurvives; m.do(Event{Kind: WentSilent, Peer: 0}) },
		"a person":      func(m *benchMember) { m.command(CmdFenceOff, 0) },
		"a person's no": func(m *benchMember) { m.do(Event{Kind: WentSilent, Peer: 0}); m.command(CmdConfirmOff, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 2)
			b.owned()
			m := b.members[1]
			begin(m)
			if !m.s.Peers[0].Fence.underWay() {
				t.Fatal("no fence is under way: this shows nothing")
			}
			m.command(CmdLeave, NoPeer)
			if m.s.Leaving != LeaveSaving || m.s.Volatile().Peers[0].Open {
				t.Errorf("stage %d, the cut may be open: %v", m.s.Leaving, m.s.Volatile().Peers[0].Open)
			}
			m.write()
			for _, k := range []TimerKind{TimerDelay, TimerRetry} {
				m.do(Event{Kind: TimerFired, Timer: Timer{k, 0}})
			}
			if n := len(m.take(Cut)) + len(m.take(OpenCuts)) + len(m.take(Restore)); n != 0 {
				t.Errorf("%d coils of a member that leaves", n)
			}
		})
	}
}

func TestSecondLeaveDoesNotWait(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.cutting(0)
	m.command(CmdLeave, NoPeer)
	m.waits()
	m.take(Reply)
	m.command(CmdLeave, NoPeer)
	if !m.one(Reply).OK {
		t.Fatal("the second leave is refused")
	}
	m.goodbye(ExitLeft)
	m.command(CmdLeave, NoPeer)
	if a := m.one(Reply); a.OK || a.Code != WhyLeaving {
		t.Errorf("a leave of one that has left: %+v", a)
	}
	if !m.s.Volatile().Peers[0].Open {
		t.Error("the next daemon does not know that the cut may be open")
	}
}

func TestLeaveInMaintenanceWaitsForAFence(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.command(CmdMaintenanceOn, NoPeer)
	m.command(CmdFenceOff, 0)
	m.write()
	cut := m.one(Cut)
	m.command(CmdLeave, NoPeer)
	m.waits()
	m.fenced(cut, fencing.FailSafe)
	if a := m.one(Exit); a.Arg != ExitInMaintenance {
		t.Errorf("it ends by %d", a.Arg)
	}
}

func TestLeaveTellsWhatNobodyHas(t *testing.T) {
	for _, c := range []struct {
		name  string
		claim pulse.Phase
		told  bool
	}{{"an heir", pulse.Idle, false}, {"one that failed", pulse.Failed, true}, {"one that may not", pulse.Ineligible, true}} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[0]
		m.s.Peers[1].Claim.Groups[0].Phase = c.claim
		m.command(CmdLeave, NoPeer)
		m.do(Event{Kind: StopDone, Group: 0, ID: m.one(Stop).ID, OK: true})
		if m.told(NoteNobodyHas) != c.told || m.s.Leaving != LeaveSaving {
			t.Errorf("%s: told %v, stage %d", c.name, !c.told, m.s.Leaving)
		}
	}
}

// A member that still stops its services begins no fence, and its person's is called off too.
func TestWhoLeavesBeginsNoFence(t *testing.T) {
	for _, byPerson := range []bool{false, true} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[0]
		m.cfg.Split = OwnerSurvives
		if byPerson {
			m.command(CmdFenceOff, 1)
		}
		m.command(CmdLeave, NoPeer)
		m.do(Event{Kind: WentSilent, Peer: 1})
		m.write()
		if n := len(m.take(Cut)); n != 0 || m.s.Peers[1].Fence.underWay() || m.s.Fences != 0 {
			t.Errorf("by a person %v: %d cuts, %d fences counted, it is %s", byPerson, n, m.s.Fences, m.s.Peers[1].Fence.Phase)
		}
	}
}
