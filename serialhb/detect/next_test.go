package detect_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Between now and Next there is nothing to say, and at Next there is: a loop that sleeps until then misses nothing and
// wakes up for something.
func TestNextIsWhenSomethingChanges(t *testing.T) {
	var silent, waits int
	rapid.Check(t, func(t *rapid.T) {
		f := newFeed(t)
		for range 40 {
			f.something()
			f.check(f.now)
			next, ok := f.d.Next()
			if !ok {
				if got := f.d.Check(f.now+time.Hour, nil); len(got) > 0 {
					t.Fatalf("nothing was due, but an hour later: %q", words(got))
				}
				continue
			}
			if next <= f.now {
				t.Fatalf("all is said at %v, but something is due at %v", f.now, next)
			}
			for _, at := range []time.Duration{rapidTime(t, f.now, next-1), next - 1} {
				if got := f.d.Check(at, nil); len(got) > 0 {
					t.Fatalf("due at %v, but at %v: %q", next, at, words(got))
				}
			}
			if rapid.Bool().Draw(t, "sleep") {
				waits++
				f.now = next
				changes := f.check(next)
				if len(changes) == 0 {
					t.Fatalf("woken at %v for nothing", next)
				}
				for _, c := range changes {
					if c.Kind == detect.Silent {
						silent++
					}
				}
			}
		}
	})
	if silent == 0 || waits == 0 {
		t.Errorf("%d verdicts in %d waits: this checked nothing", silent, waits)
	}
}

func rapidTime(t *rapid.T, from, to time.Duration) time.Duration {
	return time.Duration(rapid.Int64Range(int64(from), int64(to)).Draw(t, "at"))
}

// feed gives a detector whatever can happen, and keeps its own plain account of what each member may be said of.
type feed struct {
	*rapid.T
	d   *detect.Detector
	c   detect.Config
	now time.Duration
	up  []bool

	upSince []time.Duration
	heardOn [pulse.MaxLinks][pulse.MaxMembers]bool
	said    [pulse.MaxMembers]bool          // silent, and no life since
	last    [pulse.MaxMembers]time.Duration // life, or the return of my hearing
	ever    [pulse.MaxMembers]bool
	window  [pulse.MaxMembers]time.Duration
	asleep  [pulse.MaxMembers]time.Duration
	hearing [pulse.MaxMembers]bool
}

func newFeed(t *rapid.T) *feed {
	c := detect.Config{
		Interval: 100 * ms, Multiplier: uint8(rapid.IntRange(2, 20).Draw(t, "multiplier")),
		StartWindow: rapidTime(t, 0, 5*sec),
		Stretch:     rapid.SampledFrom([]float64{0, 1, 1.5, 3, 4}).Draw(t, "stretch"),
		Extensions:  rapid.IntRange(1, 5).Draw(t, "extensions"),
		N:           uint8(rapid.IntRange(2, pulse.MaxMembers).Draw(t, "members")),
	}
	c.Me = uint8(rapid.IntRange(0, int(c.N)-1).Draw(t, "me"))
	for range rapid.IntRange(1, 3).Draw(t, "links") {
		c.Links = append(c.Links, detect.Link{Peers: uint16(rapid.IntRange(1, 1<<c.N-1).Draw(t, "peers")) &^ (1 << c.Me)})
	}
	f := &feed{T: t, d: detect.New(c), c: c, up: make([]bool, len(c.Links)), upSince: make([]time.Duration, len(c.Links)), now: rapidTime(t, 1, time.Hour)}
	for p := range f.window {
		f.window[p] = c.Interval * time.Duration(c.Multiplier)
	}
	return f
}

func (f *feed) something() {
	f.now += rapidTime(f.T, 0, sec)
	l := uint8(rapid.IntRange(0, len(f.c.Links)-1).Draw(f.T, "link"))
	switch rapid.SampledFrom([]string{"life", "life", "life", "noise", "device", "late", "nothing"}).Draw(f.T, "what") {
	case "life":
		p := uint8(rapid.IntRange(0, int(f.c.N)-1).Draw(f.T, "from"))
		if p != f.c.Me && f.up[l] && f.c.Links[l].Peers&(1<<p) != 0 {
			f.life(l, p)
		}
	case "noise":
		f.d.Noise(f.now, l)
	case "device":
		f.device(l, rapid.IntRange(0, 3).Draw(f.T, "state") > 0)
	case "late":
		by := rapidTime(f.T, 1, 3*sec)
		f.now += by
		f.d.Late(by)
		for p := range f.asleep {
			if !f.said[p] {
				f.asleep[p] += by
			}
		}
	}
}

func (f *feed) life(l, p uint8) {
	q := pulse.Pulse{
		From: p, Session: 1, Seq: 1, Echo: uint32(rapid.IntRange(0, 1).Draw(f.T, "echo")),
		EchoAge: uint8(rapid.IntRange(0, 15).Draw(f.T, "age")), IntervalMS: uint32(rapid.IntRange(1, 500).Draw(f.T, "interval")),
	}
	f.window[p] = time.Duration(q.IntervalMS) * ms * time.Duration(f.c.Multiplier)
	f.d.Life(f.now, l, p, &q)
	f.heardOn[l][p] = true
	f.said[p], f.ever[p], f.last[p], f.asleep[p] = false, true, f.now, 0
}

func (f *feed) device(l uint8, up bool) {
	f.d.Link(f.now, l, up)
	if up && !f.up[l] {
		f.upSince[l] = f.now
	}
	f.up[l] = up
	for p := range f.c.N {
		hears := false
		for i, link := range f.c.Links {
			hears = hears || f.up[i] && link.Peers&(1<<p) != 0
		}
		if hears && !f.hearing[p] {
			f.last[p], f.asleep[p] = f.now, 0
		}
		f.hearing[p] = hears
	}
}

// check hands on what changed and holds the verdicts against the account: nobody is silent before a window of being
// awake and able to hear, nobody is unsaid for longer than the stretched one while a good link has listened all along.
func (f *feed) check(now time.Duration) []detect.Change {
	changes := f.d.Check(now, nil)
	for _, c := range changes {
		if c.Kind != detect.Silent {
			continue
		}
		if f.said[c.Peer] || c.Peer == f.c.Me || !f.hearing[c.Peer] {
			f.Fatalf("member %d is silent, but it is said, it is me, or nothing leads to it", c.Peer)
		}
		if got := f.awake(now, c.Peer); got < f.least(c.Peer) {
			f.Fatalf("member %d is silent after %v, its window is %v", c.Peer, got, f.least(c.Peer))
		}
		f.said[c.Peer] = true
	}
	for p := range f.c.N {
		most := time.Duration(float64(f.least(p)) * max(1, f.c.Stretch))
		if !f.said[p] && f.awake(now, p) >= most && f.listened(now, p) >= most {
			f.Fatalf("member %d is not silent after %v", p, f.awake(now, p))
		}
	}
	return changes
}

// listened is for how long one link has been able to receive a member, if it is a link on which that member was heard or
// the member was heard nowhere.
func (f *feed) listened(now time.Duration, p uint8) (longest time.Duration) {
	for l, link := range f.c.Links {
		if f.up[l] && link.Peers&(1<<p) != 0 && (f.heardOn[l][p] || !f.ever[p]) {
			longest = max(longest, now-f.upSince[l]-f.asleep[p])
		}
	}
	return longest
}

func (f *feed) awake(now time.Duration, p uint8) time.Duration { return now - f.last[p] - f.asleep[p] }

func (f *feed) least(p uint8) time.Duration {
	if f.ever[p] {
		return f.window[p]
	}
	return max(f.window[p], f.c.StartWindow)
}
