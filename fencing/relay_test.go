package fencing

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

type fenceCase struct {
	name  string
	b     *bench
	c     RelayConfig
	q     Query
	proof Proof
	err   error
	// The fence has to take between these; zero bounds are not looked at.
	least, most time.Duration
	untouched   bool
	says        string // a step must contain this
}

// The proof rules of the design, one after the other.
func TestOff(t *testing.T) {
	trusted := Query{Trusted: true}
	failSafe := RelayConfig{FailSafe: true}
	for _, c := range []fenceCase{
		{name: "fail-safe sense falls", b: &bench{sense: falls(12 * ms)}, c: failSafe,
			proof: FailSafe, least: 512 * ms, most: 540 * ms, says: "sense fell"},
		{name: "fail-safe sense reads off already", b: &bench{sense: always(false)}, c: failSafe,
			proof: FailSafe, least: 500 * ms, most: 520 * ms, says: "coil driven"},
		{name: "contacts that bounce for longer than the hold-up", b: &bench{sense: always(false)}, c: RelayConfig{FailSafe: true, Settle: time.Second},
			proof: FailSafe, least: time.Second, most: 1020 * ms},
		{name: "fail-safe sense behind a slow relay", b: &bench{sense: falls(time.Second)}, c: failSafe,
			proof: FailSafe, least: 1500 * ms, most: 1530 * ms},
		{name: "fail-safe sense welded", b: &bench{sense: always(true)}, c: failSafe,
			err: Welded, least: 10 * time.Second},
		{name: "fail-safe sense caught lying", b: &bench{sense: always(false)}, c: failSafe, q: Query{Broken: true, Trusted: true},
			err: Unprovable, untouched: true},
		{name: "lying sense, leave to assume", b: &bench{sense: always(false)}, c: RelayConfig{FailSafe: true, AllowAssumed: true}, q: Query{Broken: true},
			proof: Assumed, least: 3 * time.Second},
		{name: "lying sense that reads on still counts", b: &bench{sense: always(true)}, c: RelayConfig{FailSafe: true, AllowAssumed: true}, q: Query{Broken: true},
			err: Welded},

		{name: "plain sense falls", b: &bench{sense: falls(40 * ms)}, q: trusted,
			proof: Sense, least: 540 * ms, most: 570 * ms},
		{name: "plain sense behind a slow relay", b: &bench{sense: falls(time.Second)}, q: trusted,
			proof: Sense, least: 1500 * ms},
		{name: "plain sense welded", b: &bench{sense: always(true)}, q: trusted, err: Welded},
		{name: "plain sense not trusted", b: &bench{sense: falls(40 * ms)}, err: Unprovable, untouched: true},
		{name: "plain sense caught lying", b: &bench{sense: falls(40 * ms)}, q: Query{Trusted: true, Broken: true}, err: Unprovable, untouched: true},
		{name: "plain sense off before the coil", b: &bench{sense: always(false)}, q: trusted, err: Unprovable, untouched: true},
		{name: "plain sense off before the coil, leave to assume", b: &bench{sense: always(false)}, q: trusted, c: RelayConfig{AllowAssumed: true},
			proof: Assumed, least: 3050 * ms, most: 3100 * ms},
		{name: "plain sense falls late", b: &bench{sense: falls(6 * time.Second)}, q: trusted, err: LateFall, least: 6 * time.Second, most: 6100 * ms},
		{name: "plain sense falls late, leave to assume", b: &bench{sense: falls(6 * time.Second)}, q: trusted, c: RelayConfig{AllowAssumed: true},
			proof: Assumed, least: 9 * time.Second, most: 9100 * ms, says: "too late"},
		{name: "plain sense settles late", b: &bench{sense: pulses([2]time.Duration{100 * ms, 200 * ms}, [2]time.Duration{5200 * ms, 5300 * ms})}, q: trusted,
			c: RelayConfig{HoldUp: 6 * time.Second, Verify: 60 * time.Second}, err: LateFall},
		{name: "plain sense under a coil that cuts already", b: &bench{sense: falls(40 * ms), coilReads: func(bool, time.Duration) bool { return true }}, q: trusted,
			err: Unprovable, untouched: true},
		{name: "plain sense, coil answers late", b: &bench{sense: falls(40 * ms), setTakes: time.Second}, q: trusted,
			err: LateFall, most: 1100 * ms},
		{name: "plain sense falls after a coil that answers late", b: &bench{sense: falls(1100 * ms), setTakes: time.Second}, q: trusted,
			proof: Sense, least: 1600 * ms},

		{name: "meter that lies for 45 s", b: &bench{sense: pulses([2]time.Duration{45 * time.Second, time.Hour})},
			c: RelayConfig{FailSafe: true, HoldUp: time.Minute, Verify: 2 * time.Minute}, err: Welded, least: 2 * time.Minute},
		{name: "bouncing sense", b: &bench{sense: pulses([2]time.Duration{0, 5 * ms}, [2]time.Duration{11 * ms, 25 * ms}, [2]time.Duration{400 * ms, 402 * ms})}, c: failSafe,
			proof: FailSafe, least: 900 * ms, most: 930 * ms, says: "reads on again"},
		{name: "sense that never keeps still", b: &bench{sense: func(d time.Duration) (bool, error) { return d < 0 || d%(400*ms) < 40*ms, nil }},
			c: RelayConfig{FailSafe: true, Verify: 4200 * ms}, err: NotSteady, least: 4200 * ms, most: 4300 * ms},
		{name: "sense unreadable before the coil", b: &bench{sense: failsAt(-1, 0, falls(12*ms))}, c: failSafe, err: SenseUnreadable, untouched: true},
		{name: "sense errs once", b: &bench{sense: failsAt(300*ms, 309*ms, falls(12*ms))}, c: failSafe, err: SenseUnreadable, least: 300 * ms, most: 310 * ms},

		{name: "read-back mismatch", b: &bench{sense: falls(12 * ms), coilReads: func(bool, time.Duration) bool { return false }}, c: failSafe, err: ReadBack, most: 20 * ms},
		{name: "coil lets go during the hold-up", b: &bench{sense: falls(12 * ms), coilReads: func(_ bool, d time.Duration) bool { return d >= 0 && d < 300*ms }}, c: failSafe, err: ReadBack, least: 300 * ms},
		{name: "coil unreadable", b: &bench{sense: falls(12 * ms), coilErr: func(d time.Duration) error {
			if d >= 0 {
				return errWire
			}
			return nil
		}}, c: failSafe, err: CoilUnreadable},
		{name: "coil cannot be driven", b: &bench{sense: falls(12 * ms), setErr: errWire}, c: failSafe, err: errWire},

		{name: "mirror opens", b: &bench{mirror: opens(8 * ms)}, proof: Mirror, least: 3050 * ms, most: 3100 * ms},
		{name: "mirror stays closed", b: &bench{mirror: always(false)}, err: MirrorClosed},
		{name: "mirror open under an idle coil", b: &bench{mirror: always(true)}, err: Unprovable, untouched: true},
		{name: "mirror errs once", b: &bench{mirror: failsAt(2*time.Second, 2009*ms, opens(8*ms))}, err: MirrorUnreadable},
		{name: "mirror closes again", b: &bench{mirror: func(d time.Duration) (bool, error) { return d >= 8*ms && d/ms != 1000, nil }}, proof: Mirror, least: 4 * time.Second, most: 4100 * ms},
		{name: "mirror against a fail-safe sense", b: &bench{sense: always(false), mirror: always(false)}, c: failSafe, err: MirrorClosed},
		{name: "mirror and an untrusted sense that stays on", b: &bench{sense: always(true), mirror: opens(8 * ms)}, err: Welded},
		{name: "mirror and an untrusted sense that falls", b: &bench{sense: falls(time.Second), mirror: opens(8 * ms)}, proof: Mirror, least: 4 * time.Second, most: 4100 * ms},

		{name: "nothing looks, leave to assume", c: RelayConfig{AllowAssumed: true}, proof: Assumed, least: 3050 * ms, most: 3100 * ms},
		{name: "nothing looks, longer hold-off", c: RelayConfig{AllowAssumed: true, HoldOff: 5 * time.Second}, proof: Assumed, least: 5050 * ms},
		{name: "sense on the feed side", b: &bench{sense: falls(12 * ms)}, c: RelayConfig{FailSafe: true, SenseSide: FeedSide}, proof: FailSafe, least: 3012 * ms, most: 3100 * ms},
	} {
		t.Run(c.name, func(t *testing.T) { bubble(t, func(t *testing.T) { testOff(t, &c) }) })
	}
}

func testOff(t *testing.T, c *fenceCase) {
	if c.b == nil {
		c.b = &bench{}
	}
	r := c.b.relay(t, c.c)
	if s := r.Status(context.Background()); c.b.drives != 0 || s.Proof != None {
		t.Fatalf("making the device and asking it drove the coil %d times and proved %v", c.b.drives, s.Proof)
	}
	begin := time.Now()
	var told []Step
	c.q.Tell = func(s Step) { told = append(told, s) }
	got := r.Off(context.Background(), c.q)
	took := time.Since(begin)

	if got.Proof != c.proof || (c.err == nil) != (got.Err == nil) || !errors.Is(got.Err, c.err) {
		t.Errorf("proof %v, error %v; want %v, %v", got.Proof, got.Err, c.proof, c.err)
	}
	if took < c.least || c.most > 0 && took > c.most {
		t.Errorf("it took %v; want %v to %v", took, c.least, c.most)
	}
	if touched := c.b.drives > 0; touched == c.untouched {
		t.Errorf("the coil was driven %d times", c.b.drives)
	}
	if got.Err == nil && !c.b.level {
		t.Error("a proof, and the coil is not driven to cut")
	}
	if got.Err != nil && c.b.setErr == nil && c.b.level == c.untouched {
		t.Errorf("after the failure the coil is %t", c.b.level)
	}
	var said strings.Builder
	for i, s := range got.Steps {
		if i > 0 && s.At < got.Steps[i-1].At || s.At > took {
			t.Errorf("step %q at %v is out of order", s.Text, s.At)
		}
		said.WriteString(s.Text + "\n")
	}
	if !strings.Contains(said.String(), c.says) {
		t.Errorf("no step says %q:\n%s", c.says, &said)
	}
	if len(told) != len(got.Steps) {
		t.Errorf("%d steps told, %d in the result", len(told), len(got.Steps))
	}
	if now := r.Status(context.Background()).Proof; now != c.proof {
		t.Errorf("status says %v after the proof %v", now, c.proof)
	}
}

// Power that comes and goes while the other supply is still being cut has fed the target all the time.
func TestFlickerBreaksTheLevel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := &bench{sense: pulses([2]time.Duration{time.Second, 1300 * ms})}
		b := &bench{mirror: opens(8 * ms)}
		tg := Target{Name: "alpha", Levels: []Level{{Devices: []Device{a.relay(t, RelayConfig{FailSafe: true}), b.relay(t, RelayConfig{Name: "other"})}}}}
		if got := tg.Off(context.Background(), nil, nil); got.Proof != None || !errors.Is(got.Err, PowerBack) {
			t.Errorf("%v, %v", got.Proof, got.Err)
		}
		if !a.level || !b.level {
			t.Error("a failed level closed a cut")
		}
		if err := tg.Restore(context.Background()); err != nil || a.level || b.level {
			t.Errorf("restore: %v; coils %t, %t", err, a.level, b.level)
		}
	})
}

// Only the last act counts: a fence that failed leaves no proof of the one before.
func TestProofOfTheLastAct(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bench{sense: falls(12 * ms)}
		r := b.relay(t, RelayConfig{FailSafe: true})
		if got := r.Off(context.Background(), Query{}); got.Proof != FailSafe {
			t.Fatal(got.Err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for range 20 {
			// Taking the turn and the end of the context are both at hand; either is right, a proof is not.
			if got := r.Off(ctx, Query{}); got.Err == nil {
				t.Fatal("a proof out of time")
			}
		}
		if s := r.Status(context.Background()); s.Proof != None {
			t.Errorf("status still says %v", s.Proof)
		}
	})
}

// A process that was stopped saw nothing, so nothing that it missed counts.
func TestStoppedProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slept := false
		b := &bench{sense: func(d time.Duration) (bool, error) {
			if d > 100*ms && !slept {
				slept = true
				time.Sleep(5 * time.Second)
			}
			return d < 0, nil
		}}
		begin := time.Now()
		got := b.relay(t, RelayConfig{FailSafe: true}).Off(context.Background(), Query{})
		if took := time.Since(begin); got.Proof != FailSafe || took < 5600*ms {
			t.Errorf("proof %v after %v, %v", got.Proof, took, got.Err)
		}
	})
}

// Of a short hold-up at least half has to be seen.
func TestShortStall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slept := false
		b := &bench{sense: func(d time.Duration) (bool, error) {
			if d > 30*ms && !slept {
				slept = true
				time.Sleep(150 * ms)
			}
			return d < 0, nil
		}}
		begin := time.Now()
		got := b.relay(t, RelayConfig{FailSafe: true, HoldUp: 200 * ms}).Off(context.Background(), Query{})
		if took := time.Since(begin); got.Proof != FailSafe || took < 380*ms {
			t.Errorf("proof %v after %v, %v", got.Proof, took, got.Err)
		}
	})
}

// The context may end at any instant: before the coil nothing is driven, after it nothing is proven.
func TestOffOutOfTime(t *testing.T) {
	for at := time.Duration(0); at < 600*ms; at += 7 * ms {
		bubble(t, func(t *testing.T) {
			b := &bench{sense: falls(12 * ms), setTakes: 20 * ms}
			ctx, cancel := context.WithTimeout(context.Background(), at)
			defer cancel()
			got := b.relay(t, RelayConfig{FailSafe: true}).Off(ctx, Query{})
			if done := at >= 525*ms; !done && (got.Proof != None || !errors.Is(got.Err, context.DeadlineExceeded)) {
				t.Errorf("out of time after %v: %v, %v", at, got.Proof, got.Err)
			}
			if at == 0 && b.drives != 0 {
				t.Error("driven after the time was over")
			}
			if at > 0 && !b.level {
				t.Errorf("out of time after %v: the cut did not stay", at)
			}
		})
	}
}

// A reading may take longer than the context lasts, also the very last one.
func TestOffBlockedReading(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bench{sense: func(d time.Duration) (bool, error) {
			if d >= 495*ms {
				time.Sleep(100 * ms)
			}
			return d < 0, nil
		}}
		ctx, cancel := context.WithTimeout(context.Background(), 550*ms)
		defer cancel()
		if got := b.relay(t, RelayConfig{FailSafe: true}).Off(ctx, Query{}); got.Proof != None || got.Err == nil {
			t.Errorf("%v, %v", got.Proof, got.Err)
		}
	})
	bubble(t, func(t *testing.T) {
		b := &bench{sense: func(d time.Duration) (bool, error) { time.Sleep(100 * ms); return true, nil }}
		ctx, cancel := context.WithTimeout(context.Background(), 50*ms)
		defer cancel()
		if got := b.relay(t, RelayConfig{FailSafe: true}).Off(ctx, Query{}); got.Err == nil || b.drives != 0 {
			t.Errorf("%v, driven %d times", got.Err, b.drives)
		}
	})
}

// What was proven may change. The proof is gone then, and it does not come back by itself.
func TestProofLost(t *testing.T) {
	for name, b := range map[string]*bench{
		"power returns":  {sense: pulses([2]time.Duration{time.Second, 2 * time.Second})},
		"sense unread":   {sense: failsAt(time.Second, 2*time.Second, falls(12*ms))},
		"coil let go":    {sense: falls(12 * ms), coilReads: func(l bool, d time.Duration) bool { return l && (d < time.Second || d > 2*time.Second) }},
		"mirror changes": {sense: falls(12 * ms), mirror: func(d time.Duration) (bool, error) { return d >= 0 && d/time.Second != 1, nil }},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := b.relay(t, RelayConfig{FailSafe: true})
				if got := r.Off(context.Background(), Query{}); got.Proof != FailSafe {
					t.Fatal(got.Err)
				}
				drives := b.drives
				for _, want := range []Proof{FailSafe, None, None} {
					if got := r.Status(context.Background()); got.Proof != want {
						t.Errorf("%v after the cut: %v, want %v", b.sinceCut(), got.Proof, want)
					}
					time.Sleep(time.Second)
				}
				if b.drives != drives {
					t.Error("a status drove the coil")
				}
			})
		})
	}
}
