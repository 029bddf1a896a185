package daemon_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
)

// gatedPower is the relay of the rig with a fence that ends when the test says so, and cuts that do not open.
type gatedPower struct {
	*rigRelay
	gate    chan struct{}
	openErr error
}

func (g *gatedPower) Off(ctx context.Context, trusted uint32, tell func(string)) (fencing.Proof, error) {
	if g.gate != nil {
		select {
		case <-g.gate:
		case <-ctx.Done():
			return fencing.None, ctx.Err()
		}
	}
	return g.rigRelay.Off(ctx, trusted, tell)
}

func (g *gatedPower) Open(ctx context.Context) error {
	if g.openErr != nil {
		return g.openErr
	}
	return g.rigRelay.Open(ctx)
}

// bravoCutsBy gives bravo another relay, with mode = "reboot", and has alpha own the group.
func (r *rig) bravoCutsBy(g *gatedPower) {
	g.rigRelay = r.nodes[1].relay
	r.nodes[1].tune = func(o *daemon.Options) {
		o.Power[0] = g
		o.Decision.Members[0].RestoreAfter = time.Hour
	}
	r.alphaOwns()
	r.wait(5 * time.Second)
}

func (n *rigNode) fence() string { return n.d.Status().Members[1-n.me].Fence }

func (n *rigNode) hasEnded(within time.Duration) bool {
	select {
	case <-n.ended:
		return true
	case <-time.After(within):
		return false
	}
}

func TestLeaveEndsAfterTheFence(t *testing.T) {
	inBubble(t, func(r *rig) {
		g := &gatedPower{gate: make(chan struct{})}
		r.bravoCutsBy(g)
		bravo := r.nodes[1]
		r.cutAll()
		r.within(10*time.Second, "bravo cuts alpha", func() bool { return bravo.fence() == "running" })
		if res := bravo.ask(control.Request{Command: "restart"}); res.OK || !strings.Contains(res.Text, "serialhb fence status alpha") {
			t.Errorf("a restart in the middle: %+v", res)
		}
		if res := bravo.ask(control.Request{Command: "leave"}); !res.OK || !strings.Contains(res.Text, "second `serialhb leave`") {
			t.Errorf("the leave: %+v", res)
		}
		if bravo.hasEnded(time.Minute) {
			t.Fatal("it ended in the middle of a fence")
		}
		close(g.gate)
		if !bravo.hasEnded(10*time.Second) || bravo.how != daemon.Left {
			t.Fatalf("it did not leave after the fence: %d", bravo.how)
		}
		if bravo.owns() || bravo.relay.tried(&bravo.relay.given) != 1 {
			t.Errorf("it started the service: %v; power given back %d times, want once", bravo.owns(), bravo.relay.given)
		}
	})
}

func TestSecondLeaveEndsAtOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.bravoCutsBy(&gatedPower{gate: make(chan struct{})})
		bravo := r.nodes[1]
		r.cutAll()
		r.within(10*time.Second, "bravo cuts alpha", func() bool { return bravo.fence() == "running" })
		for range 2 {
			if res := bravo.ask(control.Request{Command: "leave"}); !res.OK {
				t.Fatal(res.Text)
			}
		}
		if !bravo.hasEnded(5*time.Second) || bravo.how != daemon.Left {
			t.Fatalf("it waits: %d", bravo.how)
		}
	})
}

func TestWordAloneIsAnAlarm(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.bravoCutsBy(&gatedPower{openErr: errors.New("no such line")})
		bravo := r.nodes[1]
		r.nodes[0].set(func(n *rigNode) { n.welded = true })
		r.cutAll()
		r.within(time.Minute, "the fence is given up", func() bool { return bravo.alarm("blocked", "") })
		r.nodes[0].losePower()
		r.wait(2 * time.Second)
		if res := bravo.ask(control.Request{Command: "confirm-off", Node: "alpha"}); !res.OK {
			t.Fatal(res.Text)
		}
		r.within(5*time.Second, "bravo owns web, and the alarm tells on what that rests", func() bool {
			return bravo.owns() && bravo.alarm("word-alone alpha", "keep it unplugged")
		})
	})
}

func TestRunDirectoryThatHangsIsAnAlarm(t *testing.T) {
	inBubble(t, func(r *rig) {
		gate, hangs := make(chan struct{}), make(chan bool, 1)
		r.nodes[0].tune = func(o *daemon.Options) {
			save := o.SaveFacts
			o.SaveFacts = savesTo(func(v any) error {
				select {
				case <-hangs:
					<-gate
				default:
				}
				return save.Save(v)
			})
		}
		r.alphaOwns()
		r.wait(5 * time.Second)
		if r.nodes[0].alarm("save-hangs", "") {
			t.Fatal("a good directory hangs")
		}
		hangs <- true
		r.nodes[0].ask(control.Request{Command: "arm"})
		r.within(2*time.Second, "the alarm tells it", func() bool { return r.nodes[0].alarm("save-hangs", "run_dir") })
		close(gate)
		r.within(2*time.Second, "the alarm is over", func() bool { return !r.nodes[0].alarm("save-hangs", "") })
	})
}

func TestCountThatIsNotKeptIsAnAlarm(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		gate := make(chan struct{})
		r.nodes[1].set(func(n *rigNode) { n.keeping = gate })
		r.nodes[0].losePower()
		r.within(5*time.Second, "bravo owns web, and the alarm tells that it is not on disk", func() bool {
			return r.nodes[1].owns() && r.nodes[1].alarm("count-not-kept", "hangs")
		})
		close(gate)
		r.within(2*time.Second, "the alarm is over", func() bool { return !r.nodes[1].alarm("count-not-kept", "") })
	})
}

func TestWhyWithoutAnIncident(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		if w := r.nodes[0].d.Why(0); w.Incident != 0 || w.Open || len(w.Events) != 0 || w.Since.IsZero() || len(w.Now) != 1 {
			t.Errorf("nothing happened, and why tells %+v", w)
		}
		r.nodes[0].losePower()
		r.within(5*time.Second, "bravo owns web", r.nodes[1].owns)
		if w := r.nodes[1].d.Why(0); w.Incident != 1 || !w.Open || len(w.Events) == 0 || !w.Since.IsZero() {
			t.Errorf("after a takeover: %+v", w)
		}
	})
}
