package daemon

import (
	"github.com/serialhb/serialhb/serialhb/failover"
)

// step hands one event to the decision and has its actions carried out. Events that arise on the way wait their turn.
// After the exit nothing is decided or sent any more: a pulse too many would say what was not decided.
func (d *Daemon) step(e failover.Event) {
	if d.exited {
		return
	}
	d.actions = d.state.Apply(&d.o.Decision, e, d.actions[:0])
	for i := range d.actions {
		d.act(&d.actions[i])
	}
	if e.Kind == failover.Kept {
		d.checkWaiting()
	}
	for len(d.queue) > 0 {
		next := d.queue[0]
		d.queue = d.queue[1:]
		d.step(next)
	}
}

// act carries out one action, or gives it to the worker that will.
func (d *Daemon) act(a *failover.Action) {
	switch a.Kind {
	case failover.Send:
		d.sendPulses()
	case failover.Alive:
		if d.current != nil {
			d.watch.Life(d.heardAt, a.Link, a.Peer, d.current)
		}
	case failover.Save:
		d.saver.put(a.Gen, d.state.Volatile())
	case failover.Keep:
		d.keeper.put(a.Gen, d.state.Durable())
	case failover.SetTimer:
		d.setTimer(a)
	case failover.StopTimer:
		d.stopTimer(a.Timer)
	case failover.Probe, failover.Start, failover.Stop:
		if !d.groups[a.Group].do(*a, d.evidence(a)) {
			d.failed(a)
		}
	case failover.Adopt:
		d.book.put(*d.evidence(a)) // nothing is moved by it, so the turn does not wait for it
		d.adopted(a.Group)
	case failover.Cut, failover.Secure, failover.OpenCuts, failover.Restore:
		d.drive(a)
	case failover.Reply:
		d.reply(a)
	case failover.Note:
		d.noted(a)
	case failover.Renew:
		d.queue = append(d.queue, failover.Event{Kind: failover.NewSession, Session: randomSession()})
	case failover.Exit:
		d.exit, d.exited = a.Arg, true
		if a.Arg == failover.ExitLeft {
			d.sendPulses() // the goodbye once more
		}
	}
}

// drive gives a relay action to the peer's power. Where there is none it has failed; only a person's word needs none.
func (d *Daemon) drive(a *failover.Action) {
	w := d.powers[a.Peer]
	switch {
	case w == nil && a.Kind == failover.OpenCuts:
		d.queue = append(d.queue, failover.Event{Kind: failover.CutsOpened, ID: a.ID, Peer: a.Peer, OK: true})
	case w == nil || !w.do(*a, d.evidence(a), d.beside(a)):
		d.failed(a)
	}
}

// completions is how the end of an action comes back to the decision.
var completions = map[failover.ActionKind]failover.EventKind{
	failover.Probe: failover.Probed, failover.Start: failover.StartDone, failover.Stop: failover.StopDone,
	failover.Cut: failover.FenceDone, failover.Secure: failover.FenceDone, failover.OpenCuts: failover.CutsOpened, failover.Restore: failover.RestoreDone,
}

// failed completes an action that no worker takes: none is there, or so many wait before it that one of them is stuck.
// A turn waits for nobody.
func (d *Daemon) failed(a *failover.Action) {
	d.queue = append(d.queue, failover.Event{Kind: completions[a.Kind], ID: a.ID, Peer: a.Peer, Group: a.Group})
}

func (d *Daemon) setTimer(a *failover.Action) {
	d.stopTimer(a.Timer)
	d.timers = append(d.timers, timer{a.Timer, d.o.Clock() + a.After})
}

func (d *Daemon) stopTimer(id failover.Timer) {
	for i := range d.timers {
		if d.timers[i].id == id {
			d.timers = append(d.timers[:i], d.timers[i+1:]...)
			return
		}
	}
}
