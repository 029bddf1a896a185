package main

import (
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/story"
)

func TestOnlyAnOwnClockIsPartOfEndurance(t *testing.T) {
	for own, want := range map[bool]bool{true: true, false: false} {
		c := endureCmd{Every: 20 * time.Second, Interval: 10 * time.Millisecond, Multiplier: 3, OwnClock: own}
		text := c.text(4*len(havoc), true)
		if _, err := story.Parse("endure", text); err != nil {
			t.Errorf("own clock %t: %v", own, err)
		}
		if got := strings.Contains(text, "\nclock +87600h\n") && strings.Contains(text, "\nzone "); got != want {
			t.Errorf("own clock %t: the clock is set: %t", own, got)
		}
		for _, l := range havoc {
			if !strings.Contains(text, strings.Join(l.lines, "\n")) {
				t.Errorf("own clock %t: it lacks %q", own, l)
			}
		}
	}
}

func TestTheClockEndsWhereItBegan(t *testing.T) {
	for _, o := range clockHavoc {
		var sum time.Duration
		for _, l := range o.lines {
			if d, ok := strings.CutPrefix(l, "clock "); ok {
				step, err := time.ParseDuration(d)
				if err != nil {
					t.Fatal(err)
				}
				sum += step
			}
		}
		if sum != 0 {
			t.Errorf("%q: off by %s", o.lines, sum)
		}
	}
}
