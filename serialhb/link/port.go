package link

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"syscall"
	"time"

	"github.com/serialhb/serialhb/serialhb/process"
	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// port is an open serial port. The library opens it, sets its mode and keeps others out; the bytes go through the wire.
// The reader closes it after the writer has left it, so nothing touches a descriptor number that may be another file's
// by then.
type port struct {
	wire
	ctl  *control
	line io.Closer // the library's
}

// opener opens the port of a link.
type opener struct {
	device string
	baud   int
	sys    string // where sysfs is mounted
	proc   string
	// A busy port is tried four times a second, and looking for its holder reads all of proc.
	busyTries int
	busyBy    string
}

const searchEvery = 20

func (o *opener) open() (*port, error) {
	ctl, err := openControl(o.device)
	if err != nil {
		return nil, o.explain(err)
	}
	line, err := o.openBehind(ctl)
	if err != nil {
		return nil, errors.Join(err, ctl.close())
	}
	o.busyTries = 0
	ctl.probe()
	t, err := newTTY(ctl.fd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("link: wait for %s: %w; report this", o.device, err), line.Close(), ctl.close())
	}
	return &port{wire: t, ctl: ctl, line: line}, nil
}

// openBehind checks and locks the tty, and opens the library's port on the very same device.
func (o *opener) openBehind(ctl *control) (serial.Port, error) {
	var st unix.Stat_t
	if err := unix.Fstat(ctl.fd, &st); err != nil {
		return nil, fmt.Errorf("link: look at %s: %w", o.device, err)
	}
	if _, err := unix.IoctlGetTermios(ctl.fd, unix.TCGETS); err != nil {
		return nil, fmt.Errorf("link: open %s: it is not a serial port (%w); correct the device in the configuration", o.device, err)
	}
	device := uint64(st.Rdev)
	console, err := consoleName(o.sys, device)
	if err != nil {
		return nil, fmt.Errorf("link: see whether %s is a console: %w", o.device, err)
	}
	if console != "" {
		return nil, fmt.Errorf("link: open %s: it is the kernel's console %s; remove console=%s from the kernel command line and mask serial-getty@%s.service, or use another port", o.device, console, console, console)
	}
	if err := ctl.lock(); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, o.busy(device)
		}
		return nil, fmt.Errorf("link: lock %s: %w", o.device, err)
	}
	claimed, err := ctl.claimed()
	if err != nil {
		return nil, fmt.Errorf("link: ask whether %s is claimed: %w", o.device, err)
	}
	if claimed && !o.leftOver(device) {
		return nil, o.busy(device)
	}
	line, err := openLine(ctl.fd, o.baud)
	if err != nil {
		var pe *serial.PortError
		if errors.As(err, &pe) && pe.Code() == serial.PortBusy {
			return nil, o.busy(device)
		}
		return nil, o.explain(err)
	}
	return line, nil
}

// openLine opens the library's port. The way through our own descriptor leads to the same device even if its name
// points to another one by now. The library's descriptors would be inherited by every child, so none may be born before
// they are marked.
func openLine(fd, baud int) (serial.Port, error) {
	syscall.ForkLock.RLock()
	line, err := serial.Open("/proc/self/fd/"+strconv.Itoa(fd), &serial.Mode{BaudRate: baud, DataBits: 8})
	if err == nil {
		err = process.SealDescriptors()
	}
	syscall.ForkLock.RUnlock()
	if line == nil {
		return nil, err
	}
	if err == nil {
		// What came while the port was closed is old: it would be life of the past.
		err = line.ResetInputBuffer()
	}
	if err != nil {
		return nil, errors.Join(err, line.Close())
	}
	return line, nil
}

// leftOver says whether a claim is that of a program which has ended. A port forgets it with its last close; a pty keeps
// it while its master lives, so there only a holder that is seen counts.
func (o *opener) leftOver(device uint64) bool {
	if !isPty(device) {
		return false
	}
	other, own := holder(o.proc, device)
	return other == "" && own // our own descriptor is seen, so others would be
}

// isPty says whether a device is the slave of a pty, by the numbers of linux/major.h.
func isPty(device uint64) bool {
	major := unix.Major(device)
	return 136 <= major && major <= 143
}

func (o *opener) busy(device uint64) error {
	if o.busyTries%searchEvery == 0 {
		other, own := holder(o.proc, device)
		if other == "" && own {
			other = "another link of this program"
		}
		o.busyBy = other
	}
	o.busyTries++
	by := o.busyBy
	if by == "" {
		by = "a program that cannot be seen from here"
	}
	return fmt.Errorf("link: open %s: the port is in use by %s; stop it, or give this link another port", o.device, by)
}

// explain says what to do about an error of opening.
func (o *opener) explain(err error) error {
	fix := "correct the device in the configuration"
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		fix = "plug it in, or correct the device in the configuration"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		fix = "let the daemon's user into the group that owns it, often dialout"
	case errors.Is(err, unix.EBUSY):
		var st unix.Stat_t
		if unix.Stat(o.device, &st) == nil {
			return o.busy(uint64(st.Rdev))
		}
	case errors.Is(err, unix.EIO):
		fix = "look for the adapter's trouble in the kernel log"
	}
	return fmt.Errorf("link: open %s: %w; %s", o.device, err, fix)
}

// lost says in words what ended the reads.
func lost(device string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, unix.EIO) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("link: read %s: the device is gone; plug it in again", device)
	}
	return fmt.Errorf("link: use %s: %w; look for the adapter's trouble in the kernel log", device, err)
}

// discard throws away what was not sent, and closes. The caller is the last user of the port. It may wait in the driver.
func (p *port) discard() error {
	p.ctl.flush()
	return p.close()
}

func (p *port) close() error { return errors.Join(p.wire.close(), p.line.Close(), p.ctl.close()) }

// finish lets the driver send what it has for at most d, and closes. Without this the last pulses of an orderly end
// would be cut off.
func (p *port) finish(d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if n, _ := p.ctl.backlog(); n == 0 {
			break
		}
	}
	if n, _ := p.ctl.backlog(); n > 0 {
		return p.discard()
	}
	return p.close()
}
