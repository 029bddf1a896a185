package detect_test

import (
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/detect"
)

// What I was late by is time in which I could not hear: each window grows by it, until there is life.
func TestLatenessLengthens(t *testing.T) {
	r := on(t, pair(), 0)
	r.life(sec, cable, lan)
	r.settle(sec)
	r.d.Late(300 * ms)
	r.d.Late(70*ms + 1)
	r.silentAt(sec+window+370*ms+1, "1 silent")

	r = on(t, pair(), 0)
	r.life(sec, cable, lan)
	r.d.Late(10 * sec)
	r.life(11*sec, cable, lan)
	r.settle(11 * sec)
	r.silentAt(11*sec+window, "1 silent") // life ended the lengthening

	r = on(t, only(), 0)
	r.settle(0)
	r.d.Late(2 * sec)
	r.silentAt(start+2*sec, "1 silent") // the start window grows as well
}

// Late and down are told by the same lengthened window.
func TestLatenessOfALink(t *testing.T) {
	r := on(t, pair(), 0)
	r.life(sec, cable, lan)
	r.settle(sec)
	r.d.Late(10 * sec)
	late, down := 11*sec+window/4*3, 11*sec+window
	r.says(late - 1)
	r.says(late, "cable from 1 late", "lan from 1 late")
	r.says(down - 1)
	r.says(down, "cable from 1 down", "cable to 1 unknown", "lan from 1 down", "lan to 1 unknown", "1 silent")
}

// loop is a daemon's loop in simulated time. It means to turn every nap, and comes late by what delay says.
type loop struct {
	*rig
	nap   time.Duration
	delay func(planned time.Duration) time.Duration
	now   time.Duration
	awake time.Duration // time that was not lateness
	seen  []detect.Change
}

func (l *loop) turn(arrive func(from, to time.Duration)) {
	before := l.now
	planned := before + l.nap
	if at, ok := l.d.Next(); ok {
		planned = min(planned, at)
	}
	if planned <= before {
		l.Fatalf("at %v something was due at %v: the loop would spin", before, planned)
	}
	late := l.delay(planned)
	l.now = planned + late
	l.awake += planned - before
	if late > 0 {
		l.d.Late(late)
	}
	arrive(before, l.now)
	l.seen = append(l.seen, l.d.Check(l.now, nil)...)
}

func (l *loop) has(want string) bool {
	for _, c := range l.seen {
		if word(c) == want {
			return true
		}
	}
	return false
}

// I sleep for ten seconds and go on. Pulses that came meanwhile may be read at once, or only some turns later because
// the reader slept too: nobody who lives is accused.
func TestFreezeAccusesNobodyWhoLives(t *testing.T) {
	for _, freeze := range []time.Duration{window, 10 * sec, 24 * time.Hour} {
		for _, reader := range []time.Duration{0, 50 * ms, window - 51*ms} { // later than the loop
			l := &loop{rig: on(t, pair(), 0), nap: 50 * ms}
			l.delay = func(planned time.Duration) time.Duration {
				if planned > 3*sec && planned <= 3*sec+50*ms {
					return freeze
				}
				return 0
			}
			thaw := 3*sec + freeze
			for l.now < thaw+time.Minute {
				l.turn(func(_, to time.Duration) {
					if to <= 3*sec || to >= thaw+reader {
						l.life(to, cable, lan)
					}
				})
			}
			if l.has("1 silent") || l.has("1 silent one by one") {
				t.Errorf("frozen for %v, read %v after the thaw: %q", freeze, reader, words(l.seen))
			}
			if l.now < thaw {
				t.Fatal("it was never frozen")
			}
		}
	}
}

// The peer dies while I sleep. I need a whole window of being awake, and no more, to say so.
func TestFreezeThenSilence(t *testing.T) {
	l := &loop{rig: on(t, only(), 0), nap: 50 * ms}
	l.delay = func(planned time.Duration) time.Duration {
		if planned == sec {
			return 10 * sec
		}
		return 0
	}
	died := 900 * ms
	for !l.has("1 silent") && l.now < time.Hour {
		l.turn(func(_, to time.Duration) {
			if to <= died {
				l.life(to, cable)
			}
		})
	}
	if want := died + window + 10*sec; l.now != want {
		t.Errorf("silent at %v, want %v", l.now, want)
	}
}

// A member that is late at every turn still decides: its windows count the time in which it was awake. It says that it
// cannot judge in time.
func TestPermanentlySlowStillDecides(t *testing.T) {
	for _, late := range []time.Duration{ms, 50 * ms, 400 * ms, 20 * sec} {
		l := &loop{rig: on(t, only(), 0), nap: 50 * ms, delay: func(time.Duration) time.Duration { return late }}
		l.settle(0)
		l.life(0, cable)
		for !l.has("1 silent") && l.awake < time.Hour {
			l.turn(func(_, _ time.Duration) {})
		}
		// The last turn is due at the deadline, and its own lateness moves the deadline once more.
		if most := window + 2*l.nap; l.awake < window || l.awake > most {
			t.Errorf("late by %v: silent after %v awake, want %v to %v", late, l.awake, window, most)
		}
		if !l.has("cannot judge 1") {
			t.Errorf("late by %v: it never says that it cannot judge", late)
		}
	}
}

// The same member does not accuse a peer that lives.
func TestPermanentlySlowAccusesNobody(t *testing.T) {
	l := &loop{rig: on(t, only(), 0), nap: 50 * ms, delay: func(time.Duration) time.Duration { return 2 * window }}
	for l.now < 10*time.Minute {
		l.turn(func(_, to time.Duration) { l.life(to, cable) })
	}
	if l.has("1 silent") {
		t.Errorf("%q", words(l.seen))
	}
}

// The alarm comes once, after more lengthenings than the config allows, and ends with life.
func TestCannotJudge(t *testing.T) {
	r := on(t, only(), 0)
	r.life(sec, cable)
	r.settle(sec)
	r.d.Late(ms)
	r.d.Late(ms)
	r.verdicts(sec)
	r.d.Late(ms)
	r.d.Late(ms)
	r.verdicts(sec, "cannot judge 1")
	r.d.Late(ms)
	r.verdicts(sec)
	r.life(2*sec, cable)
	r.verdicts(2*sec, "can judge 1")
	r.d.Late(ms)
	r.verdicts(2 * sec) // counted anew
	r.silentAt(2*sec+window+ms, "1 silent")
	for range 10 {
		r.d.Late(ms)
	}
	r.verdicts(time.Hour) // the verdict is given, there is nothing to lengthen
}

// It is about one window of one peer.
func TestCannotJudgeIsPerPeer(t *testing.T) {
	c := pair()
	c.N, c.Links[lan].Peers = 3, 1<<2
	r := on(t, c, 0)
	r.settle(0)
	for i := range 6 {
		r.d.Late(ms)
		r.life(time.Duration(i)*interval, cable)
	}
	r.verdicts(sec, "cannot judge 2")
}
