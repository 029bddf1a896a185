package fencing

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Checker is a [Device] that can say whether it would work if it had to. Check drives nothing; it waits for an act that
// is under way, and an act never waits long for it. A nil error is a device in good order; otherwise each thing that is
// wrong is one of the joined errors.
type Checker interface {
	Check(context.Context) error
}

// MirrorDisagrees is what [Relay.Check] finds if the mirror contact does not follow the coil.
const MirrorDisagrees Failure = "the mirror contact does not show what the coil's line does"

// Health says what is wrong with a device, one thing each, and nothing if it is in good order. A device that is no
// [Checker] is asked for its status. One that does not answer before ctx ends is not in good order.
func Health(ctx context.Context, d Device) []error {
	answer := make(chan error, 1)
	go func() {
		if c, ok := d.(Checker); ok {
			answer <- c.Check(ctx)
			return
		}
		answer <- d.Status(ctx).Err
	}()
	select {
	case err := <-answer:
		return apart(err)
	case <-ctx.Done():
		return []error{fmt.Errorf("fencing: check %s: it did not answer in time: %w", d.Name(), context.Cause(ctx))}
	}
}

// Health looks at all devices of the target at once, see [Health]. It may be called during an act.
func (t *Target) Health(ctx context.Context) (all []error) {
	devices := t.devices()
	found := make([]chan []error, len(devices))
	for i, d := range devices {
		found[i] = make(chan []error, 1)
		go func() { found[i] <- Health(ctx, d) }()
	}
	for _, f := range found {
		all = append(all, <-f...)
	}
	return all
}

// apart takes joined errors apart. One that only wraps several has a sentence of its own and stays whole.
func apart(err error) []error {
	if err == nil {
		return nil
	}
	several, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(several.Unwrap()...).Error() {
		return []error{err}
	}
	var all []error
	for _, e := range several.Unwrap() {
		all = append(all, apart(e)...)
	}
	return all
}

// Check implements [Checker]: every line can be read, the coil's line reads what was last driven, and after the times
// that contacts and supplies need, the mirror follows the coil and no cut feed reads on. A sense that reads off over a
// closed feed is no fault of the relay: whoever hears the target has to judge that.
func (r *Relay) Check(ctx context.Context) error {
	done, err := r.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	in, unread := r.read()
	ill := apart(unread)
	r.mu.Lock()
	driven, calm := r.driven, time.Since(r.drivenAt)
	r.mu.Unlock()
	if driven != FeedUnknown && in.Coil != FeedUnknown && in.Coil != driven {
		ill = append(ill, ReadBack)
	}
	if in.Mirror != FeedUnknown && in.Coil != FeedUnknown && in.Mirror != in.Coil && calm >= r.base.Settle+restoreTime {
		ill = append(ill, MirrorDisagrees)
	}
	if in.Coil == FeedOpen && in.Sense == On && calm >= r.base.Verify {
		ill = append(ill, Welded)
	}
	for i := range ill {
		ill[i] = fmt.Errorf("fencing: check %s: %w", r.c.Name, ill[i])
	}
	return errors.Join(ill...)
}
