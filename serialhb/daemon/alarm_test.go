package daemon_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
)

// A stranger that sends now and then is there all the time: its alarm neither comes and goes with each frame nor stays for
// ever.
func TestAlarmAboutStrangersDoesNotFlap(t *testing.T) {
	for name, x := range map[string]struct {
		code  string
		every time.Duration
	}{
		"another key":     {"other-key cable", 700 * time.Millisecond},
		"another cluster": {"foreign cable", 5 * time.Second},
		"the own name":    {"own-name cable", 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.alphaOwns()
				next := strangers(r)[name]
				for i := range uint32(60) {
					r.cables[0].Inject(0, next(i))
					r.wait(x.every)
				}
				raised, over := 0, 0
				for _, e := range r.nodes[0].d.Events(0) {
					if e.Code == x.code {
						raised++
						if strings.HasPrefix(e.Text, "over: ") {
							over++
						}
					}
				}
				if raised != 1 || over != 0 || !r.nodes[0].alarm(x.code, "") {
					t.Errorf("raised or ended %d times, ended %d times", raised, over)
				}
				r.wait(40 * time.Second)
				if r.nodes[0].alarm(x.code, "") {
					t.Error("nothing came for long, and the alarm stays")
				}
				r.nobodyWasCut()
			})
		})
	}
}

func TestStrangersThatSpeakSlowlyAreToldOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		foreign, p := r.keysOf("other", "a key that is long enough for it"), tempting()
		for range 60 {
			p.Seq++
			r.cables[0].Inject(1, foreign.AppendPulse(nil, &p))
			r.wait(time.Second)
		}
		r.nodes[1].mustRaiseOnce("foreign cable")
	})
}

// Under another key at the rate of a real peer, for longer than any window in which its frames are counted.
func TestAnotherKeyIsToldOnce(t *testing.T) {
	for l, name := range []string{"cable", "lan"} {
		inBubble(t, func(r *rig) {
			r.alphaOwns()
			r.babble(10*time.Minute, r.keysOf("rig", "another key that is long enough"), tempting(), l)
			r.nodes[1].mustRaiseOnce("other-key " + name)
		})
	}
}

// Two machines of one name confuse the peer beyond the moment when one of them is stopped: the sentence has to say so.
func TestAlarmAboutATwinSaysWhatToDoAfterwards(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		next := strangers(r)["the own name"]
		for i := range uint32(10) {
			r.cables[0].Inject(0, next(i))
			r.wait(200 * time.Millisecond)
		}
		if !r.nodes[0].alarm("own-name", "run `serialhb restart` here") {
			t.Errorf("alarms %+v", r.nodes[0].d.Status().Alarms)
		}
	})
}

// The cause of a failure stands where people look first, in the words of the service, until it works again.
func TestStatusTellsTheCauseOfAFailedStart(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.nodes[0].set(func(n *rigNode) { n.startFails = "the database is locked" })
		r.nodes[1].set(func(n *rigNode) { n.startFails = "no such volume" })
		r.startBoth()
		cause := func(n *rigNode) string { return n.d.Status().Groups[0].Cause }
		for i, want := range []string{"the database is locked", "no such volume"} {
			r.within(time.Minute, "the cause is told", func() bool { return strings.Contains(cause(r.nodes[i]), want) })
		}
		var text strings.Builder
		if err := control.WriteStatus(&text, r.nodes[0].d.Status()); err != nil || !strings.Contains(text.String(), "cause: the database is locked") {
			t.Errorf("%v: %s", err, text.String())
		}
		r.nodes[0].set(func(n *rigNode) { n.startFails = "" })
		r.nodes[0].ask(control.Request{Command: "clear"})
		r.within(time.Minute, "alpha owns web", r.nodes[0].owns)
		r.wait(time.Second)
		if got := cause(r.nodes[0]); got != "" {
			t.Errorf("it works, and the cause stays: %q", got)
		}
	})
}

func TestStatusTellsTheCauseOfAFailedStop(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[0].set(func(n *rigNode) { n.stopFails = true })
		r.nodes[1].neverAnswers("off") // the relay that would cut it does not answer
		go r.nodes[0].d.Command(context.Background(), "test", control.Request{Command: "standby-on"})
		r.within(time.Minute, "the cause is told", func() bool {
			s := r.nodes[0].d.Status()
			return s.FenceMe && strings.Contains(s.Groups[0].Cause, "it does not stop")
		})
	})
}

// Whoever looks after a fence that failed is told why, by the alarm and by why alike.
func TestCauseOfAFailedFenceIsTold(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[0].set(func(n *rigNode) { n.welded = true })
		r.cutAll()
		r.within(time.Minute, "the alarm tells the cause", func() bool { return r.nodes[1].alarm("fence-failed alpha", fencing.Welded.Error()) })
		if !r.nodes[1].alarm("blocked web", "serialhb confirm-off alpha") {
			t.Errorf("alarms %+v", r.nodes[1].d.Status().Alarms)
		}
		told := false
		for _, e := range r.nodes[1].d.Why(0).Events {
			told = told || strings.Contains(e.Text, fencing.Welded.Error()) && e.Code == "cut-error"
		}
		if !told {
			t.Error("why does not tell what the relay said")
		}
	})
}

// What a peer that does not hear us says to nobody is no claim: its phase is unknown, and not the first one of the list.
func TestPhaseOfAPeerThatClaimsNothing(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.startBoth()
		for _, m := range r.cables {
			m.Cut(0, 1)
		}
		a := r.nodes[0].d
		r.within(time.Second, "bravo is heard", func() bool { return a.Status().Members[1].Presence == "heard" })
		if got := a.Status().Groups[0].Peers; len(got) != 0 {
			t.Errorf("its phases are %v", got)
		}
	})
}

// A node that dies is late on every link before it is silent: no cable is to blame for that, however often it dies.
func TestADeathIsNoFaultOfALink(t *testing.T) {
	inBubble(t, func(r *rig) {
		for _, n := range r.nodes {
			n.tune = func(o *daemon.Options) { o.Detection.LateMultiplier = 2 }
		}
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[0].losePower()
		r.within(detection, "bravo owns web", r.nodes[1].owns)
		for _, code := range []string{"no-pulses alpha cable", "no-pulses alpha lan", "flapping alpha cable", "flapping alpha lan"} {
			if _, times := r.nodes[1].raised(code); times != 0 {
				t.Errorf("%s: %d times", code, times)
			}
		}
	})
}

// A peer that is late on every link again and again, and lives, is told before it is late for too long.
func TestLatenessThatIsNoDeathIsTold(t *testing.T) {
	inBubble(t, func(r *rig) {
		for _, n := range r.nodes {
			n.tune = func(o *daemon.Options) { o.Detection.LateMultiplier = 2 }
		}
		r.alphaOwns()
		r.wait(5 * time.Second)
		for range 5 {
			r.cutAll()
			r.wait(1200 * time.Millisecond)
			r.healAll()
			r.wait(3 * time.Second)
		}
		for _, code := range []string{"flapping alpha cable", "flapping alpha lan"} {
			r.nodes[1].mustRaiseOnce(code)
		}
		r.nobodyWasCut()
	})
}

// A fence has done its work when off is proven. That the power then does not come back stays to be seen until it does.
func TestPowerThatDoesNotComeBackIsAnAlarm(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.nodes[1].neverAnswers("restore")
		r.nodes[1].tune = func(o *daemon.Options) { o.Decision.Members[0].RestoreAfter = 10 * time.Second }
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[0].losePower()
		r.within(time.Minute, "bravo owns web", r.nodes[1].owns)
		if r.nodes[1].alarm("power-not-back", "") {
			t.Error("it is told before it was tried")
		}
		r.within(30*time.Minute, "it is told", func() bool { return r.nodes[1].alarm("power-not-back", "serialhb fence on alpha") })
		r.wait(time.Hour)
		r.nodes[1].mustRaiseOnce("power-not-back alpha")
	})
}
