package fencing

import (
	"errors"
	"fmt"
	"time"

	"github.com/serialhb/serialhb/gpio"
)

// CutBy is how a relay opens the feed.
type CutBy uint8

// The zero value is refused: how a relay cuts has to be said.
const (
	// Energise: the coil is driven to cut; the feed runs through the contact that is closed at rest.
	Energise CutBy = iota + 1
	// Release: the coil is let go to cut. Only for outputs that keep their state without this process.
	Release
)

// Side is where a sense looks.
type Side uint8

// The zero value is refused for a device that has a sense.
const (
	// DC: on the output of the target's supply.
	DC Side = iota + 1
	// FeedSide: before the supply, which may carry its host for seconds after the feed was cut.
	FeedSide
)

// RelayConfig describes a relay device. Levels are electrical: true is high. A duration of zero takes its default.
type RelayConfig struct {
	Name string
	Cut  CutBy
	// CoilLow: the relay board energises the coil on a low level, as many with optocouplers do.
	CoilLow bool

	SenseOff  bool // the level at which the sense says off
	FailSafe  bool
	SenseSide Side
	// HoldUpMeasured: HoldUp is what a fence test measured on this target. Only then may it be below [FeedHoldUp] with a
	// sense on the feed side.
	HoldUpMeasured bool

	MirrorOpen bool // the level at which the mirror contact says that the feed is open

	AllowAssumed bool

	Settle, Sample, Window, HoldUp, HoldOff, Verify time.Duration
}

// Lines are the open lines of a relay device. Sense and Mirror may be nil.
type Lines struct {
	Coil   gpio.Output
	Sense  gpio.Input
	Mirror gpio.Input
}

// plan fills in the defaults and refuses what could not work, each in one sentence.
func (c RelayConfig) plan(l Lines) (Plan, error) {
	p := Plan{
		HasSense: l.Sense != nil, HasMirror: l.Mirror != nil,
		FailSafe: c.FailSafe, AllowAssumed: c.AllowAssumed,
		Settle: c.Settle, Sample: c.Sample, Window: c.Window, HoldUp: c.HoldUp, HoldOff: c.HoldOff, Verify: c.Verify,
	}
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
		name  string
	}{
		{&p.Settle, DefaultSettle, "settle"},
		{&p.Sample, DefaultSample, "sample"},
		{&p.Window, DefaultWindow, "window"},
		{&p.HoldUp, c.usualHoldUp(), "hold_up"},
		{&p.HoldOff, DefaultHoldOff, "hold_off"},
	} {
		if *d.value < 0 {
			return p, fmt.Errorf("%s must not be negative", d.name)
		}
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	if p.Verify == 0 {
		p.Verify = p.Settle + p.Window + p.longest() + verifySlack
	}
	return p, c.check(p, l)
}

func (c RelayConfig) usualHoldUp() time.Duration {
	if c.SenseSide == FeedSide {
		return FeedHoldUp
	}
	return DefaultHoldUp
}

func (c RelayConfig) check(p Plan, l Lines) error {
	switch {
	case c.Name == "":
		return errors.New("give the device a name")
	case l.Coil == nil:
		return errors.New("name the line of the coil")
	case c.Cut != Energise && c.Cut != Release:
		return errors.New(`say cut = "energise" or cut = "release"`)
	case p.FailSafe && !p.HasSense:
		return errors.New("fail_safe speaks of a sense: name its line or drop fail_safe")
	case p.HasSense && c.SenseSide != DC && c.SenseSide != FeedSide:
		return errors.New(`say sense_side = "dc" or sense_side = "feed"`)
	case !p.HasSense && !p.HasMirror && !p.AllowAssumed:
		return errors.New("the device could never prove off: add a sense or a mirror contact, or allow off to be assumed")
	case p.HasSense && c.SenseSide == FeedSide && p.HoldUp < FeedHoldUp && !c.HoldUpMeasured:
		return fmt.Errorf("hold_up is %v, but the supply may carry its host longer than its feed: use %v or what fence test measured", p.HoldUp, FeedHoldUp)
	case p.gap() < 2*p.Sample:
		return fmt.Errorf("sample is %v, which looks too rarely: use %v or less, or a longer hold_up and hold_off", p.Sample, p.gap()/2)
	case p.Verify < p.Settle+p.longest():
		return fmt.Errorf("verify is %v, which leaves no time to wait out settle, hold_up and hold_off: use %v or more", p.Verify, p.Settle+p.longest()+verifySlack)
	case p.HasSense && !p.FailSafe && p.Window > p.Verify:
		return fmt.Errorf("window is %v, longer than verify: use less than %v", p.Window, p.Verify)
	}
	return nil
}

// Wiring names the lines of a relay device. A zero Sense or Mirror says that there is none.
type Wiring struct {
	Coil, Sense, Mirror   gpio.Line
	SenseBias, MirrorBias gpio.Bias
}

// OpenRelay makes a relay device whose lines are looked for again after their hardware went away. Nothing is driven: the
// coil's line is adopted as it is. Hardware that is not there is no error here but one of Status and of every act, so that
// a chip may come later; what no waiting can mend is refused.
func OpenRelay(t gpio.Table, w Wiring, c RelayConfig) (*Relay, error) {
	if towardsOff := gpio.Down; c.FailSafe {
		if c.SenseOff {
			towardsOff = gpio.Up
		}
		if w.SenseBias == towardsOff {
			return nil, fmt.Errorf("fencing: open relay %s: sense_bias pulls towards off, so a broken wire would read off: pull it the other way", c.Name)
		}
	}
	seen := map[gpio.Line]bool{}
	for _, line := range []gpio.Line{w.Coil, w.Sense, w.Mirror} {
		if line == (gpio.Line{}) {
			continue
		}
		if err := t.Admit(line); err != nil {
			return nil, fmt.Errorf("fencing: open relay %s: %w", c.Name, err)
		}
		if seen[line] {
			return nil, fmt.Errorf("fencing: open relay %s: %s stands twice: give coil, sense and mirror a line each", c.Name, line)
		}
		seen[line] = true
	}
	var l Lines
	input := func(line gpio.Line, bias gpio.Bias) gpio.Input {
		if line == (gpio.Line{}) {
			return nil
		}
		return gpio.NewLastingInput(func() (gpio.Input, error) { return t.OpenInput(line, bias) })
	}
	l.Sense = input(w.Sense, w.SenseBias)
	l.Mirror = input(w.Mirror, w.MirrorBias)
	if w.Coil != (gpio.Line{}) {
		l.Coil = gpio.NewLastingOutput(func(i gpio.Initial) (gpio.Output, error) { return t.OpenOutput(w.Coil, i) })
	}
	r, err := NewRelay(c, l)
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return r, nil
}

func (l Lines) close() (err error) {
	if l.Coil != nil {
		err = l.Coil.Close()
	}
	for _, in := range []gpio.Input{l.Sense, l.Mirror} {
		if in != nil {
			err = errors.Join(err, in.Close())
		}
	}
	return err
}
