package link

import (
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// writer writes to one open port, a frame at a step.
type writer struct {
	port  *port
	out   *outbox
	clock Clock
	baud  int
	stall time.Duration // after which what the driver has is thrown away

	busy  time.Duration // since when the line takes nothing
	stuck bool          // it takes nothing
	frame [pulse.MaxFrame]byte
	line  []byte
}

func newWriter(p *port, out *outbox, clock Clock, baud int) *writer {
	return &writer{
		port:  p,
		out:   out,
		clock: clock,
		baud:  baud,
		stall: stallAfter(baud),
		line:  make([]byte, 0, pulse.LineBytes(pulse.MaxGroups)),
	}
}

// lineTime is how long n bytes take on the line: ten bits each.
func lineTime(n, baud int) time.Duration {
	return time.Duration(n) * 10 * time.Second / time.Duration(baud)
}

// stallAfter is how long a line may take nothing. Two of the largest frames pass in that time with room to spare.
func stallAfter(baud int) time.Duration {
	return 250*time.Millisecond + lineTime(2*pulse.LineBytes(pulse.MaxGroups), baud)
}

// step writes one frame if one is due and the driver has sent the one before: a second pulse behind a stuck first
// would be old when it leaves. It is the step of a [pump].
func (w *writer) step() (wait time.Duration, err error) {
	now := w.clock()
	if wait := w.out.due(now); wait != 0 {
		return wait, nil
	}
	if n, full := w.port.ctl.backlog(); n > 0 || full {
		if !w.stuck {
			w.busy, w.stuck = now, true
		} else if now-w.busy > w.stall {
			w.out.tally.stalls.Add(1)
			w.port.ctl.flush()
			w.busy = now
		}
		return min(max(lineTime(n, w.baud), time.Millisecond), askAgain), nil
	}
	w.stuck = false
	frame, _, kind := w.out.take(now, w.frame[:])
	if frame == nil {
		return 0, nil
	}
	w.line = pulse.AppendLine(w.line[:0], frame)
	n, err := w.port.write(w.line)
	switch {
	case err != nil:
	case n < len(w.line):
		// The driver said that it had room. What is cut short is noise at the other end, and the next delimiter ends it.
		w.out.tally.dropped.Add(1)
	default:
		w.out.count(kind, n)
	}
	return 0, err
}

// askAgain is the longest that a line which takes nothing is left alone.
const askAgain = 50 * time.Millisecond
