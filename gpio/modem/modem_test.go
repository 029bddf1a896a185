package modem

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/gpio/gpiotest"
	"golang.org/x/sys/unix"
)

// cable is one serial port and the lines that leave it, as the kernel treats them.
type cable struct {
	bits  int
	edges map[int]int
	ready bool // baud rate 0 and no HUPCL survive in the driver
	owner *fakePort
	gone  bool
}

func (c *cable) put(bits int) {
	for _, bit := range []int{unix.TIOCM_RTS, unix.TIOCM_DTR} {
		if (c.bits^bits)&bit != 0 {
			c.edges[bit]++
		}
	}
	c.bits = bits
}

func (c *cable) dial(device string) (port, error) {
	if device != "/dev/ttyS9" || c.gone {
		return nil, fmt.Errorf("%w: %w", gpio.ErrGone, unix.ENOENT)
	}
	if c.owner != nil {
		return nil, gpio.ErrBusy
	}
	if !c.ready {
		c.put(unix.TIOCM_RTS | unix.TIOCM_DTR)
	}
	c.owner = &fakePort{c}
	return c.owner, nil
}

type fakePort struct{ c *cable }

func (p *fakePort) change(bits int) error {
	if p.c.gone {
		return unix.EIO
	}
	p.c.put(bits)
	return nil
}

func (p *fakePort) get() (int, error) {
	if p.c.gone {
		return -1, unix.EIO
	}
	return p.c.bits | unix.TIOCM_CTS, nil
}

func (p *fakePort) raise(bits int) error    { return p.change(p.c.bits | bits) }
func (p *fakePort) lower(bits int) error    { return p.change(p.c.bits &^ bits) }
func (p *fakePort) prepared() (bool, error) { return p.c.ready, nil }

func (p *fakePort) prepare() error {
	p.c.ready = true
	return p.change(0)
}

func (p *fakePort) close() error {
	p.c.owner = nil
	if !p.c.ready {
		p.c.put(0)
	}
	return nil
}

type bench struct {
	c *cable
	b *Backend
}

func fresh() *bench {
	c := &cable{edges: map[int]int{}}
	return &bench{c, newBackend(c.dial)}
}

func newBench(*testing.T) gpiotest.Bench {
	b := fresh()
	b.c.ready = true
	return b
}

func (b *bench) Backend() gpio.Backend { return b.b }
func (b *bench) Other() gpio.Backend   { return newBackend(b.c.dial) }
func (b *bench) Level() bool           { return b.c.bits&unix.TIOCM_RTS != 0 }
func (b *bench) Edges() int            { return b.c.edges[unix.TIOCM_RTS] }
func (b *bench) IsOutput() bool        { return true }
func (b *bench) Drive(bool)            {}
func (b *bench) Float()                {}
func (b *bench) Remove()               { b.c.gone = true }

func (b *bench) Rest(level bool) {
	b.c.bits = 0
	if level {
		b.c.bits = unix.TIOCM_RTS
	}
	b.c.edges = map[int]int{}
}

func TestConform(t *testing.T) {
	gpiotest.Conform(t, gpiotest.Rig{New: newBench, Output: "/dev/ttyS9/rts", Holder: "in use"})
}

func TestRealPort(t *testing.T) {
	t.Skip("a real port needs its RTS wired to an input of a GPIO chip to show its edges")
}

// The first open after a boot cannot be silent. It must end low, whatever is adopted, and the next must be silent.
func TestFirstOpen(t *testing.T) {
	b := fresh()
	if b.b.Trust("/dev/ttyS9/rts") == nil {
		t.Error("a line that pulses is not doubted")
	}
	o, err := b.b.OpenOutput("/dev/ttyS9/rts", gpio.Adopt)
	if err != nil {
		t.Fatal(err)
	}
	if b.c.bits != 0 || b.Edges() != 2 {
		t.Errorf("after the first open: lines %b, %d edges; want low after one pulse", b.c.bits, b.Edges())
	}
	if err := o.Set(true); err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	before := b.Edges()
	o, err = b.b.OpenOutput("/dev/ttyS9/rts", gpio.Adopt)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := o.Get(); !got || err != nil || b.Edges() != before {
		t.Errorf("after the second open: %t, %v, %d edges", got, err, b.Edges()-before)
	}
}

// Both lines of a port work side by side, and the port stays open for the last of them.
func TestTwoLines(t *testing.T) {
	b := fresh()
	rts, err := b.b.OpenOutput("/dev/ttyS9/rts", gpio.High)
	if err != nil {
		t.Fatal(err)
	}
	dtr, err := b.b.OpenOutput("/dev/ttyS9/dtr", gpio.Low)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{dtr.Set(true), rts.Set(false), rts.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err := dtr.Get(); !got || err != nil || b.c.bits != unix.TIOCM_DTR {
		t.Errorf("DTR %t, %v, lines %b", got, err, b.c.bits)
	}
	if b.c.owner == nil {
		t.Error("the port was closed under DTR")
	}
	if err := dtr.Close(); err != nil || b.c.owner != nil {
		t.Errorf("close: %v; the port is still open: %t", err, b.c.owner != nil)
	}
}

func TestRefusals(t *testing.T) {
	b := fresh()
	if _, err := b.b.OpenInput("/dev/ttyS9/rts", gpio.None); err == nil {
		t.Error("RTS was opened as an input")
	}
	if _, err := b.b.OpenOutput("/dev/ttyS9/cts", gpio.Low); err == nil || len(b.c.edges) != 0 {
		t.Errorf("CTS as an output: %v, edges %v", err, b.c.edges)
	}
}

// A pseudo terminal has no modem lines: the real port code must say so and let the port go again.
func TestPseudoTerminal(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo terminals here: " + err.Error())
	}
	defer master.Close()
	defer slave.Close()
	p, err := openPort(slave.Name())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openPort(slave.Name()); !errors.Is(err, gpio.ErrBusy) {
		t.Errorf("second open: %v", err)
	}
	if ready, err := p.prepared(); ready || err != nil {
		t.Errorf("prepared() = %t, %v", ready, err)
	}
	if err := p.prepare(); err != nil {
		t.Error(err)
	}
	if ready, err := p.prepared(); !ready || err != nil {
		t.Errorf("after prepare: prepared() = %t, %v", ready, err)
	}
	if _, err := p.get(); err == nil {
		t.Error("a pseudo terminal has modem lines")
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
	if _, err := openPort("/dev/no-such-port"); !errors.Is(err, gpio.ErrGone) || !strings.Contains(err.Error(), "plug in") {
		t.Errorf("open of nothing: %v", err)
	}
}
