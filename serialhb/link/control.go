package link

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// control is our own descriptor on the tty. It holds the lock, asks what the serial library cannot ask, and throws away
// what a stuck line does not take. Its methods may be called from any goroutine, and do nothing once it is closed.
type control struct {
	mu     sync.RWMutex
	fd     int // -1 is closed
	counts bool
}

// openControl opens the tty and locks it. O_NONBLOCK keeps the open from waiting for a carrier.
func openControl(device string) (*control, error) {
	fd, err := unix.Open(device, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &control{fd: fd}, nil
}

// lock takes the advisory lock, which keeps root out too; TIOCEXCL does not.
func (c *control) lock() error {
	return unix.Flock(c.fd, unix.LOCK_EX|unix.LOCK_NB)
}

// claimed says whether a program has the tty for itself (TIOCEXCL). That keeps everybody else from opening it, but not
// root, which has to ask. It must be asked before the serial library claims the tty for us.
func (c *control) claimed() (bool, error) {
	var n int32
	err := c.ioctl(unix.TIOCGEXCL, unsafe.Pointer(&n))
	return n != 0, err
}

// probe asks once for what only some drivers have: counters, and delivery of each byte as it comes.
func (c *control) probe() {
	var ic icounter
	c.counts = c.ioctl(unix.TIOCGICOUNT, unsafe.Pointer(&ic)) == nil
	var s serialStruct
	if c.ioctl(unix.TIOCGSERIAL, unsafe.Pointer(&s)) == nil && s.Flags&asyncLowLatency == 0 {
		s.Flags |= asyncLowLatency
		// A driver that refuses is only slower, and no call shows it more plainly than the measured jitter. It may wait
		// for its adapter.
		_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(c.fd), unix.TIOCSSERIAL, uintptr(unsafe.Pointer(&s)))
	}
}

// backlog is how many bytes the driver has not sent yet. full says that it takes no more now; a pty tells that only so.
func (c *control) backlog() (bytes int, full bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.fd < 0 {
		return 0, false
	}
	// Whatever fails here fails in the write too, which reports it.
	bytes = c.queued(unix.TIOCOUTQ)
	poll := unix.PollFd{Fd: int32(c.fd), Events: unix.POLLOUT}
	var now unix.Timespec
	n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return bytes, errno == 0 && n == 0
}

// flush throws away what the driver has not sent.
func (c *control) flush() {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.fd >= 0 {
		// What fails here leaves the line stuck, and the caller tries again.
		_ = unix.IoctlSetInt(c.fd, unix.TCFLSH, unix.TCOFLUSH)
	}
}

// pending is how many bytes wait to be read.
func (c *control) pending() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.fd < 0 {
		return 0
	}
	return c.queued(unix.TIOCINQ)
}

// queued asks for a number of bytes; 0 where the driver cannot tell.
func (c *control) queued(request uint) int {
	var n int32
	if c.ioctl(request, unsafe.Pointer(&n)) != nil {
		return 0
	}
	return int(n)
}

// lineErrors are the driver's counters, nil where there are none.
func (c *control) lineErrors() *LineErrors {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var ic icounter
	if c.fd < 0 || !c.counts || c.ioctl(unix.TIOCGICOUNT, unsafe.Pointer(&ic)) != nil {
		return nil
	}
	return &LineErrors{
		Frame:      uint64(uint32(ic.Frame)),
		Overrun:    uint64(uint32(ic.Overrun)),
		Parity:     uint64(uint32(ic.Parity)),
		Break:      uint64(uint32(ic.Brk)),
		BufOverrun: uint64(uint32(ic.BufOverrun)),
	}
}

// close gives the lock back. The close itself may wait in the driver, so the mutex is not held over it.
func (c *control) close() error {
	c.mu.Lock()
	fd := c.fd
	c.fd = -1
	c.mu.Unlock()
	if fd < 0 {
		return nil
	}
	return unix.Close(fd)
}

// ioctl is for requests that a driver answers from memory.
func (c *control) ioctl(request uint, arg unsafe.Pointer) error {
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(c.fd), uintptr(request), uintptr(arg))
	if errno != 0 {
		return errno
	}
	return nil
}

// asyncLowLatency is ASYNC_LOW_LATENCY of linux/tty_flags.h.
const asyncLowLatency = 1 << 13

// serialStruct is struct serial_struct of linux/serial.h.
type serialStruct struct {
	Type, Line                int32
	Port                      uint32
	IRQ, Flags, XmitFIFOSize  int32
	CustomDivisor, BaudBase   int32
	CloseDelay                uint16
	IOType, Reserved          int8
	Hub6                      int32
	ClosingWait, ClosingWait2 uint16
	IOMemBase                 uintptr
	IOMemRegShift             uint16
	PortHigh                  uint32
	IOMapBase                 uintptr
}

// icounter is struct serial_icounter_struct of linux/serial.h.
type icounter struct {
	CTS, DSR, RNG, DCD, RX, TX, Frame, Overrun, Parity, Brk, BufOverrun int32
	Reserved                                                            [9]int32
}
