package periph

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/gpio/gpiotest"
	"golang.org/x/sys/unix"
	pgpio "periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/pin"
	"periph.io/x/host/v3/bcm283x"
	"periph.io/x/host/v3/gpioioctl"
	"periph.io/x/host/v3/sysfs"
)

// fakePin is a register pin: reads never fail, a write sets level and direction at once.
type fakePin struct {
	name   string
	f      pin.Func
	level  pgpio.Level
	edges  int
	pull   pgpio.Pull
	driven bool
	err    error
}

func (p *fakePin) String() string                 { return p.name }
func (p *fakePin) Halt() error                    { return nil }
func (p *fakePin) Name() string                   { return p.name }
func (p *fakePin) Number() int                    { return 17 }
func (p *fakePin) Function() string               { return string(p.f) }
func (p *fakePin) Func() pin.Func                 { return p.f }
func (p *fakePin) SupportedFuncs() []pin.Func     { return nil }
func (p *fakePin) SetFunc(pin.Func) error         { return errors.New("must not be called") }
func (p *fakePin) WaitForEdge(time.Duration) bool { panic("must not be called") }
func (p *fakePin) Pull() pgpio.Pull               { return p.pull }
func (p *fakePin) DefaultPull() pgpio.Pull        { return pgpio.Float }
func (p *fakePin) PWM(pgpio.Duty, physic.Frequency) error {
	return errors.New("must not be called")
}

func (p *fakePin) In(pull pgpio.Pull, _ pgpio.Edge) error {
	p.f, p.pull = pgpio.IN, pull
	return p.err
}

func (p *fakePin) Read() pgpio.Level {
	if p.f == pgpio.IN && !p.driven && p.pull != pgpio.PullNoChange {
		return p.pull == pgpio.PullUp
	}
	return p.level
}

func (p *fakePin) Out(l pgpio.Level) error {
	if p.err != nil {
		return p.err
	}
	if l != p.level {
		p.edges++
	}
	p.f, p.level = pgpio.OUT, l
	return nil
}

type alias struct {
	pgpio.PinIO
	name string
}

func (a alias) Name() string      { return a.name }
func (a alias) Real() pgpio.PinIO { return a.PinIO }

type bench struct {
	relay, sense *fakePin
	b            *Backend
}

func newBench(*testing.T) gpiotest.Bench { return fresh() }

func fresh() *bench {
	b := &bench{relay: &fakePin{name: "GPIO17", f: pgpio.IN}, sense: &fakePin{name: "GPIO27", f: pgpio.IN}}
	b.b = newBackend(b.find)
	return b
}

func (b *bench) find(name string) pgpio.PinIO {
	switch name {
	case "GPIO17":
		return b.relay
	case "P1_11":
		return alias{b.relay, name}
	case "GPIO27":
		return b.sense
	}
	return nil
}

func (b *bench) Backend() gpio.Backend { return b.b }
func (b *bench) Other() gpio.Backend   { return b.b }
func (b *bench) Level() bool           { return bool(b.relay.level) }
func (b *bench) Edges() int            { return b.relay.edges }
func (b *bench) IsOutput() bool        { return b.relay.f == pgpio.OUT }
func (b *bench) Drive(level bool)      { b.sense.driven, b.sense.level = true, pgpio.Level(level) }
func (b *bench) Float()                { b.sense.driven = false }
func (b *bench) Remove()               {}

func (b *bench) Rest(level bool) {
	b.relay.f, b.relay.level, b.relay.edges = pgpio.IN, pgpio.Level(level), 0
}

func TestConform(t *testing.T) {
	gpiotest.Conform(t, gpiotest.Rig{New: newBench, Output: "GPIO17", Input: "GPIO27", Holder: "in use",
		Excused: map[string]string{
			"gone output is an error": "reading a register cannot fail",
			"gone input is an error":  "reading a register cannot fail",
		}})
}

func TestRealPin(t *testing.T) {
	t.Skip("needs a board with memory-mapped pins and a spare pin")
}

func TestRefusesPinsOfTheKernel(t *testing.T) {
	for name, p := range map[string]pgpio.PinIO{
		"character device": &gpioioctl.GPIOLine{},
		"sysfs":            &sysfs.Pin{},
		"alias of sysfs":   alias{&sysfs.Pin{}, "P1_11"},
		"unmapped pin":     bcm283x.GPIO17, // on a machine without its registers
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(func(string) pgpio.PinIO { return p })
			o, err := b.OpenOutput("X", gpio.Adopt)
			if err == nil || o != nil || !strings.Contains(err.Error(), "cdev:LABEL/NAME") {
				t.Errorf("OpenOutput: %v, %v", o, err)
			}
			if err := b.Trust("X"); err == nil {
				t.Error("not even doubted")
			}
			if in, err := b.OpenInput("X", gpio.Up); err == nil || in != nil {
				t.Errorf("OpenInput: %v, %v", in, err)
			}
		})
	}
}

func TestDriverOfAPin(t *testing.T) {
	if !mapped(bcm283x.GPIO17) {
		t.Errorf("the pins of %s do not count as registers", origin(bcm283x.GPIO17))
	}
	if mapped(&sysfs.Pin{}) || mapped(&fakePin{}) {
		t.Error("a pin of another driver counts as a register")
	}
}

func TestAliasIsTheSameLine(t *testing.T) {
	b := fresh()
	o, err := b.b.OpenOutput("P1_11", gpio.High)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.b.OpenOutput("GPIO17", gpio.Low); !errors.Is(err, gpio.ErrBusy) {
		t.Errorf("the pin behind the alias: %v", err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if !b.IsOutput() || !b.Level() {
		t.Error("closing touched the pin")
	}
}

func TestRefusals(t *testing.T) {
	b := fresh()
	b.relay.f = "UART1_TX"
	if _, err := b.b.OpenOutput("GPIO17", gpio.High); err == nil || b.relay.edges != 0 || b.relay.f != "UART1_TX" {
		t.Errorf("a pin of a serial port: %v", err)
	}
	b.relay.f, b.relay.level = pgpio.OUT_HIGH, pgpio.High
	if _, err := b.b.OpenInput("GPIO17", gpio.Up); err == nil || b.relay.f != pgpio.OUT_HIGH {
		t.Errorf("a driven relay became a sense: %v", err)
	}
	o, err := b.b.OpenOutput("GPIO17", gpio.Adopt)
	if err != nil || b.relay.edges != 0 || !b.Level() {
		t.Fatalf("a driven relay was not adopted: %v", err)
	}
	b.relay.err = errors.New("stuck")
	if err := o.Set(false); err == nil {
		t.Error("a failed write is no error")
	}
}

// A driver that closes descriptor 0 and lets another file take its place must not get away with it. This runs in a
// process of its own because the descriptors belong to the whole process.
func TestDescriptorZero(t *testing.T) {
	if os.Getenv("SERIALHB_TEST_DESCRIPTOR") == "" {
		for _, stdin := range []string{"open", "closed"} {
			command := exec.Command(os.Args[0], "-test.run=^TestDescriptorZero$", "-test.v")
			command.Env = append(os.Environ(), "SERIALHB_TEST_DESCRIPTOR="+stdin)
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", stdin, err, out)
			}
		}
		return
	}
	var before, after unix.Stat_t
	if os.Getenv("SERIALHB_TEST_DESCRIPTOR") == "closed" {
		if err := unix.Stat(os.DevNull, &before); err != nil {
			t.Fatal(err)
		}
		unix.Close(0)
	} else if err := unix.Fstat(0, &before); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("driver failed")
	err := guard(func() error {
		unix.Close(0)
		if _, err := unix.Open("/proc/self/status", unix.O_RDONLY, 0); err != nil {
			t.Fatal(err)
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("guard: %v", err)
	}
	if err := unix.Fstat(0, &after); err != nil || after.Ino != before.Ino || after.Dev != before.Dev {
		t.Errorf("descriptor 0 is another file now (%v)", err)
	}
}

// A machine without pins starts without an error; a pin of it is refused in one sentence.
func TestNew(t *testing.T) {
	b, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.OpenOutput("NO_SUCH_PIN", gpio.High); err == nil {
		t.Error("a pin that does not exist was opened")
	}
}
