package fencing

import (
	"context"
	"fmt"
	"time"
)

// run carries one sequence out and takes down what happens.
type run struct {
	r     *Relay
	start time.Time
	coil  time.Time
	tell  func(Step)
	steps []Step
}

func newRun(r *Relay, tell func(Step)) *run { return &run{r: r, start: time.Now(), tell: tell} }

func (u *run) note(text string) {
	s := Step{At: time.Since(u.start), Text: text}
	u.steps = append(u.steps, s)
	if u.tell != nil {
		u.tell(s)
	}
}

// to runs a sequence to its end. A context that ends, at whatever point, is a failure: also one that ends while the last
// reading is taken.
func (u *run) to(ctx context.Context, s Sequence) (Proof, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		if ctx.Err() != nil {
			return None, context.Cause(ctx)
		}
		in, unread := u.r.read()
		next, order, wake := s.Step(time.Since(u.r.start), in)
		s = next
		u.tellEvent(order.Event)
		switch order.Act {
		case Failed:
			if unread == nil {
				return None, order.Failure
			}
			return None, fmt.Errorf("%w: %w", order.Failure, unread)
		case Proven, Restored:
			if ctx.Err() != nil {
				return None, context.Cause(ctx)
			}
			if order.Act == Proven {
				u.r.keep(&s)
				u.note(order.Proof.String())
			}
			return order.Proof, nil
		case CutFeed:
			if err := u.cut(ctx, in); err != nil {
				return None, err
			}
			continue
		case CloseFeed:
			if err := u.r.drive(ctx, FeedClosed); err != nil {
				return None, err
			}
			continue
		}
		timer.Reset(wake - time.Since(u.r.start))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

func (u *run) cut(ctx context.Context, before Reading) error {
	if u.r.base.HasSense {
		u.note("sense reads " + before.Sense.String() + " before the cut")
	}
	u.coil = time.Now()
	if err := u.r.drive(ctx, FeedOpen); err != nil {
		return fmt.Errorf("drive the coil: %w", err)
	}
	u.note("coil driven to cut")
	return nil
}

var eventTexts = [...]string{
	SenseFell:      "sense fell",
	SenseCameBack:  "sense reads on again, the wait starts anew",
	MirrorOpened:   "mirror contact shows the feed open",
	MirrorCameBack: "mirror contact shows the feed closed again, the wait starts anew",
	SamplesMissed:  "this machine was held up and missed samples, the wait starts anew",
	FellTooLate:    "sense fell too late to prove anything",
}

func (u *run) tellEvent(e Event) {
	if e == NoEvent {
		return
	}
	text := eventTexts[e]
	if !u.coil.IsZero() {
		text += fmt.Sprintf(", %v after the coil", time.Since(u.coil).Round(time.Millisecond))
	}
	u.note(text)
}
