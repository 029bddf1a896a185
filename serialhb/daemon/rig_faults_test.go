package daemon_test

import (
	"context"
	"time"
)

// fault is what an adapter does in the place of its work.
type fault struct {
	gate  chan struct{} // not nil: it does not return before it closes
	heeds bool          // it does return when its context ends
	takes time.Duration
	err   error // it fails with
}

// meet lets a call of one of a node's adapters go through what is in its way.
func (n *rigNode) meet(ctx context.Context, what string) error {
	n.rig.mu.Lock()
	n.met[what]++
	f := n.faults[what]
	n.rig.mu.Unlock()
	if f.gate != nil {
		end := ctx.Done()
		if !f.heeds {
			end = nil
		}
		select {
		case <-f.gate:
		case <-end:
			return ctx.Err()
		}
	}
	n.rig.pass(f.takes)
	return f.err
}

// calls is how often an adapter was called.
func (n *rigNode) calls(what string) int {
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	return n.met[what]
}

// hangs lets an adapter of a node hang until the returned function is called, which every test has to.
func (n *rigNode) hangs(what string) (goOn func()) {
	gate := make(chan struct{})
	n.set(func(n *rigNode) { n.faults[what] = fault{gate: gate} })
	return func() {
		n.set(func(n *rigNode) { delete(n.faults, what) })
		close(gate)
	}
}

// neverAnswers lets an adapter wait for the end of its context for good.
func (n *rigNode) neverAnswers(what string) {
	n.set(func(n *rigNode) { n.faults[what] = fault{gate: make(chan struct{}), heeds: true} })
}

// ticks watches one way of a node's pulses. The rig's lock guards it.
type ticks struct {
	count       int
	last, worst time.Duration // worst is the longest time between two
}

func (n *rigNode) tick(of func(*rigNode) *ticks) {
	now := n.rig.clock()
	n.set(func(n *rigNode) {
		k := of(n)
		k.worst, k.last = max(k.worst, now-k.last), now
		k.count++
	})
}

func sent(n *rigNode) *ticks  { return &n.sent }
func heard(n *rigNode) *ticks { return &n.heard }

// soFar is what was watched, with the time since the last pulse.
func (n *rigNode) soFar(of func(*rigNode) *ticks) ticks {
	now := n.rig.clock()
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	k := *of(n)
	k.worst = max(k.worst, now-k.last)
	return k
}
