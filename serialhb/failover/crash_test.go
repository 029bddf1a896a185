package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// confirm-off called off by life, disarm, silence again: a coil while disarmed?
func TestDisarmedDrivesNoCoilAfterConfirm(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.cfg.MoveTime *= 5
	a := m.cutting(0)
	m.fenced(a, fencing.None)
	m.write()
	m.command(CmdConfirmOff, 0)
	t.Log("fence", m.s.Peers[0].Fence.Phase, "group", m.s.Groups[0].Phase, m.s.Groups[0].Approved)
	b.talk(3) // alpha is heard after all
	m.write()
	t.Log("after talk: fence", m.s.Peers[0].Fence.Phase, "group", m.s.Groups[0].Phase, "approved", m.s.Groups[0].Approved, m.s.Peers[0].Presence)
	m.command(CmdDisarm, 0)
	t.Log("armed", m.s.Armed)
	m.write()
	m.take(Cut)
	m.take(OpenCuts)
	m.take(Restore)
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	t.Log("silent: fence", m.s.Peers[0].Fence.Phase, "group", m.s.Groups[0].Phase)
	if c := m.take(Cut); len(c) > 0 && !m.s.Armed {
		t.Errorf("coil driven while disarmed: %v", c)
	}
}

// unanswered question + daemon crash
func TestQuestionSurvivesCrash(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.cfg.OnLastLink = AskOnLastLink
	m.do(Event{Kind: WentSilent, Peer: 0, OneByOne: true})
	m.write()
	if m.s.Groups[0].Phase != pulse.AwaitingApproval {
		t.Fatal(m.s.Groups[0].Phase)
	}
	v := m.s.Volatile()
	m.begin(v, true, FoundStopped)
	m.write()
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	m.do(Event{Kind: TimerFired, Timer: Timer{TimerDelay, 0}})
	m.write()
	why, _ := m.s.Explain(&m.cfg, 0)
	t.Log(m.s.Groups[0].Phase, why, m.s.Groups[0].Holds, m.s.Incident)
	if c := m.take(Cut); len(c) > 0 {
		t.Errorf("the unanswered question became a cut: group %s", m.s.Groups[0].Phase)
	}
}

// doubt timer
func TestQuestionStands(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.do(Event{Kind: WentSilent, Peer: 0, OneByOne: false})
	_ = m
}

// restore that ends during a newer cut
func TestRestoreDoneDuringNewCut(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.command(CmdFenceOn, 0)
	r := m.one(Restore)
	m.command(CmdFenceOff, 0)
	m.write()
	c := m.one(Cut)
	m.do(Event{Kind: RestoreDone, Peer: 0, ID: r.ID, OK: true})
	t.Log("open during cut:", m.s.Peers[0].Fence.Open)
	m.fenced(c, fencing.FailSafe)
	m.write()
	m.do(Event{Kind: TimerFired, Timer: Timer{TimerPower, 0}})
	if len(m.take(Restore)) == 0 {
		t.Error("power is never given back")
	}
}

// two owners: standby on
func TestTwoOwnersCanBeEnded(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.s.Groups[0].Holds, m.s.Groups[0].Phase = pulse.HoldsYes, pulse.Active
	b.talk(3)
	t.Log("frozen", m.s.Groups[0].Frozen, b.members[0].s.Groups[0].Frozen)
	for _, x := range b.members {
		s := x.s
		x.command(CmdStandbyOn, 255)
		r := x.one(Reply)
		t.Log("standby on:", r.OK, r.Code)
		x.take(Stop)
		x.s = s
		x.command(CmdSwitchover, 255)
		r = x.one(Reply)
		t.Log("switchover:", r.OK, r.Code)
		x.s = s
	}
}

// standby on, then do things stop?
func TestTwoOwnersStandbyStops(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.s.Groups[0].Holds, m.s.Groups[0].Phase = pulse.HoldsYes, pulse.Active
	b.talk(3)
	m.command(CmdStandbyOn, 255)
	b.talk(5)
	if m.s.Groups[0].Phase != pulse.Stopping {
		t.Error("not stopping:", m.s.Groups[0].Phase, m.s.Standby)
	}
}

// approval given, daemon restart: does it expire
func TestApprovalExpiresAfterRestart(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.cfg.Takeover = Approve
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	m.take(SetTimer)
	// the approval cannot be used yet: the file cannot be written
	m.command(CmdApprove, 0)
	v := m.s.Volatile()
	t.Log("approved in facts", v.Incident.Question.Approved, v.Incident.Question.Used)
	v.Incident.Question.Approved, v.Incident.Question.Used = true, false
	m.begin(v, true, FoundStopped)
	found := false
	for _, a := range m.take(SetTimer) {
		found = found || a.Timer.Kind == TimerApproval
	}
	if !found {
		t.Error("a given approval has no end after a restart")
	}
}

// quiet exit with nobody heard
func TestQuietSaysQuiet(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.do(Event{Kind: Commanded, Command: Command{Kind: CmdDisarm}})
	m.write()
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	m.command(CmdQuiet, 0)
	t.Log(m.take(Reply))
	m.do(Event{Kind: Beat})
	p := m.pulse(0)
	t.Log("exit", len(m.take(Exit)), "flags leaving", p.Flags.Has(pulse.Leaving), "quiet", p.Flags.Has(pulse.Quiet), "interval", p.IntervalMS)
	if p.Flags.Has(pulse.Leaving) {
		t.Error("a quiet restart says leaving with permits and seen kept")
	}
	a := b.members[0]
	a.do(Event{Kind: Heard, Pulse: p})
	t.Log("alpha thinks", a.s.Peers[1].Presence, a.s.Groups[0].Permits[1])
}

// failed fence, crash, peer alive: cut stays energised
func TestCutGivenBackAfterCrash(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	c := m.cutting(0)
	m.fenced(c, fencing.None)
	m.write()
	v := m.s.Volatile()
	t.Log("open", v.Peers[0].Open)
	m.begin(v, true, FoundStopped)
	b.meet()
	for _, k := range []TimerKind{TimerPower, TimerRetry} {
		m.do(Event{Kind: TimerFired, Timer: Timer{k, 0}})
	}
	if len(m.take(Restore)) == 0 {
		t.Errorf("alpha is heard (%s) and the cut of it stays open: %v", m.s.Peers[0].Presence, m.s.Peers[0].Fence.Open)
	}
}

// leave during fence
func TestLeaveDuringFence(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	c := m.cutting(0)
	m.command(CmdLeave, 0)
	m.write()
	m.do(Event{Kind: Beat})
	m.do(Event{Kind: Beat})
	t.Log("leaving", m.s.Leaving, "exit", len(m.take(Exit)), "fence", m.s.Peers[0].Fence.Phase)
	_ = c
	v := m.s.Volatile()
	m.begin(v, true, FoundStopped)
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	m.do(Event{Kind: SenseRead, Peer: 0, Reading: ReadsOff})
	m.write()
	t.Log("cut open", m.s.Peers[0].Fence.Open, "restore", len(m.take(Restore)), "timers", m.armed(TimerPower))
}

func (m *benchMember) armed(k TimerKind) bool { return m.s.Timers[k] != 0 }

// leave in dwell
func TestLeaveDuringDwell(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	c := m.cutting(0)
	m.fenced(c, fencing.FailSafe)
	m.write()
	s := m.one(Start)
	m.do(Event{Kind: StartDone, ID: s.ID, OK: true})
	m.command(CmdLeave, 0)
	m.write()
	st := m.one(Stop)
	m.do(Event{Kind: StopDone, ID: st.ID, OK: true})
	m.write()
	m.do(Event{Kind: Beat})
	m.do(Event{Kind: Beat})
	t.Log("exit", len(m.take(Exit)))
	v := m.s.Volatile()
	m.begin(v, true, FoundStopped)
	if !m.armed(TimerPower) {
		t.Errorf("mode reboot, left in the dwell: cut open %v and nobody will ever give the power back", m.s.Peers[0].Fence.Open)
	}
}

// leave when the run dir cannot be written
func TestLeaveEndsWithoutRunDir(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[0]
	m.command(CmdLeave, 0)
	st := m.one(Stop)
	m.do(Event{Kind: StopDone, ID: st.ID, OK: true})
	for range 100 {
		m.do(Event{Kind: Saved, Gen: m.s.Gen, OK: false})
		m.do(Event{Kind: TimerFired, Timer: Timer{TimerSave, 0}})
		m.do(Event{Kind: TimerFired, Timer: Timer{TimerFarewell, 0}})
		m.do(Event{Kind: Beat})
	}
	if len(m.take(Exit)) == 0 {
		t.Error("a leave never ends while the run directory cannot be written; stage", m.s.Leaving, "farewell armed", m.armed(TimerFarewell))
	}
}

// proof boot unknown after restart
func TestContradictionAfterRestart(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	v := m.s.Volatile()
	m.begin(v, true, FoundStopped)
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	m.do(Event{Kind: TimerFired, Timer: Timer{TimerDelay, 0}})
	m.write()
	why, _ := m.s.Explain(&m.cfg, 0)
	t.Log(m.s.Groups[0].Phase, why, m.s.Groups[0].Holds, m.s.Incident)
	c := m.one(Cut)
	m.fenced(c, fencing.FailSafe)
	m.write()
	s := m.one(Start)
	m.do(Event{Kind: StartDone, ID: s.ID, OK: true})
	t.Log("holds", m.s.Groups[0].Holds, "proof boot", m.s.Peers[0].ProofBoot, "alpha boot", b.members[0].cfg.Boot)
	b.talk(6)
	t.Log("phase", m.s.Groups[0].Phase, "frozen", m.s.Groups[0].Frozen)
	if !m.told(NoteContradiction) {
		t.Error("the proof lied, alpha of the same boot is alive, and bravo goes on: ", m.s.Groups[0].Phase)
	}
}

// both renew at once
func TestBothRenewAtOnce(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	for _, m := range b.members {
		m.s.Seq = renewAt
	}
	// both renew in the same interval
	sessions := []uint32{5001, 5002}
	for round := range 40 {
		for i, m := range b.members {
			m.do(Event{Kind: Beat})
			if len(m.take(Renew)) > 0 {
				// pulse was sent before
				b.members[1-i].do(Event{Kind: Heard, Pulse: m.pulse(uint8(1 - i))})
				m.do(Event{Kind: NewSession, Session: sessions[i]})
				t.Log("round", round, i, "renewed")
			}
		}
		for i, m := range b.members {
			if m.s.Seq > 0 {
				b.members[1-i].do(Event{Kind: Heard, Pulse: m.pulse(uint8(1 - i))})
			}
		}
	}
	for i, m := range b.members {
		p := m.s.Peers[1-i]
		if !p.Claim.Valid {
			t.Errorf("member %d: no claim of the other: session known %d, its %d, doubt %d", i, p.In.Session, b.members[1-i].s.Session, p.Doubt)
		}
	}
}

// TimerPower during confirm-off opening
func TestDwellEndsDuringConfirm(t *testing.T) {
	b := newBench(t, 3)
	b.owned()
	m := b.members[1]
	c := m.cutting(0)
	m.fenced(c, fencing.FailSafe)
	m.write()
	m.take(Restore)
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.write()
	m.command(CmdConfirmOff, 0)
	t.Log(m.one(Reply).Code, m.s.Peers[0].Fence.Phase)
	m.do(Event{Kind: TimerFired, Timer: Timer{TimerPower, 0}})
	if len(m.take(Restore)) > 0 && m.s.Peers[0].Fence.Phase == FenceOpening {
		t.Error("power is given back behind a confirmation whose cuts are being opened")
	}
}
