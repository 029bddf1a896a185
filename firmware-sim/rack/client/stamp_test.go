package client

import (
	"testing"
	"time"
)

func TestAStepOfTheClockMovesNoAnswer(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, by := range []time.Duration{10 * year, -10 * year, 3 * time.Second, -3 * time.Second, 50 * time.Millisecond} {
		var l timeline
		ahead := 50 * year // of the wall clock
		arrives := func(stamped, read, stampAhead time.Duration) (time.Duration, bool) {
			return l.place(stamped+stampAhead, read+ahead, read)
		}
		sec := time.Second
		if at, ok := arrives(10*sec, 10*sec+time.Millisecond, ahead); !ok || at != 10*sec {
			t.Errorf("%s: before the step: %s, %t", by, at, ok)
		}
		// Two that arrived before the step, of which one is read after it; one that arrived before the step was seen.
		old := ahead
		ahead += by
		if at, ok := arrives(11*sec-time.Millisecond, 11*sec, old); ok {
			t.Errorf("%s: an answer from before the step was put at %s", by, at)
		}
		if at, ok := arrives(11*sec-100*time.Microsecond, 11*sec+time.Millisecond, ahead); ok {
			t.Errorf("%s: an answer of which nobody can tell was put at %s", by, at)
		}
		if at, ok := arrives(11*sec+2*time.Millisecond, 11*sec+3*time.Millisecond, ahead); !ok || at != 11*sec+2*time.Millisecond {
			t.Errorf("%s: after the step: %s, %t", by, at, ok)
		}
	}
}

func TestAClockThatIsSlewedHasNotBeenSet(t *testing.T) {
	var l timeline
	for i := range 100 {
		now := time.Duration(i+1) * time.Second
		wall := now + now/1000 // twice as fast as a kernel slews
		if at, ok := l.place(wall-time.Millisecond, wall, now); !ok || at != now-time.Millisecond {
			t.Fatalf("second %d: %s, %t", i, at, ok)
		}
	}
}
