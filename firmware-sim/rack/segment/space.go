package segment

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// space is a network namespace without a name. It is there as long as its thread, or a process that was started in it.
type space struct {
	jobs  chan func() // for the one thread that is in it
	ended chan struct{}
	fd    int // of the namespace, while the segment is wired; -1 is closed
}

func newSpace() (*space, error) {
	s := &space{jobs: make(chan func()), ended: make(chan struct{}), fd: -1}
	entered := make(chan error)
	go s.settle(entered)
	if err := <-entered; err != nil {
		return nil, fmt.Errorf("segment: make a network namespace: %w: `serialhb lab` without --netns needs none", err)
	}
	return s, nil
}

// settle takes any thread but the first: that one never ends, and the namespace would stay with it.
func (s *space) settle(entered chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		s.live(entered)
		return
	}
	moved := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(moved)
		s.live(entered)
	}()
	<-moved
	runtime.UnlockOSThread()
}

// live never unlocks its thread, which therefore ends with it: it is spoilt for all others.
func (s *space) live(entered chan<- error) {
	defer close(s.ended)
	err := unix.Unshare(unix.CLONE_NEWNET)
	if err == nil {
		s.fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	}
	entered <- err
	if err != nil {
		return
	}
	for job := range s.jobs {
		job()
	}
}

// enter runs f in the namespace. A process that f starts lives there; a socket that f opens belongs there, whoever uses
// it. It is not entered from within.
func (s *space) enter(f func()) {
	done := make(chan struct{})
	s.jobs <- func() {
		defer close(done)
		f()
	}
	<-done
}

func (s *space) do(f func() error) (err error) {
	s.enter(func() { err = f() })
	return err
}

// forget closes the descriptor, so that no process inherits or keeps the namespace by it.
func (s *space) forget() error {
	fd := s.fd
	s.fd = -1
	if fd < 0 {
		return nil
	}
	return unix.Close(fd)
}

// close ends the thread, and with it the namespace if nothing else lives there.
func (s *space) close() error {
	close(s.jobs)
	<-s.ended
	return s.forget()
}
