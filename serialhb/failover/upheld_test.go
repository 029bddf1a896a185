package failover

import (
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// What a failed fence, its tries and a tried wish are about, and for how long.

// settle lets everybody talk, and lets everything that is asked for succeed, but fences.
func (b *bench) settle() {
	for range 8 {
		b.talk(2)
		for _, m := range b.members {
			m.succeed()
		}
	}
}

func (m *benchMember) succeed() {
	for _, a := range m.take(Probe) {
		m.do(Event{Kind: Probed, Group: a.Group, ID: a.ID, Found: FoundStopped})
	}
	for _, a := range m.take(Start) {
		m.do(Event{Kind: StartDone, Group: a.Group, ID: a.ID, OK: true})
	}
	for _, a := range m.take(Stop) {
		m.do(Event{Kind: StopDone, Group: a.Group, ID: a.ID, OK: true})
	}
	m.write()
}

func (b *bench) mustOwn(g, who uint8) {
	b.t.Helper()
	b.settle()
	if m := b.members[who]; m.s.Groups[g].Phase != pulse.Active {
		b.t.Fatalf("member %d is %s with group %d", who, m.s.Groups[g].Phase, g)
	}
}

// Charlie runs db and is heard; bravo cannot cut alpha. That bars web, and not db.
func TestWhatAnotherOneHoldsIsNotBlocked(t *testing.T) {
	b := newBench(t, 3)
	for i := range b.members {
		m := b.members[i]
		m.cfg = benchConfig(uint8(i), 3, 2)
		m.cfg.Groups[1].Rank = [MaxMembers]uint8{2, 1, 0}
		m.begin(Volatile{}, true, FoundStopped)
	}
	b.mustOwn(0, 0)
	b.mustOwn(1, 2)
	m := b.members[1]
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	m.do(Event{Kind: TimerFired, Timer: Timer{TimerDelay, 0}})
	m.write()
	m.fenced(m.one(Cut), fencing.None)
	m.write()
	b.say(2, 1)
	if web, db := m.s.Groups[0].Phase, m.s.Groups[1].Phase; web != pulse.Blocked || db == pulse.Blocked {
		t.Errorf("web is %s, db %s", web, db)
	}
}

// Each member numbers its wishes by itself, and each session anew: an equal number is another wish.
func TestEachWishIsTried(t *testing.T) {
	for name, back := range map[string]func(b *bench){
		"back by the same member": func(b *bench) { b.members[0].command(CmdSwitchover, 0) },
		"back, and a reboot": func(b *bench) {
			b.members[1].command(CmdSwitchover, 0)
			b.settle()
			b.members[1].cfg.Boot++
			b.members[1].begin(Volatile{}, false, FoundStopped)
		},
	} {
		b := newBench(t, 2)
		b.mustOwn(0, 0)
		alpha, bravo := b.members[0], b.members[1]
		alpha.command(CmdSwitchover, 1)
		b.mustOwn(0, 1)
		back(b)
		b.mustOwn(0, 0)
		alpha.acts = nil
		bravo.command(CmdSwitchover, 1)
		b.talk(12) // and nothing can be written
		if saves := alpha.take(Save); len(alpha.take(Stop)) != 0 || len(saves) == 0 {
			t.Errorf("%s: alpha stops, and tried %d saves", name, len(saves))
		}
	}
}

// A fence failed once, then another member took over, so nobody wants it any more: that is over, also for the next daemon.
func TestTriesThatAreOverStayOver(t *testing.T) {
	b := newBench(t, 3)
	for _, m := range b.members {
		m.cfg.FenceRetryTime = 10 * time.Second
	}
	b.mustOwn(0, 0)
	bravo, charlie := b.members[1], b.members[2]
	charlie.do(Event{Kind: WentSilent, Peer: 0})
	charlie.write()
	bravo.failing(bravo.cutting(0), 1)
	for range 20 {
		b.say(1, 2)
		b.say(2, 1)
		bravo.succeed()
		charlie.succeed()
		for k := range timerEnd {
			if k != TimerApproval {
				charlie.do(Event{Kind: TimerFired, Timer: Timer{k, 0}})
			}
		}
		for _, c := range charlie.take(Cut) {
			charlie.fenced(c, fencing.FailSafe)
		}
		charlie.write()
	}
	bravo.fire(TimerRetry, 0)
	bravo.write()
	b.say(2, 1)
	bravo.do(Event{Kind: TimerFired, Timer: Timer{TimerPower, 0}})
	for _, r := range bravo.take(Restore) {
		bravo.do(Event{Kind: RestoreDone, Peer: 0, ID: r.ID, OK: true})
	}
	bravo.write()
	if f := bravo.s.Peers[0].Fence; f.Phase != FenceIdle || f.Attempts == 0 || charlie.s.Groups[0].Phase != pulse.Active {
		t.Fatalf("not at rest: %+v", f)
	}
	bravo.begin(reread(t, bravo.s.Volatile()), true, FoundStopped)
	for range 3 {
		b.say(1, 2)
		b.say(2, 1)
	}
	bravo.do(Event{Kind: WentSilent, Peer: 0})
	bravo.write()
	if f := bravo.s.Peers[0].Fence; f.Phase != FenceIdle {
		t.Errorf("it is back: %+v", f)
	}
}

// asksToBeCut is a pair whose bravo gave up on alpha, which asks to be cut.
func asksToBeCut(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	alpha.do(Event{Kind: ServiceFailed, Group: 0})
	alpha.write()
	alpha.do(Event{Kind: StopDone, Group: 0, ID: alpha.one(Stop).ID, OK: false})
	alpha.write()
	b.say(0, 1)
	bravo.write()
	bravo.failing(bravo.one(Cut), int(bravo.cfg.FenceRetries)+1)
	for _, r := range bravo.take(Restore) {
		bravo.do(Event{Kind: RestoreDone, Peer: 0, ID: r.ID, OK: true})
	}
	if bravo.s.Peers[0].Fence.Phase != FenceFailed {
		t.Fatalf("%+v", bravo.s.Peers[0].Fence)
	}
	return b
}

// Life alone does not take back that alpha asks to be cut: the tries stay counted, over a flap of the links and a restart.
func TestTriesOfWhoAsksToBeCutStayCounted(t *testing.T) {
	for _, flap := range []bool{false, true} {
		b := asksToBeCut(t)
		bravo := b.members[1]
		if flap {
			bravo.do(Event{Kind: WentSilent, Peer: 0})
			bravo.write()
			b.say(0, 1)
			bravo.write()
		}
		if f := bravo.s.Peers[0].Fence; f.Phase != FenceFailed || f.Attempts == 0 {
			t.Errorf("flap %t: %+v", flap, f)
		}
		bravo.take(Cut)
		bravo.begin(reread(t, bravo.s.Volatile()), true, FoundStopped)
		for range 3 {
			b.say(1, 0)
			b.say(0, 1)
			bravo.write()
		}
		if n := len(bravo.take(Cut)); n != 0 || bravo.s.Peers[0].Fence.Phase != FenceFailed {
			t.Errorf("flap %t: the next daemon cuts %d times: %+v", flap, n, bravo.s.Peers[0].Fence)
		}
	}
}

// Life ends what a person said about alpha, also before it is known what alpha claims: the next silence is another one.
func TestLifeEndsAnApprovalBeforeAnyClaim(t *testing.T) {
	b, m := givenUp(t)
	m.take(Restore)
	m.begin(reread(t, m.s.Volatile()), true, FoundStopped)
	m.s.Incident.Question = Question{Asked: true, Used: true, Covers: 1, About: 1}
	b.say(0, 1)
	if m.s.Peers[0].Claim.Valid || m.s.Peers[0].Fence.Phase != FenceFailed {
		t.Fatal("alpha's claim is known")
	}
	if q := m.s.Incident.Question; q.Covers != 0 {
		t.Errorf("alpha is heard, and may be cut without a question: %+v", q)
	}
}

// Who is heard in a newer version never says what it claims: its life ends a fence like any other life.
func TestLifeOfANewerVersionEndsAFailedFence(t *testing.T) {
	b, m := givenUp(t)
	m.take(Restore)
	m.begin(reread(t, m.s.Volatile()), true, FoundStopped)
	b.members[0].do(Event{Kind: Beat})
	m.do(Event{Kind: HeardNewer, Pulse: headOf(b.members[0].pulse(1))})
	if f := m.s.Peers[0].Fence; f.Phase == FenceFailed {
		t.Errorf("%+v", f)
	}
}

// A cut that stays open, and of which no time will give back the power, is told as such.
func TestACutThatStaysOpenIsKnown(t *testing.T) {
	_, m := givenUp(t)
	refuse := func(r Action) {
		if m.s.CutLeftOpen(0) {
			t.Error("power is being given back")
		}
		m.do(Event{Kind: RestoreDone, Peer: 0, ID: r.ID})
		m.write()
	}
	for _, r := range m.take(Restore) {
		refuse(r)
	}
	m.begin(reread(t, m.s.Volatile()), true, FoundStopped)
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	if m.s.CutLeftOpen(0) {
		t.Error("power is to be given back")
	}
	m.fire(TimerPower, 0)
	refuse(m.one(Restore))
	if !m.s.CutLeftOpen(0) {
		t.Errorf("the cut is open for good, and nobody knows: %+v", m.s.Peers[0].Fence)
	}
}
