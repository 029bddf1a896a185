package link

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/serialhb/serialhb/serialhb/clock"
	"golang.org/x/sys/unix"
)

// wire moves bytes to and from an open port. One goroutine reads, one at a time writes.
type wire interface {
	// read waits until there is something, and gives what there is. Nothing and no error says that it was woken, or that
	// the time given to wait is over.
	read(b []byte) (int, error)
	// write never waits: it gives how much the driver took.
	write(b []byte) (int, error)
	// patience bounds how long the next read waits; 0 is for ever. The reader calls it.
	patience(d time.Duration)
	// sleep lets the reader wait for that long, whatever comes.
	sleep(d time.Duration)
	// wake ends a read that waits, and every later one.
	wake()
	close() error
}

// tty is the wire of a real port, on our own descriptor of it. The library would block in write for as long as the other
// end does not read.
type tty struct {
	*source
	out  transfer
	rest *clock.Alarm
}

// newTTY makes the wire of a descriptor that is non-blocking and stays its owner's.
func newTTY(fd int) (*tty, error) {
	rest, err := clock.NewAlarm()
	if err != nil {
		return nil, err
	}
	s, err := newSource(fd)
	if err != nil {
		return nil, errors.Join(err, rest.Close())
	}
	return &tty{source: s, rest: rest}, nil
}

func (t *tty) read(b []byte) (int, error) {
	n, err := t.source.read(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, nil
	case err == nil && n == 0:
		return 0, io.EOF // a tty that was hung up reads so for ever
	}
	return n, err
}

func (t *tty) write(b []byte) (int, error) {
	t.out.buf = b
	t.out.call(unix.SYS_WRITE, t.fd) // what is not taken now is not taken later
	return t.out.n, t.out.err
}

func (t *tty) sleep(d time.Duration) { t.rest.Sleep(d) }

func (t *tty) close() error { return errors.Join(t.source.close(), t.rest.Close()) }
