// Package periph is the gpio backend for boards whose pins come from a driver of periph.io/x/host of their own: the
// memory-mapped pins of Broadcom and Allwinner processors, and pins that another periph.io driver registers.
//
// Pins that periph.io reaches through the kernel are refused: its character-device driver drives low before it drives
// high, turns an output into an input when it is read, and reads low when it fails; its sysfs driver reads low when it
// fails. The cdev backend reaches the same lines without these faults.
//
// Every pin of this backend is doubted, see [Backend.Trust].
package periph

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/serialhb/serialhb/gpio"
	pgpio "periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/pin"
)

// Backend opens pins by the names and aliases of periph.io's registry. Its methods may be called from several
// goroutines.
type Backend struct {
	byName func(string) pgpio.PinIO

	mu   sync.Mutex
	held map[string]bool // by the name of the real pin
}

// New starts the drivers of periph.io, once per process, and returns the backend. Call it early, before other
// goroutines open files: a driver is known to close descriptor 0, which New puts back.
func New() (*Backend, error) {
	if err := startDrivers(); err != nil {
		return nil, fmt.Errorf("periph: start the drivers: %w", err)
	}
	return newBackend(gpioreg.ByName), nil
}

func newBackend(byName func(string) pgpio.PinIO) *Backend {
	return &Backend{byName: byName, held: map[string]bool{}}
}

// Trust implements [gpio.Doubter]. No pin of periph.io keeps every promise: none is held against other programs, and
// no read can report an error.
func (b *Backend) Trust(name string) error {
	p, err := b.find(name)
	if err != nil {
		return err
	}
	if mapped(p) {
		return fmt.Errorf("periph: %s is a register of the processor: nothing keeps another program from driving it", name)
	}
	return fmt.Errorf("periph: %s belongs to a driver that reads low when its hardware is gone, and nothing keeps another program from driving it", name)
}

// OpenOutput implements [gpio.Backend].
func (b *Backend) OpenOutput(name string, initial gpio.Initial) (gpio.Output, error) {
	return b.open(name, func(p pgpio.PinIO) error {
		if f := function(p); !isInput(f) && !isOutput(f) {
			return fmt.Errorf("the pin serves as %s: free it in the device tree or choose another", f)
		}
		level := pgpio.Level(initial == gpio.High)
		if initial == gpio.Adopt {
			level = p.Read()
		}
		// The mapped drivers write the level before the direction, so this makes no edge but the wanted one.
		return p.Out(level)
	})
}

// OpenInput implements [gpio.Backend]. It refuses a pin that is an output: nothing but its direction says whether some
// program drives a relay with it.
func (b *Backend) OpenInput(name string, bias gpio.Bias) (gpio.Input, error) {
	return b.open(name, func(p pgpio.PinIO) error {
		if f := function(p); !isInput(f) {
			return fmt.Errorf("the pin serves as %s: make it an input first or choose another", f)
		}
		pull := pgpio.PullNoChange
		switch bias {
		case gpio.Up:
			pull = pgpio.PullUp
		case gpio.Down:
			pull = pgpio.PullDown
		}
		return p.In(pull, pgpio.NoEdge)
	})
}

func (b *Backend) open(name string, request func(pgpio.PinIO) error) (gpio.Output, error) {
	p, err := b.find(name)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held[p.Name()] {
		return nil, fmt.Errorf("periph: open %s: %w by this program already", name, gpio.ErrBusy)
	}
	if err := request(p); err != nil {
		return nil, fmt.Errorf("periph: open %s: %w", name, err)
	}
	b.held[p.Name()] = true
	return &line{backend: b, pin: p}, nil
}

// find returns the real pin behind a name, or says why it cannot be had.
func (b *Backend) find(name string) (pgpio.PinIO, error) {
	p := b.byName(name)
	if p == nil {
		return nil, fmt.Errorf("periph: open %s: no driver of periph.io knows this pin: name a pin of the board or reach the line by cdev:LABEL/NAME", name)
	}
	for {
		alias, ok := p.(pgpio.RealPin)
		if !ok {
			break
		}
		p = alias.Real()
	}
	switch driver := origin(p); {
	case strings.HasSuffix(driver, "/gpioioctl"), strings.HasSuffix(driver, "/sysfs"):
		return nil, fmt.Errorf("periph: open %s: periph.io reaches this line through the kernel and cannot report a failed read: name it as cdev:LABEL/NAME", name)
	}
	// A mapped pin always has a function. Without one its registers are not mapped, and the driver would quietly go
	// through the kernel driver that was refused above.
	if mapped(p) && function(p) == pin.FuncNone {
		return nil, fmt.Errorf("periph: open %s: the registers of the pin are not mapped: run with access to /dev/gpiomem or name the line as cdev:LABEL/NAME", name)
	}
	return p, nil
}

// function asks what a pin serves as. Pins of drivers that cannot tell count as inputs, which they are after a start.
func function(p pgpio.PinIO) pin.Func {
	if f, ok := p.(pin.PinFunc); ok {
		return f.Func()
	}
	return pgpio.IN
}

func isInput(f pin.Func) bool  { return f == pgpio.IN || f == pgpio.IN_LOW || f == pgpio.IN_HIGH }
func isOutput(f pin.Func) bool { return f == pgpio.OUT || f == pgpio.OUT_LOW || f == pgpio.OUT_HIGH }

// origin is the import path of the driver that made a pin.
func origin(p pgpio.PinIO) string {
	t := reflect.TypeOf(p)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath()
}

type line struct {
	backend *Backend
	pin     pgpio.PinIO

	mu     sync.Mutex
	closed bool
}

var errClosed = errors.New("the line was closed")

func (l *line) Set(level bool) error {
	return l.do("set", func() error { return l.pin.Out(pgpio.Level(level)) })
}

func (l *line) Get() (level bool, err error) {
	err = l.do("get", func() error { level = bool(l.pin.Read()); return nil })
	return level, err
}

// Close leaves direction and level as they are: the register keeps them, also after the process ends.
func (l *line) Close() error {
	return l.do("close", func() error {
		l.closed = true
		l.backend.mu.Lock()
		defer l.backend.mu.Unlock()
		delete(l.backend.held, l.pin.Name())
		return nil
	})
}

func (l *line) do(verb string, call func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := errClosed
	if !l.closed {
		err = call()
	}
	if err != nil {
		return fmt.Errorf("periph: %s %s: %w", verb, l.pin.Name(), err)
	}
	return nil
}
