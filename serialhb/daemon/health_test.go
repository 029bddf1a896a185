package daemon_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
)

func (r *rig) looks(every time.Duration) {
	for _, n := range r.nodes {
		n.health = []daemon.Health{{Device: "relay", Level: 1}}
		n.tune = func(o *daemon.Options) { o.HealthEvery = every }
	}
}

func (n *rigNode) peer(name string) (m control.Member) {
	for _, m := range n.d.Status().Members {
		if m.Name == name {
			return m
		}
	}
	return m
}

func TestIllDeviceIsToldAtOnceAndOverWhenItIsWell(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.looks(time.Minute)
		ill := []daemon.Health{{Device: "relay", Level: 1, Ill: []error{errors.New("check relay: the coil cannot be read")}}}
		r.nodes[1].health = ill
		r.alphaOwns()
		r.within(2*time.Second, "an alarm", func() bool {
			return r.nodes[1].alarmed("device-ill alpha what cuts alpha is not in good order, mend it: check relay: the coil cannot be read")
		})
		if m := r.nodes[1].peer("alpha"); m.CanFence || !strings.Contains(m.WhyNot, "the coil cannot be read") {
			t.Errorf("%+v", m)
		}
		r.within(2*time.Second, "the peer hears of it", func() bool { return r.nodes[0].alarmed("peer-cannot-fence bravo") })
		if r.nodes[0].alarmed("device-ill") || !r.nodes[0].peer("bravo").CanFence {
			t.Error("alpha has a device in good order")
		}
		// One of two levels is enough to cut, and the other one is told all the same.
		r.nodes[1].set(func(n *rigNode) { n.health = append(n.health[:1:1], daemon.Health{Device: "agent", Level: 2}) })
		r.within(31*time.Second, "it can fence", func() bool { return r.nodes[1].peer("alpha").CanFence })
		if !r.nodes[1].alarmed("device-ill") {
			t.Error("an alarm ended while a device is ill")
		}
		r.within(2*time.Second, "the peer hears of it", func() bool { return !r.nodes[0].alarmed("peer-cannot-fence") })
		// Both of one level are needed.
		r.nodes[1].set(func(n *rigNode) { n.health[1].Level = 1 })
		r.within(31*time.Second, "it cannot fence", func() bool { return !r.nodes[1].peer("alpha").CanFence })
		r.nodes[1].set(func(n *rigNode) { n.health = []daemon.Health{{Device: "relay", Level: 1}} })
		r.within(31*time.Second, "the end of the alarm", func() bool { return !r.nodes[1].alarmed("device-ill") })
	})
}

// What becomes ill in between is found at the next look, and the looks do not stop coming.
func TestDevicesAreLookedAtNowAndThen(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.looks(5 * time.Minute)
		r.alphaOwns()
		ill := []daemon.Health{{Device: "relay", Level: 1, Ill: []error{errors.New("gone")}}}
		for round := range 3 {
			r.wait(4 * time.Minute)
			if r.nodes[1].alarmed("device-ill") {
				t.Fatalf("round %d: an alarm of a device in good order", round)
			}
			r.nodes[1].set(func(n *rigNode) { n.health = ill })
			r.within(5*time.Minute+2*time.Second, "an alarm", func() bool { return r.nodes[1].alarmed("device-ill") && r.nodes[0].alarmed("peer-cannot-fence") })
			r.nodes[1].set(func(n *rigNode) { n.health = []daemon.Health{{Device: "relay", Level: 1}} })
			r.within(32*time.Second, "the end of it", func() bool { return !r.nodes[1].alarmed("device-ill") && !r.nodes[0].alarmed("peer-cannot-fence") })
		}
	})
}

// A look that goes on for ever ends when a fence comes, and the fence does not wait.
func TestNoFenceWaitsForALook(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.looks(10 * time.Second)
		asked := make(chan struct{}, 100)
		r.nodes[1].asked = asked
		r.alphaOwns()
		r.wait(5 * time.Second)
		if len(asked) != 1 {
			t.Fatalf("%d looks after a few seconds, want one", len(asked))
		}
		began := r.clock()
		r.nodes[0].losePower()
		r.within(5*time.Second, "bravo owns web", r.nodes[1].owns)
		if took := r.clock() - began; took > 1700*time.Millisecond {
			t.Errorf("takeover took %v with a detection time of 1.5 s", took)
		}
		r.wait(30 * time.Second)
		if len(asked) < 2 {
			t.Error("nobody looked again after the fence")
		}
		if r.nodes[1].alarmed("device-ill") {
			t.Error("a look that was broken off is no bad device")
		}
	})
}

// What a look found before an act is past after it.
func TestDevicesAreLookedAtAfterAnAct(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.looks(5 * time.Minute)
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[1].set(func(n *rigNode) {
			n.health = []daemon.Health{{Device: "relay", Level: 1, Ill: []error{errors.New("welded")}}}
		})
		r.wait(time.Minute)
		if r.nodes[1].alarmed("device-ill") {
			t.Fatal("it was looked at too early for this test")
		}
		r.nodes[1].ask(control.Request{Command: "fence-on", Node: "alpha"})
		r.within(3*time.Second, "an alarm", func() bool { return r.nodes[1].alarmed("welded") })
		r.nodes[1].set(func(n *rigNode) { n.health = []daemon.Health{{Device: "relay", Level: 1}} })
		r.nodes[1].ask(control.Request{Command: "fence-on", Node: "alpha"})
		r.within(3*time.Second, "the end of it", func() bool { return !r.nodes[1].alarmed("device-ill") })
	})
}

// A look ends in its time: what was found by then counts, and who did not answer is named.
func TestLookEndsInItsTime(t *testing.T) {
	for _, second := range []bool{false, true} {
		inBubble(t, func(r *rig) {
			r.looks(5 * time.Minute)
			r.nodes[1].asked = make(chan struct{}, 100)
			r.nodes[1].health = []daemon.Health{{Device: "relay", Level: 1, Ill: []error{errors.New("relay did not answer in time")}}}
			if second {
				r.nodes[1].health = append(r.nodes[1].health, daemon.Health{Device: "agent", Level: 2})
			}
			r.nodes[1].tune = func(o *daemon.Options) {
				o.HealthEvery, o.LookTime = 5*time.Minute, []time.Duration{20 * time.Second, 0}
			}
			r.alphaOwns()
			r.wait(15 * time.Second)
			if r.nodes[1].alarmed("device-ill") {
				t.Error("the look has not ended")
			}
			r.within(8*time.Second, "an alarm", func() bool {
				return r.nodes[1].alarmed("relay did not answer in time") && r.nodes[1].peer("alpha").CanFence == second
			})
		})
	}
}

// A look that does not even end when its time is over.
func TestLookThatNeverEndsIsABadDevice(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.looks(10 * time.Second)
		defer r.nodes[1].hangs("health")()
		r.alphaOwns()
		r.within(time.Minute, "an alarm", func() bool {
			return r.nodes[1].alarmed("a device does not answer") && !r.nodes[1].peer("alpha").CanFence
		})
		r.within(time.Second, "alpha hears of it", func() bool { return r.nodes[0].alarmed("peer-cannot-fence bravo") })
	})
}

// A sense that was caught lying proves nothing: who has nothing else cannot fence, and both nodes say so until it is cleared.
func TestSenseThatLiedCannotProve(t *testing.T) {
	for _, other := range []bool{false, true} {
		inBubble(t, func(r *rig) {
			r.looks(time.Minute)
			r.nodes[1].health = []daemon.Health{{Device: "relay", Level: 1, NeedsSense: true}}
			if other {
				r.nodes[1].health = append(r.nodes[1].health, daemon.Health{Device: "agent", Level: 2})
			}
			r.alphaOwns()
			r.wait(5 * time.Second)
			if !r.nodes[1].peer("alpha").CanFence {
				t.Fatalf("%+v", r.nodes[1].peer("alpha"))
			}
			r.nodes[0].set(func(n *rigNode) { n.senseLies = true })
			r.within(5*time.Second, "an alarm", func() bool { return r.nodes[1].alarmed("sense-broken dc") })
			if m := r.nodes[1].peer("alpha"); m.CanFence != other || !other && !strings.Contains(m.WhyNot, "dc") {
				t.Errorf("%+v", m)
			}
			r.wait(time.Second)
			if r.nodes[0].alarmed("peer-cannot-fence bravo") == other {
				t.Errorf("with another level %v: alpha has the alarms %v", other, r.nodes[0].d.Status().Alarms)
			}
			r.nodes[0].set(func(n *rigNode) { n.senseLies = false })
			r.nodes[1].ask(control.Request{Command: "clear"})
			r.within(5*time.Second, "the end of it", func() bool {
				return r.nodes[1].peer("alpha").CanFence && !r.nodes[1].alarmed("sense-broken") && !r.nodes[0].alarmed("peer-cannot-fence")
			})
		})
	}
}

// Who cannot fence tries all the same when it has to: a look may be wrong. What it then says is why it stays down.
func TestWhoCannotFenceTries(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.looks(time.Minute)
		r.nodes[1].health = []daemon.Health{{Device: "relay", Level: 1, Ill: []error{errors.New("check relay: the contact is welded")}}}
		r.nodes[0].welded = true
		r.alphaOwns()
		r.within(5*time.Second, "an alarm", func() bool { return r.nodes[1].alarmed("device-ill") && r.nodes[0].alarmed("peer-cannot-fence") })
		r.cutAll()
		r.within(20*time.Second, "bravo gave up", func() bool { return r.nodes[1].alarmed("blocked web") && r.nodes[1].alarmed("fence-failed alpha") })
		r.wait(time.Minute)
		if n := r.nodes[1].relay.tried(&r.nodes[1].relay.cuts); n != 2 || r.nodes[1].owns() || !r.nodes[0].owns() {
			t.Errorf("%d tries with one retry; alpha owns %v, bravo owns %v", n, r.nodes[0].owns(), r.nodes[1].owns())
		}
		if m := r.nodes[1].peer("alpha"); m.CanFence || !strings.Contains(m.WhyNot, "serialhb confirm-off alpha") || m.Fence != "failed" {
			t.Errorf("%+v", m)
		}
	})
}

func TestDeviceThatReadsOffWhileThePeerIsHeard(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.looks(10 * time.Second)
		r.nodes[1].health = []daemon.Health{{Device: "alpha-agent-1", Level: 1, Off: true}}
		r.alphaOwns()
		const says = "wrong-outlet alpha alpha-agent-1 says that alpha is off, and alpha is heard"
		r.within(25*time.Second, "an alarm", func() bool { return r.nodes[1].alarmed(says) })
		if r.clock() < 10*time.Second {
			t.Error("one look was enough, which may have met alpha just as it died")
		}
		if m := r.nodes[1].peer("alpha"); m.CanFence || !strings.Contains(m.WhyNot, "another outlet") {
			t.Errorf("%+v", m)
		}
		r.nodes[1].set(func(n *rigNode) { n.health = []daemon.Health{{Device: "alpha-agent-1", Level: 1}} })
		r.within(11*time.Second, "the end of it", func() bool { return !r.nodes[1].alarmed("wrong-outlet") })
		// Of a peer that is silent it says what it has to say.
		r.nodes[0].losePower()
		r.nodes[1].set(func(n *rigNode) { n.health[0].Off = true })
		r.wait(time.Minute)
		if r.nodes[1].alarmed("wrong-outlet") {
			t.Error("an alarm of a device that tells the truth")
		}
	})
}
