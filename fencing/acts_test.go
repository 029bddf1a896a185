package fencing

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestSecure(t *testing.T) {
	for _, c := range []struct {
		name      string
		sense     look
		c         RelayConfig
		q         Query
		err       error
		untouched bool
	}{
		{name: "off for long", sense: always(false), c: RelayConfig{FailSafe: true}},
		{name: "reads on", sense: falls(0), c: RelayConfig{FailSafe: true}, err: StillOn, untouched: true},
		{name: "plain", sense: always(false), c: RelayConfig{AllowAssumed: true}, q: Query{Trusted: true}, err: NotFailSafe, untouched: true},
		{name: "no sense", c: RelayConfig{AllowAssumed: true}, err: NotFailSafe, untouched: true},
		{name: "caught lying", sense: always(false), c: RelayConfig{FailSafe: true}, q: Query{Broken: true}, err: NotFailSafe, untouched: true},
		{name: "unreadable", sense: failsAt(-1, 0, always(false)), c: RelayConfig{FailSafe: true}, err: SenseUnreadable, untouched: true},
		{name: "comes on as the cut is made", sense: pulses([2]time.Duration{0, time.Hour}), c: RelayConfig{FailSafe: true}, err: StillOn, untouched: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bench{sense: c.sense}
				begin := time.Now()
				got := b.relay(t, c.c).Secure(context.Background(), c.q)
				if !errors.Is(got.Err, c.err) || (got.Proof == FailSafe) != (c.err == nil) {
					t.Errorf("%v, %v; want %v", got.Proof, got.Err, c.err)
				}
				if (b.drives == 0) != c.untouched {
					t.Errorf("driven %d times", b.drives)
				}
				if took := time.Since(begin); c.err == nil && took < time.Second {
					t.Errorf("it took %v: the sense was not watched for a hold-up after the cut as well", took)
				}
				if c.err == nil && b.cutAt.Sub(begin) < 500*ms {
					t.Errorf("the cut came after %v, before the hold-up was over", b.cutAt.Sub(begin))
				}
			})
		})
	}
}

// A sense that comes on during the wait of Secure leaves the feed alone.
func TestSecureAbandoned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		begin := time.Now()
		b := &bench{sense: func(time.Duration) (bool, error) { return time.Since(begin) > 400*ms, nil }}
		got := b.relay(t, RelayConfig{FailSafe: true}).Secure(context.Background(), Query{})
		if !errors.Is(got.Err, StillOn) || b.drives != 0 {
			t.Errorf("%v, driven %d times", got.Err, b.drives)
		}
	})
}

func TestOn(t *testing.T) {
	for _, c := range []struct {
		name string
		b    *bench
		err  error
	}{
		{name: "closes", b: &bench{sense: always(false)}},
		{name: "mirror follows", b: &bench{mirror: opens(0)}},
		{name: "mirror stays open", b: &bench{mirror: func(d time.Duration) (bool, error) { return true, nil }}, err: StillOpen},
		{name: "mirror unreadable", b: &bench{mirror: failsAt(-1, 0, opens(0))}, err: MirrorUnreadable},
		{name: "coil stuck", b: &bench{sense: always(true), coilReads: func(bool, time.Duration) bool { return true }}, err: StillOpen},
		{name: "coil unreadable", b: &bench{sense: always(true), coilErr: func(d time.Duration) error {
			if d < 0 {
				return errWire
			}
			return nil
		}}, err: CoilUnreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c.b.level, c.b.cutAt = true, time.Now()
				r := c.b.relay(t, RelayConfig{AllowAssumed: true})
				begin := time.Now()
				if err := r.On(context.Background()); !errors.Is(err, c.err) {
					t.Errorf("%v, want %v", err, c.err)
				}
				if took := time.Since(begin); took > 2*time.Second {
					t.Errorf("it took %v", took)
				}
				if c.b.level {
					t.Error("the cut is still open")
				}
			})
		})
	}
}

func TestOpen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bench{sense: always(true)}
		r := b.relay(t, RelayConfig{})
		if err := r.Open(context.Background()); err != nil || !b.level {
			t.Errorf("open: %v", err)
		}
		if s := r.Status(context.Background()); s.Feed != FeedOpen || s.Power != On || s.Proof != None {
			t.Errorf("status %+v", s)
		}
		b.coilReads = func(bool, time.Duration) bool { return false }
		if err := r.Open(context.Background()); !errors.Is(err, ReadBack) {
			t.Errorf("open with a stuck line: %v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		before := b.drives
		if err := r.Open(ctx); err == nil || b.drives != before {
			t.Errorf("open out of time: %v", err)
		}
	})
}

// TestOpenWaitsForTheSupply: a person who was wrong has ended what ran there before the word counts.
func TestOpenWaitsForTheSupply(t *testing.T) {
	for _, hold := range []RelayConfig{{HoldUp: 2 * time.Second, HoldOff: time.Second}, {HoldUp: time.Second, HoldOff: 4 * time.Second}} {
		bubble(t, func(t *testing.T) {
			b := &bench{sense: always(true)}
			r := b.relay(t, hold)
			began := time.Now()
			if err := r.Open(context.Background()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < max(hold.HoldUp, hold.HoldOff) {
				t.Errorf("it was open after %v", took)
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			if err := r.Open(ctx); !errors.Is(err, context.DeadlineExceeded) || !b.level {
				t.Errorf("out of time while it waits: %v", err)
			}
		})
	}
}

// Acts never overlap; one that waits in vain says why.
func TestActsTakeTurns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bench{sense: falls(12 * ms)}
		r := b.relay(t, RelayConfig{FailSafe: true})
		done := make(chan Result)
		go func() { done <- r.Off(context.Background(), Query{}) }()
		time.Sleep(100 * ms)
		ctx, cancel := context.WithTimeout(context.Background(), 100*ms)
		defer cancel()
		if err := r.On(ctx); err == nil || !strings.Contains(err.Error(), "busy") || !b.level {
			t.Errorf("On during Off: %v", err)
		}
		if got := <-done; got.Proof != FailSafe {
			t.Error(got.Err)
		}
	})
}
