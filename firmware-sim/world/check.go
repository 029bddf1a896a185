package world

import (
	"fmt"
	"strings"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// checker looks at the physical truth. What it demands:
//
//   - no two powered hosts run the same group, ever;
//   - no two members hold the same group, unless a proof lied;
//   - nothing starts on a member that does not hold it, and has not written that down;
//   - no coil edge while the member that drives it is disarmed;
//   - no coil edge to cut before it is written in the run directory that the cut may be open;
//   - no cut before a daemon has run for a detection time, unless a person or the target itself asks for it, or the target
//     is off already: a start, a reload or a restart never cuts;
//   - no cut of a living member whose pulses reach the machine of whoever cuts, read or not, unless it asks or a person does.
type checker struct {
	excused bool
}

// Excuse lets two owners pass from now on, until it is called with false: a person lied, and the story is about what
// happens then.
func (w *World) Excuse(on bool) { w.check.excused = on }

func (w *World) fail(format string, a ...any) {
	if w.fault == nil {
		w.fault = fmt.Errorf("world: at %v: %s", w.now, fmt.Sprintf(format, a...))
		w.tell("", "MUST NOT BE: "+fmt.Sprintf(format, a...))
	}
}

// signs are the signs of life of one member that reached a machine: the last one, and since when they come without a break of
// half a detection time.
type signs struct {
	ever        bool
	last, since time.Duration
	sent        time.Duration // when the newest of them was sent: what is overtaken is no life
}

// hears notes that a whole frame of a member reached the devices of a machine, whether its daemon reads it or not. What
// counts is that both know the sessions of each other: else it may be a stranger's.
func (h *host) hears(from *host, sent time.Duration) {
	d, o := h.daemon, from.daemon
	if d == nil || o == nil || from.clone || h.clone || d.state.Peers[from.me].In.Session != o.state.Session || o.state.Peers[h.me].In.Session != d.state.Session ||
		d.keys.IDs()[0] != o.keys.IDs()[0] {
		return
	}
	s := &h.signs[from.me]
	if s.ever && sent <= s.sent {
		return
	}
	s.sent = sent
	if !s.ever || h.w.now-s.last > d.cfg.DetectTime/2 {
		s.since = h.w.now
	}
	s.ever, s.last = true, h.w.now
}

// raceTime is how long a sign of life may have been there when the coil was asked for, and come too late all the same.
const raceTime = 50 * time.Millisecond

// checkCut is about a cut that nobody asked for, when it is asked for.
func (d *daemon) checkCut(a *failover.Action) {
	s := d.h.signs[a.Peer]
	target := d.w.real(a.Peer)
	lives := s.ever && target.powered && !target.frozen && target.daemon != nil
	if a.Code == failover.CodeSilent && lives && d.w.now-s.last < d.cfg.DetectTime*9/10 && d.w.now-s.since > raceTime {
		d.w.fail("%s cuts %s, whose last pulse reached it %v before, and the one before not long before that", d.h.name, target.name, d.w.now-s.last)
	}
}

// look checks what can be seen at any moment.
func (w *World) look() {
	for g := range w.c.Groups {
		runs, holds := 0, 0
		var on *host
		for _, h := range w.hosts {
			if h.powered && h.services[g].runs {
				runs++
				on = h
			}
			if h.daemon != nil && h.daemon.state.Groups[g].Holds == pulse.HoldsYes {
				holds++
			}
		}
		w.follow(uint8(g), on)
		if w.check.excused {
			continue
		}
		if runs > 1 {
			w.fail("%s runs on %s at once", w.c.Groups[g].Name, strings.Join(w.Running(uint8(g)), " and "))
		}
		if holds > 1 {
			w.fail("%s is held by %d members", w.c.Groups[g].Name, holds)
		}
	}
}

// Running are the powered hosts on which a group runs.
func (w *World) Running(g uint8) (nodes []string) {
	for _, h := range w.hosts {
		if h.powered && h.services[g].runs {
			nodes = append(nodes, h.name)
		}
	}
	return nodes
}

func (d *daemon) checkStart(g uint8) {
	held := d.h.run != nil && d.h.run.Groups[g].Held
	if d.state.Groups[g].Holds != pulse.HoldsYes || !held {
		d.w.fail("%s starts %s: it holds %s, and what it wrote says %v", d.h.name, d.w.group(g), d.state.Groups[g].Holds, held)
	}
}

func (d *daemon) checkEdge(r *relay, open bool, a failover.Action) {
	switch {
	case !d.state.Armed:
		d.w.fail("%s drives a coil towards %s while it is disarmed", d.h.name, d.w.member(r.target))
	case open && (d.h.run == nil || !d.h.run.Peers[r.target].Open):
		d.w.fail("%s cuts %s, and has not written that the cut may be open", d.h.name, d.w.member(r.target))
	case open && a.Code == failover.CodeSilent && d.w.now-d.began < d.cfg.DetectTime:
		d.w.fail("%s cuts %s %v after its daemon began", d.h.name, d.w.member(r.target), d.w.now-d.began)
	}
}
