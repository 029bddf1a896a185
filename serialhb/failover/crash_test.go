package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// A confirmation is called off by life, and the node disarmed. Silence again must drive no coil.
func TestDisarmedDrivesNoCoilAfterConfirm(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.cfg.MoveTime *= 5
	a := m.cutting(0)
	m.fenced(a, fencing.None)
	m.write()
	m.command(CmdConfirmOff, 0)
	b.talk(3) // alpha is heard after all
	m.write()
	m.restored()
	m.command(CmdDisarm, 0)
	m.write()
	m.take(Cut)
	m.take(OpenCuts)
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	if c := m.take(Cut); len(c) > 0 || m.s.Armed {
		t.Errorf("coil driven while disarmed: %v, armed %v", c, m.s.Armed)
	}
}

// A question that nobody answered stands after a crash of the daemon, whatever raised it.
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
	if c := m.take(Cut); len(c) > 0 {
		t.Errorf("the unanswered question became a cut: group %s", m.s.Groups[0].Phase)
	}
}

// A restore that ends while a newer cut is under way does not make that cut closed.
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
	m.fenced(c, fencing.FailSafe)
	m.write()
	m.do(Event{Kind: TimerFired, Timer: Timer{TimerPower, 0}})
	if len(m.take(Restore)) == 0 {
		t.Error("power is never given back")
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

// An approval expires after a restart of the daemon too.
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
	m.begin(reread(t, m.s.Volatile()), true, FoundStopped)
	if !m.s.Incident.Question.Approved {
		t.Fatal("the approval is lost: this shows nothing")
	}
	m.fire(TimerApproval, 0) // before alpha is known to be silent still
	if !m.told(NoteApprovalExpired) {
		t.Error("nobody is told that it expired")
	}
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	if len(m.take(Cut)) != 0 || m.s.Groups[0].Phase != pulse.AwaitingApproval {
		t.Errorf("expired, and bravo is %s, alpha's fence %s", m.s.Groups[0].Phase, m.s.Peers[0].Fence.Phase)
	}
}

// A quiet end never says leaving, also with nobody to hear it.
func TestQuietSaysQuiet(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.do(Event{Kind: Commanded, Command: Command{Kind: CmdDisarm}})
	m.write()
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	m.command(CmdQuiet, 0)
	m.do(Event{Kind: Beat})
	p := m.pulse(0)
	if p.Flags.Has(pulse.Leaving) {
		t.Error("a quiet restart says leaving with permits and seen kept")
	}
	a := b.members[0]
	a.do(Event{Kind: Heard, Pulse: p})
}

// A cut that a crash left open is given back when the peer is heard.
func TestCutGivenBackAfterCrash(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	c := m.cutting(0)
	m.fenced(c, fencing.None)
	m.write()
	v := m.s.Volatile()
	m.begin(v, true, FoundStopped)
	b.meet()
	for _, k := range []TimerKind{TimerPower, TimerRetry} {
		m.do(Event{Kind: TimerFired, Timer: Timer{k, 0}})
	}
	if len(m.take(Restore)) == 0 {
		t.Errorf("alpha is heard (%s) and the cut of it stays open: %v", m.s.Peers[0].Presence, m.s.Peers[0].Fence.Open)
	}
}

func (m *benchMember) armed(k TimerKind) bool { return m.s.Timers[k] != 0 }

// A node that leaves during the dwell comes back and gives the power back.
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
	v := m.s.Volatile()
	m.begin(v, true, FoundStopped)
	if !m.armed(TimerPower) {
		t.Errorf("mode reboot, left in the dwell: cut open %v and nobody will ever give the power back", m.s.Peers[0].Fence.Open)
	}
}

// A leave ends although the run directory cannot be written, and says no goodbye.
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

// A proof that lied is contradicted after a restart of the daemon too.
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
	c := m.one(Cut)
	m.fenced(c, fencing.FailSafe)
	m.write()
	s := m.one(Start)
	m.do(Event{Kind: StartDone, ID: s.ID, OK: true})
	m.write()
	if m.s.Groups[0].Phase != pulse.Active || b.members[0].s.Groups[0].Phase != pulse.Active {
		t.Fatalf("bravo is %s, alpha %s: this shows nothing", m.s.Groups[0].Phase, b.members[0].s.Groups[0].Phase)
	}
	b.talk(6)
	m.stops() // the proof lied: alpha of the same boot is alive
}

// Both members begin a new session at once and still understand each other.
func TestBothRenewAtOnce(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	for _, m := range b.members {
		m.s.Seq = renewAt
	}
	// both renew in the same interval
	sessions := []uint32{5001, 5002}
	for range 40 {
		for i, m := range b.members {
			m.do(Event{Kind: Beat})
			if len(m.take(Renew)) > 0 {
				// pulse was sent before
				b.members[1-i].do(Event{Kind: Heard, Pulse: m.pulse(uint8(1 - i))})
				m.do(Event{Kind: NewSession, Session: sessions[i]})
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

// The dwell of an older fence does not close a cut behind a person's confirmation.
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
	m.do(Event{Kind: TimerFired, Timer: Timer{TimerPower, 0}})
	if len(m.take(Restore)) > 0 && m.s.Peers[0].Fence.Phase == FenceOpening {
		t.Error("power is given back behind a confirmation whose cuts are being opened")
	}
}

// A daemon dies in the moment of the coil. Whatever it managed to write before says that the cut may be open, so the next
// one counts no second fence and gives the power back.
func TestOpenCutIsWrittenBeforeTheCoil(t *testing.T) {
	for name, begin := range map[string]func(m *benchMember){
		"a fence":        func(m *benchMember) { m.do(Event{Kind: WentSilent, Peer: 0}) },
		"a person's cut": func(m *benchMember) { m.command(CmdFenceOff, 0) },
		"a confirmation": func(m *benchMember) {
			m.do(Event{Kind: WentSilent, Peer: 0})
			m.command(CmdConfirmOff, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 2)
			b.owned()
			m := b.members[1]
			m.take(Save)
			begin(m)
			if n := len(m.take(Cut)) + len(m.take(OpenCuts)); n != 0 {
				t.Fatalf("%d coils before anything is written", n)
			}
			written, asked := m.s.Volatile(), m.take(Save)
			m.do(Event{Kind: Saved, Gen: asked[len(asked)-1].Gen, OK: true})
			if n := len(m.take(Cut)) + len(m.take(OpenCuts)); n != 1 {
				t.Fatalf("%d coils when it is written", n)
			}
			m.begin(written, true, FoundStopped)
			if f := m.s.Peers[0].Fence; !f.Open || f.Counted != (name != "a person's cut") || !m.armed(TimerPower) {
				t.Errorf("the next daemon knows %+v, and will give the power back: %v", f, m.armed(TimerPower))
			}
		})
	}
}

// What was called off before the coil leaves no such fact behind.
func TestFenceCalledOffLeavesNothingOpen(t *testing.T) {
	for _, confirmed := range []bool{false, true} {
		b := newBench(t, 3)
		b.owned()
		m := b.members[1]
		m.do(Event{Kind: WentSilent, Peer: 2}) // the incident goes on when alpha is heard again
		m.s.Groups[0].Permits[2] = ProvenOff
		m.do(Event{Kind: WentSilent, Peer: 0})
		if confirmed {
			m.command(CmdConfirmOff, 0)
		}
		if !m.s.Volatile().Peers[0].Open {
			t.Fatal("it is not about to be cut: this shows nothing")
		}
		m.take(Save)
		b.say(0, 1)
		if v := m.s.Volatile(); v.Peers[0].Open || len(m.take(Save)) != 1 {
			t.Errorf("confirmed %v: alpha is heard, and what is on file stays: open %v", confirmed, v.Peers[0].Open)
		}
	}
}
