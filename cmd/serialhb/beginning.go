package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/serialhb/clock"
)

// beginning measures how long this program needs from the beginning of its process to its first pulse: a daemon that dies
// and is started again is silent for at least so long.
type beginning struct{ first atomic.Int64 }

// notify is told what the supervisor is told. The first sign of life goes out with the first pulse.
func (b *beginning) notify(state string) {
	if state != "WATCHDOG=1" || b.first.Load() != 0 {
		return
	}
	born, err := bornAt("/proc/self/stat")
	if err != nil {
		b.first.Store(-1) // nobody can tell, and nobody can mend it
		return
	}
	b.first.Store(int64(max(1, clock.Boot()-born)))
}

// took is 0 until it is known.
func (b *beginning) took() time.Duration { return max(0, time.Duration(b.first.Load())) }

// tick is the unit of times in /proc/PID/stat, on every machine that Linux runs on.
const tick = 10 * time.Millisecond

// bornAt reads on the boot-time clock when a process began.
func bornAt(stat string) (time.Duration, error) {
	text, err := os.ReadFile(stat)
	if err != nil {
		return 0, err
	}
	// The name of the program stands in parentheses and may hold anything; the start is the 20th field behind it.
	const start = 19
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= start {
		return 0, fmt.Errorf("%s has %d fields", stat, len(fields))
	}
	ticks, err := strconv.ParseInt(string(fields[start]), 10, 64)
	return time.Duration(ticks) * tick, err
}
