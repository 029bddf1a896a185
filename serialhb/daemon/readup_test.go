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

// After a sleep of a detection time or more whatever is read may be as old: nothing but words of peers has its turn until everybody
// has answered what was sent since, or some beats have passed.
func TestAfterALongSleepPeersAnswerFirst(t *testing.T) {
	const beat, detection = 100 * time.Millisecond, 1500 * time.Millisecond
	for name, x := range map[string]struct {
		slept  time.Duration
		echo   uint32 // of the claim that is read then; what was sent last before is 7
		listen bool
	}{
		"a short sleep":                   {detection - 1, 7, false},
		"what it reads is from before":    {detection, 7, true},
		"it is answered":                  {detection, 8, false},
		"it is answered after a day":      {24 * time.Hour, 8, false},
		"nothing but old claims for days": {48 * time.Hour, 2, true},
	} {
		d, _, clock := newTurns()
		d.o.Decision.DetectTime, d.interval, d.state.Seq = detection, beat, 7
		clock.Add(int64(x.slept))
		woke := d.o.Clock()
		d.lateness(woke)
		d.state.Peers[1].Claim = failover.Claim{Valid: true, Echo: x.echo}
		for after, waits := range map[time.Duration]bool{readAgain: x.listen, listenBeats*beat - 1: x.listen, listenBeats * beat: false} {
			if d.unread(woke+after) != waits {
				t.Errorf("%s: %v after it woke, waits %v", name, after, !waits)
			}
		}
		if d.planned, d.counted = woke, 0; x.listen {
			d.lateness(woke + detection)
			if d.unread(woke + detection + readAgain) {
				t.Errorf("%s: who sleeps like that again and again listens for ever", name)
			}
		}
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
