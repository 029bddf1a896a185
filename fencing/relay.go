package fencing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Relay is a [Device] that cuts a feed by a relay on a GPIO line. Its goroutines are those of its callers.
type Relay struct {
	c     RelayConfig
	base  Plan
	lines Lines
	start time.Time
	turn  chan struct{} // held by the act that is under way

	mu       sync.Mutex
	held     *Sequence // of the last proof, while it stands
	driven   Feed      // what this process last put the coil to; unknown before, and after a drive that failed
	drivenAt time.Time // when that was, at first when the device was made
}

// NewRelay makes a relay device of open lines and takes them over. It drives nothing: what the coil's line is now, it
// stays. The error says in one sentence what to change in the config.
func NewRelay(c RelayConfig, l Lines) (*Relay, error) {
	p, err := c.plan(l)
	if err != nil {
		return nil, fmt.Errorf("fencing: make relay %s: %w", c.Name, err)
	}
	now := time.Now()
	return &Relay{c: c, base: p, lines: l, start: now, drivenAt: now, turn: make(chan struct{}, 1)}, nil
}

// Name implements [Device].
func (r *Relay) Name() string { return r.c.Name }

// Plan returns the times and means of the device, with all defaults filled in.
func (r *Relay) Plan() Plan { return r.base }

// Off implements [Device].
func (r *Relay) Off(ctx context.Context, q Query) Result { return r.fence(ctx, q, Begin) }

// Secure implements [Device].
func (r *Relay) Secure(ctx context.Context, q Query) Result { return r.fence(ctx, q, BeginSecure) }

func (r *Relay) fence(ctx context.Context, q Query, begin func(Plan) Sequence) Result {
	done, err := r.take(ctx)
	if err != nil {
		return Result{Err: err}
	}
	defer done()
	r.keep(nil)
	p := r.base
	p.Trusted, p.Broken = q.Trusted, q.Broken
	run := newRun(r, q.Tell)
	proof, err := run.to(ctx, begin(p))
	if err != nil {
		run.note("failed: " + err.Error())
		return Result{Err: fmt.Errorf("fencing: cut power with %s: %w", r.c.Name, err), Steps: run.steps}
	}
	return Result{Proof: proof, Steps: run.steps}
}

// Open implements [Device].
func (r *Relay) Open(ctx context.Context) error {
	done, err := r.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	err = r.drive(ctx, FeedOpen)
	if err == nil {
		var feed Feed
		if feed, err = r.feed(); err == nil && feed != FeedOpen {
			err = ReadBack
		}
	}
	if err == nil {
		err = Rest(ctx, r.base.Settle+r.base.longest())
	}
	if err != nil {
		return fmt.Errorf("fencing: open the cut of %s: %w", r.c.Name, err)
	}
	return nil
}

// Rest lets time pass. The error is why it was broken off.
func Rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// On implements [Device].
func (r *Relay) On(ctx context.Context) error {
	done, err := r.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	r.keep(nil)
	if _, err := newRun(r, nil).to(ctx, BeginRestore(r.base)); err != nil {
		return fmt.Errorf("fencing: restore power with %s: %w", r.c.Name, err)
	}
	return nil
}

// Status implements [Device].
func (r *Relay) Status(context.Context) Status {
	in, err := r.read()
	s := Status{Power: in.Sense, Feed: in.Coil, Err: err}
	if r.base.HasMirror && in.Mirror != in.Coil {
		s.Feed = FeedUnknown
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == nil {
		return s
	}
	next, order, _ := r.held.Step(time.Since(r.start), in)
	if order.Act != Proven {
		r.held = nil
		return s
	}
	r.held = &next
	s.Proof = order.Proof
	return s
}

// Sensor returns the sense of the device, if it has one.
func (r *Relay) Sensor() (Sensor, bool) {
	if !r.base.HasSense {
		return nil, false
	}
	return relaySensor{r}, true
}

type relaySensor struct{ r *Relay }

func (s relaySensor) Read() (SenseState, error) { return s.r.sense() }
func (s relaySensor) FailSafe() bool            { return s.r.base.FailSafe }

// Close gives the lines up. Whether the cut stays as it is then depends on the backend.
func (r *Relay) Close() error { return r.lines.close() }

// take waits for the act before to end. Acts never overlap, not even when their caller has given up waiting.
func (r *Relay) take(ctx context.Context) (done func(), err error) {
	select {
	case r.turn <- struct{}{}:
		return func() { <-r.turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("fencing: use %s: it is still busy: %w", r.c.Name, context.Cause(ctx))
	}
}

func (r *Relay) keep(s *Sequence) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = s
}

// drive never starts after its time.
func (r *Relay) drive(ctx context.Context, f Feed) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err := r.lines.Coil.Set(r.level(f))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.driven, r.drivenAt = f, time.Now()
	if err != nil {
		r.driven = FeedUnknown
	}
	return err
}

// level is the coil level that puts the feed into a state.
func (r *Relay) level(f Feed) bool {
	energised := (f == FeedOpen) == (r.c.Cut == Energise)
	return energised != r.c.CoilLow
}

func (r *Relay) feed() (Feed, error) {
	level, err := r.lines.Coil.Get()
	switch {
	case err != nil:
		return FeedUnknown, err
	case level == r.level(FeedOpen):
		return FeedOpen, nil
	}
	return FeedClosed, nil
}

func (r *Relay) sense() (SenseState, error) {
	level, err := r.lines.Sense.Get()
	switch {
	case err != nil:
		return Unknown, err
	case level == r.c.SenseOff:
		return Off, nil
	}
	return On, nil
}

func (r *Relay) mirror() (Feed, error) {
	level, err := r.lines.Mirror.Get()
	switch {
	case err != nil:
		return FeedUnknown, err
	case level == r.c.MirrorOpen:
		return FeedOpen, nil
	}
	return FeedClosed, nil
}

func (r *Relay) read() (in Reading, err error) {
	var coil, sense, mirror error
	in.Coil, coil = r.feed()
	if r.base.HasSense {
		in.Sense, sense = r.sense()
	}
	if r.base.HasMirror {
		in.Mirror, mirror = r.mirror()
	}
	return in, errors.Join(coil, sense, mirror)
}
