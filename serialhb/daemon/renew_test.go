package daemon_test

import (
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// renewsAt is a little before the sequence at which the decision begins a new session.
const renewsAt = pulse.MaxSeq - 1<<20 - 100

func (n *rigNode) session() string { return n.d.Status().Session }

func TestNewSessionMovesNothingAndStillTakesOver(t *testing.T) {
	for name, who := range map[string]int{"owner": 0, "standby": 1} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.nodes[who].skip = renewsAt
				r.startBoth()
				r.within(10*time.Second, "alpha owns web", r.nodes[0].owns)
				before := r.nodes[who].session()
				r.within(30*time.Second, "a new session begins", func() bool { return r.nodes[who].session() != before })
				r.wait(5 * time.Second)
				r.nobodyWasCut()
				for _, n := range r.nodes {
					s := n.d.Status()
					if s.Members[1-n.me].Presence != "heard" || len(s.Alarms) != 0 {
						t.Errorf("%s: %+v, alarms %v", s.Node, s.Members[1-n.me], s.Alarms)
					}
				}
				r.nodes[0].losePower()
				r.within(5*time.Second, "bravo owns web", r.nodes[1].owns)
			})
		})
	}
}
