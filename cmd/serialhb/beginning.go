package main

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/serialhb/clock"
	kernel "github.com/serialhb/serialhb/serialhb/process"
)

// beginning measures how long this program needs from the beginning of its process to its first pulse: a daemon that dies
// and is started again is silent for at least so long.
type beginning struct{ first atomic.Int64 }

// notify is told what the supervisor is told. The first sign of life goes out with the first pulse.
func (b *beginning) notify(state string) {
	if state != "WATCHDOG=1" || b.first.Load() != 0 {
		return
	}
	self, err := kernel.Of(os.Getpid())
	if err != nil {
		b.first.Store(-1) // nobody can tell, and nobody can mend it
		return
	}
	b.first.Store(int64(max(1, clock.Boot()-self.Born)))
}

// took is 0 until it is known.
func (b *beginning) took() time.Duration { return max(0, time.Duration(b.first.Load())) }
