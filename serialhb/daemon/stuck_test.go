package daemon_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
)

// What is stuck beside the turns must not stop the pulses: the peer would cut a healthy owner for it.

func (r *rig) nobodyWasCut() {
	r.t.Helper()
	if got := r.nodes[0].relay.cuts + r.nodes[1].relay.cuts; got != 0 || !r.nodes[0].owns() {
		r.t.Fatalf("%d cuts, alpha owns: %v; the pulses stopped", got, r.nodes[0].owns())
	}
}

func TestStuckRelayDoesNotStopThePulses(t *testing.T) {
	for _, c := range []struct {
		call   string
		do     func(r *rig)
		ending string // how its end is told
	}{
		{"restore", asks(0, control.Request{Command: "fence-on", Node: "bravo"}), "restore-error"},
		{"off", asks(0, control.Request{Command: "fence-off", Node: "bravo"}), "cut-error"},
		{"open", confirmed, "open-cuts-error"},
	} {
		t.Run(c.call, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.alphaOwns()
				r.wait(time.Second)
				r.nodes[0].neverAnswers(c.call)
				r.watch(sent)
				c.do(r)
				r.watch(heard)
				r.wait(4 * time.Minute)
				for _, n := range r.nodes {
					n.goesOn(false)
				}
				tells := func() bool { return r.nodes[0].tells("note", c.ending, "") }
				if r.nodes[0].calls(c.call) != 1 || tells() {
					t.Errorf("called %d times; its end is told: %v", r.nodes[0].calls(c.call), tells())
				}
				r.within(2*time.Minute, "that is a failure in the end", tells)
				r.nobodyWasCut()
			})
		})
	}
}

func TestRelayQueueThatIsFullIsAFailure(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(time.Second)
		r.nodes[0].neverAnswers("restore")
		for range 30 {
			asks(0, control.Request{Command: "fence-on", Node: "bravo"})(r)
			r.wait(10 * time.Millisecond)
		}
		if !r.nodes[0].tells("note", "restore-failed", "") {
			t.Error("what found no room in the queue must come back as a failure")
		}
		r.wait(10 * time.Second)
		r.nobodyWasCut()
	})
}

func TestStuckRecordDoesNotStopThePulses(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		defer r.nodes[0].hangs("record")()
		for range 1500 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			r.nodes[0].d.Command(ctx, "test", control.Request{Command: "failback"})
			cancel()
		}
		go r.nodes[0].d.Why(0)
		r.wait(10 * time.Second)
		r.nobodyWasCut()
	})
}

// A daemon that finds what it owned running goes on at once, whatever its record does: its peer counts the time.
func TestAdoptionDoesNotWaitForTheRecord(t *testing.T) {
	stuck := time.AfterFunc(time.Minute, func() { panic("a turn waits for the record, and nothing goes on") })
	defer stuck.Stop()
	inBubble(t, func(r *rig) {
		defer r.nodes[0].hangs("record")()
		r.alphaRan()
		r.watch(sent)
		r.startBoth()
		r.wait(20 * time.Second)
		if s := r.nodes[0].soFar(sent); s.count < 100 || s.worst > tick {
			t.Errorf("alpha sent %d pulses, up to %v apart", s.count, s.worst)
		}
		// Bravo is asked: a turn of alpha that waited would never answer.
		if got := r.nodes[1].peer("alpha").Presence; got != "heard" {
			t.Fatalf("alpha is %s", got)
		}
		if got := r.nodes[1].d.Status().Groups[0].Owner; got != "alpha" {
			t.Errorf("web is owned by %q", got)
		}
	})
}

// Nothing happens for weeks, and a directory fills up: that is told before a takeover needs it, and ends by itself.
func TestDirectoriesAreTriedWhileNothingHappens(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(time.Minute)
		full := errors.New("no space left on device")
		r.nodes[1].set(func(n *rigNode) { n.saveErr, n.keepErr = full, full })
		r.within(15*time.Second, "the run directory is told", func() bool { return r.nodes[1].alarm("save-failed", "no space left") })
		r.within(6*time.Minute, "the state directory is told", func() bool { return r.nodes[1].alarm("keep-failed", "no space left") })
		r.wait(time.Minute)
		if !r.nodes[1].alarm("save-failed", "") || !r.nodes[1].alarm("keep-failed", "") {
			t.Error("an alarm is over, and the directories are full")
		}
		r.nodes[1].set(func(n *rigNode) { n.saveErr, n.keepErr = nil, nil })
		r.within(5*time.Second, "both are over", func() bool { return !r.nodes[1].alarm("save-failed", "") && !r.nodes[1].alarm("keep-failed", "") })
		r.nobodyWasCut()
	})
}

func TestRecordThatCannotBeWrittenIsAnAlarm(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.nodes[0].set(func(n *rigNode) { n.recordErr = errors.New("no space left on device") })
		r.nodes[0].ask(control.Request{Command: "failback"})
		r.within(5*time.Second, "the alarm tells it", func() bool { return r.nodes[0].alarm("record-failed", "no space left") })
		r.wait(20 * time.Second)
		if !r.nodes[0].alarm("record-failed", "no space left") {
			t.Error("the alarm is over, and the record waits still")
		}
		r.nodes[0].set(func(n *rigNode) { n.recordErr = nil })
		r.within(20*time.Second, "the alarm is over, although nothing new comes", func() bool { return !r.nodes[0].alarm("record-failed", "") })
	})
}

func TestRecordThatDoesNotReachTheDiskIsAnAlarm(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.nodes[0].set(func(n *rigNode) { n.behind = errors.New("/var/lib/serialhb is full") })
		r.within(20*time.Second, "the alarm tells it", func() bool { return r.nodes[0].alarm("record-failed", "is full") })
		r.nodes[0].set(func(n *rigNode) { n.behind = nil })
		r.within(20*time.Second, "the alarm is over", func() bool { return !r.nodes[0].alarm("record-failed", "") })
	})
}

func (n *rigNode) alarm(code, text string) bool {
	for _, a := range n.d.Status().Alarms {
		if strings.HasPrefix(a.Code, code) && strings.Contains(a.Text, text) {
			return true
		}
	}
	return false
}

func TestFactsThatCannotBeWrittenAreToldWithTheirCause(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.nodes[0].set(func(n *rigNode) { n.keepErr = errors.New("no space left on device") })
		r.nodes[0].ask(control.Request{Command: "maintenance-on"})
		r.within(5*time.Second, "the alarm names the cause", func() bool { return r.nodes[0].alarm("keep-failed", "no space left") })
	})
}

func TestSenseThatIsNotReadIsUnknown(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		goOn := r.nodes[1].hangs("sense")
		r.within(5*time.Second, "the sense reads unknown", func() bool {
			return r.nodes[1].d.Status().Members[0].Senses[0].Reading == "unknown"
		})
		goOn()
		r.within(5*time.Second, "the sense reads on", func() bool {
			return r.nodes[1].d.Status().Members[0].Senses[0].Reading == "on"
		})
	})
}

func TestStuckDiskDoesNotHoldTheRestart(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		defer r.nodes[0].hangs("keep")()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if res := r.nodes[0].d.Command(ctx, "test", control.Request{Command: "disarm"}); res.OK || !strings.Contains(res.Text, "in force now") || r.nodes[0].d.Status().Armed {
			t.Errorf("who gave up waiting for the disk is told %+v", res)
		}
		mode := make(chan control.Result, 1)
		go func() { mode <- r.nodes[0].ask(control.Request{Command: "maintenance-on"}) }()
		r.wait(time.Second)
		if res := r.nodes[0].ask(control.Request{Command: "restart"}); !res.OK {
			t.Fatal(res.Text)
		}
		select {
		case <-r.nodes[0].ended:
			if r.nodes[0].how != daemon.Quiet {
				t.Errorf("ended %d", r.nodes[0].how)
			}
		case <-time.After(10 * time.Second):
			t.Error("the daemon waits for a disk that does not answer, and the peer will cut it")
		}
		if res := <-mode; res.OK || res.Exit != 1 || !strings.Contains(res.Text, "before it was written") {
			t.Errorf("who asked for what is not on disk is told %+v", res)
		}
	})
}

func TestStuckFileDoesNotStopThePulses(t *testing.T) {
	inBubble(t, func(r *rig) {
		gate := make(chan struct{})
		defer close(gate)
		r.nodes[0].tune = func(o *daemon.Options) {
			o.Reload = func() (daemon.Reloaded, error) { <-gate; return daemon.Reloaded{}, errors.New("too late") }
		}
		r.alphaOwns()
		for i := range 2 {
			if res := r.nodes[0].d.Reload(); res.OK || res.Exit != 5 && i == 0 {
				t.Errorf("answer %+v, want a time-out", res)
			}
		}
		r.wait(10 * time.Second)
		r.nobodyWasCut()
	})
}

func TestOpenCutThatNobodyNeedsIsAnAlarm(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[0].set(func(n *rigNode) { n.welded = true })
		r.cutAll()
		r.within(10*time.Second, "bravo tried", func() bool { return r.nodes[1].relay.tried(&r.nodes[1].relay.cuts) == 1 })
		for _, n := range r.nodes { // both daemons are killed; what was cut stays cut
			n.end()
			<-n.ended
		}
		r.startBoth()
		r.within(20*time.Second, "bravo says what is open", func() bool {
			return r.nodes[1].relay.tried(&r.nodes[1].relay.given) > 0 || r.nodes[1].alarm("cut-open", "serialhb fence on alpha")
		})
	})
}
