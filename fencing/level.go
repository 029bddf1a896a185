package fencing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// recheckEvery is how often a device that is proven is asked again while others of its level are still at work.
	recheckEvery = 100 * time.Millisecond
	// grace is how long the other devices of a failed level have to stop before the next level begins.
	grace = time.Second
)

var errNoDevice = errors.New("the level has no device")

// readsOff is what each device of a level must say before any of them is secured.
func readsOff(s Status) error {
	if s.Power != Off {
		return StillOn
	}
	return nil
}

// try makes one attempt at a level: all devices at once, each watched from its proof until the last one has its own, and
// all looked at once more in the end.
func (t *Target) try(ctx context.Context, level Level, queries map[string]Query, book *book, do act, admit func(Status) error) (Proof, error) {
	if len(level.Devices) == 0 {
		return None, errNoDevice
	}
	if level.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, level.Timeout, fmt.Errorf("the level took longer than %v: %w", level.Timeout, context.DeadlineExceeded))
		defer stop()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if ctx.Err() != nil {
		return None, context.Cause(ctx)
	}
	if admit != nil {
		for _, d := range level.Devices {
			s, err := ask(ctx, d)
			if err == nil {
				err = admit(s)
			}
			if err != nil {
				return None, fmt.Errorf("%s: %w", d.Name(), err)
			}
		}
	}
	t.touch(level.Devices)

	a := &attempt{book: book, do: do, all: make(chan struct{}), proven: make(chan Proof, len(level.Devices)), ended: make(chan error, len(level.Devices))}
	for _, d := range level.Devices {
		go a.device(ctx, d, queries[d.Name()])
	}
	proof, err := a.collect(ctx, len(level.Devices))
	if err != nil {
		cancel()
		a.stragglers(len(level.Devices))
	}
	return proof, err
}

type attempt struct {
	book   *book
	do     act
	all    chan struct{} // closed when every device has had its proof
	proven chan Proof
	ended  chan error // one for each device: nil if its proof still stood in the end
	done   int        // how many have ended; of collect and stragglers only
}

func (a *attempt) device(ctx context.Context, d Device, q Query) {
	a.ended <- func() error {
		told := false
		also := q.Tell
		q.Tell = func(s Step) {
			told = true
			a.book.note(d.Name() + ": " + s.Text)
			if also != nil {
				also(s)
			}
		}
		r := a.do(d, ctx, q)
		if !told {
			for _, s := range r.Steps {
				a.book.note(fmt.Sprintf("%s: %s (%v after its start)", d.Name(), s.Text, s.At))
			}
		}
		switch {
		case r.Err != nil:
			return fmt.Errorf("%s: %w", d.Name(), r.Err)
		case !r.Proof.IsOff():
			return fmt.Errorf("%s: it gave no proof", d.Name())
		}
		a.proven <- r.Proof
		return a.guard(ctx, d)
	}()
}

// guard keeps looking at a proven device, for its supply may come back while another is still being cut. The last look
// is taken when all are proven: only then are they off at the same time.
func (a *attempt) guard(ctx context.Context, d Device) error {
	tick := time.NewTicker(recheckEvery)
	defer tick.Stop()
	for last := false; !last; {
		select {
		case <-a.all:
			last = true
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		s, err := ask(ctx, d)
		if err == nil && !s.Proof.IsOff() {
			err = PowerBack
		}
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name(), err)
		}
	}
	return nil
}

func (a *attempt) collect(ctx context.Context, n int) (Proof, error) {
	weakest := proofEnd
	for missing := n; a.done < n; {
		select {
		case p := <-a.proven:
			weakest = min(weakest, p)
			if missing--; missing == 0 {
				close(a.all)
			}
		case err := <-a.ended:
			a.done++
			if err != nil {
				return None, err
			}
		case <-ctx.Done():
			return None, context.Cause(ctx)
		}
	}
	return weakest, nil
}

// stragglers waits a little for the other devices of a failed level. One that never returns is left behind; what it does
// later comes before anything that is asked of it later.
func (a *attempt) stragglers(n int) {
	over := time.After(grace)
	for a.done < n {
		select {
		case <-a.ended:
			a.done++
		case <-over:
			return
		}
	}
}

// book collects the steps of a fence in the order in which they happen, and passes them on until it is closed.
type book struct {
	start time.Time

	mu     sync.Mutex
	tell   func(Step)
	steps  []Step
	closed bool
}

func newBook(tell func(Step)) *book { return &book{start: time.Now(), tell: tell} }

func (b *book) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	s := Step{At: time.Since(b.start), Text: text}
	b.steps = append(b.steps, s)
	if b.tell != nil {
		b.tell(s)
	}
}

func (b *book) close() []Step {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return b.steps
}
