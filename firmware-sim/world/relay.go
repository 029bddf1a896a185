package world

import (
	"time"

	"github.com/serialhb/serialhb/fencing"
)

// relay is one relay of a member's board, in the feed of one supply of another member. The coil is energised to cut, so
// a board without a driver lets the current pass.
type relay struct {
	owner  *host
	target uint8
	level  int // 0 or 1
	supply int
	plan   fencing.Plan

	driven      fencing.Feed // what the output's line is set to
	contactOpen bool         // the physical truth
	edges       uint32       // so that a slow contact follows the last one only
	welded      bool
	dead        bool // the line cannot be driven: every act is an error
	slow        time.Duration
}

// contactTime is what a sound relay takes.
const contactTime = 8 * time.Millisecond

// wire builds what a member has to cut another one.
func (h *host) wire(target uint8) {
	p := &h.w.c.Power[target]
	for s := range p.Supplies {
		h.senses[target] = append(h.senses[target], &sense{w: h.w, by: h, target: target, supply: s, kind: p.Sense})
	}
	if p.Uncut {
		return
	}
	for s := range p.Supplies {
		h.boards[target] = append(h.boards[target], &relay{owner: h, target: target, supply: s, driven: fencing.FeedClosed,
			plan: plan(fencing.Plan{HasSense: p.Sense != NoSense, FailSafe: p.Sense == FailSafeSense, AllowAssumed: p.Assume})})
	}
	if !p.Level2 {
		return
	}
	for s := range p.Supplies {
		h.boards[target] = append(h.boards[target], &relay{owner: h, target: target, level: 1, supply: s, driven: fencing.FeedClosed,
			plan: plan(fencing.Plan{HasMirror: true})})
	}
}

// plan fills in the times as the configuration of a relay does.
func plan(p fencing.Plan) fencing.Plan {
	p.Settle, p.Sample, p.Window = fencing.DefaultSettle, fencing.DefaultSample, fencing.DefaultWindow
	p.HoldUp, p.HoldOff = fencing.DefaultHoldUp, fencing.DefaultHoldOff
	p.Verify = p.Settle + p.Window + max(p.HoldUp, p.HoldOff) + 2*time.Second
	return p
}

// drive sets the line of the coil. The contact follows after its time, if it can.
func (r *relay) drive(f fencing.Feed) bool {
	if r.dead {
		return false
	}
	if r.driven == f {
		return true
	}
	r.set(f)
	return true
}

// set changes the line, by the driver or by its death.
func (r *relay) set(f fencing.Feed) {
	w := r.owner.w
	r.driven = f
	r.edges++
	edges := r.edges
	took := contactTime
	if f == fencing.FeedOpen {
		took += r.slow
	}
	w.after(took, func() {
		if r.edges == edges {
			r.follow()
		}
	})
}

// follow lets the contact do what the coil says, unless it is welded shut.
func (r *relay) follow() {
	open := r.driven == fencing.FeedOpen && !r.welded
	if open == r.contactOpen {
		return
	}
	r.contactOpen = open
	r.owner.w.real(r.target).settlePower()
}

// read is a sample of all that the device has.
func (r *relay) read() fencing.Reading {
	in := fencing.Reading{Coil: r.driven}
	if r.dead {
		in.Coil = fencing.FeedUnknown
	}
	if r.plan.HasSense {
		in.Sense = r.owner.senses[r.target][r.supply].read()
	}
	if r.plan.HasMirror {
		in.Mirror = fencing.FeedClosed
		if r.contactOpen {
			in.Mirror = fencing.FeedOpen
		}
	}
	return in
}

// releaseCoils is what happens to the outputs of a process that died, or of a board without power.
func (h *host) releaseCoils() {
	for _, board := range h.boards {
		for _, r := range board {
			if r.driven == fencing.FeedOpen {
				h.tell("its relay towards " + h.w.member(r.target) + " is released")
				r.set(fencing.FeedClosed)
			}
		}
	}
}
