package daemon

// SkipTo lets the session begin at a high sequence, so that a test need not send millions of pulses.
func (d *Daemon) SkipTo(seq uint32) { d.state.Seq = seq }

// Hang makes a turn that lasts until the returned function is called.
func (d *Daemon) Hang() (goOn func()) {
	d.enter(nil)
	return d.leave
}

// RecordWait is how long an action waits for its line.
const RecordWait = recordWait
