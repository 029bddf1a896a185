package daemon_test

import (
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
)

// reloads lets a node read a file whose whole digest, but not its short one, is another.
func (n *rigNode) reloads() {
	n.tune = func(o *daemon.Options) {
		o.Digests = [2]uint64{1, 1}
		o.Reload = func() (daemon.Reloaded, error) {
			return daemon.Reloaded{Decision: o.Decision, Keys: n.rig.keys(), Digests: [2]uint64{1, 2}, Prefer: o.Prefer, Failback: o.Failback}, nil
		}
	}
}

func TestReloadTellsThePeerItsWholeDigest(t *testing.T) {
	inBubble(t, func(r *rig) {
		for _, n := range r.nodes {
			n.reloads()
		}
		r.alphaOwns()
		if res := r.nodes[0].d.Reload(); !res.OK {
			t.Fatal(res.Text)
		}
		r.within(20*time.Second, "bravo tells that the files differ", func() bool { return r.nodes[1].alarm("rest-differs", "alpha") })
		if res := r.nodes[1].d.Reload(); !res.OK {
			t.Fatal(res.Text)
		}
		r.within(20*time.Second, "both agree", func() bool {
			return !r.nodes[1].alarm("rest-differs", "") && !r.nodes[0].alarm("rest-differs", "")
		})
	})
}

// The race detector is the judge of this one.
func TestFenceStatusDuringAReload(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.nodes[0].reloads()
		r.alphaOwns()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 50 {
				r.nodes[0].d.Reload()
			}
		}()
		for range 200 {
			if res := r.nodes[0].ask(control.Request{Command: "fence-status"}); !res.OK || len(res.Lines) != 1 {
				t.Fatalf("%+v", res)
			}
		}
		<-done
	})
}
