package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// What a person's word does, and what it does not.

func TestConfirmOffCountsWhenTheCutsAreOpen(t *testing.T) { // rule 5
	b := newBench(t, 2)
	b.owned()
	bravo := b.members[1]
	bravo.fenced(bravo.cutting(0), fencing.None)
	if bravo.s.Groups[0].Phase != pulse.Blocked {
		t.Fatalf("bravo is %s", bravo.s.Groups[0].Phase)
	}
	before := bravo.s.Groups[0].LastRequest
	bravo.command(CmdConfirmOff, 0)
	bravo.write()
	g := bravo.s.Groups[0]
	if g.Permits[0] != NoPermit || g.Holds != pulse.HoldsNo || g.LastRequest != before+1 {
		t.Errorf("before the cuts are open: permit %s, holds %s, request %d after %d", g.Permits[0], g.Holds, g.LastRequest, before)
	}
	open := bravo.one(OpenCuts)
	bravo.do(Event{Kind: CutsOpened, Peer: 0, ID: open.ID, OK: true})
	bravo.write()
	if len(bravo.take(Start)) != 1 || bravo.s.Peers[0].Proof != fencing.Operator {
		t.Errorf("bravo is %s by %s", bravo.s.Groups[0].Phase, bravo.s.Peers[0].Proof)
	}
}

func TestHeardAgainCallsTheFenceOff(t *testing.T) { // rule 10
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	bravo.do(Event{Kind: WentSilent, Peer: 0})
	if bravo.s.Peers[0].Fence.Phase != FenceSaving {
		t.Fatalf("the fence is %s", bravo.s.Peers[0].Fence.Phase)
	}
	b.say(0, 1)
	bravo.write()
	if len(bravo.take(Cut)) != 0 || bravo.s.Groups[0].Phase == pulse.Fencing {
		t.Error("alpha is heard, and is cut")
	}

	// After a failed one its power is given back.
	bravo.fenced(bravo.cutting(0), fencing.None)
	alpha.do(Event{Kind: Beat})
	b.say(0, 1)
	if f := bravo.s.Peers[0].Fence; f.Phase != FenceIdle || len(bravo.take(Restore)) != 1 {
		t.Errorf("alpha is heard, its fence is %s", f.Phase)
	}
}

func TestPersonCutsWhoIsHeard(t *testing.T) { // rule 10
	b := newBench(t, 2)
	b.owned()
	bravo := b.members[1]
	bravo.command(CmdFenceOff, 0)
	b.say(0, 1) // while the count is being written
	bravo.write()
	if cut := bravo.one(Cut); cut.Code != CodePerson || cut.Peer != 0 {
		t.Errorf("%+v", cut)
	}
}

func TestCutsThatDoNotOpenAreTold(t *testing.T) { // rule 5: the word counts for what works, and more rests on it
	for _, ok := range []bool{true, false} {
		b := newBench(t, 2)
		b.owned()
		bravo := b.members[1]
		bravo.fenced(bravo.cutting(0), fencing.None)
		bravo.command(CmdConfirmOff, 0)
		bravo.write()
		bravo.do(Event{Kind: CutsOpened, Peer: 0, ID: bravo.one(OpenCuts).ID, OK: ok})
		told := bravo.told(NoteWordAlone)
		bravo.write()
		if len(bravo.take(Start)) != 1 {
			t.Errorf("opened %v: bravo is %s", ok, bravo.s.Groups[0].Phase)
		}
		v := bravo.s.Volatile()
		if told == ok || bravo.s.Peers[0].Fence.Unsure == ok || v.Peers[0].Unsure == ok {
			t.Errorf("opened %v: told %v, kept %v", ok, told, v.Peers[0].Unsure)
		}
		// A fence that proves it ends that.
		bravo.command(CmdFenceOff, 0)
		bravo.write()
		bravo.fenced(bravo.one(Cut), fencing.FailSafe)
		if bravo.s.Peers[0].Fence.Unsure {
			t.Error("it is proven off, and still rests on a word")
		}
	}
}

// A command that is refused changes nothing: a sense that it named still proves, and the next takeover needs nobody.
func TestARefusedWordNamesNoSense(t *testing.T) {
	for why, bars := range map[Code]func(m *benchMember){
		WhyDisarmed:   func(m *benchMember) { m.s.Armed = false },
		WhyNoIncident: func(m *benchMember) { m.s.Incident.Open, m.s.Peers[0].Presence = false, Gone },
	} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[1]
		m.s.Maintenance = true
		m.do(Event{Kind: WentSilent, Peer: 0})
		m.write()
		bars(m)
		m.acts = nil
		m.do(Event{Kind: Commanded, Command: Command{Kind: CmdConfirmOff, Broken: 1}})
		if a := m.one(Reply); a.OK || a.Code != why {
			t.Fatalf("%+v", a)
		}
		if m.s.Peers[0].Senses[0].Broken || m.told(NoteSenseNamedBroken) {
			t.Errorf("refused because of %s, and the sense is broken", why)
		}
	}
}

// Where no relay of this member leads to the peer, none is open after a confirmation, and none is owed.
func TestConfirmationWithoutARelayOpensNone(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.cfg.Members[0] = MemberConfig{}
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.command(CmdConfirmOff, 0)
	m.write()
	m.do(Event{Kind: CutsOpened, Peer: 0, ID: m.one(OpenCuts).ID, OK: true})
	m.write()
	if len(m.take(Start)) != 1 || m.s.Peers[0].Fence.Open {
		t.Errorf("bravo is %s, a cut is open: %v", m.s.Groups[0].Phase, m.s.Peers[0].Fence.Open)
	}
}

func TestQuietRestartBreaksNothingOff(t *testing.T) {
	for name, begin := range map[string]func(b *bench, m *benchMember){
		"the lighter side waits": func(b *bench, m *benchMember) {
			m.cfg.Split = OwnerSurvives
			m.do(Event{Kind: WentSilent, Peer: 0})
		},
		"a fence is counted":          func(b *bench, m *benchMember) { m.do(Event{Kind: WentSilent, Peer: 0}) },
		"a fence runs":                func(b *bench, m *benchMember) { m.cutting(0) },
		"a person's fence is counted": func(b *bench, m *benchMember) { m.command(CmdFenceOff, 0) },
		"a person's fence or test":    func(b *bench, m *benchMember) { m.command(CmdFenceOff, 0); m.write() },
		"a fence for no request":      func(b *bench, m *benchMember) { m.cutting(0); m.s.Groups[0] = Group{Holds: pulse.HoldsNo} },
		"the end of a fence test":     func(b *bench, m *benchMember) { m.command(CmdFenceOn, 0) },
		"cuts to be opened":           func(b *bench, m *benchMember) { m.do(Event{Kind: WentSilent, Peer: 0}); m.command(CmdConfirmOff, 0) },
		"cuts being opened": func(b *bench, m *benchMember) {
			m.do(Event{Kind: WentSilent, Peer: 0})
			m.command(CmdConfirmOff, 0)
			m.write()
		},
		"the owner's fence of a split": func(b *bench, m *benchMember) {
			a := b.members[0]
			a.cfg.Split = OwnerSurvives
			a.do(Event{Kind: WentSilent, Peer: 1})
		},
	} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[1]
		begin(b, m)
		if !m.s.Peers[0].Fence.underWay() {
			m = b.members[0]
		}
		if !m.s.Peers[1-m.cfg.Me].Fence.underWay() {
			t.Fatalf("%s: nothing is under way: this shows nothing", name)
		}
		m.take(Reply)
		m.command(CmdQuiet, NoPeer)
		if a := m.one(Reply); a.OK || a.Code != WhyFenceRunning || a.Peer != 1-m.cfg.Me || m.s.Leaving != Staying {
			t.Errorf("%s: %+v, stage %d", name, a, m.s.Leaving)
		}
	}

	// Power that falls due while it ends waits for the next start, which knows of it.
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.fenced(m.cutting(0), fencing.FailSafe)
	m.write()
	m.do(Event{Kind: StartDone, ID: m.one(Start).ID, OK: true})
	m.take(Reply)
	m.command(CmdQuiet, NoPeer)
	if !m.one(Reply).OK {
		t.Fatal("a quiet restart during the dwell is refused")
	}
	m.do(Event{Kind: TimerFired, Timer: Timer{TimerPower, 0}})
	if len(m.take(Restore)) != 0 || !m.s.Volatile().Peers[0].Open {
		t.Error("a restore is begun by a process that ends")
	}
}

// Power that is being given back is not forgotten over what happens meanwhile: disarming still has to wait for it.
func TestRestoreUnderWayIsRemembered(t *testing.T) {
	for name, meanwhile := range map[string]func(b *bench, m *benchMember){
		"a fence that is called off": func(b *bench, m *benchMember) {
			m.command(CmdFenceOn, 0)
			m.do(Event{Kind: WentSilent, Peer: 0})
			b.say(0, 1)
		},
		"the peer is back": func(b *bench, m *benchMember) {
			m.fenced(m.cutting(0), fencing.FailSafe)
			m.write()
			m.do(Event{Kind: TimerFired, Timer: Timer{TimerPower, 0}})
			b.members[0].cfg.Boot++
			b.members[0].begin(Volatile{}, false, FoundStopped)
			b.talk(4)
			if m.s.Peers[0].Proof != fencing.None {
				t.Fatal("alpha is still proven off: this shows nothing")
			}
		},
		"a confirmation": func(b *bench, m *benchMember) {
			m.command(CmdFenceOn, 0)
			m.do(Event{Kind: WentSilent, Peer: 0})
			m.command(CmdConfirmOff, 0)
		},
		"the end of an older one": func(b *bench, m *benchMember) {
			m.command(CmdFenceOn, 0)
			first := m.one(Restore)
			m.command(CmdFenceOn, 0)
			m.do(Event{Kind: RestoreDone, Peer: 0, ID: first.ID, OK: true})
		},
	} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[1]
		meanwhile(b, m)
		m.take(Reply)
		m.command(CmdDisarm, NoPeer)
		if a := m.one(Reply); a.OK || a.Code != WhyFenceRunning {
			t.Errorf("%s: disarmed while a coil is driven", name)
		}
		m.restored()
		m.command(CmdDisarm, NoPeer)
		if a := m.one(Reply); !a.OK {
			t.Errorf("%s: not disarmed when it is given back: %s", name, a.Code)
		}
	}
}
