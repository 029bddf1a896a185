package cable

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// errVacant: nobody has the slave side open.
var errVacant = errors.New("nobody has the port open")

// pty is the master of one pty; its slave is the serial port that a daemon opens.
type pty struct {
	file   *os.File
	raw    syscall.RawConn
	slave  string
	vacant atomic.Bool
}

func openPTY() (*pty, error) {
	// Without O_NONBLOCK from the start the file would not go through the poller, and Close would not end a Read.
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cable: open pty: %w", err)
	}
	file := os.NewFile(uintptr(fd), "/dev/ptmx")
	t, err := preparePTY(file, fd)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return t, nil
}

func preparePTY(file *os.File, fd int) (*pty, error) {
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, fmt.Errorf("cable: unlock pty: %w", err)
	}
	n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, fmt.Errorf("cable: number of pty: %w", err)
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("cable: use pty: %w", err)
	}
	t := &pty{file: file, raw: raw, slave: "/dev/pts/" + strconv.Itoa(int(n))}
	t.vacant.Store(true)
	return t, t.withSlave(makeRaw)
}

// withSlave opens the slave side for as long as f runs.
func (t *pty) withSlave(f func(fd int) error) error {
	fd, err := unix.Open(t.slave, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cable: open %s: %w", t.slave, err)
	}
	err = f(fd)
	return errors.Join(err, unix.Close(fd))
}

// makeRaw lasts over all later opens: the slave's settings live as long as its master.
func makeRaw(fd int) error {
	tio, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("cable: read settings of pty: %w", err)
	}
	tio.Iflag, tio.Oflag, tio.Lflag = 0, 0, 0
	tio.Cflag = tio.Cflag&^(unix.CSIZE|unix.PARENB|unix.CSTOPB) | unix.CS8 | unix.CREAD | unix.CLOCAL
	tio.Cc[unix.VMIN], tio.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, tio); err != nil {
		return fmt.Errorf("cable: make pty raw: %w", err)
	}
	return nil
}

// read waits for bytes. It returns errVacant at once when nobody has the slave open, and another error after Close.
func (t *pty) read(b []byte) (n int, err error) {
	var readErr error
	err = t.raw.Read(func(fd uintptr) bool {
		for {
			n, readErr = unix.Read(int(fd), b)
			if readErr != unix.EINTR {
				break
			}
		}
		t.vacant.Store(readErr == unix.EIO)
		return readErr != unix.EAGAIN
	})
	switch {
	case err != nil:
		return 0, err
	case readErr == unix.EIO, readErr == nil && n <= 0:
		return 0, errVacant
	case readErr != nil:
		return 0, readErr
	}
	return n, nil
}

// write never waits. What does not fit is not written.
func (t *pty) write(b []byte) int {
	n := 0
	err := t.raw.Write(func(fd uintptr) bool {
		for {
			var err error
			if n, err = unix.Write(int(fd), b); err != unix.EINTR {
				return true
			}
		}
	})
	if err != nil {
		return 0
	}
	return max(n, 0)
}

// port is a place for a pty, with a name that stays.
type port struct {
	path string

	mu  sync.Mutex
	pty *pty // nil while unplugged
}

// plug returns nil if a pty is there already.
func (p *port) plug() (*pty, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pty != nil {
		return nil, nil
	}
	return p.renew()
}

func (p *port) renew() (*pty, error) {
	t, err := openPTY()
	if err != nil {
		return nil, err
	}
	// Renamed into place, so that nobody ever finds a half-made port.
	fresh := p.path + ".new"
	if err := errors.Join(ignoreMissing(os.Remove(fresh)), os.Symlink(t.slave, fresh), os.Rename(fresh, p.path)); err != nil {
		return nil, errors.Join(fmt.Errorf("cable: name port %s: %w", p.path, err), t.file.Close())
	}
	p.pty = t
	return t, nil
}

func (p *port) unplug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pty == nil {
		return nil
	}
	err := errors.Join(ignoreMissing(os.Remove(p.path)), p.pty.file.Close())
	p.pty = nil
	if err != nil {
		return fmt.Errorf("cable: unplug %s: %w", p.path, err)
	}
	return nil
}

// vacate does what a UART does when its last user closes it: unread bytes go, and so does the exclusive mark, which a
// killed daemon leaves behind on a pty because the pty lives on. Only root can open a pty that is so marked; for
// anybody else it is replaced by a new one.
func (p *port) vacate(t *pty) (*pty, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pty != t {
		return t, nil // unplugged: the next read says so
	}
	err := t.withSlave(func(fd int) error {
		return errors.Join(unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH), unix.IoctlSetInt(fd, unix.TIOCNXCL, 0))
	})
	if !errors.Is(err, unix.EBUSY) {
		return t, err
	}
	if !t.stillVacant() {
		return t, nil // somebody opened it in between, and the mark is his
	}
	fresh, err := p.renew()
	if err != nil {
		return t, err
	}
	return fresh, t.file.Close()
}

func (t *pty) stillVacant() bool {
	vacant := false
	err := t.raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		vacant = err == nil && n > 0 && fds[0].Revents&unix.POLLHUP != 0
	})
	return err == nil && vacant
}

// has says whether t is the pty that is plugged in.
func (p *port) has(t *pty) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pty == t
}

func (p *port) write(b []byte) (n int, vacant bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pty == nil || p.pty.vacant.Load() {
		return 0, true
	}
	return p.pty.write(b), false
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
