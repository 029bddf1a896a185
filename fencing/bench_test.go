package fencing

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const ms = time.Millisecond

var errWire = errors.New("bus error")

// bench is a relay with everything around it, on the clock of a synctest bubble. What sense and mirror say is a function
// of the time since the coil was driven to cut; before that, and again after it was driven back, the time is negative.
type bench struct {
	sense  func(sinceCut time.Duration) (on bool, err error)
	mirror func(sinceCut time.Duration) (open bool, err error)

	setTakes  time.Duration
	setErr    error
	coilErr   func(sinceCut time.Duration) error
	coilReads func(level bool, sinceCut time.Duration) bool

	mu     sync.Mutex
	level  bool
	cutAt  time.Time
	drives int
	edges  int
}

func (b *bench) sinceCut() time.Duration {
	if b.cutAt.IsZero() {
		return -1
	}
	return time.Since(b.cutAt)
}

// Set takes effect at its beginning, as with a slow bus whose answer is late.
func (b *bench) Set(level bool) error {
	b.mu.Lock()
	b.drives++
	if b.setErr != nil {
		defer b.mu.Unlock()
		return b.setErr
	}
	if level != b.level {
		b.edges++
		b.cutAt = time.Time{}
		if level {
			b.cutAt = time.Now()
		}
	}
	b.level = level
	b.mu.Unlock()
	time.Sleep(b.setTakes)
	return nil
}

func (b *bench) Get() (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.coilErr != nil {
		if err := b.coilErr(b.sinceCut()); err != nil {
			return false, err
		}
	}
	if b.coilReads != nil {
		return b.coilReads(b.level, b.sinceCut()), nil
	}
	return b.level, nil
}

func (b *bench) Close() error { return nil }

// eye is the sense or the mirror: high is on, or open.
type eye struct {
	b    *bench
	look *func(time.Duration) (bool, error)
}

func (e eye) Get() (bool, error) {
	e.b.mu.Lock()
	since := e.b.sinceCut()
	e.b.mu.Unlock()
	return (*e.look)(since)
}

func (e eye) Close() error { return nil }

func (b *bench) relay(t *testing.T, c RelayConfig) *Relay {
	t.Helper()
	c.Cut, c.MirrorOpen = Energise, true
	if c.Name == "" {
		c.Name = "relay"
	}
	l := Lines{Coil: b}
	if b.sense != nil {
		l.Sense = eye{b, &b.sense}
		if c.SenseSide == 0 {
			c.SenseSide = DC
		}
	}
	if b.mirror != nil {
		l.Mirror = eye{b, &b.mirror}
	}
	r, err := NewRelay(c, l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Senses and mirrors.

type look = func(time.Duration) (bool, error)

func always(v bool) look { return func(time.Duration) (bool, error) { return v, nil } }

// falls is on until so long after the cut.
func falls(after time.Duration) look {
	return func(d time.Duration) (bool, error) { return d < after, nil }
}

// opens is closed until so long after the cut.
func opens(after time.Duration) look {
	return func(d time.Duration) (bool, error) { return d >= after, nil }
}

// pulses is on before the cut and within each of the spans after it.
func pulses(spans ...[2]time.Duration) look {
	return func(d time.Duration) (bool, error) {
		for _, s := range spans {
			if d >= s[0] && d < s[1] {
				return true, nil
			}
		}
		return d < 0, nil
	}
}

// failsAt behaves like the other but errs during one sample or more.
func failsAt(from, to time.Duration, other look) look {
	return func(d time.Duration) (bool, error) {
		if d >= from && d < to {
			return false, errWire
		}
		return other(d)
	}
}

// bubble runs a test on a clock of its own.
func bubble(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }
