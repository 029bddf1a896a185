package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// turn lets one run of the agent be under way at a time, for a board may serve one caller only. Acts follow each other.
// A look gives way: no fence waits for a check of its device.
type turn struct {
	held chan struct{} // full while an act or a look has the turn

	mu    sync.Mutex
	acts  int           // that have the turn or wait for it
	free  chan struct{} // closed while there is no act
	looks map[int]context.CancelCauseFunc
	next  int
}

var errYield = errors.New("an act goes first")

func yielded(ctx context.Context) bool { return context.Cause(ctx) == errYield }

func newTurn() *turn {
	t := &turn{held: make(chan struct{}, 1), free: make(chan struct{}), looks: map[int]context.CancelCauseFunc{}}
	close(t.free)
	return t
}

func (t *turn) take(ctx context.Context) error {
	select {
	case t.held <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("it is still busy: %w", context.Cause(ctx))
	}
}

// act takes the turn for something that has effects. If there is no error, done has to be called.
func (t *turn) act(ctx context.Context) (done func(), err error) {
	t.mu.Lock()
	if t.acts++; t.acts == 1 {
		t.free = make(chan struct{})
	}
	for _, stop := range t.looks {
		stop(errYield)
	}
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.acts--; t.acts == 0 {
			close(t.free)
		}
	}
	if err := t.take(ctx); err != nil {
		leave()
		return nil, err
	}
	return func() { <-t.held; leave() }, nil
}

// look takes the turn for do, which must have no effect: if an act comes, the context of do ends and do is called anew
// after the act. The error is that of a ctx which ended before do could begin.
func (t *turn) look(ctx context.Context, do func(context.Context)) error {
	for {
		t.mu.Lock()
		free := t.free
		t.mu.Unlock()
		select {
		case <-free:
		case <-ctx.Done():
			return fmt.Errorf("it is still busy: %w", context.Cause(ctx))
		}
		again, err := t.lookOnce(ctx, do)
		if !again {
			return err
		}
	}
}

func (t *turn) lookOnce(outer context.Context, do func(context.Context)) (again bool, err error) {
	ctx, stop := context.WithCancelCause(outer)
	defer stop(nil)
	t.mu.Lock()
	if t.acts > 0 {
		t.mu.Unlock()
		return true, nil
	}
	id := t.next
	t.next++
	t.looks[id] = stop
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.looks, id)
	}()
	if err = t.take(ctx); err == nil {
		do(ctx)
		<-t.held
	}
	return yielded(ctx) && outer.Err() == nil, err
}
