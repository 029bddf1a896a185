package main

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// stalls remembers when a processor of this machine stood still for a while. A shared virtual machine has such moments,
// and a node on that processor is then as silent as a dead one.
type stalls struct {
	mu  sync.Mutex
	all []stall
}

type stall struct {
	seen time.Time
	long time.Duration
}

const (
	// stallTick is how often each processor is asked to answer.
	stallTick = 2 * time.Millisecond
	// stallLeast is what is remembered.
	stallLeast = 4 * time.Millisecond
	stallsKept = 256
)

// watch has a thread on each processor wait for the next tick, again and again, until ctx is done.
func (s *stalls) watch(ctx context.Context) {
	for cpu := range runtime.NumCPU() {
		go func() {
			runtime.LockOSThread() // never unlocked: the thread goes with its goroutine
			var only unix.CPUSet
			only.Set(cpu)
			_ = unix.SchedSetaffinity(0, &only) // without it the scheduler chooses, and less is seen
			for ctx.Err() == nil {
				before := time.Now()
				pause := unix.NsecToTimespec(int64(stallTick))
				_ = unix.Nanosleep(&pause, nil)
				if now := time.Now(); now.Sub(before) >= stallTick+stallLeast {
					s.add(stall{now, now.Sub(before) - stallTick})
				}
			}
		}()
	}
}

func (s *stalls) add(one stall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all = append(s.all, one); len(s.all) > stallsKept {
		s.all = slices.Delete(s.all, 0, len(s.all)-stallsKept)
	}
}

// worst is the longest stall that was seen in the last so long.
func (s *stalls) worst(last time.Duration) (worst time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.all {
		if time.Since(one.seen) <= last {
			worst = max(worst, one.long)
		}
	}
	return worst
}
