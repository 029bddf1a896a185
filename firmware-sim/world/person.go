package world

import (
	"slices"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
)

// Answer is what a daemon says to a command. Done says whether it has answered yet.
type Answer struct {
	Done bool
	OK   bool
	Code failover.Code // why it was refused
	At   time.Duration

	node  string
	asked failover.Command
	gen   uint32
	asks  time.Duration // when
}

// Accepted is a command that a daemon accepted.
type Accepted struct {
	At   time.Duration
	Node string
	Kind failover.CommandKind
}

// Command has a person ask something of the daemon of a node; the world has to run on for the answer. A node without a
// daemon, or a frozen one, never answers.
func (w *World) Command(node string, c failover.Command) *Answer {
	answer := &Answer{node: node, asked: c, asks: w.now}
	h := w.host(node)
	if h.daemon == nil {
		return answer
	}
	d := h.daemon
	d.nextCmd++
	c.ID = d.nextCmd
	d.commands[c.ID] = answer
	d.tell("a person: " + c.Kind.String())
	d.post(failover.Event{Kind: failover.Commanded, Command: c})
	return answer
}

// patience is how long a person's command waits for a daemon that hangs. It is not begun when nobody waits for it any more.
const patience = 2200 * time.Millisecond

func (d *daemon) forsaken(e *failover.Event) bool {
	if e.Kind != failover.Commanded {
		return false
	}
	answer := d.commands[e.Command.ID]
	if answer == nil || d.w.now-answer.asks <= patience {
		return false
	}
	delete(d.commands, e.Command.ID)
	d.tell("nobody waits for " + answer.asked.Kind.String() + " any more")
	return true
}

func (d *daemon) reply(a *failover.Action) {
	answer := d.commands[a.ID]
	if answer == nil {
		return
	}
	delete(d.commands, a.ID)
	if !a.OK {
		d.tell("refused: " + a.Code.String())
		answer.Code = a.Code
		answer.end(d.w, false)
		return
	}
	d.words[word{answer.asked.Kind, answer.asked.Peer}] = true
	if answer.asked.Kind == failover.CmdApprove {
		d.h.saidYes = d.w.now
	}
	if answer.gen = a.Gen; answer.gen == 0 {
		answer.end(d.w, true)
		return
	}
	d.waiting = append(d.waiting, answer)
	d.checkWaiting()
}

// checkWaiting answers the commands whose effect is kept now, or cannot be.
func (d *daemon) checkWaiting() {
	d.waiting = slices.DeleteFunc(d.waiting, func(a *Answer) bool {
		switch {
		case d.state.KeptGen >= a.gen:
			a.end(d.w, true)
		case d.state.KeepBad:
			a.Code = failover.NoteKeepFailed
			a.end(d.w, false)
		default:
			return false
		}
		return true
	})
}

func (a *Answer) end(w *World, ok bool) {
	a.Done, a.OK, a.At = true, ok, w.now
	if ok {
		w.yes = append(w.yes, Accepted{w.now, a.node, a.asked.Kind})
	}
}
