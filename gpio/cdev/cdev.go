// Package cdev is the gpio backend for the kernel's character device, version 2 of its line interface (Linux 5.10 and
// later), through github.com/warthog618/go-gpiocdev.
//
// A line is named LABEL/NAME or LABEL/OFFSET. The chip is looked for by its label at each open: gpiochipN numbers move
// between boots and after a chip was unplugged. A line is held until it is closed; the kernel gives it to nobody else.
package cdev

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"

	"github.com/serialhb/serialhb/gpio"
	"golang.org/x/sys/unix"
)

// consumer is what other programs see as the holder of a line of ours.
const consumer = "serialhb"

// Backend opens lines of GPIO chips. It holds no state; its methods may be called from several goroutines.
type Backend struct{ system system }

// New returns the backend for the chips of this machine. It opens nothing yet.
func New() *Backend { return &Backend{system: kernel{}} }

// system, chip and handle are all that this package asks of go-gpiocdev, so that its rules can be tested without chips.
type system interface {
	names() []string
	open(name string) (chip, error)
}

type chip interface {
	name() string
	label() string
	lines() int
	info(offset int) (info, error)
	request(offset int, r request) (handle, error)
	close() error
}

type handle interface {
	get() (int, error)
	set(level int) error
	drive(level int) error // becomes an output with this level in one call
	close() error
}

type info struct {
	name     string
	consumer string
}

type direction uint8

const (
	asIs direction = iota
	input
	output
)

type request struct {
	direction direction
	level     int
	bias      gpio.Bias
}

// OpenOutput implements [gpio.Backend].
func (b *Backend) OpenOutput(name string, initial gpio.Initial) (gpio.Output, error) {
	r := request{direction: output}
	switch initial {
	case gpio.Adopt:
		r.direction = asIs
	case gpio.High:
		r.level = 1
	}
	l, err := b.open(name, r)
	if err != nil {
		return nil, err
	}
	if initial == gpio.Adopt {
		if err := l.adopt(); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

// OpenInput implements [gpio.Backend]. A chip that has no pull resistors accepts a bias and ignores it: only a test
// with the wire pulled off shows whether the pull is there.
func (b *Backend) OpenInput(name string, bias gpio.Bias) (gpio.Input, error) {
	l, err := b.open(name, request{direction: input, bias: bias})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (b *Backend) open(name string, r request) (*line, error) {
	label, which, _ := strings.Cut(name, "/")
	c, err := b.find(label)
	if err != nil {
		return nil, fmt.Errorf("cdev: open %s: %w", name, err)
	}
	defer c.close()
	offset, err := locate(c, which)
	if err != nil {
		return nil, fmt.Errorf("cdev: open %s: %w", name, err)
	}
	h, err := c.request(offset, r)
	switch {
	case errors.Is(err, unix.EBUSY):
		return nil, fmt.Errorf("cdev: open %s: %w by %s: stop it or choose another line", name, gpio.ErrBusy, holder(c, offset))
	case err != nil:
		return nil, fmt.Errorf("cdev: open %s: request line %d of %s: %w", name, offset, c.name(), classify(err))
	}
	return &line{name: name, h: h}, nil
}

// Chip returns the name that the kernel has given the one chip with a label, such as gpiochip0. It changes nothing.
func (b *Backend) Chip(label string) (string, error) {
	c, err := b.find(label)
	if err != nil {
		return "", fmt.Errorf("cdev: find the chip %s: %w", label, err)
	}
	return c.name(), c.close()
}

// find opens the one chip with a label.
func (b *Backend) find(label string) (chip, error) {
	var found chip
	var others []string
	var shut error
	fail := func(err error) (chip, error) {
		if found != nil {
			err = errors.Join(err, found.close())
		}
		return nil, err
	}
	for _, name := range b.system.names() {
		c, err := b.system.open(name)
		if err != nil {
			// A chip that may not be opened cannot be driven by mistake either, so it stands in nobody's way.
			if errors.Is(err, fs.ErrPermission) {
				err = fmt.Errorf("give this user read and write access to /dev/%s: %w", name, err)
			}
			shut = errors.Join(shut, err)
			continue
		}
		switch {
		case c.label() != label:
			others = append(others, strconv.Quote(c.label()))
		case found == nil:
			found = c
			continue
		case c.name() != found.name():
			err := fmt.Errorf("%s and %s both bear the label %q: unplug one or name a chip whose label is its own", found.name(), c.name(), label)
			return fail(errors.Join(err, c.close()))
		}
		if err := c.close(); err != nil {
			return fail(err)
		}
	}
	switch {
	case found != nil:
		return found, nil
	case shut != nil:
		return nil, fmt.Errorf("no chip with the label %q can be opened: %w", label, shut)
	case len(others) == 0:
		return nil, fmt.Errorf("%w: no chip with the label %q, nor any other, is there: plug it in or load its driver", gpio.ErrGone, label)
	}
	return nil, fmt.Errorf("%w: no chip with the label %q is there, only %s: plug it in, load its driver or correct the label", gpio.ErrGone, label, strings.Join(others, ", "))
}

// locate finds a line by name or by offset. What could mean two lines is refused.
func locate(c chip, which string) (int, error) {
	found := -1
	for offset := range c.lines() {
		i, err := c.info(offset)
		if err != nil {
			return 0, fmt.Errorf("read the name of line %d: %w", offset, classify(err))
		}
		if i.name != which {
			continue
		}
		if found >= 0 {
			return 0, fmt.Errorf("lines %d and %d are both named %q: give the offset instead", found, offset, which)
		}
		found = offset
	}
	offset, err := strconv.Atoi(which)
	isOffset := err == nil && offset >= 0 && offset < c.lines()
	switch {
	case isOffset && found >= 0 && found != offset:
		return 0, fmt.Errorf("%q is the offset of one line and the name of line %d: give the name of the first or the offset of the second", which, found)
	case isOffset:
		return offset, nil
	case found >= 0:
		return found, nil
	}
	return 0, fmt.Errorf("%s has no line %q: give one of its line names or an offset below %d", c.name(), which, c.lines())
}

func holder(c chip, offset int) string {
	i, err := c.info(offset)
	if err != nil || i.consumer == "" {
		return "a program that gave no name"
	}
	return strconv.Quote(i.consumer)
}

// classify marks the errors after which a line never works again.
func classify(err error) error {
	// Not EIO: a chip behind a bus answers it once in a while, and closing its line might let a relay go.
	if errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("%w: %w", gpio.ErrGone, err)
	}
	return err
}

type line struct {
	name string

	mu sync.Mutex
	h  handle
}

// adopt makes an output of a line that was requested as it is. The level is the one that is there, and it is given in
// the call that changes the direction, so there is no edge.
func (l *line) adopt() error {
	level, err := l.h.get()
	if err != nil {
		return fmt.Errorf("cdev: adopt %s: read its level: %w", l.name, classify(err))
	}
	if err := l.h.drive(level); err != nil {
		return fmt.Errorf("cdev: adopt %s: %w", l.name, classify(err))
	}
	return nil
}

func (l *line) Set(level bool) error {
	v := 0
	if level {
		v = 1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.h.set(v); err != nil {
		return fmt.Errorf("cdev: set %s: %w", l.name, classify(err))
	}
	return nil
}

func (l *line) Get() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, err := l.h.get()
	if err != nil {
		return false, fmt.Errorf("cdev: get %s: %w", l.name, classify(err))
	}
	return v != 0, nil
}

func (l *line) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.h.close(); err != nil {
		return fmt.Errorf("cdev: close %s: %w", l.name, err)
	}
	return nil
}
