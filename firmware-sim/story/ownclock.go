package story

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// This file is what happens to the clock and to the time zone of a whole machine: both nodes share them, and so does
// everything else that runs there.

// clockOnly are the words that set them: they need a machine that is there for it, as `serialhb lab --own-clock` says.
var clockOnly = map[string]bool{"clock": true, "zone": true}

// errNotOwn says that a story wants to set the clock of a machine that may be anybody's.
var errNotOwn = errors.New("this sets the clock or the time zone of the whole machine; tell the story in a machine that is there for it, " +
	"with `hbsim guest --story FILE`, or with `serialhb lab --own-clock` in one that nobody else uses")

// maxStep is further than any clock is wrong, and less than what a clock can show.
const maxStep = 100 * 365 * 24 * time.Hour

func parseClock(_ *parser, s *Step, w []string) error {
	if len(w) != 1 {
		return errUsage
	}
	d, err := time.ParseDuration(w[0])
	if err != nil || w[0][0] != '+' && w[0][0] != '-' {
		return fmt.Errorf("%q is no step of a clock; write + or - and a duration, such as +87600h", w[0])
	}
	if d.Abs() > maxStep {
		return fmt.Errorf("%s is further than a clock is set here; write %s or less", w[0], maxStep)
	}
	s.Order.For = d
	return nil
}

func parseZone(_ *parser, s *Step, w []string) error {
	if len(w) != 1 {
		return errUsage
	}
	if !filepath.IsLocal(w[0]) {
		return fmt.Errorf("%q is no time zone; write one as the folder of zones names it, such as Asia/Kathmandu", w[0])
	}
	s.Order.Name = w[0]
	return nil
}

// OwnClock makes worlds whose stories may set the clock and the time zone of this machine. Neither is put back. It needs
// root. Only a machine that nobody else uses may be given away like that.
func OwnClock(build Builder) Builder {
	return func(ctx context.Context, s Settings) (World, error) {
		w, err := build(ctx, s)
		if err != nil {
			return nil, err
		}
		return ownClock{w, machineClock{}}, nil
	}
}

// clockSetter sets what a whole machine has one of.
type clockSetter interface {
	step(time.Duration) error
	zone(name string) error
}

type ownClock struct {
	World
	of clockSetter
}

// Do implements [World].
func (w ownClock) Do(ctx context.Context, o Order) (string, error) {
	switch o.Verb {
	case "clock":
		return "", w.of.step(o.For)
	case "zone":
		return "", w.of.zone(o.Name)
	}
	return w.World.Do(ctx, o)
}

// machineClock is this machine's.
type machineClock struct{}

func (machineClock) step(by time.Duration) error {
	// In one go: what lies between reading and setting is lost to the clock, and microseconds are of no account here.
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME, &now); err != nil {
		return fmt.Errorf("story: read the clock: %w", err)
	}
	then := unix.NsecToTimespec(now.Nano() + int64(by))
	if err := unix.ClockSettime(unix.CLOCK_REALTIME, &then); err != nil {
		return fmt.Errorf("story: set the clock by %s: %w", by, err)
	}
	return nil
}

// Where a machine has its zones, and the one that it is in.
const (
	zoneFolder = "/usr/share/zoneinfo"
	zoneLink   = "/etc/localtime"
)

func (machineClock) zone(name string) error {
	file := filepath.Join(zoneFolder, name)
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrInvalid
	}
	if err != nil {
		return fmt.Errorf("story: find time zone %s: %w", name, err)
	}
	// In one piece: a program may look at this moment.
	if err := os.Symlink(file, zoneLink+".new"); err != nil {
		return fmt.Errorf("story: set time zone: %w", err)
	}
	if err := os.Rename(zoneLink+".new", zoneLink); err != nil {
		return fmt.Errorf("story: set time zone: %w", err)
	}
	return nil
}
