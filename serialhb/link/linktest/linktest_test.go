package linktest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialhb/serialhb/serialhb/link"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

type sink struct {
	frames  []pulse.Verdict
	seqs    []uint32
	changes []link.Status
	at      time.Duration
}

func (s *sink) Frame(_ int, at time.Duration, f *pulse.Frame, v pulse.Verdict) {
	s.frames, s.seqs, s.at = append(s.frames, v), append(s.seqs, f.Pulse.Seq), at
}
func (s *sink) Change(_ int, _ time.Duration, st link.Status) { s.changes = append(s.changes, st) }
func (s *sink) Noise(int, time.Duration, int)                 {}

func TestMedium(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, err := pulse.NewKeyring("c", []byte("0123456789abcdef"))
		if err != nil {
			t.Fatal(err)
		}
		clock := Since()
		var s0, s1 sink
		m, a, b := Pair(Config{Name: "cable", Keys: keys, Sink: &s0, Clock: clock}, Config{Name: "cable", Keys: keys, Sink: &s1, Clock: clock})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		for _, l := range []*Link{a, b} {
			go func() { ended <- l.Run(ctx) }()
		}
		synctest.Wait()
		frame := func(from, to uint8, seq uint32) []byte {
			return keys.AppendPulse(nil, &pulse.Pulse{From: from, To: to, Session: 7, Seq: seq, IntervalMS: 100})
		}
		// both hears what each side has heard after one pulse either way.
		both := func(seq uint32, want0, want1 int) {
			t.Helper()
			time.Sleep(time.Second)
			a.Send(1, frame(0, 1, seq))
			b.Send(0, frame(1, 0, seq))
			synctest.Wait()
			if len(s0.frames) != want0 || len(s1.frames) != want1 {
				t.Fatalf("seq %d: heard %d and %d, want %d and %d", seq, len(s0.frames), len(s1.frames), want0, want1)
			}
		}
		both(1, 1, 1)
		if s1.at != time.Second {
			t.Fatalf("heard at %s", s1.at)
		}
		m.Cut(0, 1)
		both(2, 2, 1) // one way
		m.Cut(1, 0)
		both(3, 2, 1)
		m.Heal(0, 1)
		m.Heal(1, 0)
		both(4, 3, 2)
		m.Lose(0, 1, func([]byte) bool { return true })
		both(5, 4, 2)
		m.Heal(0, 1)
		m.Unplug(1, "pulled")
		both(6, 4, 2) // what 1 sends goes nowhere either
		m.Plug(1)
		both(7, 5, 3)
		m.Inject(1, frame(0, 1, 7)) // a replay
		m.Inject(1, []byte("noise"))
		synctest.Wait()
		if n := len(s1.frames); n != 5 || s1.frames[3] != pulse.Good || s1.frames[4] != pulse.Short {
			t.Fatalf("heard %v", s1.frames)
		}
		want := []link.Status{{Up: true}, {Reason: "pulled", DeviceLost: true}, {Up: true}}
		if len(s1.changes) != 3 || s1.changes[0] != want[0] || s1.changes[1] != want[1] || s1.changes[2] != want[2] {
			t.Fatalf("changes %+v", s1.changes)
		}
		c := b.Counters()
		if c.Out.Sent != 6 || c.Out.DroppedStale != 1 || c.In.Frames != 4 || c.In.Replays != 1 || c.In.Short != 1 || c.In.Lost != 4 {
			t.Fatalf("counters %+v", c)
		}
		if b.Pending() != 0 {
			t.Fatalf("%d bytes pend", b.Pending())
		}
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		}
		a.Send(1, frame(0, 1, 9))
		if b.Pending() == 0 {
			t.Fatal("what nobody reads does not pend")
		}
	})
}
