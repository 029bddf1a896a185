package link

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// SerialConfig says what a serial link is.
type SerialConfig struct {
	Index  int    // names the link to the sink
	Name   string // for people
	Device string // a stable name of the tty, as udev makes it
	Baud   int    // bits per second, 8N1
	Keys   *pulse.Keyring
	Sink   Sink
	Clock  Clock
	// ReopenEvery is how often a lost device is tried; 0 is 250 ms.
	ReopenEvery time.Duration
	// SideBytesPerSecond is the budget of side frames; 0 is a tenth of the line.
	SideBytesPerSecond int
	// Sys is where sysfs is mounted; empty is /sys.
	Sys string
}

// joinWithin bounds how long [Serial.Run] waits for a driver that does not let go.
const joinWithin = 2 * time.Second

// Serial is a link over a serial cable. The cable has one other end: the member that a frame is for names no way, only
// the place where it waits.
type Serial struct {
	cfg  SerialConfig
	open func() (*port, error)
	recv *Receiver
	sending
	ctl     atomic.Pointer[control] // of the open port, nil is none
	reopens atomic.Uint64

	decoder pulse.Decoder
	buf     [1024]byte
	usual   int          // bytes of the last frame on the line, without its first delimiter
	bounded bool         // the reader does not wait for ever
	inHand  atomic.Int64 // bytes that were read and not handed on
}

var _ Link = (*Serial)(nil)

// NewSerial makes a serial link. It opens nothing before [Serial.Run]. It refuses a configuration without device,
// baud rate, keys, sink or clock.
func NewSerial(c SerialConfig) (*Serial, error) {
	switch {
	case c.Device == "":
		return nil, fmt.Errorf("link: make serial link %q: no device; name one", c.Name)
	case c.Baud <= 0:
		return nil, fmt.Errorf("link: make serial link %q: baud rate %d; give a positive one", c.Name, c.Baud)
	case c.Keys == nil || c.Sink == nil || c.Clock == nil:
		return nil, fmt.Errorf("link: make serial link %q: keys, sink and clock are all needed", c.Name)
	}
	if c.ReopenEvery <= 0 {
		c.ReopenEvery = defaultReopen
	}
	if c.SideBytesPerSecond <= 0 {
		c.SideBytesPerSecond = max(1, c.Baud/10/10)
	}
	if c.Sys == "" {
		c.Sys = "/sys"
	}
	const overhead = 3 // two delimiters and one byte of stuffing
	o := &opener{device: c.Device, baud: c.Baud, sys: c.Sys, proc: "/proc"}
	return &Serial{
		cfg:     c,
		open:    o.open,
		recv:    NewReceiver(c.Index, c.Keys, c.Sink),
		sending: sending{out: newOutbox(c.SideBytesPerSecond, overhead, stallAfter(c.Baud)), clock: c.Clock},
	}, nil
}

// Name is the link's name.
func (l *Serial) Name() string { return l.cfg.Name }

// SetKeys implements [Link].
func (l *Serial) SetKeys(k *pulse.Keyring) { l.recv.SetKeys(k) }

// Pending implements [Link].
func (l *Serial) Pending() int {
	n := int(l.inHand.Load())
	if c := l.ctl.Load(); c != nil {
		n += c.pending()
	}
	return n
}

// Counters implements [Link].
func (l *Serial) Counters() Counters {
	c := Counters{Out: l.out.tally.snapshot(), In: l.recv.Counters(), Reopens: l.reopens.Load()}
	if ctl := l.ctl.Load(); ctl != nil {
		c.Line = ctl.lineErrors()
	}
	return c
}

// Run implements [Link]. It returns within two seconds after ctx is done, usually within a tenth. If a driver holds a
// goroutine for longer than that, Run leaves it behind with its descriptors, which it closes when the driver lets it
// go, and says so; the sink hears nothing more.
func (l *Serial) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- l.keep(ctx) }()
	<-ctx.Done()
	timer := time.NewTimer(joinWithin)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		l.recv.Close()
		return fmt.Errorf("link: close %s: its driver has not let go for %s; unplug the adapter, or restart the host", l.cfg.Device, joinWithin)
	}
}

// keep opens the port again and again until ctx is done. All calls of the sink come from here.
func (l *Serial) keep(ctx context.Context) error {
	opened := false
	for ctx.Err() == nil {
		p, err := l.open()
		if err == nil {
			if opened {
				l.reopens.Add(1)
			}
			opened = true
			lost, closing := l.serve(ctx, p)
			if ctx.Err() != nil {
				return closing
			}
			err = errors.Join(lost, closing)
		}
		l.down(err)
		pause(ctx, l.cfg.ReopenEvery)
	}
	return nil
}

func (l *Serial) down(err error) {
	l.recv.Change(l.cfg.Clock(), Status{Reason: err.Error(), DeviceLost: true})
}

// serve works on one open port until ctx is done or the device is lost, and closes it.
func (l *Serial) serve(ctx context.Context, p *port) (lost, closing error) {
	l.out.dropPulses()
	l.ctl.Store(p.ctl)
	failed := make(chan error, 1)
	out := newPump(newWriter(p, l.out, l.cfg.Clock, l.cfg.Baud).step, func(err error) {
		l.out.tally.errors.Add(1)
		failed <- err
		p.wake()
	})
	l.pump.Store(out)
	l.recv.Change(l.cfg.Clock(), Status{Up: true}) // whoever hears it may send
	out.push()
	stop := context.AfterFunc(ctx, p.wake)
	lost = l.read(ctx, p, failed)
	stop()
	if lost != nil {
		// Told before the close, which may take the driver long.
		l.down(lost)
	}
	l.pump.Store(nil)
	out.end()
	l.ctl.Store(nil)
	if lost != nil {
		closing = p.discard()
	} else {
		closing = p.finish(stallAfter(l.cfg.Baud))
	}
	if closing != nil {
		closing = fmt.Errorf("link: close %s: %w; look for the adapter's trouble in the kernel log", l.cfg.Device, closing)
	}
	return lost, closing
}

// read takes what comes until ctx is done, which is no error, or the port fails.
func (l *Serial) read(ctx context.Context, p *port, failed <-chan error) error {
	l.decoder = pulse.Decoder{}
	for ctx.Err() == nil {
		n, err := p.read(l.buf[:])
		at := l.cfg.Clock()
		if err != nil {
			l.recv.tally.errors.Add(1)
			return lost(l.cfg.Device, err)
		}
		l.take(at, l.buf[:n])
		select {
		case err := <-failed:
			return lost(l.cfg.Device, err)
		default:
		}
		if rest := l.onTheWire(); rest > 0 {
			p.sleep(rest)
		}
		l.hearOut(p)
	}
	return nil
}

// hearOut sees to it that the last noise of a burst is told although nothing comes after it.
func (l *Serial) hearOut(p *port) {
	untold := l.recv.Untold()
	switch {
	case untold:
		p.patience(noiseEvery)
	case l.bounded:
		p.patience(0)
	}
	l.bounded = untold
}

// A UART hands over a frame in half a dozen pieces. Waking for each costs far more than all that is done with the frame.
const (
	restLeast = 200 * time.Microsecond
	restMost  = 10 * time.Millisecond
)

// onTheWire is how long the rest of a frame that has begun will still take, going by the size of the last one; 0 is not
// worth a sleep. It is never longer than the wire needs, so it delays nothing but what is shorter than usual, and that by
// restMost at most.
func (l *Serial) onTheWire() time.Duration {
	begun := l.decoder.Begun()
	if begun == 0 || begun >= l.usual {
		return 0
	}
	if rest := lineTime(l.usual-begun, l.cfg.Baud); rest >= restLeast {
		return min(rest, restMost)
	}
	return 0
}

// take finds the frames in bytes that were read at that time.
func (l *Serial) take(at time.Duration, b []byte) {
	l.recv.Bytes(len(b))
	before := l.decoder.Counters
	for len(b) > 0 {
		var frame []byte
		frame, b = l.decoder.Next(b)
		l.inHand.Store(int64(len(b)))
		if frame != nil {
			l.usual = len(frame) + 2 // one byte of stuffing, and the delimiter behind it
			l.recv.Frame(at, frame)
		}
	}
	l.recv.tally.resyncs.Add(l.decoder.Counters.Resyncs - before.Resyncs)
	l.recv.Noise(at, int(l.decoder.Counters.NoiseBytes-before.NoiseBytes))
}
