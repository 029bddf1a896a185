package detect_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// After a start nobody is silent until an own link could receive for a whole start window.
func TestStartWindow(t *testing.T) {
	r := &rig{T: t, d: detect.New(only())}
	r.says(24 * time.Hour)
	if at, ok := r.d.Next(); ok {
		t.Errorf("nothing can be received, yet something is due at %v", at)
	}
	r.d.Link(24*time.Hour, cable, true)
	r.says(24*time.Hour, "hears")
	r.silentAt(24*time.Hour+start, "1 silent")

	c := only()
	c.StartWindow = 200 * ms // never shorter than the detection time
	r = on(t, c, 0)
	r.settle(0)
	r.silentAt(window, "1 silent")
}

// The detection time runs from the newest life, on whichever link.
func TestSilentAtTheDetectionTime(t *testing.T) {
	type life struct {
		link uint8
		at   time.Duration
	}
	for _, c := range []struct {
		name   string
		lives  []life
		newest time.Duration
	}{
		{"one pulse", []life{{cable, sec}}, sec},
		{"the newest counts", []life{{cable, sec}, {cable, 2 * sec}, {cable, 2*sec + 1}}, 2*sec + 1},
		{"whichever link", []life{{cable, sec}, {lan, sec + 700*ms}}, sec + 700*ms},
		{"handed in out of order", []life{{lan, 2 * sec}, {cable, sec}}, 2 * sec},
		{"out of order on one link", []life{{cable, 2 * sec}, {cable, sec}}, 2 * sec},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := on(t, pair(), 0)
			for _, l := range c.lives {
				r.life(l.at, l.link)
			}
			r.settle(c.newest)
			first := c.lives[0]
			if _, _, last, _ := r.d.Path(first.link, 1); last < first.at {
				t.Errorf("life at %v was heard, the link says %v", first.at, last)
			}
			r.silentAt(c.newest+window, "1 silent")
			r.verdicts(c.newest + time.Hour) // said once
			if last, heard := r.d.LastLife(1); !heard || last != c.newest {
				t.Errorf("last life %v, %v", last, heard)
			}
			r.life(2*time.Hour, cable, lan)
			r.settle(2 * time.Hour)
			r.silentAt(2*time.Hour+window, "1 silent") // and said again of a new silence
		})
	}
}

// What counts is the interval that the sender advertises, and my multiplier.
func TestSendersInterval(t *testing.T) {
	quiet := func(time uint32) *pulse.Pulse { return &pulse.Pulse{Flags: pulse.Quiet, IntervalMS: time} }
	every := func(interval uint32) *pulse.Pulse { return &pulse.Pulse{IntervalMS: interval} }
	for _, c := range []struct {
		name   string
		pulses []*pulse.Pulse
		window time.Duration
	}{
		{"as I do", []*pulse.Pulse{every(100)}, 1500 * ms},
		{"faster than I", []*pulse.Pulse{every(10)}, 150 * ms},
		{"slower than I", []*pulse.Pulse{every(1000)}, 15 * sec},
		{"the slowest on the wire", []*pulse.Pulse{every(pulse.MaxIntervalMS)}, 15 * 4095 * ms},
		{"none", []*pulse.Pulse{every(0)}, 1500 * ms},
		{"none after one", []*pulse.Pulse{every(40), every(0)}, 600 * ms},
		{"changed", []*pulse.Pulse{every(1000), every(20)}, 300 * ms},
		{"quiet stretches", []*pulse.Pulse{every(100), quiet(20_000)}, 20 * sec},
		{"quiet again stretches no further", []*pulse.Pulse{every(100), quiet(20_000), quiet(20_000), quiet(20_000)}, 20 * sec},
		{"the longest quiet", []*pulse.Pulse{quiet(pulse.MaxQuietMS)}, time.Minute},
		{"quiet never shortens", []*pulse.Pulse{every(100), quiet(300)}, 1500 * ms},
		{"quiet of no length", []*pulse.Pulse{every(100), quiet(0)}, 1500 * ms},
		{"quiet once", []*pulse.Pulse{every(100), quiet(20_000), every(100)}, 1500 * ms},
		{"quiet before any interval", []*pulse.Pulse{quiet(20_000), every(50)}, 750 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := on(t, only(), 0)
			for _, p := range c.pulses {
				r.d.Life(sec, cable, 1, p)
			}
			if got := r.d.Window(1); got != c.window {
				t.Errorf("window %v, want %v", got, c.window)
			}
			r.settle(sec)
			r.silentAt(sec+c.window, "1 silent")
		})
	}
}

// A link says late at three quarters of the detection time and down at all of it; each end is exact.
func TestWaysOfALink(t *testing.T) {
	r := on(t, pair(), 0)
	r.says(0, "hears")
	r.life(sec, cable)
	r.says(sec, "cable from 1 ok", "cable to 1 ok") // the network path was never good, so there is nothing to say of it
	late, down := sec+window/4*3, sec+window
	r.says(late - 1)
	r.says(late, "cable from 1 late")
	r.life(late+1, cable)
	r.says(late+1, "cable from 1 ok")
	late, down = late+1+window/4*3, late+1+window
	r.says(late, "cable from 1 late")
	r.says(down - 1)
	r.says(down, "cable from 1 down", "cable to 1 unknown", "1 silent")
	r.life(down+time.Hour, cable)
	r.says(down+time.Hour, "cable from 1 ok", "cable to 1 ok")
}

// The echo tells whether the peer hears me on this link; it is shown and never makes a peer silent.
func TestOneWay(t *testing.T) {
	for _, c := range []struct {
		name string
		p    pulse.Pulse
		want string
	}{
		{"hears", pulse.Pulse{Echo: 9, EchoAge: pulse.EchoAgeStep(100), IntervalMS: 100}, "ok"},
		{"heard within the window", pulse.Pulse{Echo: 9, EchoAge: pulse.EchoAgeStep(1024), IntervalMS: 100}, "ok"},
		{"heard before the window", pulse.Pulse{Echo: 9, EchoAge: pulse.EchoAgeStep(2048), IntervalMS: 100}, "down"},
		{"never heard", pulse.Pulse{Echo: 0, EchoAge: 0, IntervalMS: 100}, "down"},
		{"no age", pulse.Pulse{Echo: 9, EchoAge: 15, IntervalMS: pulse.MaxIntervalMS}, "down"},
		{"oldest age that is one", pulse.Pulse{Echo: 9, EchoAge: 14, IntervalMS: pulse.MaxIntervalMS}, "ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := on(t, pair(), 0)
			r.settle(0)
			r.d.Life(sec, cable, 1, &c.p)
			r.says(sec, "cable from 1 ok", "cable to 1 "+c.want)
			if in, out, last, heard := r.d.Path(cable, 1); in != detect.OK || out.String() != c.want || last != sec || !heard {
				t.Errorf("cable: %v, %v, %v, %v", in, out, last, heard)
			}
			if in, out, _, heard := r.d.Path(lan, 1); in != detect.Never || out != detect.Unknown || heard {
				t.Errorf("the other link: %v, %v, %v", in, out, heard)
			}
		})
	}

	// He hears me nowhere, I hear him: for as long as that lasts there is no verdict.
	r := on(t, pair(), 0)
	r.settle(0)
	for at := sec; at < time.Minute; at += interval {
		r.d.Life(at, cable, 1, &pulse.Pulse{IntervalMS: 100})
		r.verdicts(at)
	}
	if _, out, _, _ := r.d.Path(cable, 1); out != detect.Down {
		t.Errorf("the way out is %v", out)
	}
}

// A link of mine that lost its device says nothing about the peer.
func TestDeviceLossIsNoSilence(t *testing.T) {
	r := on(t, only(), 0)
	r.life(sec, cable)
	r.says(sec, "hears", "cable from 1 ok", "cable to 1 ok")
	r.d.Link(2*sec, cable, false)
	r.says(2*sec, "deaf", "cable from 1 down", "cable to 1 unknown")
	if at, ok := r.d.Next(); ok {
		t.Errorf("a deaf member waits for %v", at)
	}
	r.says(time.Hour)
	r.d.Late(2 * sec) // while there is no window to lengthen
	r.d.Link(time.Hour, cable, true)
	r.says(time.Hour, "hears")
	r.silentAt(time.Hour+window, "1 silent") // a fresh window, not the rest of the old one
}

// A second deafness inside the fresh window begins it again.
func TestDeafTwice(t *testing.T) {
	r := on(t, only(), 0)
	r.life(sec, cable)
	for _, at := range []time.Duration{2 * sec, 4 * sec, 6 * sec} {
		r.d.Link(at, cable, false)
		r.d.Link(at+sec, cable, true)
		r.verdicts(at+sec, map[bool][]string{true: {"hears"}}[at == 2*sec]...)
	}
	r.silentAt(7*sec+window, "1 silent")
}

// Deaf is about my devices, all of them, and not about who is at the other end.
func TestDeafNeedsEveryLink(t *testing.T) {
	r := on(t, pair(), 0)
	r.life(sec, cable, lan)
	r.settle(sec)
	r.d.Link(sec, cable, false)
	r.says(sec, "cable from 1 down", "cable to 1 unknown")
	r.d.Link(sec, lan, false)
	r.says(sec, "deaf", "lan from 1 down", "lan to 1 unknown")
	r.d.Link(sec, cable, true)
	r.verdicts(sec, "hears")
}

// A peer behind a link of its own is judged by that link: another member's cable hears nothing of it.
func TestPeerBehindALostLink(t *testing.T) {
	c := pair()
	c.N = 3
	c.Links = []detect.Link{{Peers: 1 << 1}, {Peers: 1 << 2}}
	r := on(t, c, 0)
	r.d.Life(sec, 0, 1, r.beat(100))
	r.d.Life(sec, 1, 2, r.beat(100))
	r.settle(sec)
	r.d.Link(sec, 1, false)
	r.silentAt(sec+window, "1 silent")
	r.verdicts(time.Hour) // of member 2 nothing can be said
	r.d.Link(time.Hour, 1, true)
	r.silentAt(time.Hour+window, "2 silent")
}

// The cable dies and the network lives: a link is down, nobody is silent.
func TestOneLinkLost(t *testing.T) {
	r := on(t, pair(), 0)
	r.life(sec, cable, lan)
	r.settle(sec)
	for at := sec + interval; at <= time.Minute; at += interval {
		r.life(at, lan)
		r.verdicts(at)
	}
	if in, out, last, _ := r.d.Path(cable, 1); in != detect.Down || out != detect.Unknown || last != sec {
		t.Errorf("cable: %v, %v, %v", in, out, last)
	}
	if in, out, _, _ := r.d.Path(lan, 1); in != detect.OK || out != detect.OK {
		t.Errorf("lan: %v, %v", in, out)
	}
	r.silentAt(time.Minute+window, "1 silent one by one")
}

// Links that were lost more than a detection time apart make the verdict a question. A link that was never good since
// the start has no vote.
func TestOneByOne(t *testing.T) {
	for _, c := range []struct {
		name       string
		cable, lan time.Duration // newest life, 0 is none
		want       string
	}{
		{"together", 20 * sec, 20 * sec, "1 silent"},
		{"just not a detection time apart", 20*sec + 1, 20*sec + window, "1 silent"},
		{"a detection time apart", 20 * sec, 20*sec + window, "1 silent one by one"},
		{"the other way round", 20*sec + window, 20 * sec, "1 silent one by one"},
		{"lan never good", 20 * sec, 0, "1 silent"},
		{"cable never good", 0, 20 * sec, "1 silent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := on(t, pair(), 0)
			if c.cable > 0 {
				r.life(c.cable, cable)
			}
			if c.lan > 0 {
				r.life(c.lan, lan)
			}
			last := max(c.cable, c.lan)
			r.settle(last)
			r.silentAt(last+window, c.want)
		})
	}
}

// Noise on a line is no silence of a quiet line: the verdict waits, by a factor and not for ever.
func TestBabbling(t *testing.T) {
	babble := func(factor float64, from, to time.Duration) *rig {
		c := pair()
		c.Stretch = factor
		r := on(t, c, 0)
		r.life(sec, cable, lan)
		r.settle(sec)
		for at := from; at <= to; at += 50 * ms {
			r.d.Noise(at, cable)
		}
		return r
	}
	babble(2, sec+ms, sec+ms).silentAt(sec+2*window, "1 silent")
	babble(2, sec+ms, time.Hour).silentAt(sec+2*window, "1 silent")
	babble(1.5, sec+ms, time.Minute).silentAt(sec+window*3/2, "1 silent")
	babble(1, sec+ms, time.Minute).silentAt(sec+window, "1 silent")
	babble(2, ms, sec).silentAt(sec+window, "1 silent") // noise before the last pulse is over

	// Each life begins a new window.
	r := babble(2, sec+ms, sec+ms)
	r.life(sec+2*ms, cable, lan)
	r.silentAt(sec+2*ms+window, "1 silent")

	// Noise on a line that does not lead to the peer is none of its business.
	c := pair()
	c.N, c.Links[lan].Peers = 3, 1<<2
	r = on(t, c, 0)
	r.life(sec, cable)
	r.settle(sec)
	r.d.Noise(sec+ms, lan)
	r.silentAt(sec+window, "1 silent")
}

// The line goes on babbling after the peer died, on one link or on both, and every turn looks: the death is found when the
// stretched window is over, to the millisecond, and the stretch is that of the configuration.
func TestADeathBesideABabblingLineIsFound(t *testing.T) {
	for _, factor := range []float64{1, 1.5, 2.5, 4} {
		for name, links := range map[string][]uint8{"cable": {cable}, "both": {cable, lan}} {
			t.Run(fmt.Sprint(factor, " ", name), func(t *testing.T) {
				c := pair()
				c.Stretch = factor
				r := on(t, c, 0)
				at := ms
				for ; at < 10*sec; at += ms { // it lives, and the line babbles already
					for _, l := range links {
						r.d.Noise(at, l)
					}
					if at%interval == 0 {
						r.life(at, cable, lan)
					}
					r.settle(at)
				}
				last, due := at-interval, at-interval+time.Duration(float64(window)*factor)
				for ; at < due; at += ms {
					for _, l := range links {
						r.d.Noise(at, l)
					}
					r.verdicts(at)
					if next, ok := r.d.Next(); !ok || next > due {
						t.Fatalf("%v after the death it waits until %v, %v", at-last, next-last, ok)
					}
				}
				r.verdicts(due, "1 silent")
			})
		}
	}
}

func TestBabbles(t *testing.T) {
	r := on(t, pair(), 0)
	r.life(sec, cable)
	if r.d.Babbles(sec, cable, 1) {
		t.Error("a clean line babbles")
	}
	r.d.Noise(2*sec, cable)
	for at, want := range map[time.Duration]bool{2 * sec: true, 2*sec + window - 1: true, 2*sec + window: false} {
		if got := r.d.Babbles(at, cable, 1); got != want {
			t.Errorf("%v after the noise: %v", at-2*sec, got)
		}
	}
	if r.d.Babbles(2*sec, lan, 1) {
		t.Error("the other line babbles as well")
	}
}

// A turn of the loop: nothing in it may allocate.
func TestNoAllocation(t *testing.T) {
	r := on(t, pair(), 0)
	p, out, at := r.beat(100), make([]detect.Change, 0, 64), sec
	said := 0
	if n := testing.AllocsPerRun(1000, func() {
		at += interval
		r.d.Life(at, cable, 1, p)
		r.d.Life(at, lan, 1, p)
		r.d.Noise(at, cable)
		r.d.Late(ms)
		r.d.Link(at, cable, at/interval%2 != 0) // so that something changes at every turn
		out = r.d.Check(at, out[:0])
		said += len(out)
		r.d.Next()
	}); n != 0 {
		t.Errorf("%v allocations in a turn", n)
	}
	if said < 1000 {
		t.Errorf("only %d changes in 1000 turns: this measured too little", said)
	}
}
