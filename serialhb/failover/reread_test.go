package failover

import (
	"testing"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Whoever waits before a cut reads all evidence again before the coil (rule 11).

// waiting is bravo, to which the owner fell silent, and which waits because an owner is to survive a split.
func waiting(t *testing.T) (*bench, *benchMember) {
	t.Helper()
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.cfg.Split = OwnerSurvives
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	if f := m.s.Peers[0].Fence; f.Phase != FenceDelayed || m.s.Timers[TimerDelay] != 1 {
		t.Fatalf("the fence is %s: this shows nothing", f.Phase)
	}
	return b, m
}

// during is what may come while bravo waits, and after each of which it cuts nobody.
var during = map[string]func(b *bench, m *benchMember){
	"alpha is heard":       func(b *bench, _ *benchMember) { b.say(0, 1) },
	"somebody sends":       func(_ *bench, m *benchMember) { (&machine{c: &m.cfg, s: &m.s}).doubt(0, DoubtRising) },
	"another key":          func(_ *bench, m *benchMember) { m.do(Event{Kind: Doubted, Peer: 0}) },
	"bravo is deaf":        func(_ *bench, m *benchMember) { m.do(Event{Kind: WentDeaf}) },
	"it is disarmed":       func(_ *bench, m *benchMember) { m.command(CmdDisarm, NoPeer) },
	"it is in maintenance": func(_ *bench, m *benchMember) { m.command(CmdMaintenanceOn, NoPeer) },
	"it stands by":         func(_ *bench, m *benchMember) { m.command(CmdStandbyOn, NoPeer) },
	"it leaves":            func(_ *bench, m *benchMember) { m.command(CmdLeave, NoPeer) },
	"alpha is withdrawn":   func(_ *bench, m *benchMember) { m.command(CmdWithdraw, 0) },
	"it is locked out":     func(_ *bench, m *benchMember) { m.s.Locked = true },
}

func TestEvidenceIsReadAgainAfterTheDelay(t *testing.T) {
	_, m := waiting(t)
	m.fire(TimerDelay, 0)
	m.write()
	m.one(Cut)
	for name, comes := range during {
		for _, late := range []bool{false, true} { // while it waits, or while it is being written that the cut may be open
			b, m := waiting(t)
			if late {
				m.fire(TimerDelay, 0)
			}
			comes(b, m)
			m.do(Event{Kind: Beat})
			if !late { // whether it was stopped or is on its way already
				m.s.Timers[TimerDelay] |= 1
				m.fire(TimerDelay, 0)
			}
			m.write()
			if cuts := len(m.take(Cut)); cuts != 0 || m.s.Peers[0].Fence.Phase != FenceIdle || !late && m.s.Fences != 0 {
				t.Errorf("%s (late %v): %d cuts, the fence is %s, %d are counted; bravo is %s", name, late, cuts, m.s.Peers[0].Fence.Phase, m.s.Fences, m.s.Groups[0].Phase)
			}
		}
	}
	// Silence after that begins anew, with the whole wait.
	b, m := waiting(t)
	b.say(0, 1)
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	if m.s.Peers[0].Fence.Phase != FenceDelayed || len(m.take(Cut)) != 0 || m.s.Groups[0].Phase != pulse.Fencing {
		t.Errorf("silent again: the fence is %s, bravo is %s", m.s.Peers[0].Fence.Phase, m.s.Groups[0].Phase)
	}
}
