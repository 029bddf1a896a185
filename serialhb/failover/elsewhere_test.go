package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// TestARelayFindsTheGroupElsewhere: relays answer while the group has gone to another phase, of which a pair sees little: most
// of it has to happen in the moment between the coil and the answer. What they prove is for requests of before the coil alone.
func TestARelayFindsTheGroupElsewhere(t *testing.T) {
	for _, c := range []struct {
		name  string
		phase pulse.Phase
		by    CommandKind
		lead  func(b *bench) // brings bravo to the phase, with relays at work
	}{
		{"it looks whether it may grant", pulse.Idle, CmdConfirmOff, func(b *bench) {
			b.silentWhileProbing()
			b.members[1].command(CmdConfirmOff, 0)
		}},
		{"and was blocked before", pulse.Blocked, CmdConfirmOff, func(b *bench) {
			b.members[1].fenced(b.members[1].cutting(0), fencing.None)
			b.silentWhileProbing()
			b.members[1].command(CmdConfirmOff, 0)
		}},
		{"the same by a person's cut", pulse.Blocked, CmdFenceOff, func(b *bench) {
			b.members[1].fenced(b.members[1].cutting(0), fencing.None)
			b.silentWhileProbing()
			b.members[1].command(CmdFenceOff, 0)
		}},
		{"alpha is back, and will have nothing", pulse.Requesting, CmdConfirmOff, func(b *bench) {
			b.confirmedAndBack(func(alpha *State) { alpha.Standby = true })
		}},
		{"alpha is back, and asks to be cut", pulse.AwaitingApproval, CmdConfirmOff, func(b *bench) {
			b.confirmedAndBack(func(alpha *State) { alpha.FenceMe, b.members[1].cfg.Takeover = true, Approve })
		}},
	} {
		b := newBench(t, 2)
		b.owned()
		bravo := b.members[1]
		c.lead(b)
		bravo.write()
		e := Event{Kind: CutsOpened, OK: true}
		if c.by == CmdFenceOff {
			e = Event{Kind: FenceDone, OK: true, Proof: fencing.FailSafe, ID: bravo.one(Cut).ID}
		} else {
			e.ID = bravo.one(OpenCuts).ID
		}
		if p := bravo.s.Groups[0].Phase; p != c.phase {
			t.Errorf("%s: bravo is %s", c.name, p)
			continue
		}
		bravo.do(e)
		bravo.write()
		if g := &bravo.s.Groups[0]; g.Holds != pulse.HoldsNo || g.Permits[0] == ProvenOff || len(bravo.take(Start)) > 0 {
			t.Errorf("%s: what was proven counts for what was not asked: %+v", c.name, g)
		}
	}
}

// silentWhileProbing has alpha, which owns nothing any more, ask for the group and fall silent while bravo looks.
func (b *bench) silentWhileProbing() {
	b.t.Helper()
	alpha, bravo := b.members[0], b.members[1]
	alpha.s.Groups[0] = Group{Phase: pulse.Requesting, Holds: pulse.HoldsNo, Request: 9, LastRequest: 9, OwnTerm: 1, MaxTerm: 1}
	bravo.take(Probe)
	b.say(0, 1)
	if len(bravo.take(Probe)) != 1 {
		b.t.Fatal("bravo does not look")
	}
	bravo.do(Event{Kind: WentSilent, Peer: 0})
}

// confirmedAndBack is a person's word at bravo, and alpha heard before the cuts are open.
func (b *bench) confirmedAndBack(as func(alpha *State)) {
	b.t.Helper()
	alpha, bravo := b.members[0], b.members[1]
	bravo.fenced(bravo.cutting(0), fencing.None)
	bravo.command(CmdConfirmOff, 0)
	bravo.write()
	alpha.begin(Volatile{}, false, FoundStopped)
	as(&alpha.s)
	for range 2 {
		b.say(1, 0)
		b.say(0, 1)
	}
}
