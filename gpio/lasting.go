package gpio

import (
	"errors"
	"sync"
)

var errClosed = errors.New("gpio: the line was closed")

// LastingOutput is an [Output] that survives the absence of its hardware: while the line is not open, each call first
// tries to open it, always with [Adopt], so that coming back never makes an edge. The call during which the hardware
// went away fails; nothing is ever repeated on its own.
type LastingOutput struct{ lasting[Output] }

// NewLastingOutput tries open at once. If that fails the next call tries again and returns the error of its own try.
func NewLastingOutput(open func(Initial) (Output, error)) *LastingOutput {
	l := &LastingOutput{lasting[Output]{open: func() (Output, error) { return open(Adopt) }}}
	l.start()
	return l
}

// Set is [Output.Set].
func (l *LastingOutput) Set(level bool) error {
	return l.use(func(o Output) error { return o.Set(level) })
}

// Get is [Output.Get]. While the line is not open it opens it, with [Adopt].
func (l *LastingOutput) Get() (level bool, err error) {
	err = l.use(func(o Output) error { level, err = o.Get(); return err })
	return level && err == nil, err
}

// LastingInput is an [Input] that survives the absence of its hardware, like [LastingOutput].
type LastingInput struct{ lasting[Input] }

// NewLastingInput tries open at once. If that fails the next call tries again and returns the error of its own try.
func NewLastingInput(open func() (Input, error)) *LastingInput {
	l := &LastingInput{lasting[Input]{open: open}}
	l.start()
	return l
}

// Get is [Input.Get].
func (l *LastingInput) Get() (level bool, err error) {
	err = l.use(func(in Input) error { level, err = in.Get(); return err })
	return level && err == nil, err
}

type lasting[T Input] struct {
	open func() (T, error)

	mu     sync.Mutex
	line   T
	live   bool
	closed bool
}

// start claims the line early, so that nobody else takes it. Its error is not lost: a line that stays away fails each
// call.
func (l *lasting[T]) start() { _ = l.use(func(T) error { return nil }) }

func (l *lasting[T]) use(call func(T) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errClosed
	}
	if !l.live {
		line, err := l.open()
		if err != nil {
			return err
		}
		l.line, l.live = line, true
	}
	err := call(l.line)
	// Any other error keeps the line: closing an output may let its level go.
	if errors.Is(err, ErrGone) {
		err = errors.Join(err, l.drop())
	}
	return err
}

func (l *lasting[T]) drop() error {
	line := l.line
	var none T
	l.line, l.live = none, false
	if err := line.Close(); err != nil && !errors.Is(err, ErrGone) {
		return err
	}
	return nil
}

// Close gives the line up for good.
func (l *lasting[T]) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errClosed
	}
	l.closed = true
	if !l.live {
		return nil
	}
	return l.drop()
}
