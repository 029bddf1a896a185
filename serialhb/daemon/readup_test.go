package daemon

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
)

type heldLink struct {
	Link
	bytes atomic.Int64
}

func (l *heldLink) Pending() int { return int(l.bytes.Load()) }

// After a sleep the evidence that came meanwhile is read before a worker, a person or a timer can lead to a coil: for as long
// as a driver has some, and no longer than a verdict waits.
func TestAfterASleepPeersAreHeardFirst(t *testing.T) {
	for name, x := range map[string]struct {
		slept time.Duration
		bytes int64
		until time.Duration // after the sleep, on the daemon's clock
	}{
		"no sleep":                     {0, 1, 0},
		"nothing came":                 {10 * time.Second, 0, readAgain}, // a reader may have something in hand
		"something came":               {10 * time.Second, 1, 0},         // 0: until it is read
		"it cannot be read to the end": {10 * time.Second, 2, deferMost},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, _, clock := newTurns()
				l := &heldLink{}
				l.bytes.Store(x.bytes)
				d.o.Links[0].Link = l
				fires := failover.Timer{Kind: failover.TimerDelay, Index: 1}
				d.timers = []timer{{fires, time.Second}}
				clock.Add(int64(x.slept))
				woke := time.Duration(clock.Load())
				var asked, worked atomic.Bool
				go d.visit(nil, func() { asked.Store(true) })
				go func() {
					if d.readUp(d.bring) {
						worked.Store(true)
						d.leave()
					}
				}()
				synctest.Wait() // they have seen how late it is
				pass := func(by time.Duration) (all bool) {
					clock.Store(int64(woke + by))
					time.Sleep(2 * readAgain) // in the bubble: they look again
					synctest.Wait()
					d.enter(nil)
					d.leave()
					due := len(d.timers) == 0
					if asked.Load() != worked.Load() || asked.Load() != due {
						t.Fatalf("after %v: asked %v, worked %v, fired %v", by, asked.Load(), worked.Load(), due)
					}
					return due
				}
				switch {
				case x.slept == 0:
					if !pass(0) {
						t.Error("what is in time waits")
					}
				case x.bytes == 1:
					if pass(deferMost - 1) {
						t.Error("a coil could have been driven while evidence lay in the driver")
					}
					l.bytes.Store(0)
					if !pass(deferMost - 1) {
						t.Error("all is read, and they wait")
					}
				default:
					if pass(x.until - 1) {
						t.Errorf("they had their turn before %v", x.until)
					}
					if !pass(x.until) {
						t.Errorf("they wait for more than %v", x.until)
					}
				}
			})
		})
	}
}

// Who is late all the time has to work all the same.
func TestWhoIsAlwaysLateDoesNotReadForEver(t *testing.T) {
	d, _, clock := newTurns()
	l := &heldLink{}
	l.bytes.Store(1)
	d.o.Links[0].Link = l
	waits, works := 0, 0
	for range 200 {
		clock.Add(int64(3 * time.Millisecond))
		d.enter(nil)
		if d.unread(d.o.Clock()) {
			waits++
		} else {
			works++
		}
		d.planned = d.o.Clock()
		d.counted = 0
		<-d.turn
	}
	if waits == 0 || works < 80 {
		t.Errorf("%d turns wait, %d work", waits, works)
	}
}
