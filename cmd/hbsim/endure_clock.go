package main

import (
	"context"
	"slices"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/story"
)

// clockHavoc is what the wall clock and the time zone of the machine go through, beside havoc. The clock ends where it
// began.
var clockHavoc = []ordeal{
	{lines: []string{"clock +87600h", "sleep 1s", "clock -87600h"}},
	{lines: []string{"zone Asia/Kathmandu", "clock -87600h", "restart-daemon alpha", "expect reachable alpha within 30s", "clock +87600h"}},
	{lines: []string{"clock +3s", "sleep 1s", "clock -5h", "sleep 1s", "clock +5h", "clock -3s"}},
	{[]string{"zone Pacific/Chatham", "lose-run alpha bravo", "clock +87600h", "expect told alpha socket-again within 30s", "clock -87600h"},
		[]string{"lock-again", "socket-again", "record-failed"}},
	{[]string{"zone UTC", "cut-cable", "clock +87600h", "sleep 1s", "mend-cable", "clock -87600h"},
		[]string{"no-pulses alpha cable", "no-pulses bravo cable"}},
}

// chapters are what happens between takeovers. With a clock of its own each second one is about that, so that a short
// run has some of them.
func (c *endureCmd) chapters() []ordeal {
	plain := havoc
	if time.Duration(c.Multiplier)*c.Interval >= restartTime {
		plain = append(slices.Clone(havoc), killed)
	}
	if !c.OwnClock {
		return plain
	}
	var all []ordeal
	for i, h := range plain {
		all = append(all, clockHavoc[i%len(clockHavoc)], h)
	}
	return all
}

// provePatiently is how long a sense has to read off in a machine with a clock of its own. Such a machine is emulated, and
// misses samples that come every few milliseconds: a fence that needs a second try would look like a second one.
const provePatiently = 100 * time.Millisecond

// worlds are those in which it happens.
func (c *endureCmd) worlds(build story.Builder) story.Builder {
	if !c.OwnClock {
		return build
	}
	own := story.OwnClock(build)
	return func(ctx context.Context, s story.Settings) (story.World, error) {
		s.Prove = provePatiently
		return own(ctx, s)
	}
}
