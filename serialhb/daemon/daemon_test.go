package daemon_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/failover"
)

func inBubble(t *testing.T, f func(r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		defer r.finish()
		f(r)
	})
}

func (r *rig) alphaOwns() {
	r.t.Helper()
	r.startBoth()
	r.within(10*time.Second, "alpha owns web", r.nodes[0].owns)
}

func TestBothComeUpAndThePreferredOneOwns(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(30 * time.Second)
		if r.nodes[1].owns() || r.nodes[0].relay.cuts+r.nodes[1].relay.cuts != 0 {
			t.Fatal("the standby must stand by, and nobody be cut")
		}
	})
}

// What is done, and why, can be read afterwards on the node that did it, however it ends (rule 18).
func TestTheReasonIsWrittenBeforeTheDeed(t *testing.T) {
	for _, c := range []struct {
		name  string
		node  int
		do    func(r *rig)
		deeds []failover.ActionKind
	}{
		{"takeover", 1, func(r *rig) { r.nodes[0].losePower() }, []failover.ActionKind{failover.Cut, failover.Start}},
		{"switchover", 0, asks(1, control.Request{Command: "switchover", Node: "bravo"}), []failover.ActionKind{failover.Stop}},
		{"fence on", 1, asks(1, control.Request{Command: "fence-on", Node: "alpha"}), []failover.ActionKind{failover.Restore}},
		{"confirm-off", 0, confirmed, []failover.ActionKind{failover.OpenCuts}},
		{"never heard", 1, nothing, []failover.ActionKind{failover.Secure}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.nodes[c.node].faults["record"] = fault{takes: 20 * time.Millisecond} // whoever does not wait comes too early
				if c.name == "never heard" {
					r.unheard()
					r.startBoth()
				} else {
					r.alphaOwns()
				}
				r.wait(5 * time.Second)
				c.do(r)
				r.wait(10 * time.Second)
				r.nodes[c.node].reasoned(c.deeds...)
			})
		})
	}
}

func TestOwnerLosesPower(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		began := r.clock()
		r.nodes[0].losePower()
		r.within(5*time.Second, "bravo owns web", r.nodes[1].owns)
		if took := r.clock() - began; took > 1700*time.Millisecond {
			t.Errorf("takeover took %v with a detection time of 1.5 s", took)
		}
		if r.nodes[1].relay.cuts != 1 {
			t.Errorf("%d cuts, want 1", r.nodes[1].relay.cuts)
		}
		acted := false
		for _, e := range r.nodes[1].d.Events(0) {
			acted = acted || e.Kind == "action" && e.Code == "cut" && len(e.Evidence) > 0
			if e.Code == "owns-now" && !acted {
				t.Error("owned before the reason for the cut was on record")
			}
		}
		if !acted {
			t.Error("the cut and its evidence are not on record")
		}
	})
}

func TestAllLinksCutFencesOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.cutAll()
		r.within(10*time.Second, "bravo owns web", r.nodes[1].owns)
		r.wait(time.Minute)
		if got := r.nodes[0].relay.cuts + r.nodes[1].relay.cuts; got != 1 {
			t.Errorf("%d cuts, want exactly one", got)
		}
	})
}

func TestOneLinkIsEnough(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.cables[0].Cut(0, 1)
		r.cables[0].Cut(1, 0)
		r.wait(time.Minute)
		if r.nodes[1].owns() || r.nodes[1].relay.cuts != 0 {
			t.Fatal("a pulled cable must move and cut nothing")
		}
		alarm := false
		for _, a := range r.nodes[1].d.Status().Alarms {
			alarm = alarm || strings.Contains(a.Text, "cable")
		}
		if !alarm {
			t.Error("a pulled cable must be told")
		}
	})
}

func TestWeldedRelayKeepsServicesDown(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[0].set(func(n *rigNode) { n.welded = true })
		r.cutAll()
		r.wait(2 * time.Minute)
		if r.nodes[1].owns() {
			t.Fatal("no proof, no start")
		}
		if r.nodes[1].relay.cuts != 2 {
			t.Errorf("%d tries, want 2: one and one retry", r.nodes[1].relay.cuts)
		}
		s := r.nodes[1].d.Status()
		if !strings.Contains(s.Groups[0].Why, "confirm-off alpha") {
			t.Errorf("a person is not told what to do: %q", s.Groups[0].Why)
		}
	})
}

func TestRelayThatNeverAnswersIsAFailure(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[1].neverAnswers("off")
		r.cutAll()
		r.wait(20 * time.Minute)
		if r.nodes[1].owns() {
			t.Fatal("a time-out must not count as off")
		}
		if s := r.nodes[1].d.Status(); s.Groups[0].Phase != "blocked" {
			t.Errorf("phase %s, want blocked", s.Groups[0].Phase)
		}
	})
}

func TestLeaveHandsOverWithoutAFence(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		if res := r.nodes[0].ask(control.Request{Command: "leave"}); !res.OK {
			t.Fatal(res.Text)
		}
		r.within(5*time.Second, "bravo owns web", r.nodes[1].owns)
		<-r.nodes[0].ended
		if r.nodes[0].how != daemon.Left || r.nodes[1].relay.cuts != 0 {
			t.Errorf("ended %d with %d cuts, want an orderly end without a fence", r.nodes[0].how, r.nodes[1].relay.cuts)
		}
	})
}

func TestQuietRestartMovesNothing(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		if res := r.nodes[0].ask(control.Request{Command: "restart"}); !res.OK {
			t.Fatal(res.Text)
		}
		<-r.nodes[0].ended
		if r.nodes[0].how != daemon.Quiet || !r.nodes[0].owns() {
			t.Fatal("a quiet restart must leave the service running")
		}
		r.wait(10 * time.Second) // longer than the detection time, shorter than the quiet time
		if r.nodes[1].relay.cuts != 0 || r.nodes[1].owns() {
			t.Fatal("the peer did not keep quiet")
		}
		r.nodes[1].end()
		<-r.nodes[1].ended
		r.startBoth()
		r.wait(10 * time.Second)
		if !r.nodes[0].owns() || r.nodes[0].d.Status().Groups[0].Phase != "active" {
			t.Error("the owner did not go on as owner")
		}
	})
}

func TestSwitchoverAndFailback(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		if res := r.nodes[0].ask(control.Request{Command: "switchover", Node: "bravo"}); !res.OK {
			t.Fatal(res.Text)
		}
		r.within(5*time.Second, "bravo owns web", r.nodes[1].owns)
		r.wait(20 * time.Second)
		if r.nodes[0].owns() {
			t.Fatal("it went back by itself")
		}
		if res := r.nodes[1].ask(control.Request{Command: "failback"}); !res.OK {
			t.Fatal(res.Text)
		}
		r.within(5*time.Second, "alpha owns web", r.nodes[0].owns)
	})
}

func TestStopThatFailsIsFenced(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[0].set(func(n *rigNode) { n.stopFails = true })
		r.nodes[0].ask(control.Request{Command: "switchover", Node: "bravo"})
		r.within(20*time.Second, "bravo owns web", r.nodes[1].owns)
		if r.nodes[1].relay.cuts != 1 {
			t.Errorf("%d cuts, want the one that was asked for", r.nodes[1].relay.cuts)
		}
	})
}

func TestConfirmOffIsRefusedWhileThePeerIsHeard(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		res := r.nodes[1].ask(control.Request{Command: "confirm-off", Node: "alpha"})
		if res.OK || res.Exit != 4 || !strings.Contains(res.Text, "is heard") {
			t.Errorf("answer %+v", res)
		}
	})
}

func TestModeIsAnsweredOnlyWhenKept(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.nodes[0].set(func(n *rigNode) { n.keepErr = errors.New("no space left on device") })
		res := r.nodes[0].ask(control.Request{Command: "maintenance-on"})
		if res.OK || !strings.Contains(res.Text, "state directory") {
			t.Errorf("answer %+v, want the truth about the disk", res)
		}
		r.nodes[0].set(func(n *rigNode) { n.keepErr = nil })
		r.wait(5 * time.Second)
		if res := r.nodes[0].ask(control.Request{Command: "maintenance-off"}); !res.OK {
			t.Errorf("answer %+v after the disk was mended", res)
		}
	})
}

func TestKilledOwnerDaemonComesBackAndGoesOn(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		for _, n := range r.nodes {
			n.end()
			<-n.ended
		}
		r.startBoth()
		r.wait(10 * time.Second)
		if !r.nodes[0].owns() || r.nodes[1].relay.cuts != 0 {
			t.Fatal("a killed daemon must leave its service running, and go on as owner")
		}
	})
}

func TestUnknownNamesGetASentence(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		for _, c := range []struct {
			req  control.Request
			want string
		}{
			{control.Request{Command: "switchover", Group: "mail"}, "name one of: web"},
			{control.Request{Command: "switchover", Node: "charlie"}, "name one of: alpha, bravo"},
			{control.Request{Command: "confirm-off", Node: "alpha"}, "is this node"},
			{control.Request{Command: "confirm-off"}, "name the node"},
			{control.Request{Command: "dance"}, "no command"},
			{control.Request{Command: "approve"}, "name the incident"},
		} {
			if res := r.nodes[0].ask(c.req); res.OK || !strings.Contains(res.Text, c.want) {
				t.Errorf("%+v: %+v, want %q", c.req, res, c.want)
			}
		}
	})
}
