package link

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// source reads a device or a socket with as few wakes as can be.
//
// The runtime's poller waits, and no call to the kernel can: a tty's write may not sleep (linux/tty_driver.h), and nothing
// that is non-blocking waits in read. So the scheduler is not told of the calls, for each would wake its monitor thread;
// that cost more than all else that a daemon does.
//
// The poller does not watch the descriptor but an epoll of ours that does, once at a time: it would wake for every chunk of
// a frame while the reader sleeps until the rest is there, and for every datagram that has left.
type source struct {
	fd   int // non-blocking; its owner closes it after the source
	once *os.File
	conn syscall.RawConn // of once
	in   transfer
	try  func(ep uintptr) bool

	mu    sync.Mutex // over the deadline, which the end of a run sets too
	ended bool
}

const onceReadable = unix.EPOLLIN | unix.EPOLLONESHOT

func newSource(fd int) (*source, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(unix.SetNonblock(ep, true), unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: onceReadable})); err != nil {
		return nil, errors.Join(err, unix.Close(ep))
	}
	s := &source{fd: fd, once: os.NewFile(uintptr(ep), "epoll")}
	if s.conn, err = s.once.SyscallConn(); err == nil {
		err = s.once.SetReadDeadline(time.Time{}) // refused where the poller does not watch
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.try = func(ep uintptr) bool {
		s.woken(ep)
		return s.in.call(unix.SYS_READ, s.fd) || !s.watch(ep)
	}
	return s, nil
}

// watch asks for one more wake; false is that it cannot be had.
func (s *source) watch(ep uintptr) bool {
	e := unix.EpollEvent{Events: onceReadable}
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_MOD, uintptr(s.fd), uintptr(unsafe.Pointer(&e)), 0, 0)
	if errno != 0 {
		s.in.err = errno
	}
	return errno == 0
}

// woken takes the wake that was asked for, if it has come. Only then the kernel stops watching.
func (s *source) woken(ep uintptr) {
	var e unix.EpollEvent
	unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, ep, uintptr(unsafe.Pointer(&e)), 1, 0, 0, 0)
}

// read waits until there is something, and gives what one call to the kernel brings. [os.ErrDeadlineExceeded] says that
// it was woken, or that the time given to wait is over, [os.ErrClosed] that the source is closed.
func (s *source) read(b []byte) (int, error) {
	s.in.buf = b
	if err := s.conn.Read(s.try); err != nil {
		return 0, err
	}
	return s.in.n, s.in.err
}

// patience bounds how long the next read waits; 0 is for ever. The reader calls it.
func (s *source) patience(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var until time.Time
	if d > 0 {
		until = time.Now().Add(d)
	}
	if !s.ended {
		s.once.SetReadDeadline(until) // it could be set when the source was made
	}
}

// wake ends a read that waits, and every later one.
func (s *source) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.once.SetReadDeadline(time.Unix(1, 0))
}

// close ends the watching. A read that waits ends.
func (s *source) close() error { return s.once.Close() }

// transfer is one way of a descriptor. The fields hold what a call needs, so that none of them allocates.
type transfer struct {
	buf []byte
	n   int
	err error
}

// call makes a system call that does not wait, and says whether it had something to do.
func (t *transfer) call(number uintptr, fd int) bool {
	for {
		r, _, errno := unix.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(t.buf))), uintptr(len(t.buf)))
		switch errno {
		case 0:
			t.n, t.err = int(r), nil
			return true
		case unix.EINTR:
		case unix.EAGAIN:
			t.n, t.err = 0, nil
			return false
		default:
			t.n, t.err = 0, errno
			return true
		}
	}
}
