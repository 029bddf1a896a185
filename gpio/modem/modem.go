// Package modem is the gpio backend for the RTS and DTR lines of a serial port that is not a link. There is no relay
// interface cheaper, and none that needs more care: see [Backend.Trust].
//
// A line is named DEVICE/rts or DEVICE/dtr. High is the positive voltage, which is the line asserted.
package modem

import (
	"errors"
	"fmt"
	"path"
	"sync"

	"github.com/serialhb/serialhb/gpio"
	"golang.org/x/sys/unix"
)

// Backend opens the modem lines of serial ports. Both lines of a port share one descriptor, which no other program can
// open while it is held. Its methods may be called from several goroutines.
type Backend struct {
	dial func(device string) (port, error)

	mu    sync.Mutex
	ports map[string]*shared
}

// New returns the backend for the serial ports of this machine. It opens nothing yet.
func New() *Backend { return newBackend(openPort) }

func newBackend(dial func(string) (port, error)) *Backend {
	return &Backend{dial: dial, ports: map[string]*shared{}}
}

// port is what this package asks of a serial port; bits are of unix.TIOCM_RTS and unix.TIOCM_DTR.
type port interface {
	get() (int, error)
	raise(bits int) error
	lower(bits int) error
	// prepared says whether the port was set up by prepare before it was opened.
	prepared() (bool, error)
	// prepare makes opening and closing the port leave its lines alone from now on. It lowers both lines.
	prepare() error
	close() error
}

type shared struct {
	port
	held map[int]bool
}

// Trust implements [gpio.Doubter]. The kernel raises both lines when it opens a port for the first time after a boot or
// a plugging-in, before any program can prevent it.
func (b *Backend) Trust(name string) error {
	return fmt.Errorf("modem: %s rises for a moment when its port is first opened after a boot: only hardware that answers a level held for 0.5 s or more may hang on it", name)
}

// OpenInput implements [gpio.Backend]: it always refuses.
func (b *Backend) OpenInput(name string, _ gpio.Bias) (gpio.Input, error) {
	return nil, fmt.Errorf("modem: open %s: RTS and DTR are outputs: connect the sense to a cdev line", name)
}

// OpenOutput implements [gpio.Backend].
//
// The first open of a port after a boot raises both lines; they are lowered at once and the port is set up so that
// later opens and closes leave them alone. Adopting such a line therefore means low, which it was before the open.
func (b *Backend) OpenOutput(name string, initial gpio.Initial) (gpio.Output, error) {
	device, bit, err := parse(name)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.ports[device]
	if s == nil {
		p, err := b.dial(device)
		if err != nil {
			return nil, fmt.Errorf("modem: open %s: %w", name, err)
		}
		if err := settle(p); err != nil {
			return nil, fmt.Errorf("modem: open %s: %w", name, errors.Join(classify(err), p.close()))
		}
		s = &shared{port: p, held: map[int]bool{}}
		b.ports[device] = s
	}
	if s.held[bit] {
		if _, err := s.get(); err != nil {
			return nil, fmt.Errorf("modem: open %s: %w", name, classify(err))
		}
		return nil, fmt.Errorf("modem: open %s: %w by this program already", name, gpio.ErrBusy)
	}
	s.held[bit] = true
	l := &line{backend: b, device: device, name: name, port: s, bit: bit}
	if initial != gpio.Adopt {
		err = l.drive(initial == gpio.High)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("modem: open %s: %w", name, err), l.release())
	}
	return l, nil
}

func settle(p port) error {
	ready, err := p.prepared()
	if err != nil || ready {
		return err
	}
	// Lowered first: setting the port up takes longer than this, and the lines are up since the open.
	if err := p.lower(unix.TIOCM_RTS | unix.TIOCM_DTR); err != nil {
		return err
	}
	return p.prepare()
}

func parse(name string) (device string, bit int, err error) {
	device, which := path.Split(name)
	switch which {
	case "rts":
		bit = unix.TIOCM_RTS
	case "dtr":
		bit = unix.TIOCM_DTR
	default:
		return "", 0, fmt.Errorf("modem: open %s: name the line as DEVICE/rts or DEVICE/dtr", name)
	}
	return path.Clean(device), bit, nil
}

// classify marks the errors after which a port never works again; EIO is what a port answers once it was unplugged.
func classify(err error) error {
	if errors.Is(err, unix.EIO) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("%w: %w", gpio.ErrGone, err)
	}
	return err
}

type line struct {
	backend *Backend
	device  string
	name    string
	port    *shared
	bit     int
	closed  bool
}

var errClosed = errors.New("the line was closed")

func (l *line) Set(level bool) error {
	l.backend.mu.Lock()
	defer l.backend.mu.Unlock()
	err := errClosed
	if !l.closed {
		err = l.drive(level)
	}
	if err != nil {
		return fmt.Errorf("modem: set %s: %w", l.name, err)
	}
	return nil
}

func (l *line) Get() (bool, error) {
	l.backend.mu.Lock()
	defer l.backend.mu.Unlock()
	if l.closed {
		return false, fmt.Errorf("modem: get %s: %w", l.name, errClosed)
	}
	bits, err := l.port.get()
	if err != nil {
		return false, fmt.Errorf("modem: get %s: %w", l.name, classify(err))
	}
	return bits&l.bit != 0, nil
}

// Close closes the port with the last line of it. The level stays.
func (l *line) Close() error {
	l.backend.mu.Lock()
	defer l.backend.mu.Unlock()
	if l.closed {
		return fmt.Errorf("modem: close %s: %w", l.name, errClosed)
	}
	if err := l.release(); err != nil {
		return fmt.Errorf("modem: close %s: %w", l.name, err)
	}
	return nil
}

func (l *line) release() error {
	l.closed = true
	delete(l.port.held, l.bit)
	if len(l.port.held) > 0 {
		return nil
	}
	delete(l.backend.ports, l.device)
	return l.port.close()
}

// drive changes one bit in one call: a read, a change and a write could undo what the other line did meanwhile.
func (l *line) drive(level bool) error {
	if level {
		return classify(l.port.raise(l.bit))
	}
	return classify(l.port.lower(l.bit))
}
