package link

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// A line that takes nothing delays neither who sends nor who hears, by no tick: time is simulated, and none passes.
func TestLineThatTakesNothingDelaysNoTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, f, k := newRecorder(), newFake(), ring(t, "c", "key")
		arrives := make(chan []byte)
		f.onRead = func(b []byte) (int, error) {
			select {
			case frame := <-arrives:
				return copy(b, frame), nil
			case <-f.woken:
				return 0, nil
			}
		}
		f.onWrite = func([]byte) (int, error) { return 0, nil }
		l := fakeSerial(t, r, f)
		l.cfg.Clock = func() time.Duration { return time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		r.mustUp(t)
		began := time.Now()
		for seq := range uint32(100) {
			l.Send(1, pulseFrame(k, 0, 1, 7, seq+1))
		}
		arrives <- online(pulseFrame(k, 1, 0, 8, 1))
		if h := <-r.frames; h.verdict != pulse.Good {
			t.Errorf("the reader of a blocked line heard %v", h.verdict)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("a line that takes nothing delayed this end by %v", took)
		}
		if c := l.Counters().Out; c.Sent != 0 || c.DroppedStale != 100 {
			t.Errorf("%+v", c)
		}
		cancel()
		<-done
	})
}
