package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
)

// A fence failed and left cuts open. When its retries end, for whatever reason, power is given back (section 5).
func TestPowerIsGivenBackWhenTheRetriesEnd(t *testing.T) {
	for name, ends := range map[string]func(b *bench, m *benchMember){
		"maintenance": func(_ *bench, m *benchMember) {
			m.command(CmdMaintenanceOn, NoPeer)
			m.fire(TimerRetry, 0)
			m.fire(TimerPower, 0)
		},
		"disarmed, and armed again": func(_ *bench, m *benchMember) {
			m.command(CmdDisarm, NoPeer)
			m.fire(TimerRetry, 0)
			m.fire(TimerPower, 0)
			if len(m.take(Restore)) != 0 {
				t.Error("a coil is driven while disarmed")
			}
			m.command(CmdArm, NoPeer)
		},
		"a clear that becomes a question": func(_ *bench, m *benchMember) { m.command(CmdClear, NoPeer) },
		"heard before the next coil": func(b *bench, m *benchMember) {
			m.fire(TimerRetry, 0)
			b.say(0, 1)
			if m.s.Peers[0].Fence.Phase != FenceIdle {
				t.Fatal("the second try is not called off: this shows nothing")
			}
			m.fire(TimerPower, 0)
		},
		"a person's cut that nobody repeats": func(_ *bench, m *benchMember) {
			m.s.Maintenance = true
			m.command(CmdFenceOff, 0)
			m.write()
			m.fenced(m.one(Cut), fencing.None)
			m.fire(TimerRetry, 0)
			m.fire(TimerPower, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 2)
			b.owned()
			m := b.members[1]
			m.cfg.Members[0].RestoreAfter = 0 // a proof would leave it off
			m.fenced(m.cutting(0), fencing.None)
			if len(m.take(Restore)) != 0 {
				t.Fatal("power is given back between two tries")
			}
			ends(b, m)
			m.restored()
			if m.s.Peers[0].Fence.Open {
				t.Error("the cut stays open")
			}
		})
	}
}

// A retry that comes to a coil keeps the cut open: the end of the wait before it gives nothing back.
func TestARetryKeepsTheCut(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.cfg.Members[0].RestoreAfter = 0
	m.fenced(m.cutting(0), fencing.None)
	m.fire(TimerRetry, 0)
	m.write()
	m.fenced(m.one(Cut), fencing.FailSafe)
	if m.s.Timers[TimerPower] != 0 {
		t.Error("the peer is proven off, is to stay so, and would get its power back")
	}
}
