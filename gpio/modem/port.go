package modem

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/serialhb/serialhb/gpio"
	"golang.org/x/sys/unix"
)

// tty is a real serial port.
type tty struct{ fd int }

func openPort(device string) (port, error) {
	fd, err := unix.Open(device, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.EBUSY):
		return nil, fmt.Errorf("%w by another program: stop it or choose another port: %w", gpio.ErrBusy, err)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("give this user read and write access to %s: %w", device, err)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: plug in %s or correct its name: %w", gpio.ErrGone, device, err)
	case err != nil:
		return nil, classify(err)
	}
	if err := claim(fd); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return &tty{fd}, nil
}

// claim keeps others out: the lock tells programs that ask, also those of root; the exclusive mode refuses the rest.
func claim(fd int) error {
	err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("%w by another program: stop it or choose another port: %w", gpio.ErrBusy, err)
	}
	if err == nil {
		err = unix.IoctlSetInt(fd, unix.TIOCEXCL, 0)
	}
	return classify(err)
}

func (t *tty) get() (int, error)    { return unix.IoctlGetInt(t.fd, unix.TIOCMGET) }
func (t *tty) raise(bits int) error { return unix.IoctlSetPointerInt(t.fd, unix.TIOCMBIS, bits) }
func (t *tty) lower(bits int) error { return unix.IoctlSetPointerInt(t.fd, unix.TIOCMBIC, bits) }

func (t *tty) prepared() (bool, error) {
	attr, err := unix.IoctlGetTermios(t.fd, unix.TCGETS)
	if err != nil {
		return false, err
	}
	return attr.Cflag&unix.CBAUD == unix.B0, nil
}

// prepare sets baud rate 0, with which the kernel does not raise the lines at an open, and clears HUPCL, with which it
// would lower them at the last close. The kernel keeps both settings while the port is closed, until it is unplugged.
func (t *tty) prepare() error {
	attr, err := unix.IoctlGetTermios(t.fd, unix.TCGETS)
	if err != nil {
		return err
	}
	attr.Cflag &^= unix.CBAUD | unix.HUPCL | unix.CRTSCTS
	attr.Cflag |= unix.B0 | unix.CLOCAL
	return unix.IoctlSetTermios(t.fd, unix.TCSETS, attr)
}

func (t *tty) close() error { return unix.Close(t.fd) }
