package daemon_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
)

// bravoCuts gives bravo a relay that behaves so, with mode = "reboot", and has alpha own the group.
func (r *rig) bravoCuts(call string, f fault) {
	r.nodes[1].faults[call] = f
	r.nodes[1].tune = func(o *daemon.Options) { o.Decision.Members[0].RestoreAfter = time.Hour }
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
		gate := make(chan struct{})
		r.bravoCuts("off", fault{gate: gate, heeds: true})
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
		close(gate)
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
		r.bravoCuts("off", fault{gate: make(chan struct{}), heeds: true})
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
		r.bravoCuts("open", fault{err: errors.New("no such line")})
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
		goOn := r.nodes[1].hangs("keep")
		r.nodes[0].losePower()
		r.within(5*time.Second, "bravo owns web, and the alarm tells that it is not on disk", func() bool {
			return r.nodes[1].owns() && r.nodes[1].alarm("count-not-kept", "hangs")
		})
		goOn()
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
