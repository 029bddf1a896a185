package fencing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a check of a relay finds, at rest and after it was cut and given back.
func TestRelayCheck(t *testing.T) {
	failSafe := RelayConfig{FailSafe: true}
	for _, c := range []struct {
		name string
		b    *bench
		c    RelayConfig
		cut  bool          // by Open
		wait time.Duration // before the check
		ill  []error
	}{
		{name: "at rest", b: &bench{sense: always(true), mirror: opens(0)}, c: failSafe, wait: time.Hour},
		{name: "at rest, target off", b: &bench{sense: always(false)}, c: failSafe, wait: time.Hour},
		{name: "cut", b: &bench{sense: falls(0), mirror: opens(0)}, c: failSafe, cut: true, wait: time.Hour},
		{name: "cut, supply still carries", b: &bench{sense: falls(time.Second)}, c: failSafe, cut: true, wait: 500 * ms},
		{name: "cut, contact on its way", b: &bench{mirror: opens(40 * ms)}, cut: true, wait: 10 * ms},
		{name: "welded", b: &bench{sense: always(true)}, c: failSafe, cut: true, wait: time.Minute, ill: []error{Welded}},
		{name: "found cut by another, and on", b: &bench{sense: always(true), coilReads: func(bool, time.Duration) bool { return true }}, c: failSafe, wait: time.Minute, ill: []error{Welded}},
		{name: "mirror stuck", b: &bench{mirror: always(false)}, cut: true, wait: time.Minute, ill: []error{MirrorDisagrees}},
		{name: "mirror open at rest", b: &bench{mirror: always(true)}, wait: time.Minute, ill: []error{MirrorDisagrees}},
		{name: "coil gone", b: &bench{coilErr: func(time.Duration) error { return errWire }}, c: RelayConfig{AllowAssumed: true}, ill: []error{errWire}},
		{name: "sense gone", b: &bench{sense: failsAt(-time.Hour, time.Hour, always(true))}, c: failSafe, ill: []error{errWire}},
		{name: "sense and mirror gone", b: &bench{sense: failsAt(-time.Hour, time.Hour, always(true)), mirror: failsAt(-time.Hour, time.Hour, opens(0))}, c: failSafe, ill: []error{errWire, errWire}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := c.b.relay(t, c.c)
				if c.cut {
					if err := r.Open(context.Background()); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(c.wait)
				drives := c.b.drives
				got := Health(context.Background(), r)
				if len(got) != len(c.ill) || !slices.EqualFunc(got, c.ill, errors.Is) {
					t.Errorf("%v, want %v", got, c.ill)
				}
				for _, err := range got {
					if !strings.HasPrefix(err.Error(), "fencing: check relay: ") {
						t.Errorf("%v", err)
					}
				}
				if c.b.drives != drives {
					t.Error("the check drove the coil")
				}
			})
		})
	}
}

// A line that does not read what was last driven: a chip that was reset, or somebody else on the line.
func TestRelayCheckReadsBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		letGo := false
		b := &bench{coilReads: func(level bool, _ time.Duration) bool { return level && !letGo }}
		r := b.relay(t, RelayConfig{AllowAssumed: true})
		if err := r.Open(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := r.Check(context.Background()); err != nil {
			t.Error(err)
		}
		letGo = true
		if err := r.Check(context.Background()); !errors.Is(err, ReadBack) {
			t.Errorf("let go: %v", err)
		}
		letGo = false
		b.setErr = errWire
		if err := r.On(context.Background()); !errors.Is(err, errWire) {
			t.Fatal(err)
		}
		if err := r.Check(context.Background()); err != nil {
			t.Errorf("nobody knows what a drive that failed has done: %v", err)
		}
	})
}

// A check never looks into the middle of an act.
func TestRelayCheckWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := (&bench{}).relay(t, RelayConfig{AllowAssumed: true})
		done := make(chan Result)
		go func() { done <- r.Off(context.Background(), Query{}) }()
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if got := Health(ctx, r); len(got) != 1 || !errors.Is(got[0], context.DeadlineExceeded) {
			t.Errorf("%v", got)
		}
		if got := Health(context.Background(), r); len(got) != 0 {
			t.Errorf("%v", got)
		}
		if got := <-done; got.Proof != Assumed {
			t.Errorf("%v, %v", got.Proof, got.Err)
		}
	})
}

// plainDevice can be asked for its status and nothing else.
type plainDevice struct {
	Device
	name string
	err  error
	hang chan struct{}
}

func (d plainDevice) Name() string { return d.name }
func (d plainDevice) Status(context.Context) Status {
	if d.hang != nil {
		<-d.hang
	}
	return Status{Err: d.err}
}

func TestTargetHealth(t *testing.T) {
	bubble(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		twice := plainDevice{name: "twice", err: errors.Join(errWire, errors.Join(Welded, ReadBack))}
		target := &Target{Name: "alpha", Levels: []Level{
			{Devices: []Device{plainDevice{name: "good"}, twice}},
			{Devices: []Device{twice, plainDevice{name: "mute", hang: hang}, plainDevice{name: "one", err: fmt.Errorf("%w: %w", NotSteady, errWire)}}},
		}}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		want := []error{errWire, Welded, ReadBack, context.DeadlineExceeded, NotSteady}
		begin := time.Now()
		got := target.Health(ctx)
		if took := time.Since(begin); took != time.Second {
			t.Errorf("it took %v with a second for it", took)
		}
		if !slices.EqualFunc(got, want, errors.Is) || !strings.Contains(got[3].Error(), "check mute: it did not answer in time") {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
