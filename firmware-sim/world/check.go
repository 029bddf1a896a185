package world

import (
	"fmt"
	"strings"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// checker looks at the physical truth. What it demands is listed at [Kind].
type checker struct {
	excused bool
}

// Kind says which demand was not met.
type Kind uint8

// The demands.
const (
	// TwoRun: no two powered hosts run the same group, ever.
	TwoRun Kind = iota + 1
	// TwoHold: no two members hold the same group, unless a proof lied.
	TwoHold
	// StartUnheld: nothing starts on a member that does not hold it, and has not written that down.
	StartUnheld
	// CoilDisarmed: no coil edge while the member that drives it is disarmed.
	CoilDisarmed
	// CutUnwritten: no coil edge to cut before it is written in the run directory that the cut may be open.
	CutUnwritten
	// CutTooSoon: no cut before a daemon has run for the detection time of whom it cuts, unless a person or the target itself asks for it, or the
	// target is off already: a start, a reload or a restart never cuts.
	CutTooSoon
	// CutUnasked: no cut for a person who did not say so, or for a target that did not ask.
	CutUnasked
	// CutUnapproved: where a person is asked before a takeover, no cut for silence without an approval since the target was heard.
	CutUnapproved
	// CutDeaf: no cut for silence by a machine all of whose ports are gone, unless its configuration says so.
	CutDeaf
	// CutInMaintenance: no cut by a member in maintenance, unless a person asks.
	CutInMaintenance
	// CutNeedless: no cut of a living member whose pulses reach the machine of whoever cuts, read or not, unless it asks or a
	// person does.
	CutNeedless
)

// Fault is what must not be and was.
type Fault struct {
	At   time.Duration
	Kind Kind
	What string
}

// Error is one line.
func (f *Fault) Error() string { return fmt.Sprintf("world: at %v: %s", f.At, f.What) }

// Excuse lets two owners pass from now on, until it is called with false: a person lied, and the story is about what
// happens then.
func (w *World) Excuse(on bool) { w.check.excused = on }

func (w *World) fail(kind Kind, format string, a ...any) {
	if w.fault == nil {
		w.fault = &Fault{w.now, kind, fmt.Sprintf(format, a...)}
		w.tell("", "MUST NOT BE: "+w.fault.What)
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
			w.fail(TwoRun, "%s runs on %s at once", w.c.Groups[g].Name, strings.Join(w.Running(uint8(g)), " and "))
		}
		if holds > 1 {
			w.fail(TwoHold, "%s is held by %d members", w.c.Groups[g].Name, holds)
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
		d.w.fail(StartUnheld, "%s starts %s: it holds %s, and what it wrote says %v", d.h.name, d.w.group(g), d.state.Groups[g].Holds, held)
	}
}

func (d *daemon) checkEdge(r *relay, open bool, a failover.Action) {
	switch {
	case !d.state.Armed:
		d.w.fail(CoilDisarmed, "%s drives a coil towards %s while it is disarmed", d.h.name, d.w.member(r.target))
	case open && (d.h.run == nil || !d.h.run.Peers[r.target].Open):
		d.w.fail(CutUnwritten, "%s cuts %s, and has not written that the cut may be open", d.h.name, d.w.member(r.target))
	case open && a.Code == failover.CodeSilent && d.now()-drifted(d.began, d.w.c.Drift[d.h.me]) < d.detection(r.target):
		d.w.fail(CutTooSoon, "%s cuts %s %v after its daemon began", d.h.name, d.w.member(r.target), d.w.now-d.began)
	}
}

// word is what a person asked about a member.
type word struct {
	kind failover.CommandKind
	peer uint8
}

// deafTime is how long a daemon may take to learn that a port is gone.
const deafTime = time.Second

// approved says whether a person approved of something here since a member was heard, in this boot.
func (h *host) approved(p uint8) bool {
	return h.saidYes > 0 && (!h.heard[p].ever || h.saidYes >= h.heard[p].last-raceTime)
}

// checkCut is about the reason of a cut, when it is asked for. A person's word is good for one; a target asks, or did in a
// detection time before the newest frame of it that came here, or too few have come since to tell them from old ones.
func (d *daemon) checkCut(a *failover.Action) {
	said := word{failover.CmdFenceOff, a.Peer}
	switch a.Kind {
	case failover.OpenCuts:
		said.kind = failover.CmdConfirmOff
	case failover.Cut:
	default:
		return
	}
	target := d.w.real(a.Peer)
	begs := target.begged > 0 && (target.begged+d.cfg.DetectTime >= d.h.frames[a.Peer].sent || !d.h.calmly(a.Peer))
	switch why := d.signOf(target); {
	case a.Code == failover.CodePerson && !d.words[said]:
		d.w.fail(CutUnasked, "%s cuts %s for a person, and nobody said %s", d.h.name, target.name, said.kind)
	case a.Code == failover.CodeFenceMe && !begs:
		d.w.fail(CutUnasked, "%s cuts %s, which did not ask to be cut", d.h.name, target.name)
	case a.Code == failover.CodeSilent && d.cfg.Takeover == failover.Approve && !d.h.approved(a.Peer):
		d.w.fail(CutUnapproved, "%s cuts %s, and nobody approved since it was heard", d.h.name, target.name)
	case a.Code == failover.CodeSilent && !d.cfg.FenceWhenDeaf && d.h.portless && d.w.now-d.h.portlessAt > deafTime:
		d.w.fail(CutDeaf, "%s cuts %s, and has had no port for %v", d.h.name, target.name, d.w.now-d.h.portlessAt)
	case a.Code != failover.CodePerson && d.state.Maintenance:
		d.w.fail(CutInMaintenance, "%s cuts %s and is in maintenance", d.h.name, target.name)
	case a.Code == failover.CodeSilent && why != "":
		d.w.fail(CutNeedless, "%s cuts %s, %s", d.h.name, target.name, why)
	}
	delete(d.words, said)
}
