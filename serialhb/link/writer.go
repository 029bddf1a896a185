package link

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
	"golang.org/x/sys/unix"
)

// writer alone writes to one open port, until it is told to quit.
type writer struct {
	port  *port
	out   *outbox
	clock Clock
	baud  int
	stall time.Duration // after which what the driver has is thrown away

	quit   chan struct{}
	done   chan struct{}
	failed chan error // the error that ended it, if one did

	inWrite atomic.Int64 // since when the driver has held us in a write, in ns of the clock; 0 is not at all
	busy    time.Duration
	busyFor bool
	frame   [pulse.MaxFrame]byte
	line    []byte
}

func newWriter(p *port, out *outbox, clock Clock, baud int) *writer {
	return &writer{
		port:   p,
		out:    out,
		clock:  clock,
		baud:   baud,
		stall:  stallAfter(baud),
		quit:   make(chan struct{}),
		done:   make(chan struct{}),
		failed: make(chan error, 1),
		line:   make([]byte, 0, pulse.LineBytes(pulse.MaxGroups)),
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

func (w *writer) run() {
	defer close(w.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-w.quit:
			return
		default:
		}
		wait, err := w.step()
		if err != nil {
			w.out.tally.errors.Add(1)
			w.failed <- err
			return
		}
		if wait == 0 {
			continue
		}
		timer.Stop()
		if wait > 0 {
			timer.Reset(wait)
		}
		select {
		case <-w.quit:
			return
		case <-w.out.wake:
		case <-timer.C:
		}
	}
}

// step writes one frame if one is due and the driver has sent the one before: a second pulse behind a stuck first
// would be old when it leaves. It says how long to wait for the next; less than 0 is until a frame is put.
func (w *writer) step() (wait time.Duration, err error) {
	now := w.clock()
	if wait := w.out.due(now); wait != 0 {
		return wait, nil
	}
	if n, full := w.port.ctl.backlog(); n > 0 || full {
		if !w.busyFor {
			w.busy, w.busyFor = now, true
		} else if now-w.busy > w.stall {
			w.out.tally.stalls.Add(1)
			w.port.ctl.unblock()
			w.busy = now
		}
		return min(max(lineTime(n, w.baud), time.Millisecond), readWait), nil
	}
	w.busyFor = false
	frame, _, kind := w.out.take(now, w.frame[:])
	if frame == nil {
		return 0, nil
	}
	w.line = pulse.AppendLine(w.line[:0], frame)
	w.inWrite.Store(max(1, int64(now)))
	err = writeAll(w.port.line, w.line)
	w.inWrite.Store(0)
	if err == nil {
		w.out.count(kind, len(w.line))
	}
	return 0, err
}

func writeAll(to io.Writer, b []byte) error {
	for len(b) > 0 {
		n, err := to.Write(b)
		b = b[n:]
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case n == 0:
			return io.ErrNoProgress
		}
	}
	return nil
}

// watch frees the writer if the driver has held it for too long. The reader calls it at least every readWait.
func (w *writer) watch(now time.Duration) {
	since := w.inWrite.Load()
	if since == 0 || now-time.Duration(since) <= w.stall {
		return
	}
	if w.inWrite.CompareAndSwap(since, max(1, int64(now))) {
		w.out.tally.stalls.Add(1)
		w.port.ctl.unblock()
	}
}

// end tells the writer to quit and returns when it has. A write that the driver holds is freed again and again, for
// more may be waiting behind what a flush let through.
func (w *writer) end() {
	close(w.quit)
	for {
		select {
		case <-w.done:
			return
		case <-time.After(readWait):
			w.port.ctl.unblock()
		}
	}
}
