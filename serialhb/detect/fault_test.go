package detect_test

import (
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// The peer announces a quiet restart. The network brings the announcement first; a pulse from before it is still on the
// slow cable, and the one behind that is lost in noise. The announcement stands: it has the higher sequence.
func TestAnOlderPulseDoesNotEndTheQuiet(t *testing.T) {
	r := on(t, pair(), 0)
	before, quiet := r.beat(100), r.beat(20_000)
	quiet.Flags = pulse.Quiet
	r.d.Life(sec, lan, 1, quiet)
	r.d.Life(sec+10*ms, cable, 1, before)
	r.settle(sec + 10*ms)
	r.verdicts(sec + 10*ms + window)
	if got := r.d.Window(1); got != 20*sec {
		t.Errorf("window %v, it asked for 20s", got)
	}
}

// A quiet time counts once, also if the peer comes back with pulses that say nothing of an interval: those of a newer
// version are life of which nothing else is read.
func TestQuietEndsWithoutAnInterval(t *testing.T) {
	r := on(t, pair(), 0)
	quiet := r.beat(60_000)
	quiet.Flags = pulse.Quiet
	r.life(sec, lan)
	r.d.Life(2*sec, lan, 1, quiet)
	r.d.Life(5*sec, lan, 1, r.beat(0))
	if got := r.d.Window(1); got != window {
		t.Errorf("window %v after the quiet time, want %v", got, window)
	}
}

// My adapter is unplugged, and the network path was never good. What I know is that I lost my only link: that is not the
// peer's silence, or at the least a question.
func TestLossOfTheOnlyGoodLink(t *testing.T) {
	r := on(t, pair(), 0)
	r.life(sec, cable)
	r.settle(sec)
	r.d.Link(sec+ms, cable, false)
	for _, c := range r.d.Check(time.Hour, nil) {
		if c.Kind == detect.Silent && !c.OneByOne {
			t.Errorf("%q, and no doubt about it", word(c))
		}
	}
}

// The cable could receive for nearly a start window, then the network for a moment: no link of mine had a whole one.
func TestOneLinkNeedsTheWholeStartWindow(t *testing.T) {
	r := &rig{T: t, d: detect.New(pair())}
	r.d.Link(0, cable, true)
	r.d.Link(start-200*ms, lan, true)
	r.d.Link(start-100*ms, cable, false)
	r.settle(start - 100*ms)
	r.verdicts(start)
}

// I slept for ten seconds. The first pulse after it comes by the network; the cable's window is longer by those ten
// seconds all the same, or I say that a cable is down which I had no time to hear.
func TestLifeOnOneLinkKeepsTheLatenessOfTheOther(t *testing.T) {
	r := on(t, pair(), 0)
	r.life(sec, cable, lan)
	r.settle(sec)
	r.d.Late(10 * sec)
	r.life(11*sec+50*ms, lan)
	r.says(11*sec + 50*ms)
	if in, out, _, _ := r.d.Path(cable, 1); in != detect.OK || out != detect.OK {
		t.Errorf("cable: %v, %v", in, out)
	}
}

// Config.Extensions is how many lengthenings raise the alarm, so that many do.
func TestThatManyExtensions(t *testing.T) {
	r := on(t, only(), 0)
	r.life(sec, cable)
	r.settle(sec)
	r.d.Late(ms)
	r.d.Late(ms)
	r.verdicts(sec)
	r.d.Late(ms)
	r.verdicts(sec, "cannot judge 1")
}
