package link

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// readiness waits for bytes in the runtime's poller. The library waits in a system call of its own, which keeps a
// processor of the runtime and its monitor busy for every chunk of every frame; that cost more than all else together.
type readiness struct {
	file  *os.File
	conn  syscall.RawConn
	ended atomic.Bool
}

// newReadiness takes its own descriptor of the tty. nil says that the poller cannot watch this device, and the library
// has to wait itself.
func newReadiness(fd int) *readiness {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(own), "tty")
	conn, err := file.SyscallConn()
	if err != nil || file.SetReadDeadline(time.Time{}) != nil {
		file.Close()
		return nil
	}
	return &readiness{file: file, conn: conn}
}

// wait says whether there is something to read, an error and an end included, before d is over.
func (r *readiness) wait(d time.Duration) bool {
	if r.file.SetReadDeadline(time.Now().Add(d)) != nil {
		return true
	}
	if r.ended.Load() { // after the deadline was set, or the wake could be lost
		return false
	}
	err := r.conn.Read(something)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// something asks the driver, without waiting, whether a read would return.
func something(fd uintptr) bool {
	poll := unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	var now unix.Timespec
	// Raw: it does not wait, and the scheduler need not prepare for it.
	n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return n > 0 && errno == 0 || errno != 0 && errno != unix.EINTR
}

// wake ends a wait, and every later one.
func (r *readiness) wake() {
	if r != nil {
		r.ended.Store(true)
		r.file.SetReadDeadline(time.Now())
	}
}

func (r *readiness) close() {
	if r != nil {
		r.file.Close()
	}
}
