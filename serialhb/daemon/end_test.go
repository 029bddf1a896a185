package daemon_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Only who has said leaving, with its permits erased, may be taken for one that left (rule 7).

func (r *rig) bravoIsNotLeft() {
	r.t.Helper()
	r.wait(300 * time.Millisecond)
	if p := r.nodes[0].d.Status().Members[1].Presence; p == "left" {
		r.t.Error("bravo kept its permits and what it has seen, and counts as one that left")
	}
}

func (r *rig) way(from, to uint8, cut bool) {
	for _, m := range r.cables {
		if cut {
			m.Cut(from, to)
		} else {
			m.Heal(from, to)
		}
	}
}

func TestStopInMaintenanceSaysNoGoodbye(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[1].ask(control.Request{Command: "maintenance-on"})
		r.wait(time.Second)
		r.way(1, 0, true) // the last beat is lost, so its sequence is still new
		r.wait(100 * time.Millisecond)
		r.way(1, 0, false)
		if res := r.nodes[1].ask(control.Request{Command: "leave"}); !res.OK {
			t.Fatal(res.Text)
		}
		<-r.nodes[1].ended
		r.bravoIsNotLeft()
	})
}

func TestQuietRestartOfADeafNodeSaysNoGoodbye(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.way(0, 1, true)
		if res := r.nodes[1].ask(control.Request{Command: "restart"}); !res.OK {
			t.Fatal(res.Text)
		}
		<-r.nodes[1].ended
		r.bravoIsNotLeft()
	})
}

// Whoever asks before the life waits for its first turn; whoever brings or asks something after it is sent away.
func TestBeforeAndAfterTheLife(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.nodes[0].tune = func(o *daemon.Options) {
			o.Links = nil
			d := daemon.New(*o)
			first := make(chan control.Status, 1)
			go func() { first <- d.Status() }()
			synctest.Wait()
			ctx, end := context.WithCancel(context.Background())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				if how, err := d.Run(ctx); how != 0 || err != nil {
					t.Errorf("it ended with %d, %v", how, err)
				}
			}()
			if s := <-first; s.Leaving || len(s.Members) != 2 {
				t.Errorf("before the life: %+v", s)
			}
			end()
			<-ended
			d.Frame(0, 0, &pulse.Frame{}, pulse.Good)
			d.Change(0, true, false, "")
			d.Noise(0, 0)
			res := d.Command(context.Background(), "test", control.Request{Command: "arm"})
			if s := d.Status(); !s.Leaving || len(s.Members) != 0 || res.Exit != 5 || d.Why(0).Events != nil {
				t.Errorf("after the life: %+v, %+v", s, res)
			}
		}
		r.start(0)
	})
}
