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
