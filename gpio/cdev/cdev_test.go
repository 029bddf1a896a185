package cdev

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/gpio/gpiotest"
	"github.com/warthog618/go-gpiocdev"
	"golang.org/x/sys/unix"
)

// machine is a set of chips as the kernel would show them.
type machine struct{ chips []*fakeChip }

type fakeChip struct {
	id     string
	tag    string
	names  []string
	wires  []*wire
	gone   bool
	locked bool
	open   int
}

type wire struct {
	output   bool
	level    int
	edges    int
	driven   bool // an input that something outside drives
	bias     gpio.Bias
	consumer string
}

func (w *wire) put(level int) {
	if level != w.level {
		w.edges++
	}
	w.level = level
}

func newChip(id, tag string, names ...string) *fakeChip {
	c := &fakeChip{id: id, tag: tag, names: names}
	for range names {
		c.wires = append(c.wires, &wire{})
	}
	return c
}

func (m *machine) names() (names []string) {
	for _, c := range m.chips {
		if !c.gone {
			names = append(names, c.id)
		}
	}
	return names
}

func (m *machine) open(id string) (chip, error) {
	for _, c := range m.chips {
		if c.id != id {
			continue
		}
		if c.locked {
			return nil, &fs.PathError{Op: "open", Path: "/dev/" + id, Err: unix.EACCES}
		}
		c.open++
		return c, nil
	}
	return nil, os.ErrNotExist
}

func (c *fakeChip) name() string  { return c.id }
func (c *fakeChip) label() string { return c.tag }
func (c *fakeChip) lines() int    { return len(c.wires) }
func (c *fakeChip) close() error  { c.open--; return nil }

func (c *fakeChip) info(offset int) (info, error) {
	if c.gone {
		return info{}, unix.ENODEV
	}
	return info{name: c.names[offset], consumer: c.wires[offset].consumer}, nil
}

func (c *fakeChip) request(offset int, r request) (handle, error) {
	w := c.wires[offset]
	if c.gone {
		return nil, unix.ENODEV
	}
	if w.consumer != "" {
		return nil, unix.EBUSY
	}
	w.consumer = consumer
	switch r.direction {
	case output:
		w.output = true
		w.put(r.level)
	case input:
		w.output = false
		w.bias = r.bias
	}
	return &fakeLine{chip: c, wire: w, output: r.direction == output}, nil
}

type fakeLine struct {
	chip   *fakeChip
	wire   *wire
	output bool
	closed bool
}

func (l *fakeLine) usable() error {
	if l.closed {
		return gpiocdev.ErrClosed
	}
	if l.chip.gone {
		return unix.ENODEV
	}
	return nil
}

func (l *fakeLine) get() (int, error) {
	if err := l.usable(); err != nil {
		return 1, err // garbage with an error must not leak out as a level
	}
	if !l.wire.output && !l.wire.driven {
		switch l.wire.bias {
		case gpio.Up:
			return 1, nil
		case gpio.Down:
			return 0, nil
		}
	}
	return l.wire.level, nil
}

func (l *fakeLine) set(level int) error {
	if !l.output {
		return gpiocdev.ErrPermissionDenied
	}
	if err := l.usable(); err != nil {
		return err
	}
	l.wire.put(level)
	return nil
}

func (l *fakeLine) drive(level int) error {
	if err := l.usable(); err != nil {
		return err
	}
	l.output, l.wire.output = true, true
	l.wire.put(level)
	return nil
}

func (l *fakeLine) close() error {
	if l.closed {
		return gpiocdev.ErrClosed
	}
	l.closed = true
	l.wire.consumer = ""
	return nil
}

type bench struct {
	m *machine
	b *Backend
}

func newBench(*testing.T) gpiotest.Bench {
	m := &machine{[]*fakeChip{newChip("gpiochip0", "other", "RELAY"), newChip("gpiochip7", "board", "", "RELAY", "SENSE")}}
	return &bench{m, &Backend{m}}
}

func (b *bench) relay() *wire          { return b.m.chips[1].wires[1] }
func (b *bench) sense() *wire          { return b.m.chips[1].wires[2] }
func (b *bench) Backend() gpio.Backend { return b.b }
func (b *bench) Other() gpio.Backend   { return &Backend{b.m} }
func (b *bench) Level() bool           { return b.relay().level == 1 }
func (b *bench) Edges() int            { return b.relay().edges }
func (b *bench) IsOutput() bool        { return b.relay().output }
func (b *bench) Float()                { b.sense().driven = false }
func (b *bench) Remove()               { b.m.chips[1].gone = true }

func (b *bench) Rest(level bool) {
	w := b.relay()
	w.level, w.edges = 0, 0
	if level {
		w.level = 1
	}
}

func (b *bench) Drive(level bool) {
	w := b.sense()
	w.driven, w.level = true, 0
	if level {
		w.level = 1
	}
}

func TestConform(t *testing.T) {
	gpiotest.Conform(t, gpiotest.Rig{New: newBench, Output: "board/RELAY", Input: "board/SENSE", Holder: `in use by "serialhb"`})
}

// TestRealChip drives one spare line of a real chip, which nothing may hang on. Without a second line wired to it the
// edges stay unseen; what can be seen from inside is tested.
func TestRealChip(t *testing.T) {
	name := os.Getenv("SERIALHB_SPARE_LINE")
	if name == "" {
		t.Skip("SERIALHB_SPARE_LINE names no spare line, as LABEL/NAME, on a real chip")
	}
	o, err := New().OpenOutput(name, gpio.Low)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false, true} {
		if err := o.Set(want); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := o.Get(); err != nil || got != want {
				t.Fatalf("Get() = %t, %v after Set(%t)", got, err, want)
			}
		}
	}
	if _, err := New().OpenOutput(name, gpio.Low); !errors.Is(err, gpio.ErrBusy) {
		t.Errorf("second open: %v", err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	board := func() *fakeChip { return newChip("gpiochip7", "board", "", "RELAY", "TWICE", "TWICE", "0") }
	lost := newChip("gpiochip1", "board")
	lost.locked = true
	for _, c := range []struct {
		why   string
		chips []*fakeChip
		name  string
		want  string
	}{
		{"no chips", nil, "board/RELAY", "nor any other"},
		{"other chips", []*fakeChip{newChip("gpiochip0", "amdpt")}, "board/RELAY", `only "amdpt": plug it in`},
		{"a number is no label", []*fakeChip{board()}, "gpiochip7/RELAY", "no chip with the label"},
		{"two chips, one label", []*fakeChip{board(), newChip("gpiochip8", "board")}, "board/RELAY", "gpiochip7 and gpiochip8 both bear the label"},
		{"no permission", []*fakeChip{lost}, "board/RELAY", "access to /dev/gpiochip1"},
		{"no such line", []*fakeChip{board()}, "board/SENSE", `no line "SENSE"`},
		{"no such offset", []*fakeChip{board()}, "board/5", `no line "5"`},
		{"negative offset", []*fakeChip{board()}, "board/-1", `no line "-1"`},
		{"two lines, one name", []*fakeChip{board()}, "board/TWICE", "lines 2 and 3 are both named"},
		{"name and offset", []*fakeChip{board()}, "board/0", "name of line 4"},
	} {
		t.Run(c.why, func(t *testing.T) {
			o, err := (&Backend{&machine{c.chips}}).OpenOutput(c.name, gpio.High)
			if err == nil || !strings.Contains(err.Error(), c.want) || o != nil {
				t.Errorf("got %v, %v; want an error with %q", o, err, c.want)
			}
			for _, chip := range c.chips {
				if chip.open != 0 {
					t.Errorf("%s is left open", chip.id)
				}
				for i, w := range chip.wires {
					if w.consumer != "" || w.edges != 0 {
						t.Errorf("line %d of %s was touched", i, chip.id)
					}
				}
			}
		})
	}
}

// One chip may have two device nodes; and a chip that may not be opened hides nobody's line.
func TestAccepted(t *testing.T) {
	board := newChip("gpiochip7", "board", "RELAY")
	lost := newChip("gpiochip1", "board")
	lost.locked = true
	m := &machine{[]*fakeChip{lost, board, board}}
	for _, name := range []string{"board/RELAY", "board/0"} {
		o, err := (&Backend{m}).OpenOutput(name, gpio.Adopt)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if board.open != 0 {
		t.Error("the chip is left open")
	}
}

// A line whose level cannot be read is not adopted: any level could be an edge.
func TestAdoptUnreadable(t *testing.T) {
	b := newBench(t).(*bench)
	l, err := b.b.open("board/RELAY", request{direction: asIs})
	if err != nil {
		t.Fatal(err)
	}
	b.Remove()
	if err := l.adopt(); !errors.Is(err, gpio.ErrGone) || b.IsOutput() {
		t.Errorf("adopt: %v, output %t", err, b.IsOutput())
	}
}

func TestTransientErrorIsNotGone(t *testing.T) {
	if errors.Is(classify(unix.EIO), gpio.ErrGone) {
		t.Error("EIO of a bus would give up a relay line")
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		r    request
		want []gpiocdev.LineReqOption
	}{
		{request{direction: asIs}, []gpiocdev.LineReqOption{gpiocdev.AsIs}},
		{request{direction: output}, []gpiocdev.LineReqOption{gpiocdev.AsOutput(0)}},
		{request{direction: output, level: 1}, []gpiocdev.LineReqOption{gpiocdev.AsOutput(1)}},
		{request{direction: input}, []gpiocdev.LineReqOption{gpiocdev.AsInput, gpiocdev.WithBiasAsIs}},
		{request{direction: input, bias: gpio.Up}, []gpiocdev.LineReqOption{gpiocdev.AsInput, gpiocdev.WithPullUp}},
		{request{direction: input, bias: gpio.Down}, []gpiocdev.LineReqOption{gpiocdev.AsInput, gpiocdev.WithPullDown}},
	} {
		if got := options(c.r); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %s, want %s", c.r, fmt.Sprint(got), fmt.Sprint(c.want))
		}
	}
}
