// Package gpio is the two small things that a fence needs of a pin: an output that drives a relay coil and an input
// that senses power. Both report every failure; no error ever looks like a level.
//
// A line is named with its backend (see [ParseLine]); the backends are subpackages and are put into a [Table] by the
// program that wires them. README.md says what each of them can and cannot do.
package gpio

import "errors"

// ErrGone is wrapped by the errors of a line whose chip, port or board has left. Such a line never works again: it has
// to be closed and opened anew, which [LastingOutput] and [LastingInput] do.
var ErrGone = errors.New("the hardware is gone")

// ErrBusy is wrapped by the errors of a line that somebody else holds, where the backend can tell.
var ErrBusy = errors.New("the line is in use")

// Output is a line that is driven. Levels are electrical: true is high. Every method may be called from several
// goroutines; a call may block for as long as its driver does.
type Output interface {
	// Set drives the level. An error means that the level is unknown now.
	Set(level bool) error
	// Get reads the level back from the hardware. It never changes direction, level or bias.
	Get() (bool, error)
	// Close gives the line up without driving it. What its level becomes then is the driver's affair: it may stay or
	// fall back to the pull.
	Close() error
}

// Input is a line that is read. Levels are electrical: true is high. Every method may be called from several
// goroutines.
type Input interface {
	Get() (bool, error)
	Close() error
}

// Initial says what a line is to be from the moment in which it becomes an output.
type Initial uint8

// The zero value drives nothing new.
const (
	// Adopt requests the line as it is, reads it and drives the level that was read: no edge.
	Adopt Initial = iota
	Low
	High
)

var initialNames = [...]string{"adopt", "low", "high"}

func (i Initial) String() string { return initialNames[i] }

// Bias is the pull of an input.
type Bias uint8

const (
	// None leaves the pull as it is.
	None Bias = iota
	Up
	Down
)

var biasNames = [...]string{"none", "up", "down"}

func (b Bias) String() string { return biasNames[b] }

// Backend opens lines by the name that stands behind the colon of a [Line]. A line is held by one holder at a time: a
// second open fails and, where the backend can tell, names the holder.
type Backend interface {
	OpenOutput(name string, initial Initial) (Output, error)
	OpenInput(name string, bias Bias) (Input, error)
}

// Doubter is implemented by a backend of which some lines fall short of the conformance suite in gpiotest.
type Doubter interface {
	// Trust returns nil for a line that keeps every promise of this package, otherwise the promise that it cannot keep.
	Trust(name string) error
}
