package daemon_test

import (
	"context"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/failover"
)

type rigRelay struct {
	target *rigNode
	cuts   int
	given  int // how often power was given back
}

// count counts under the lock, for a test that polls; tried reads so.
func (r *rigRelay) count(n *int) {
	r.target.rig.mu.Lock()
	defer r.target.rig.mu.Unlock()
	*n++
}

func (r *rigRelay) tried(n *int) int {
	r.target.rig.mu.Lock()
	defer r.target.rig.mu.Unlock()
	return *n
}

func (r *rigRelay) cut() {
	r.count(&r.cuts)
	if !r.target.welded && r.target.on() {
		r.target.losePower()
	}
}

func (r *rigRelay) Off(ctx context.Context, _ uint32, tell func(string)) (fencing.Proof, error) {
	r.driver().does(failover.Cut)
	if err := r.driver().meet(ctx, "off"); err != nil {
		return fencing.None, err
	}
	r.driver().note("coil")
	r.cut()
	r.target.rig.pass(r.target.holdUp)
	r.driver().note("proof")
	if r.target.welded {
		return fencing.None, fencing.Welded
	}
	return fencing.FailSafe, nil
}

func (r *rigRelay) Secure(ctx context.Context, trusted uint32, tell func(string)) (fencing.Proof, error) {
	r.driver().does(failover.Secure)
	if err := r.driver().meet(ctx, "secure"); err != nil {
		return fencing.None, err
	}
	if r.target.on() {
		return fencing.None, fencing.StillOn
	}
	return fencing.FailSafe, nil
}

func (r *rigRelay) Open(ctx context.Context) error {
	r.driver().does(failover.OpenCuts)
	if err := r.driver().meet(ctx, "open"); err != nil {
		return err
	}
	r.cut()
	return nil
}

func (r *rigRelay) Restore(ctx context.Context) error {
	r.driver().does(failover.Restore)
	if err := r.driver().meet(ctx, "restore"); err != nil {
		return err
	}
	r.count(&r.given)
	return nil
}

func (r *rigRelay) driver() *rigNode { return r.target.rig.nodes[1-r.target.me] }

func (r *rigRelay) Health(ctx context.Context) []daemon.Health {
	n := r.driver()
	n.rig.mu.Lock()
	asked, health := n.asked, n.health
	n.rig.mu.Unlock()
	if err := n.meet(ctx, "health"); err != nil {
		return []daemon.Health{{Device: "relay", Level: 1, Ill: []error{err}}}
	}
	if asked != nil {
		asked <- struct{}{}
		<-ctx.Done()
	}
	return health
}

func (r *rigRelay) Status(ctx context.Context) []string {
	if err := r.driver().meet(ctx, "ask-relay"); err != nil {
		return []string{err.Error()}
	}
	return []string{"one relay"}
}
func (r *rigRelay) Senses() []daemon.Sense { return []daemon.Sense{rigSense{r.target}} }

type rigSense struct{ n *rigNode }

func (s rigSense) Name() string   { return "dc" }
func (s rigSense) FailSafe() bool { return true }
func (s rigSense) Read() (fencing.SenseState, error) {
	if err := s.n.rig.nodes[1-s.n.me].meet(context.Background(), "sense"); err != nil {
		return fencing.Unknown, err
	}
	lies := false
	s.n.set(func(n *rigNode) { lies = n.senseLies })
	if s.n.on() && !lies {
		return fencing.On, nil
	}
	return fencing.Off, nil
}
