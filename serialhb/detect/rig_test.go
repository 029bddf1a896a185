package detect_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

const (
	ms  = time.Millisecond
	sec = time.Second

	cable, lan = 0, 1

	interval = 100 * ms
	window   = 15 * interval
	start    = 5 * sec
)

// pair is two members, me and peer 1, with a cable and a network path between them.
func pair() detect.Config {
	return detect.Config{
		Me: 0, N: 2, Links: []detect.Link{{Peers: 1 << 1}, {Peers: 1 << 1}},
		Interval: interval, Multiplier: 15, StartWindow: start, Stretch: 2, Extensions: 3,
	}
}

// only is a pair with nothing but the cable.
func only() detect.Config {
	c := pair()
	c.Links = c.Links[:1]
	return c
}

// rig is a detector in simulated time. It speaks of changes in words.
type rig struct {
	*testing.T
	d   *detect.Detector
	seq uint32
}

// on starts a detector whose links can all receive at the time given.
func on(t *testing.T, c detect.Config, at time.Duration) *rig {
	r := &rig{T: t, d: detect.New(c)}
	for l := range c.Links {
		r.d.Link(at, uint8(l), true)
	}
	return r
}

// beat is a pulse of peer 1 that hears us and advertises an interval in milliseconds.
func (r *rig) beat(every uint32) *pulse.Pulse {
	r.seq++
	return &pulse.Pulse{From: 1, Session: 7, Seq: r.seq, Echo: 5, EchoAge: pulse.EchoAgeStep(20), IntervalMS: every}
}

func (r *rig) life(at time.Duration, links ...uint8) {
	p := r.beat(100)
	for _, l := range links {
		r.d.Life(at, l, 1, p)
	}
}

// settle takes the changes so far without looking at them.
func (r *rig) settle(at time.Duration) { r.d.Check(at, nil) }

// says checks the changes at a time, all of them and in order.
func (r *rig) says(at time.Duration, want ...string) {
	r.Helper()
	if got := words(r.d.Check(at, nil)); !slices.Equal(got, want) {
		r.Errorf("at %v: %q, want %q", at, got, want)
	}
}

// verdicts are the changes at a time that are not about one direction of one link.
func (r *rig) verdicts(at time.Duration, want ...string) {
	r.Helper()
	changes := slices.DeleteFunc(r.d.Check(at, nil), func(c detect.Change) bool {
		return c.Kind == detect.Receives || c.Kind == detect.Sends
	})
	if got := words(changes); !slices.Equal(got, want) {
		r.Errorf("at %v: %q, want %q", at, got, want)
	}
}

// silentAt checks that peer 1 is silent at a time and not a nanosecond earlier.
func (r *rig) silentAt(at time.Duration, want string) {
	r.Helper()
	r.verdicts(at - 1)
	r.verdicts(at, want)
	r.verdicts(at + 1)
}

func words(changes []detect.Change) (out []string) {
	for _, c := range changes {
		out = append(out, word(c))
	}
	return out
}

func word(c detect.Change) string {
	link := func() string {
		if c.Link < 2 {
			return [...]string{"cable", "lan"}[c.Link]
		}
		return fmt.Sprint("link ", c.Link)
	}
	switch c.Kind {
	case detect.Silent:
		if c.OneByOne {
			return fmt.Sprintf("%d silent one by one", c.Peer)
		}
		return fmt.Sprintf("%d silent", c.Peer)
	case detect.Receives:
		return fmt.Sprintf("%s from %d %v", link(), c.Peer, c.Way)
	case detect.Sends:
		return fmt.Sprintf("%s to %d %v", link(), c.Peer, c.Way)
	case detect.Deaf:
		return "deaf"
	case detect.Hears:
		return "hears"
	case detect.CannotJudge:
		return fmt.Sprintf("cannot judge %d", c.Peer)
	case detect.CanJudge:
		return fmt.Sprintf("can judge %d", c.Peer)
	}
	return "unknown change"
}
