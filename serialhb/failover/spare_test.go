package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Three members: what is said, approved or proven of one of them is not said of another one.

// alone is bravo of three, to which the owner and the spare are silent. They are no automatic business yet.
func alone(t *testing.T) *benchMember {
	b := newBench(t, 3)
	b.owned()
	m := b.members[1]
	m.command(CmdMaintenanceOn, NoPeer)
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.write()
	m.s.Maintenance = false // not by a command, which would make a question of everything
	return m
}

// confirmed carries a person's word out.
func (m *benchMember) confirmed(p uint8) {
	m.t.Helper()
	m.command(CmdConfirmOff, p)
	m.write()
	m.do(Event{Kind: CutsOpened, Peer: p, ID: m.one(OpenCuts).ID, OK: true})
	m.write()
}

// A person said that alpha is off. Charlie is another matter (rules 9 to 12, 15).
func TestAWordAboutOneCutsNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		bars func(m *benchMember)
		cut  bool
		asks bool
	}{
		"nothing":     {func(m *benchMember) {}, true, false},
		"approve":     {func(m *benchMember) { m.cfg.Takeover = Approve }, false, true},
		"a wrong key": {func(m *benchMember) { m.s.Peers[2].Doubt = DoubtWrongKey }, false, true},
		"locked out":  {func(m *benchMember) { m.s.Locked = true }, false, false},
		"denied":      {func(m *benchMember) { m.s.Incident.Question.Denied = true }, false, false},
		"deaf":        {func(m *benchMember) { m.s.Deaf = true }, false, false},
		"the budget":  {func(m *benchMember) { m.s.Fences = m.cfg.MaxFences }, false, false},
		"maintenance": {func(m *benchMember) { m.s.Maintenance = true }, false, false},
		"no relay":    {func(m *benchMember) { m.cfg.Members[2].Fenceable = false }, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := alone(t)
			c.bars(m)
			m.confirmed(0)
			if cuts := m.take(Cut); len(cuts) != 0 != c.cut {
				t.Fatalf("cuts %v", cuts)
			}
			asked := m.takeNotes(NoteQuestion)
			if len(asked) != 0 != c.asks || c.asks && (len(asked) != 1 || asked[0].Peer != 2) || (m.s.Groups[0].Phase == pulse.AwaitingApproval) != c.asks {
				t.Errorf("asked %v, bravo is %s", asked, m.s.Groups[0].Phase)
			}
			if !c.asks && !c.cut && m.s.Groups[0].Request != 0 {
				t.Errorf("a request that can get nowhere stays open: %s", m.s.Groups[0].Phase)
			}
			if m.s.Groups[0].Permits[0] != ProvenOff {
				t.Fatal("the word about alpha is lost")
			}
			if c.asks {
				m.command(CmdApprove, NoPeer)
				m.write()
				m.fenced(m.one(Cut), fencing.FailSafe)
				m.write()
			}
			if !c.asks && !c.cut { // a word about charlie, too
				m.s.Peers[2].Doubt = 0
				m.confirmed(2)
			}
			if !c.cut && len(m.take(Start)) != 1 {
				t.Errorf("both are off, and bravo is %s", m.s.Groups[0].Phase)
			}
		})
	}
}

// An approval is about who was silent then (rule 12).
func TestAnApprovalCoversWhoWasSilentThen(t *testing.T) {
	for _, when := range []string{"unused", "used"} {
		b := newBench(t, 3)
		b.owned()
		m := b.members[1]
		m.cfg.Takeover = Approve
		m.do(Event{Kind: WentSilent, Peer: 0})
		m.write()
		m.command(CmdApprove, NoPeer)
		if when == "unused" {
			m.s.Incident.Question.Approved, m.s.Incident.Question.Used = true, false
			m.do(Event{Kind: WentSilent, Peer: 2})
			m.write()
		} else {
			m.write()
			cut := m.one(Cut)
			m.do(Event{Kind: WentSilent, Peer: 2})
			m.fenced(cut, fencing.FailSafe)
			m.write()
		}
		if len(m.take(Cut)) != 0 || m.s.Groups[0].Phase != pulse.AwaitingApproval || len(m.takeNotes(NoteQuestion)) != 2 {
			t.Fatalf("%s: charlie fell silent later, and bravo is %s", when, m.s.Groups[0].Phase)
		}
		m.command(CmdApprove, NoPeer)
		m.write()
		for range 2 {
			for _, cut := range m.take(Cut) {
				m.fenced(cut, fencing.FailSafe)
				m.write()
			}
		}
		if len(m.take(Start)) != 1 {
			t.Errorf("%s: approved again, and bravo is %s", when, m.s.Groups[0].Phase)
		}
	}
}

// In auto mode a doubt about one is answered for that one. The other needs no question.
func TestAnApprovalOfADoubtMakesNoOther(t *testing.T) {
	b := newBench(t, 3)
	b.owned()
	m := b.members[1]
	m.s.Peers[0].Doubt = DoubtWrongKey
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.s.Incident.Late = true // which the approval answers, too
	m.write()
	m.command(CmdApprove, NoPeer)
	m.write()
	m.fenced(m.one(Cut), fencing.FailSafe)
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.write()
	if cut := m.one(Cut); cut.Peer != 2 {
		t.Errorf("%+v", cut)
	}
}

// Who is heard again needs a new approval when it is silent again, though the incident goes on.
func TestAnApprovalEndsWithLife(t *testing.T) {
	b := newBench(t, 3)
	b.owned()
	m := b.members[1]
	m.cfg.Takeover = Approve
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	m.command(CmdApprove, NoPeer)
	if m.s.Incident.Question.Covers != 0b101 {
		t.Fatalf("it covers %b", m.s.Incident.Question.Covers)
	}
	b.say(0, 1)
	if covers := m.s.Incident.Question.Covers; covers != 0b100 {
		t.Errorf("alpha is heard, and it covers %b", covers)
	}
	// And so with one that is heard and asks no more to be cut.
	machine, gen := machine{c: &m.cfg, s: &m.s}, m.s.Gen
	m.s.Incident.Question.Covers, m.s.Peers[0].Claim.Flags = 1, pulse.FenceMe
	if machine.present(0); m.s.Incident.Question.Covers != 1 || m.s.Gen != gen {
		t.Error("alpha asks to be cut, and the approval ends")
	}
	m.s.Peers[0].Claim.Flags = 0
	if machine.present(0); m.s.Incident.Question.Covers != 0 || m.s.Gen == gen {
		t.Error("alpha asks to be cut no more, and the approval does not end, or that is not written")
	}
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	for _, cut := range m.take(Cut) {
		if cut.Peer == 0 {
			t.Error("alpha is cut on the approval of before it was heard")
		}
	}
}

// The owner that is to survive a split asks nobody, so where a person has to be asked it cuts nobody (rule 12).
func TestTheSurvivorDoesNotGoPastAQuestion(t *testing.T) {
	silent := Event{Kind: WentSilent, Peer: 1}
	for name, c := range map[string]struct {
		do  func(m *benchMember)
		cut bool
	}{
		"nothing to ask": {func(m *benchMember) { m.do(silent) }, true},
		"approve":        {func(m *benchMember) { m.cfg.Takeover = Approve; m.do(silent) }, false},
		"armed later": {func(m *benchMember) {
			m.command(CmdDisarm, NoPeer)
			m.do(silent)
			m.command(CmdArm, NoPeer)
		}, false},
		"maintenance ended later": {func(m *benchMember) {
			m.command(CmdMaintenanceOn, NoPeer)
			m.do(silent)
			m.command(CmdMaintenanceOff, NoPeer)
		}, false},
	} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[0]
		m.cfg.Split = OwnerSurvives
		c.do(m)
		m.write()
		if cuts := m.take(Cut); (len(cuts) != 0) != c.cut {
			t.Errorf("%s: cuts %v", name, cuts)
		}
	}
}

// In maintenance a member cuts nobody by itself, also when the owner dies in the middle of a switchover.
func TestMaintenanceCutsNobodyInASwitchover(t *testing.T) {
	for _, maintenance := range []bool{false, true} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[1]
		if maintenance {
			m.command(CmdMaintenanceOn, NoPeer)
		}
		m.command(CmdSwitchover, 1)
		m.do(Event{Kind: Beat})
		if m.s.Groups[0].Phase != pulse.Requesting {
			t.Fatalf("no switchover: bravo is %s", m.s.Groups[0].Phase)
		}
		m.do(Event{Kind: WentSilent, Peer: 0})
		m.write()
		if cuts := m.take(Cut); (len(cuts) == 0) != maintenance || (m.s.Groups[0].Request == 0) != maintenance {
			t.Errorf("maintenance %v: cuts %v, request %d", maintenance, cuts, m.s.Groups[0].Request)
		}
		if !maintenance {
			continue
		}
		m.confirmed(0) // a person may
		if len(m.take(Start)) != 1 {
			t.Errorf("a person's word counts for nothing in maintenance: bravo is %s", m.s.Groups[0].Phase)
		}
	}
}
