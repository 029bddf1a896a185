package daemon_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Sessions that are not what they seem: recordings, late goodbyes, two daemons under one name.

// hand speaks for alpha, in whatever session a test wants, to a real bravo.
type hand struct {
	rig    *rig
	listen *pulse.Keyring

	mu    sync.Mutex
	heard pulse.Pulse // of bravo
	sent  [][]byte
}

func (r *rig) byHand() *hand {
	h := &hand{rig: r, listen: r.keys()}
	gone := make(chan struct{})
	close(gone)
	r.nodes[0].end, r.nodes[0].ended = func() {}, gone
	r.start(1)
	for _, m := range r.cables {
		m.Lose(1, 0, h.hear)
	}
	r.wait(time.Second)
	return h
}

func (h *hand) hear(frame []byte) (lost bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var f pulse.Frame
	if h.listen.Open(frame, &f) == pulse.Good && f.Kind == pulse.FramePulse {
		h.heard = f.Pulse
	}
	return true
}

// next is the next pulse of a session, with a true echo.
func (h *hand) next(p *pulse.Pulse) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	p.Seq++
	p.PeerSession, p.Echo = h.heard.Session, h.heard.Seq
	frame := h.rig.keys().AppendPulse(nil, p)
	h.sent = append(h.sent, frame)
	return frame
}

func (h *hand) deliver(frame []byte) {
	for _, m := range h.rig.cables {
		m.Inject(1, frame)
	}
}

// speak lets sessions speak in turns for a time, with a pulse of bravo between any two: the first after a pulse of bravo
// would else always be the only one that answers it.
func (h *hand) speak(d time.Duration, sessions ...*pulse.Pulse) {
	for end := h.rig.clock() + d; h.rig.clock() < end; {
		for _, p := range sessions {
			h.deliver(h.next(p))
			h.rig.wait(100 * time.Millisecond)
		}
	}
}

func session(id, boot uint32, holds pulse.Holds) *pulse.Pulse {
	p := &pulse.Pulse{Flags: pulse.Armed, To: 1, Session: id, IntervalMS: 100, Boot: boot, Core: 1, Rest: 1, N: 1}
	p.Groups[0] = pulse.GroupClaim{Holds: holds, Phase: pulse.Idle, Term: 1}
	if holds == pulse.HoldsYes {
		p.Groups[0].Phase = pulse.Active
	}
	return p
}

func (r *rig) alphaIsOff() { r.nodes[0].set(func(n *rigNode) { n.powered = false }) }

func TestOldPulsesOverAndOverAreNoLife(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, bravo := r.byHand(), r.nodes[1]
		h.speak(5*time.Second, session(0xa, 100, pulse.HoldsYes))
		old := h.sent[len(h.sent)-1]
		h.speak(5*time.Second, session(0xb, 100, pulse.HoldsYes))
		if bravo.owns() || bravo.cuts() != 0 {
			t.Fatal("bravo does not believe alpha's second session")
		}
		newest := h.sent[len(h.sent)-1]
		r.alphaIsOff()
		for end := r.clock() + detection; r.clock() < end; r.wait(100 * time.Millisecond) {
			h.deliver(old)
			h.deliver(newest)
		}
		if !bravo.owns() || bravo.cuts() != 1 {
			t.Fatalf("recorded pulses kept a dead owner alive: %s", bravo.d.Status().Headline)
		}
	})
}

func TestARecordedSessionIsAQuestionAndNoLife(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, bravo := r.byHand(), r.nodes[1]
		h.speak(5*time.Second, session(0xa, 100, pulse.HoldsYes))
		old := h.sent
		h.speak(5*time.Second, session(0xb, 100, pulse.HoldsYes))
		r.alphaIsOff()
		for _, frame := range old {
			h.deliver(frame)
			r.wait(100 * time.Millisecond)
		}
		s := bravo.d.Status()
		if s.Members[0].Presence != "silent" || bravo.owns() || bravo.cuts() != 0 || s.Incident == nil || !s.Incident.Asks {
			t.Fatalf("recorded pulses that rise are no life, and make a fence a question: %s %+v", s.Headline, s.Members[0])
		}
	})
}

func TestALateGoodbyeOfTheSessionBeforeIsNoPermit(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, bravo := r.byHand(), r.nodes[1]
		first, second := session(0xa, 100, pulse.HoldsYes), session(0xb, 100, pulse.HoldsYes)
		h.speak(5*time.Second, first)
		var late [][]byte
		first.Flags |= pulse.Leaving
		first.Groups[0] = pulse.GroupClaim{Holds: pulse.HoldsNo, Phase: pulse.Ineligible, Term: 1}
		for range 5 {
			late = append(late, h.next(first)) // on their way for longer than the restart took
		}
		h.speak(5*time.Second, second)
		for _, frame := range late {
			h.deliver(frame)
			h.speak(100*time.Millisecond, second)
		}
		h.speak(3*time.Second, second)
		if s := bravo.d.Status(); bravo.owns() || s.Members[0].Presence != "heard" || s.Groups[0].Owner != "alpha" {
			t.Fatalf("a late goodbye was believed: %s", s.Headline)
		}
		r.wait(detection)
		if !bravo.owns() || bravo.cuts() != 1 {
			t.Fatalf("bravo owns: %v after %d cuts; it may own only after a cut", bravo.owns(), bravo.cuts())
		}
	})
}

func TestTwoPeersOfOneNameAreLeftToAPerson(t *testing.T) {
	inBubble(t, func(r *rig) {
		h, bravo := r.byHand(), r.nodes[1]
		owner, copied := session(0xa, 100, pulse.HoldsYes), session(0xb, 200, pulse.HoldsNo)
		h.speak(5*time.Second, owner)
		h.speak(20*time.Second, owner, copied)
		if bravo.owns() || bravo.cuts() != 0 {
			t.Fatal("the copy holds nothing, but the owner does")
		}
		bravo.mustRaiseOnce("twin alpha")
		r.wait(5 * time.Second)
		s := bravo.d.Status()
		if bravo.owns() || bravo.cuts() != 0 || s.Incident == nil || !strings.Contains(strings.Join(s.Incident.Question, " "), "two daemons") {
			t.Fatalf("nobody knows which of the two fell silent: %s %+v", s.Headline, s.Incident)
		}
	})
}
