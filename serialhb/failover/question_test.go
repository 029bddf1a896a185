package failover

import (
	"strings"
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// The question, and whom its answer is about (rule 12).

// asking is bravo of n in approve mode, to which the owner is silent.
func asking(t *testing.T, n uint8) (*bench, *benchMember) {
	b := newBench(t, n)
	b.owned()
	m := b.members[1]
	m.cfg.Takeover = Approve
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	if m.s.Groups[0].Phase != pulse.AwaitingApproval || len(m.takeNotes(NoteQuestion)) != 1 {
		t.Fatalf("bravo is %s", m.s.Groups[0].Phase)
	}
	m.take(Reply)
	return b, m
}

// An approval that would do nothing is refused, and says what to do first.
func TestAnApprovalThatDoesNothingIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		before func(b *bench, m *benchMember)
		why    Code
		next   string
		then   CommandKind
	}{
		"disarmed":       {func(_ *bench, m *benchMember) { m.command(CmdDisarm, NoPeer) }, WhyArmFirst, "`serialhb arm`", CmdArm},
		"maintenance":    {func(_ *bench, m *benchMember) { m.command(CmdMaintenanceOn, NoPeer) }, WhyMaintenanceFirst, "`serialhb maintenance off`", CmdMaintenanceOff},
		"locked out":     {func(_ *bench, m *benchMember) { m.s.Locked = true }, WhyLocked, "`serialhb clear`", CmdClear},
		"not judged yet": {func(_ *bench, m *benchMember) { m.begin(m.s.Volatile(), true, FoundStopped) }, WhyWaiting, "again", commandEnd},
		"heard again": {func(b *bench, m *benchMember) {
			m.s.FenceMe = true // so that the incident stays open
			b.say(0, 1)
		}, WhyNoQuestion, "`serialhb status`", commandEnd},
	} {
		t.Run(name, func(t *testing.T) {
			b, m := asking(t, 3)
			c.before(b, m)
			m.write()
			m.take(Reply)
			m.command(CmdApprove, NoPeer)
			a := m.one(Reply)
			if a.OK || a.Code != c.why || m.s.Incident.Question.Approved || len(m.take(Cut)) != 0 {
				t.Fatalf("%+v, question %+v", a, m.s.Incident.Question)
			}
			if s := a.Code.Sentence(Names{}, a.Peer, a.Group, 0, 3); !strings.Contains(s, c.next) {
				t.Errorf("it says %q", s)
			}
			if c.then == commandEnd {
				return
			}
			m.command(c.then, NoPeer)
			m.write()
			m.take(Reply)
			m.command(CmdApprove, NoPeer)
			if m.s.Timers[TimerBackoff] != 0 {
				m.fire(TimerBackoff, 0)
			}
			m.write()
			if !m.one(Reply).OK || len(m.take(Cut)) != 1 {
				t.Errorf("after `%s` an approval does nothing: bravo is %s", c.then, m.s.Groups[0].Phase)
			}
		})
	}
}

// Everybody who may be cut on an answer is asked about, once, also when the question stands already.
func TestEachMemberIsAskedAbout(t *testing.T) {
	_, m := asking(t, 3)
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.write()
	if asked := m.takeNotes(NoteQuestion); len(asked) != 1 || asked[0].Peer != 2 {
		t.Errorf("charlie fell silent, too: asked %v", asked)
	}
	m.do(Event{Kind: Beat})
	if asked := m.takeNotes(NoteQuestion); len(asked) != 0 {
		t.Errorf("asked again: %v", asked)
	}
	m.command(CmdApprove, NoPeer)
	m.write()
	if covers := m.s.Incident.Question.Covers; covers != 0b101 || len(m.take(Cut)) != 2 {
		t.Errorf("it covers %b", covers)
	}
}

// Nobody was asked about charlie: it is silent, and bravo needs nothing of it yet.
func TestAnApprovalIsOfWhoWasAskedAbout(t *testing.T) {
	_, m := asking(t, 3)
	m.s.Peers[2].Presence = Silent // as if in the same moment
	m.command(CmdApprove, NoPeer)
	if q := m.s.Incident.Question; q.Covers != 0 || q.Approved || q.About != 0b101 {
		t.Errorf("%+v", q)
	}
}

// What a person said at night must not cut in the morning, when the run directory has been freed.
func TestAnApprovalThatCannotBeWrittenExpires(t *testing.T) {
	_, m := asking(t, 2)
	m.command(CmdApprove, NoPeer)
	if m.s.Peers[0].Fence.Phase != FenceSaving || m.s.Groups[0].Phase != pulse.Fencing {
		t.Fatalf("%s, %+v", m.s.Groups[0].Phase, m.s.Peers[0].Fence)
	}
	m.fire(TimerApproval, 0)
	m.write()
	if len(m.take(Cut)) != 0 || m.s.Groups[0].Phase != pulse.AwaitingApproval || !m.told(NoteApprovalExpired) || !m.told(NoteFenceCalledOff) {
		t.Fatalf("%s, %+v", m.s.Groups[0].Phase, m.s.Peers[0].Fence)
	}
	m.command(CmdApprove, NoPeer)
	m.write()
	m.one(Cut)
	if m.s.Timers[TimerApproval] != 0 || !m.s.Incident.Question.Used {
		t.Errorf("used, and it may expire: %+v", m.s.Incident.Question)
	}
}

// An approval of what was late that nobody used ends with life, and so does the question.
func TestLateIsAskedAgainAfterLife(t *testing.T) {
	b := newBench(t, 3)
	b.owned()
	m := b.members[1]
	alpha := b.members[0] // has failed: nobody owns anything, and the incident stays open
	alpha.do(Event{Kind: ServiceFailed})
	alpha.do(Event{Kind: StopDone, ID: alpha.one(Stop).ID, OK: true})
	m.command(CmdDisarm, NoPeer)
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.command(CmdArm, NoPeer)
	m.write()
	m.acts = nil
	m.command(CmdApprove, NoPeer)
	if !m.one(Reply).OK {
		t.Fatal("not approved")
	}
	m.s.Incident.Question.Approved, m.s.Incident.Question.Used = true, false
	b.say(0, 1)
	b.say(2, 1)
	if q := m.s.Incident.Question; q != (Question{}) {
		t.Errorf("everybody is heard, and %+v is asked", q)
	}
	if m.s.Timers[TimerApproval] != 0 {
		t.Error("an approval that is over expires")
	}
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	if !m.s.Incident.Late || len(m.take(Cut)) != 0 || m.s.Groups[0].Phase != pulse.AwaitingApproval {
		t.Errorf("incident %+v, bravo is %s", m.s.Incident, m.s.Groups[0].Phase)
	}

	// What was denied stays so, also when everybody was heard meanwhile.
	m.command(CmdDeny, NoPeer)
	b.say(0, 1)
	b.say(2, 1)
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.do(Event{Kind: WentSilent, Peer: 0})
	if why, _ := m.s.Explain(&m.cfg, 0); why != WhyDenied {
		t.Errorf("denied, and what bars it is %s", why)
	}
}

// A question may stand for weeks, which is longer than a session lasts. It outlives a new one, and asks nothing twice.
func TestAQuestionDoesNotKeepTheSession(t *testing.T) {
	for _, seq := range []uint32{renewAt, pulse.MaxSeq} {
		_, m := asking(t, 2)
		m.s.Seq = seq
		m.do(Event{Kind: Beat})
		m.one(Renew)
		m.do(Event{Kind: NewSession, Session: 4711})
		m.do(Event{Kind: Beat})
		m.write()
		if m.s.Seq != 1 || m.s.Groups[0].Phase != pulse.AwaitingApproval || len(m.takeNotes(NoteQuestion)) != 0 {
			t.Fatalf("sequence %d, bravo is %s", m.s.Seq, m.s.Groups[0].Phase)
		}
		m.command(CmdApprove, NoPeer)
		m.write()
		if len(m.take(Cut)) != 1 {
			t.Errorf("approved in the new session, and bravo is %s", m.s.Groups[0].Phase)
		}
	}
}

// The number of a request has ten bits, and a pulse with a greater one cannot be sent. Nobody's command gets there.
func TestNoCommandSpendsMoreRequestsThanThereAre(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.s.Groups[0].LastRequest = pulse.MaxRequest
	m.command(CmdSwitchover, 1)
	if a := m.one(Reply); a.OK || a.Code != WhyRenewing {
		t.Errorf("switchover: %+v", a)
	}
	m.s.Groups[0].LastRequest--
	m.fenced(m.cutting(0), fencing.None)
	m.command(CmdConfirmOff, 0)
	if a := m.one(Reply); a.OK || a.Code != WhyRenewing || m.s.Groups[0].LastRequest != pulse.MaxRequest {
		t.Errorf("confirm-off: %+v, request %d", a, m.s.Groups[0].LastRequest)
	}
	m.do(Event{Kind: Beat})
	m.one(Renew)
	m.do(Event{Kind: NewSession, Session: 4711})
	m.confirmed(0)
	if len(m.take(Start)) != 1 || m.s.Groups[0].LastRequest != 1 {
		t.Errorf("in the new session: request %d, bravo is %s", m.s.Groups[0].LastRequest, m.s.Groups[0].Phase)
	}
}

// A session is not ended under a fence: what it proves would be for no request.
func TestANewSessionWaitsForAFence(t *testing.T) {
	b, m := asking(t, 3)
	m.command(CmdApprove, NoPeer)
	m.write()
	cut := m.one(Cut)
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.s.Seq = renewAt
	if m.do(Event{Kind: Beat}); m.s.Groups[0].Phase != pulse.AwaitingApproval || len(m.take(Renew)) != 0 {
		t.Fatalf("bravo is %s", m.s.Groups[0].Phase)
	}
	m.fenced(cut, fencing.FailSafe)
	b.members[1].do(Event{Kind: Beat})
	m.one(Renew)
	if m.s.Groups[0].Permits[0] != ProvenOff {
		t.Error("the proof is for no request")
	}
}

// A quiet restart loses no question that is written down.
func TestQuietRestartKeepsTheQuestion(t *testing.T) {
	_, m := asking(t, 2)
	gen := m.s.SavedGen
	m.s.SavedGen--
	m.command(CmdQuiet, NoPeer)
	if a := m.one(Reply); a.OK || a.Code != WhyInFlux {
		t.Errorf("the question is not written, and the daemon restarts: %+v", a)
	}
	m.s.SavedGen = gen
	m.command(CmdQuiet, NoPeer)
	if a := m.one(Reply); !a.OK {
		t.Errorf("refused: %s", a.Code)
	}
	m.begin(reread(t, m.s.Volatile()), true, FoundStopped)
	m.cfg.Takeover = Auto // whatever the file says now
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	if m.s.Groups[0].Phase != pulse.AwaitingApproval || len(m.take(Cut)) != 0 {
		t.Errorf("bravo is %s", m.s.Groups[0].Phase)
	}
}

// Who was granted, fell silent, and is heard under two sessions may be two machines: nothing is won on that grant.
func TestAGrantOfTwoMachinesIsNone(t *testing.T) {
	b := newBench(t, 3)
	b.meet()
	m := b.members[1]
	m.s.Groups[0].Request, m.s.Groups[0].Phase = 9, pulse.Requesting
	m.s.Groups[0].Permits[0] = Granted
	m.s.Peers[0].Presence = Silent
	m.do(Event{Kind: Beat})
	if m.s.Groups[0].Permits[0] != Granted {
		t.Fatal("the grant is gone without reason: this shows nothing")
	}
	machine := machine{c: &m.cfg, s: &m.s}
	machine.doubt(0, DoubtTwin)
	m.do(Event{Kind: Beat})
	if m.s.Groups[0].Permits[0] == Granted || m.s.Groups[0].Holds != pulse.HoldsNo {
		t.Errorf("bravo is %s by %s", m.s.Groups[0].Phase, m.s.Groups[0].Permits[0])
	}
}

// A clear that comes while a group is looked at is done, too.
func TestClearDuringAProbe(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[0]
	m.do(Event{Kind: ServiceFailed})
	m.do(Event{Kind: StopDone, ID: m.one(Stop).ID, OK: true})
	v := m.s.Volatile()
	for range 4 { // bravo asks
		b.talk(1)
		m.s.SavedGen = m.s.Gen
	}
	if m.s.Groups[0].Phase != pulse.Failed || m.s.Groups[0].Doing == 0 {
		t.Fatalf("alpha is %s, and looks at nothing", m.s.Groups[0].Phase)
	}
	m.command(CmdClear, NoPeer)
	if m.s.Groups[0].Phase == pulse.Failed {
		t.Error("cleared during a probe for another one's request, and still failed")
	}
	for _, found := range []Found{FoundStopped, FoundRunning} {
		m.s = New(&m.cfg, 99, v, Durable{Armed: true}, true)
		m.acts = nil
		m.do(Event{Kind: Started})
		m.command(CmdClear, NoPeer)
		m.probed(found)
		if m.s.Groups[0].Phase == pulse.Failed || len(m.take(Adopt)) != 0 || len(m.take(Stop)) != 0 {
			t.Errorf("cleared during the first probe, which found %d: %s", found, m.s.Groups[0].Phase)
		}
	}
	m.s = New(&m.cfg, 99, v, Durable{Armed: true}, true)
	m.do(Event{Kind: Started})
	m.probed(FoundRunning)
	m.command(CmdClear, NoPeer)
	if m.s.Groups[0].Phase != pulse.Stopping {
		t.Errorf("cleared while it is being stopped, and it is %s", m.s.Groups[0].Phase)
	}
}

// Both were stopped, one is started again in the same boot, and the other one will never come back. A person is told, and
// may confirm that it is off.
func TestAGoodbyeThatPermitsNothingIsMissed(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	bravo.command(CmdLeave, NoPeer)
	bravo.write()
	b.say(1, 0)
	if alpha.s.Peers[1].Presence != Gone {
		t.Fatal("bravo did not leave: this shows nothing")
	}
	alpha.begin(alpha.s.Volatile(), true, FoundRunning)
	if alpha.s.Peers[1].Presence != Gone {
		t.Error("a goodbye that permits something is forgotten")
	}
	alpha.command(CmdLeave, NoPeer)
	alpha.do(Event{Kind: StopDone, ID: alpha.one(Stop).ID, OK: true})
	alpha.write()
	alpha.begin(alpha.s.Volatile(), true, FoundStopped)
	alpha.do(Event{Kind: WentSilent, Peer: 1})
	alpha.write()
	if why, _ := alpha.s.Explain(&alpha.cfg, 0); why != WhyNeverSeen || !alpha.s.Incident.Open {
		t.Fatalf("why not: %s, incident %+v", why, alpha.s.Incident)
	}
	alpha.confirmed(1)
	if len(alpha.take(Start)) != 1 {
		t.Errorf("confirmed, and alpha is %s", alpha.s.Groups[0].Phase)
	}
}

// Alpha owned web and db. Bravo took web from it while it did not know yet whether db runs here, and alpha has been silent ever
// since. To take db by itself would be a second move of one death (rule 15). If nothing came of the first it is none.
func TestASecondMoveFromTheSameMemberIsAsked(t *testing.T) {
	for _, moved := range []bool{true, false} {
		b := &bench{t: t}
		for i := range uint8(2) {
			b.members = append(b.members, &benchMember{t: t, cfg: benchConfig(i, 2, 2)})
			b.members[i].begin(Volatile{}, true, FoundStopped)
		}
		b.meet()
		for _, a := range b.members[0].take(Start) {
			b.members[0].do(Event{Kind: StartDone, Group: a.Group, ID: a.ID, OK: true})
		}
		b.meet()
		m := b.members[1]
		if m.s.Owner(&m.cfg, 0) != 0 || m.s.Owner(&m.cfg, 1) != 0 {
			t.Fatal("alpha does not own both: this shows nothing")
		}

		m.s = New(&m.cfg, 77, reread(t, m.s.Volatile()), Durable{Armed: true}, true)
		m.acts = nil
		m.do(Event{Kind: Started})
		probes := m.take(Probe)
		m.do(Event{Kind: Probed, Group: 0, ID: probes[0].ID, Found: FoundStopped})
		b.talk(4)
		cut := m.cutting(0)
		proof := fencing.None
		if moved {
			proof = fencing.FailSafe
		}
		m.fenced(cut, proof)
		m.write()
		if owns := len(m.take(Start)) == 1; owns != moved || m.s.Incident.Moved != 0 != moved {
			t.Fatalf("bravo has web: %v, moved from %b: this shows nothing", owns, m.s.Incident.Moved)
		}
		m.do(Event{Kind: Probed, Group: 1, ID: probes[1].ID, Found: FoundStopped})
		if !moved {
			m.fire(TimerRetry, 0)
		}
		m.write()
		asked := m.s.Incident.Question.Why&AskAgain != 0
		if cuts := len(m.take(Cut)); asked != moved || cuts != 0 == moved {
			t.Errorf("web was taken %v: asked %v, %d cuts, db is %s", moved, asked, cuts, m.s.Groups[1].Phase)
		}
	}
}
