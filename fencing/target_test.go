package fencing_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/fencing/fencingtest"
)

const ms = time.Millisecond

var errBoard = errors.New("the board does not answer")

func target(levels ...[]*fencingtest.Device) *fencing.Target {
	t := &fencing.Target{Name: "alpha"}
	for _, level := range levels {
		var l fencing.Level
		for _, d := range level {
			l.Devices = append(l.Devices, d)
		}
		t.Levels = append(t.Levels, l)
	}
	return t
}

type devices = []*fencingtest.Device

func proves(name string, p fencing.Proof, takes time.Duration) *fencingtest.Device {
	return fencingtest.New(name, fencingtest.Script{Proof: p, Takes: takes})
}

func bubble(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }

// Both supplies are cut at once, the slow one is waited for, and the weaker proof counts.
func TestDualSupply(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := proves("a", fencing.FailSafe, 500*ms), proves("b", fencing.Mirror, 3*time.Second)
		begin := time.Now()
		var told []fencing.Step
		got := target(devices{a, b}).Off(context.Background(), map[string]fencing.Query{"a": {Trusted: true}}, func(s fencing.Step) { told = append(told, s) })
		if took := time.Since(begin); got.Err != nil || got.Proof != fencing.Mirror || took != 3*time.Second {
			t.Errorf("%v, %v after %v", got.Proof, got.Err, took)
		}
		b.Follow(fencingtest.Script{Proof: fencing.FailSafe, Takes: time.Second})
		a.Follow(fencingtest.Script{Proof: fencing.Assumed})
		if got := target(devices{a, b}).Off(context.Background(), nil, nil); got.Proof != fencing.Assumed {
			t.Errorf("the weaker proof came first: %v, %v", got.Proof, got.Err)
		}
		if !a.Calls()[0].Query.Trusted || b.Calls()[0].Query.Trusted {
			t.Error("the queries did not reach the devices, or not the right ones")
		}
		if !slices.Equal(told, got.Steps) || len(told) < 4 || !slices.IsSortedFunc(told, func(a, b fencing.Step) int { return int(a.At - b.At) }) {
			t.Errorf("steps %v, told %v", got.Steps, told)
		}
	})
}

// A supply that comes back before the other is off breaks the level: the target was never off.
func TestSupplyComesBack(t *testing.T) {
	for _, back := range []time.Duration{ms, time.Second, 2999 * ms} {
		bubble(t, func(t *testing.T) {
			a := fencingtest.New("a", fencingtest.Script{Proof: fencing.FailSafe, Takes: 500 * ms, LosesAfter: back})
			b := proves("b", fencing.FailSafe, 500*ms+back)
			got := target(devices{a, b}).Off(context.Background(), nil, nil)
			if got.Proof != fencing.None || !errors.Is(got.Err, fencing.PowerBack) || !strings.Contains(got.Err.Error(), "a:") {
				t.Errorf("back after %v: %v, %v", back, got.Proof, got.Err)
			}
			if !a.Cut() || !b.Cut() {
				t.Error("a failed level closed a cut")
			}
		})
	}
}

// What cannot be seen in the end is not off.
func TestSupplyThatCannotBeAsked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := fencingtest.New("a", fencingtest.Script{Proof: fencing.FailSafe, StatusErr: errBoard})
		if got := target(devices{a}).Off(context.Background(), nil, nil); got.Proof != fencing.None || !errors.Is(got.Err, errBoard) {
			t.Errorf("%v, %v", got.Proof, got.Err)
		}
	})
}

func TestLevelsInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := fencingtest.New("a", fencingtest.Script{Err: fencing.Welded, Takes: time.Second}), proves("b", fencing.FailSafe, 10*time.Second)
		c := proves("c", fencing.Agent, 2*time.Second)
		unused := proves("unused", fencing.FailSafe, 0)
		tg := target(devices{a, b}, devices{c}, devices{unused})
		begin := time.Now()
		got := tg.Off(context.Background(), nil, nil)
		if got.Err != nil || got.Proof != fencing.Agent {
			t.Fatalf("%v, %v", got.Proof, got.Err)
		}
		// A level fails with its first device; the others are told to stop and are not waited out.
		if at := c.Calls()[0].At.Sub(begin); at < time.Second || at > 1100*ms {
			t.Errorf("level 2 began after %v", at)
		}
		if !a.Cut() || !b.Cut() || len(unused.Calls()) != 0 {
			t.Error("a failed level closed its cuts, or a level after the good one was tried")
		}
		if err := tg.Restore(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, d := range []*fencingtest.Device{a, b, c} {
			if d.Cut() {
				t.Errorf("the cut of %s is still open", d.Name())
			}
		}
		if len(unused.Calls()) != 0 {
			t.Error("a device that was never used was switched on")
		}
	})
}

func TestAllLevelsFail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := fencingtest.New("a", fencingtest.Script{Err: fencing.Welded}), fencingtest.New("b", fencingtest.Script{Err: errBoard})
		got := target(devices{a}, devices{b}).Off(context.Background(), nil, nil)
		if got.Proof.IsOff() || !errors.Is(got.Err, fencing.Welded) || !errors.Is(got.Err, errBoard) {
			t.Errorf("%v, %v", got.Proof, got.Err)
		}
		if len(got.Steps) == 0 {
			t.Error("a failure leaves no evidence")
		}
	})
	for _, tg := range []*fencing.Target{target(), target(devices{})} {
		if got := tg.Off(context.Background(), nil, nil); got.Err == nil || got.Proof.IsOff() {
			t.Errorf("a target without devices: %v, %v", got.Proof, got.Err)
		}
	}
	if got := target().Off(context.Background(), nil, nil); !strings.Contains(got.Err.Error(), "add a [[fence]]") {
		t.Errorf("a target without levels: %v", got.Err)
	}
}

// A device without a proof has failed, even if it forgot to say so.
func TestResultWithoutProof(t *testing.T) {
	bubble(t, func(t *testing.T) {
		if got := target2(liar{}).Off(context.Background(), nil, nil); got.Err == nil || got.Proof.IsOff() {
			t.Errorf("%v, %v", got.Proof, got.Err)
		}
	})
}

type liar struct{ *fencingtest.Device }

func (liar) Name() string                                      { return "liar" }
func (liar) Off(context.Context, fencing.Query) fencing.Result { return fencing.Result{} }
func (liar) Status(context.Context) fencing.Status             { return fencing.Status{Proof: fencing.FailSafe} }
func target2(d fencing.Device) *fencing.Target {
	return &fencing.Target{Name: "alpha", Levels: []fencing.Level{{Devices: []fencing.Device{d}}}}
}

// A device that never returns is a failure in time, and the next level still gets its turn.
func TestDeviceThatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		hung, good := fencingtest.New("hung", fencingtest.Script{Hangs: true}), proves("good", fencing.FailSafe, 500*ms)
		defer hung.Free()
		tg := target(devices{hung}, devices{good})
		tg.Levels[0].Timeout = 10 * time.Second
		got := tg.Off(context.Background(), nil, nil)
		if got.Err != nil || got.Proof != fencing.FailSafe {
			t.Errorf("%v, %v", got.Proof, got.Err)
		}
	})
	bubble(t, func(t *testing.T) {
		hung := fencingtest.New("hung", fencingtest.Script{Hangs: true, HangsOn: true})
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		tg := target(devices{hung})
		begin := time.Now()
		got := tg.Off(ctx, nil, nil)
		if took := time.Since(begin); got.Proof.IsOff() || !errors.Is(got.Err, context.DeadlineExceeded) || took > 7*time.Second {
			t.Errorf("%v, %v after %v", got.Proof, got.Err, took)
		}
		if err := tg.Restore(ctx); err == nil || !strings.Contains(err.Error(), "hung") {
			t.Errorf("restore of a device that hangs: %v", err)
		}
		hung.Free()
	})
	bubble(t, func(t *testing.T) {
		blind := fencingtest.New("blind", fencingtest.Script{Proof: fencing.FailSafe, HangsStatus: true})
		defer blind.Free()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if got := target(devices{blind}).Off(ctx, nil, nil); got.Proof.IsOff() || got.Err == nil {
			t.Errorf("%v, %v", got.Proof, got.Err)
		}
	})
}

// The context may end at any stage; there is either a proof in time or an error.
func TestOutOfTime(t *testing.T) {
	for at := time.Duration(0); at <= 1200*ms; at += 50 * ms {
		bubble(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), at)
			defer cancel()
			a, b := proves("a", fencing.FailSafe, 325*ms), proves("b", fencing.FailSafe, 975*ms)
			got := target(devices{a, b}).Off(ctx, nil, nil)
			if want := at > 975*ms; got.Proof.IsOff() != want || (got.Err == nil) != want {
				t.Errorf("after %v: %v, %v", at, got.Proof, got.Err)
			}
			if at == 0 && len(a.Calls()) != 0 {
				t.Error("a device was used after the time was over")
			}
		})
	}
}

// Nothing is told after Off has returned, whatever a straggler still does.
func TestNoNewsAfterTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ended := false
		slow := &deaf{Device: proves("deaf", fencing.FailSafe, 0), takes: time.Minute}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		target2(slow).Off(ctx, nil, func(s fencing.Step) {
			if ended {
				t.Errorf("told %q after the end", s.Text)
			}
		})
		ended = true
		time.Sleep(2 * time.Minute)
	})
}

// deaf works on when its context has ended.
type deaf struct {
	*fencingtest.Device
	takes time.Duration
}

func (d *deaf) Off(_ context.Context, q fencing.Query) fencing.Result {
	time.Sleep(d.takes)
	return d.Device.Off(context.Background(), q)
}

func TestOneActAtATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		tg := target(devices{proves("a", fencing.FailSafe, time.Second)})
		done := make(chan fencing.Result)
		go func() { done <- tg.Off(context.Background(), nil, nil) }()
		time.Sleep(500 * ms)
		if got := tg.Off(context.Background(), nil, nil); !errors.Is(got.Err, fencing.ErrBusy) {
			t.Errorf("second Off: %v", got.Err)
		}
		for _, act := range []func(context.Context) error{tg.Restore, tg.Open} {
			if err := act(context.Background()); !errors.Is(err, fencing.ErrBusy) {
				t.Errorf("second act: %v", err)
			}
		}
		if got := <-done; got.Err != nil {
			t.Error(got.Err)
		}
		if err := tg.Restore(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestTwoDevicesOfOneName(t *testing.T) {
	a, b := proves("a", fencing.FailSafe, 0), proves("a", fencing.FailSafe, 0)
	tg := target(devices{a}, devices{b})
	if got := tg.Off(context.Background(), nil, nil); got.Err == nil || len(a.Calls()) != 0 {
		t.Errorf("%v, calls %v", got.Proof, a.Verbs())
	}
}

func TestOpenAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, c := proves("a", fencing.FailSafe, 0), proves("c", fencing.FailSafe, 0)
		b := fencingtest.New("b", fencingtest.Script{OpenErr: errBoard})
		tg := target(devices{a, b}, devices{c, a})
		if err := tg.Open(context.Background()); !errors.Is(err, errBoard) {
			t.Errorf("open: %v", err)
		}
		if !a.Cut() || !c.Cut() || len(a.Calls()) != 1 {
			t.Errorf("cuts open: %t, %t; calls of a: %v", a.Cut(), c.Cut(), a.Verbs())
		}
	})
}

func TestRestore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := proves("a", fencing.FailSafe, 0), proves("b", fencing.FailSafe, 0)
		other := proves("other", fencing.FailSafe, 0)
		tg := target(devices{a, b}, devices{other})
		// Another process left this one open.
		if err := other.Open(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := tg.Off(context.Background(), nil, nil); got.Err != nil {
			t.Fatal(got.Err)
		}
		b.Follow(fencingtest.Script{OnErr: errBoard})
		if err := tg.Restore(context.Background()); !errors.Is(err, errBoard) {
			t.Errorf("restore: %v", err)
		}
		if a.Cut() || !b.Cut() || other.Cut() {
			t.Errorf("cuts open: a %t, b %t, other %t", a.Cut(), b.Cut(), other.Cut())
		}
		b.Follow(fencingtest.Script{})
		if err := tg.Restore(context.Background()); err != nil || b.Cut() {
			t.Errorf("second restore: %v", err)
		}
		if got := a.Verbs(); len(got) != 2 {
			t.Errorf("a was restored again: %v", got)
		}
		// A process that has cut nothing restores all: one before it may have.
		if err := tg.Restore(context.Background()); err != nil || len(other.Verbs()) != 3 {
			t.Errorf("restore from nothing: %v, %v", err, other.Verbs())
		}
	})
}

func TestSecureTarget(t *testing.T) {
	bubble(t, func(t *testing.T) {
		off := func(name string) *fencingtest.Device {
			return fencingtest.New(name, fencingtest.Script{Proof: fencing.FailSafe, ReadsOff: true, Takes: 500 * ms})
		}
		a, b := off("a"), proves("b", fencing.FailSafe, 0) // b still reads on
		if got := target(devices{a, b}).Secure(context.Background(), nil, nil); !errors.Is(got.Err, fencing.StillOn) || a.Cut() || b.Cut() {
			t.Errorf("one supply is on: %v, cuts open %t, %t", got.Err, a.Cut(), b.Cut())
		}
		if len(a.Calls())+len(b.Calls()) != 0 {
			t.Error("a device was used")
		}
		c := off("c")
		if got := target(devices{a, b}, devices{a, c}).Secure(context.Background(), nil, nil); got.Proof != fencing.FailSafe {
			t.Errorf("%v, %v", got.Proof, got.Err)
		}
		if !slices.Equal(c.Verbs(), []string{"secure"}) {
			t.Errorf("calls %v", c.Verbs())
		}
		blind := fencingtest.New("blind", fencingtest.Script{StatusErr: errBoard})
		if got := target(devices{blind}).Secure(context.Background(), nil, nil); !errors.Is(got.Err, errBoard) || len(blind.Calls()) != 0 {
			t.Errorf("unreadable: %v", got.Err)
		}
	})
}
