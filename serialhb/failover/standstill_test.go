package failover

import (
	"slices"
	"testing"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// A switchover whose stop takes nearly MoveTime: the request is not withdrawn between the end of the stop and the grant,
// and without either it is.
func TestAStopThatHasEndedIsMovement(t *testing.T) { // rule 1
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	bravo.command(CmdSwitchover, 1)
	b.talk(4)
	alpha.write()
	b.talk(1)
	stop := alpha.one(Stop)
	move := Timer{TimerMove, 0}
	again := func() bool {
		return slices.ContainsFunc(bravo.take(SetTimer), func(a Action) bool { return a.Timer == move && a.After == bravo.cfg.MoveTime })
	}
	again() // of the request itself
	bravo.do(Event{Kind: TimerFired, Timer: move})
	if bravo.s.Groups[0].Phase != pulse.Requesting || !again() {
		t.Fatalf("a stop that goes on is no movement: bravo is %s", bravo.s.Groups[0].Phase)
	}
	b.talk(2)
	if again() {
		t.Error("a stop that goes on counts at every pulse")
	}
	alpha.do(Event{Kind: StopDone, Group: 0, ID: stop.ID, OK: true})
	b.talk(1)
	if !again() {
		t.Error("the end of the stop is no movement")
	}
	b.talk(2)
	if again() {
		t.Error("the end of the stop counts more than once")
	}
	bravo.do(Event{Kind: TimerFired, Timer: move})
	if bravo.s.Groups[0].Phase == pulse.Requesting || !bravo.told(NoteStandstill) {
		t.Errorf("no grant comes, and bravo asks for ever: %s", bravo.s.Groups[0].Phase)
	}
}
