package daemon_test

import (
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
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
