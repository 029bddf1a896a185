package daemon_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// counted is a sink that counts lines.
type counted struct {
	mu    sync.Mutex
	lines int
}

func (c *counted) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines += bytes.Count(b, []byte("\n"))
	return len(b), nil
}

func (c *counted) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lines
}

// logsTo lets a node log everything to a sink that counts.
func (n *rigNode) logsTo() *counted {
	log := &counted{}
	n.tune = func(o *daemon.Options) { o.Log = zerolog.New(log).Level(zerolog.TraceLevel) }
	return log
}

// strangers makes frames that mean nothing here, or mean trouble.
func strangers(r *rig) map[string]func(n uint32) []byte {
	seal := func(cluster, key string) func(p pulse.Pulse) []byte {
		k, err := pulse.NewKeyring(cluster, []byte(key))
		if err != nil {
			r.t.Fatal(err)
		}
		return func(p pulse.Pulse) []byte { return k.AppendPulse(nil, &p) }
	}
	right, wrong, other := seal("rig", "a key that is long enough for it"), seal("rig", "another key that is long enough"), seal("other", "a key that is long enough for it")
	p := func(from, session, seq uint32) pulse.Pulse {
		return pulse.Pulse{From: uint8(from), To: 0, Session: session, Seq: seq, IntervalMS: 100, N: 1}
	}
	return map[string]func(n uint32) []byte{
		"noise": func(n uint32) []byte {
			b := make([]byte, 46)
			for i := range b {
				b[i] = byte(rand.Uint32())
			}
			return b
		},
		"half frames":          func(n uint32) []byte { return right(p(1, 7, n+1))[:20] },
		"another key":          func(n uint32) []byte { return wrong(p(1, 7, n+1)) },
		"another cluster":      func(n uint32) []byte { return other(p(1, 7, n+1)) },
		"the own name":         func(n uint32) []byte { return right(p(0, 7, n+1)) },
		"always a new session": func(n uint32) []byte { return right(p(1, n+1, 1)) },
		"an old session":       func(n uint32) []byte { return right(p(1, 7, 5)) },
	}
}

// Ten thousand frames a second that should not come: they may be counted and told, but neither drown the record nor delay
// a pulse nor cost the owner its power.
func TestNoiseStorm(t *testing.T) {
	for name := range strangers(&rig{t: t}) {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				log := r.nodes[0].logsTo()
				r.alphaOwns()
				r.wait(5 * time.Second)
				var mu sync.Mutex
				last, gap := r.clock(), time.Duration(0)
				r.cables[0].Lose(0, 1, func([]byte) bool {
					mu.Lock()
					defer mu.Unlock()
					gap, last = max(gap, r.clock()-last), r.clock()
					return false
				})
				next := strangers(r)[name]
				lines, records := log.count(), r.nodes[0].recorded()
				for i := range uint32(2000) { // ten frames a millisecond
					for j := range uint32(10) {
						r.cables[0].Inject(0, next(10*i+j))
					}
					r.wait(time.Millisecond)
				}
				mu.Lock()
				if gap > 110*time.Millisecond || r.clock()-last > 110*time.Millisecond {
					t.Errorf("%v between two pulses with an interval of 100 ms", gap)
				}
				mu.Unlock()
				if got := log.count() - lines; got > 60 {
					t.Errorf("%d log lines in 2 s", got)
				}
				if got := r.nodes[0].recorded() - records; got > 60 {
					t.Errorf("%d lines of the record in 2 s", got)
				}
				r.wait(5 * time.Second)
				r.nobodyWasCut()
			})
		})
	}
}

// recorded is how many lines the record has.
func (n *rigNode) recorded() int { return len(n.d.Events(0)) }

// A plug that is loose, all day: news of one kind are left out beyond a few, and it is said how many.
func TestFloodOfOneKindOfNewsIsLeftOut(t *testing.T) {
	inBubble(t, func(r *rig) {
		log := r.nodes[0].logsTo()
		r.alphaOwns()
		r.wait(20 * time.Second)
		lines := log.count()
		for range 3000 {
			r.cables[0].Unplug(0, "the adapter has gone")
			r.cables[0].Plug(0)
			r.wait(10 * time.Millisecond)
		}
		// 30 s are three or four whiles, of 50 lines down and 50 up in the first and five of each in the others.
		if got := log.count() - lines; got < 110 || got > 250 {
			t.Errorf("%d log lines", got)
		}
		r.nodes[0].ask(control.Request{Command: "failback"})
		r.within(20*time.Second, "it is said how many were left out", func() bool { return r.nodes[0].told("left-out", `more lines of "link-down"`) })
		if !r.nodes[0].told("failback", "") || !r.nodes[0].told("refused", "") {
			t.Error("what a person asks for is left out")
		}
		r.nobodyWasCut()
	})
}

// told says whether the record has a line.
func (n *rigNode) told(code, text string) bool {
	for _, e := range n.d.Events(0) {
		if e.Code == code && strings.Contains(e.Text, text) {
			return true
		}
	}
	return false
}
