// Package gpiotest holds the one conformance suite for gpio backends. A backend brings a [Bench] that shows the suite
// the far side of its lines: fakes of a library, a board, or two wires on a real chip.
package gpiotest

import (
	"errors"
	"strings"
	"testing"

	"github.com/serialhb/serialhb/gpio"
)

// Rig says how one backend is put to the test.
type Rig struct {
	// Skip, when set, is the reason for which this rig cannot run here.
	Skip string
	// New makes a bench with fresh hardware: the output line at rest, the input floating.
	New func(t *testing.T) Bench
	// Output and Input name one line of each kind. An empty Input says that the backend has no inputs.
	Output, Input string
	// Holder is what the refusal of a line in use must contain.
	Holder string
	// Excused names promises (the names of the subtests) that the backend cannot keep, with the reason. A backend that
	// is excused from anything must doubt the line itself.
	Excused map[string]string
}

// Bench is the hardware of one test, seen from outside.
type Bench interface {
	// Backend is the one under test; Other reaches the same hardware on behalf of another program.
	Backend() gpio.Backend
	Other() gpio.Backend
	// Rest is the level that the output line has before anybody requests it.
	Rest(level bool)
	// Level, Edges and IsOutput look at the output line. Edges counts every change of level since the bench was made
	// or Rest was called.
	Level() bool
	Edges() int
	IsOutput() bool
	// Drive puts a level on the input line, Float takes it away.
	Drive(level bool)
	Float()
	// Remove takes the hardware away for good.
	Remove()
}

// Conform runs the suite.
func Conform(t *testing.T, r Rig) {
	if r.Skip != "" {
		t.Skip(r.Skip)
	}
	rows := []struct {
		name string
		run  func(t *testing.T, r Rig, b Bench)
	}{
		{"initial value comes with the request", initial},
		{"adoption makes no edge", adoption},
		{"read-back is what was driven", readBack},
		{"reading changes nothing", reading},
		{"a line has one holder", exclusive},
		{"a line can be had again after close", again},
		{"gone output is an error", goneOutput},
		{"input follows its wire", inputs},
		{"floating input follows its bias", biased},
		{"gone input is an error", goneInput},
		{"unknown line is refused", unknown},
	}
	names := map[string]bool{}
	for _, row := range rows {
		names[row.name] = true
		t.Run(row.name, func(t *testing.T) {
			b := r.New(t)
			if why, ok := r.Excused[row.name]; ok {
				d, doubts := b.Backend().(gpio.Doubter)
				if !doubts || d.Trust(r.Output) == nil {
					t.Fatalf("excused (%s), and yet the backend does not doubt the line", why)
				}
				t.Skip("excused: " + why)
			}
			row.run(t, r, b)
		})
	}
	for name := range r.Excused {
		if !names[name] {
			t.Errorf("excused from %q, which is no promise of this suite", name)
		}
	}
}

func levels(f func(level bool)) { f(false); f(true) }

func openOutput(t *testing.T, b gpio.Backend, name string, i gpio.Initial) gpio.Output {
	t.Helper()
	o, err := b.OpenOutput(name, i)
	if err != nil {
		t.Fatalf("open output %s %s: %v", name, i, err)
	}
	return o
}

func closeLine(t *testing.T, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func initial(t *testing.T, r Rig, b Bench) {
	levels(func(rest bool) {
		levels(func(want bool) {
			b.Rest(rest)
			i := gpio.Low
			if want {
				i = gpio.High
			}
			o := openOutput(t, b.Backend(), r.Output, i)
			edges := 0
			if rest != want {
				edges = 1
			}
			if b.Level() != want || b.Edges() != edges || !b.IsOutput() {
				t.Errorf("resting %t, requested %s: level %t, %d edges, output %t; want %t, %d, true",
					rest, i, b.Level(), b.Edges(), b.IsOutput(), want, edges)
			}
			closeLine(t, o)
		})
	})
}

func adoption(t *testing.T, r Rig, b Bench) {
	levels(func(rest bool) {
		b.Rest(rest)
		o := openOutput(t, b.Backend(), r.Output, gpio.Adopt)
		if b.Level() != rest || b.Edges() != 0 || !b.IsOutput() {
			t.Errorf("resting %t, adopted: level %t, %d edges, output %t", rest, b.Level(), b.Edges(), b.IsOutput())
		}
		if got, err := o.Get(); err != nil || got != rest {
			t.Errorf("resting %t, adopted: Get() = %t, %v", rest, got, err)
		}
		closeLine(t, o)
	})
}

func readBack(t *testing.T, r Rig, b Bench) {
	o := openOutput(t, b.Backend(), r.Output, gpio.Low)
	defer closeLine(t, o)
	for _, want := range []bool{true, false, false, true, true, false} {
		if err := o.Set(want); err != nil {
			t.Fatalf("Set(%t): %v", want, err)
		}
		if got, err := o.Get(); err != nil || got != want || b.Level() != want {
			t.Fatalf("after Set(%t): Get() = %t, %v; the line is %t", want, got, err, b.Level())
		}
	}
}

func reading(t *testing.T, r Rig, b Bench) {
	o := openOutput(t, b.Backend(), r.Output, gpio.High)
	defer closeLine(t, o)
	before := b.Edges()
	for range 3 {
		if _, err := o.Get(); err != nil {
			t.Fatal(err)
		}
	}
	if !b.IsOutput() || !b.Level() || b.Edges() != before {
		t.Errorf("after reading: output %t, level %t, %d edges", b.IsOutput(), b.Level(), b.Edges()-before)
	}
}

func exclusive(t *testing.T, r Rig, b Bench) {
	o := openOutput(t, b.Backend(), r.Output, gpio.High)
	defer closeLine(t, o)
	before := b.Edges()
	for _, other := range []gpio.Backend{b.Backend(), b.Other()} {
		second, err := other.OpenOutput(r.Output, gpio.Low)
		if err == nil {
			closeLine(t, second)
			t.Fatal("a second open succeeded")
		}
		if !strings.Contains(err.Error(), r.Holder) {
			t.Errorf("the refusal %q does not name %q", err, r.Holder)
		}
		if second != nil {
			t.Error("a refused open returned a line as well")
		}
		if r.Input == "" {
			continue
		}
		if _, err := other.OpenInput(r.Output, gpio.None); err == nil {
			t.Error("an output that is held could be opened as an input")
		}
	}
	if !b.Level() || b.Edges() != before || !b.IsOutput() {
		t.Error("a refused open touched the line")
	}
}

func again(t *testing.T, r Rig, b Bench) {
	closeLine(t, openOutput(t, b.Backend(), r.Output, gpio.Low))
	o := openOutput(t, b.Backend(), r.Output, gpio.Adopt)
	closeLine(t, o)
	defer closeLine(t, openOutput(t, b.Backend(), r.Output, gpio.Low))
	if _, err := o.Get(); err == nil {
		t.Error("Get on a closed line succeeded")
	}
	if err := o.Set(true); err == nil {
		t.Error("Set on a closed line succeeded")
	}
	if err := o.Close(); err == nil {
		t.Error("a second Close succeeded")
	}
	if b.Level() {
		t.Error("a closed line drove the level of the one that was opened after it")
	}
}

func goneOutput(t *testing.T, r Rig, b Bench) {
	o := openOutput(t, b.Backend(), r.Output, gpio.High)
	b.Remove()
	if level, err := o.Get(); !errors.Is(err, gpio.ErrGone) || level {
		t.Errorf("Get() = %t, %v; want an error that is ErrGone", level, err)
	}
	if err := o.Set(false); !errors.Is(err, gpio.ErrGone) {
		t.Errorf("Set: %v; want an error that is ErrGone", err)
	}
	if _, err := b.Backend().OpenOutput(r.Output, gpio.Adopt); !errors.Is(err, gpio.ErrGone) {
		t.Errorf("OpenOutput: %v; want an error that is ErrGone", err)
	}
}

func needInput(t *testing.T, r Rig) {
	if r.Input == "" {
		t.Skip("the backend has no inputs")
	}
}

func inputs(t *testing.T, r Rig, b Bench) {
	needInput(t, r)
	in, err := b.Backend().OpenInput(r.Input, gpio.None)
	if err != nil {
		t.Fatal(err)
	}
	defer closeLine(t, in)
	for _, want := range []bool{true, false, true} {
		b.Drive(want)
		if got, err := in.Get(); err != nil || got != want {
			t.Errorf("wire at %t: Get() = %t, %v", want, got, err)
		}
	}
}

func biased(t *testing.T, r Rig, b Bench) {
	needInput(t, r)
	for _, c := range []struct {
		bias gpio.Bias
		want bool
	}{{gpio.Up, true}, {gpio.Down, false}, {gpio.Up, true}} {
		in, err := b.Backend().OpenInput(r.Input, c.bias)
		if err != nil {
			t.Fatal(err)
		}
		b.Float()
		if got, err := in.Get(); err != nil || got != c.want {
			t.Errorf("floating with bias %s: Get() = %t, %v", c.bias, got, err)
		}
		closeLine(t, in)
	}
}

func goneInput(t *testing.T, r Rig, b Bench) {
	needInput(t, r)
	in, err := b.Backend().OpenInput(r.Input, gpio.Up)
	if err != nil {
		t.Fatal(err)
	}
	b.Drive(true)
	b.Remove()
	if level, err := in.Get(); !errors.Is(err, gpio.ErrGone) || level {
		t.Errorf("Get() = %t, %v; want an error that is ErrGone", level, err)
	}
}

func unknown(t *testing.T, r Rig, b Bench) {
	if o, err := b.Backend().OpenOutput(r.Output+"-of-nobody", gpio.Low); err == nil || o != nil {
		t.Errorf("OpenOutput of a line that does not exist: %v, %v", o, err)
	}
}
