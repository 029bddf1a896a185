package world

import (
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// What people do to a daemon that goes on.

// Upgrade puts a program on a node that speaks a later protocol version too, or takes it off again. A daemon is of it from its
// next start on.
func (w *World) Upgrade(node string, on bool) { w.host(node).file.later = on }

// reloadAgain is how long somebody waits before asking again for what was refused.
const reloadAgain = 5 * time.Second

// Reloads is somebody who has the configuration of a node read again, and asks until it was: a key may have to be listed first,
// and a hung node answers when it goes on. A daemon that does not run reads it when it starts.
func (w *World) Reloads(node string) {
	h := w.host(node)
	if h.daemon == nil || w.Reload(node) == "" {
		return
	}
	run := h.daemon
	h.later(reloadAgain, func() {
		if !run.dead {
			w.Reloads(node)
		}
	})
}

// hoursLeft is how many pulses a session has left when it begins to look for a quiet moment to renew itself.
const hoursLeft = 1 << 20

// SpendPulses is what years of pulses do to the session of a node: it has to begin another one.
func (w *World) SpendPulses(node string) {
	if d := w.host(node).daemon; d != nil {
		d.tell("has sent nearly all pulses of its session")
		d.state.Seq = max(d.state.Seq, pulse.MaxSeq-hoursLeft)
	}
}

// SpendRequests leaves the session of a node one request for each group.
func (w *World) SpendRequests(node string) {
	if d := w.host(node).daemon; d != nil {
		d.tell("has made nearly all requests of its session")
		for g := range d.cfg.G {
			grp := &d.state.Groups[g]
			grp.LastRequest = max(grp.LastRequest, pulse.MaxRequest-1)
		}
	}
}
