package daemon

import "github.com/serialhb/serialhb/serialhb/control"

// SkipTo lets the session begin at a high sequence, so that a test need not send millions of pulses.
func (d *Daemon) SkipTo(seq uint32) { d.state.Seq = seq }

// Hang holds up the loop until the returned function is called.
func (d *Daemon) Hang() (goOn func()) {
	answer := make(chan control.Status)
	d.asks <- ask{status: answer}
	return func() { <-answer }
}
