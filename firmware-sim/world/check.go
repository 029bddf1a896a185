package world

import (
	"fmt"
	"strings"

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
//     is off already: a start, a reload or a restart never cuts.
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

// look checks what can be seen at any moment.
func (w *World) look() {
	if w.check.excused {
		return
	}
	for g := range w.c.Groups {
		runs, holds := 0, 0
		for _, h := range w.hosts {
			if h.powered && h.services[g].runs {
				runs++
			}
			if h.daemon != nil && h.daemon.state.Groups[g].Holds == pulse.HoldsYes {
				holds++
			}
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
