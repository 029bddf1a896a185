package daemon_test

import (
	"strings"
	"testing"
	"time"
)

// A link that turns good and bad: how each kind of it is brought about, and what both nodes call it.
var flaps = []struct {
	name       string
	bad, good  func(r *rig)
	node       int
	one, steps string // the alarm of a single time, and the one that stays
}{
	{"both ways", func(r *rig) { r.cables[0].Cut(0, 1); r.cables[0].Cut(1, 0) }, func(r *rig) { r.cables[0].Heal(0, 1); r.cables[0].Heal(1, 0) }, 1, "no-pulses alpha cable", "flapping alpha cable"},
	{"towards bravo", func(r *rig) { r.cables[0].Cut(0, 1) }, func(r *rig) { r.cables[0].Heal(0, 1) }, 1, "no-pulses alpha cable", "flapping alpha cable"},
	{"from alpha's side", func(r *rig) { r.cables[0].Cut(0, 1) }, func(r *rig) { r.cables[0].Heal(0, 1) }, 0, "unheard bravo cable", "flapping bravo cable"},
	{"the device", func(r *rig) { r.cables[0].Unplug(1, "the adapter has gone") }, func(r *rig) { r.cables[0].Plug(1) }, 1, "link-down cable", "flapping cable"},
}

func TestALinkThatFlapsIsOneAlarm(t *testing.T) {
	for _, x := range flaps {
		t.Run(x.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.alphaOwns()
				r.wait(5 * time.Second)
				n := r.nodes[x.node]
				x.bad(r) // once is what it always was
				r.wait(3 * time.Second)
				n.mustRaiseOnce(x.one)
				x.good(r)
				r.wait(2 * time.Second)
				if now, _ := n.raised(x.one); now {
					t.Errorf("%q stays although it is over", x.one)
				}
				r.wait(2 * time.Minute)

				for range 20 {
					x.bad(r)
					r.wait(3 * time.Second)
					x.good(r)
					r.wait(3 * time.Second)
				}
				n.mustRaiseOnce(x.steps)
				if now, times := n.raised(x.one); now || times != 3 {
					t.Errorf("%q: raised now: %v, %d times in all, want once before and twice until it was known to flap", x.one, now, times)
				}
				r.nobodyWasCut()

				r.wait(20 * time.Second)
				n.mustRaiseOnce(x.steps)
				r.wait(11 * time.Second)
				if now, _ := n.raised(x.steps); now {
					t.Error("half a minute without a fault, and it is still said to flap")
				}

				x.bad(r) // a single time is told at once again
				r.wait(3 * time.Second)
				if now, times := n.raised(x.one); !now || times != 4 {
					t.Errorf("%q: raised now: %v, %d times in all", x.one, now, times)
				}
			})
		})
	}
}

// What flapped and then stays bad is told as what it is.
func TestALinkThatFlappedAndDies(t *testing.T) {
	for _, x := range flaps {
		t.Run(x.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.alphaOwns()
				n := r.nodes[x.node]
				for range 5 {
					x.good(r)
					r.wait(3 * time.Second)
					x.bad(r)
					r.wait(3 * time.Second)
				}
				n.mustRaiseOnce(x.steps)
				r.wait(30 * time.Second)
				if now, _ := n.raised(x.steps); now {
					t.Error("it is bad for half a minute and said to flap")
				}
				if now, _ := n.raised(x.one); !now {
					t.Errorf("no %q", x.one)
				}
				r.nobodyWasCut()
			})
		})
	}
}

// Three faults in a while that is long are three faults.
func TestFaultsThatAreRareDoNotFlap(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		x := flaps[0]
		for range 10 {
			x.bad(r)
			r.wait(5 * time.Second)
			x.good(r)
			r.wait(35 * time.Second)
		}
		if _, times := r.nodes[1].raised(x.one); times != 10 {
			t.Errorf("%q was raised %d times", x.one, times)
		}
		if _, times := r.nodes[1].raised(x.steps); times != 0 {
			t.Errorf("%q was raised %d times", x.steps, times)
		}
	})
}

// A contact that bounces all day turns both ways of its link with every pulse that is late: a few lines are enough, the
// rest is counted, and the other link keeps its own.
func TestNewsOfALinkThatFlapsAreLeftOut(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(20 * time.Second)
		n := r.nodes[1]
		ways := func(link string) (lines int) {
			for _, e := range n.d.Events(0) {
				if strings.HasPrefix(e.Code, "receives-") || strings.HasPrefix(e.Code, "sends-") {
					if strings.HasPrefix(e.Text, link+" ") {
						lines++
					}
				}
			}
			return lines
		}
		before, beside := ways("cable"), ways("lan")
		for range 30 {
			flaps[0].bad(r)
			r.wait(1700 * time.Millisecond)
			flaps[0].good(r)
			r.wait(300 * time.Millisecond)
		}
		// A minute is six or seven whiles, of 20 lines in the first and five in each of the others.
		if got := ways("cable") - before; got < 20 || got > 55 {
			t.Errorf("%d lines of the cable's ways in a minute", got)
		}
		r.within(20*time.Second, "it is said how many were left out", func() bool { return n.told("left-out", `more lines of "ways of cable and alpha"`) })
		r.cables[1].Cut(0, 1)
		r.wait(3 * time.Second)
		if got := ways("lan") - beside; got != 3 { // late, down, and nobody can tell whether it hears us
			t.Errorf("%d lines of the other link", got)
		}
		r.nobodyWasCut()
	})
}
