package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// turn lets the acts of one agent follow each other. What it shares with other agents of the same board is in board.
type turn struct {
	held  chan struct{} // full while an act or a look has the turn
	board *board
}

// board is what is asked: one run of an agent at a time, for many serve one session only. Acts of several agents take
// turns run by run. A look gives way: no fence waits for a check of its device, or of another outlet beside it.
type board struct {
	runs chan struct{} // full while an agent runs

	mu    sync.Mutex
	acts  int           // under way, or waiting for their turn
	free  chan struct{} // closed while there is no act
	looks map[int]context.CancelCauseFunc
	next  int
}

var errYield = errors.New("an act goes first")

func yielded(ctx context.Context) bool { return context.Cause(ctx) == errYield }

func newBoard() *board {
	b := &board{runs: make(chan struct{}, 1), free: make(chan struct{}), looks: map[int]context.CancelCauseFunc{}}
	close(b.free)
	return b
}

func newTurn(b *board) *turn { return &turn{held: make(chan struct{}, 1), board: b} }

// take fills a channel that has room for one.
func take(ctx context.Context, held chan struct{}) error {
	select {
	case held <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("it is still busy: %w", context.Cause(ctx))
	}
}

// act takes the turn for something that has effects. If there is no error, done has to be called.
func (t *turn) act(ctx context.Context) (done func(), err error) {
	t.board.enter()
	if err := take(ctx, t.held); err != nil {
		t.board.leave()
		return nil, err
	}
	return func() { <-t.held; t.board.leave() }, nil
}

func (b *board) enter() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.acts++; b.acts == 1 {
		b.free = make(chan struct{})
	}
	for _, stop := range b.looks {
		stop(errYield)
	}
}

func (b *board) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.acts--; b.acts == 0 {
		close(b.free)
	}
}

// look takes the turn for do, which must have no effect: if an act comes, the context of do ends and do is called anew
// after the act. The error is that of a ctx which ended before do could begin.
func (t *turn) look(ctx context.Context, do func(context.Context)) error {
	for {
		t.board.mu.Lock()
		free := t.board.free
		t.board.mu.Unlock()
		select {
		case <-free:
		case <-ctx.Done():
			return fmt.Errorf("it is still busy: %w", context.Cause(ctx))
		}
		again, err := t.lookOnce(ctx, t.board.idle, do)
		if !again {
			return err
		}
	}
}

// beside is look for what is part of a fence: it waits for no fence of another outlet, and goes between the runs of that.
func (t *turn) beside(ctx context.Context, do func(context.Context)) error {
	for {
		again, err := t.lookOnce(ctx, func() bool { return true }, do)
		if !again {
			return err
		}
	}
}

// idle is asked with the lock held.
func (b *board) idle() bool { return b.acts == 0 }

func (t *turn) lookOnce(outer context.Context, may func() bool, do func(context.Context)) (again bool, err error) {
	ctx, stop := context.WithCancelCause(outer)
	defer stop(nil)
	b := t.board
	b.mu.Lock()
	if !may() {
		b.mu.Unlock()
		return true, nil
	}
	id := b.next
	b.next++
	b.looks[id] = stop
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.looks, id)
	}()
	if err = take(ctx, t.held); err == nil {
		do(ctx)
		<-t.held
	}
	return yielded(ctx) && outer.Err() == nil, err
}

// Boards makes agents that know of each other: those that ask one board do so one after the other. The zero value is
// ready to use. It is for one goroutine; the agents are for many.
type Boards struct{ known map[string]*board }

// New makes a device, see [New].
func (all *Boards) New(c Config) (*Agent, error) {
	a, err := New(c)
	if err != nil {
		return nil, err
	}
	at := a.c.Board()
	if at == "" {
		return a, nil
	}
	if all.known == nil {
		all.known = map[string]*board{}
	}
	if all.known[at] == nil {
		all.known[at] = a.turn.board
	}
	a.turn.board = all.known[at]
	return a, nil
}
