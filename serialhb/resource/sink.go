package resource

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tailSize is how much of a command's output is kept.
const tailSize = 4 << 10

// leftover bounds what is still read once the command has ended: more than a pipe holds by default, and an end against
// a child that never stops writing.
const leftover = 256 << 10

// sink takes the output of a command. It is a pipe whose write end, as the command has it, can also read: a pipe with
// a reader never raises SIGPIPE, so what the command left running survives our death. While the command runs we read;
// what is still held open afterwards is handed to a process that reads it for as long as anybody writes.
type sink struct {
	write *os.File
	read  *os.File
	done  chan struct{} // closed when the reading goroutine has ended
	tail  tail
}

func openSink() (*sink, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe for its output: %w", err)
	}
	defer w.Close()
	var fd int
	var openErr error
	control(w, func(own int) {
		fd, openErr = unix.Open(fmt.Sprintf("/proc/self/fd/%d", own), unix.O_RDWR|unix.O_CLOEXEC, 0)
	})
	if openErr != nil {
		r.Close()
		return nil, fmt.Errorf("open a pipe for its output: /proc: %w: mount it", openErr)
	}
	return &sink{write: os.NewFile(uintptr(fd), "output"), read: r, done: make(chan struct{})}, nil
}

// control calls f with the descriptor, which stays in the mode it is in.
func control(file *os.File, f func(fd int)) {
	if rc, err := file.SyscallConn(); err == nil {
		_ = rc.Control(func(fd uintptr) { f(int(fd)) })
	}
}

// started closes our own write end, which the command has by now, and begins to read.
func (s *sink) started() {
	s.write.Close()
	go func() {
		defer close(s.done)
		buf := make([]byte, 32<<10)
		for {
			n, err := s.read.Read(buf)
			s.tail.add(buf[:n])
			if err != nil {
				return
			}
		}
	}()
}

// discard ends a sink whose command never ran.
func (s *sink) discard() {
	<-s.done
	s.read.Close()
}

// finish returns the tail of what was written so far. It does not wait for writers that remain.
func (s *sink) finish() (string, error) {
	defer s.read.Close()
	_ = s.read.SetReadDeadline(time.Unix(1, 0))
	<-s.done
	ended := false
	control(s.read, func(fd int) {
		buf := make([]byte, 32<<10)
		for total := 0; total < leftover; {
			n, err := syscall.Read(fd, buf)
			if err == syscall.EINTR {
				continue
			}
			if n <= 0 {
				ended = n == 0 && err == nil
				return
			}
			total += n
			s.tail.add(buf[:n])
		}
	})
	if ended {
		return s.tail.String(), nil
	}
	return s.tail.String(), s.handOver()
}

// handOver gives the pipe to a process that reads it to its end.
func (s *sink) handOver() error {
	path, err := drainer()
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{
		Path: path, Args: []string{"cat"}, Env: []string{}, Dir: "/",
		Stdin:       s.read,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	// Passing the file on makes it blocking, for both: we are done with it.
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("hand its output over to %s: %w", path, cause(err))
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

var errNoDrainer = errors.New("resource: find the program cat, which takes the output of services: it is not installed: install coreutils")

// drainer is the path of the program that reads what services write after their start command has ended.
var drainer = sync.OnceValues(func() (string, error) {
	for _, path := range []string{"/bin/cat", "/usr/bin/cat"} {
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&anyExecute != 0 {
			return path, nil
		}
	}
	if path, err := exec.LookPath("cat"); err == nil {
		return path, nil
	}
	return "", errNoDrainer
})

// tail keeps the end of what is written to it.
type tail struct {
	buf []byte
}

func (t *tail) add(p []byte) {
	if len(p) >= tailSize {
		t.buf = append(t.buf[:0], p[len(p)-tailSize:]...)
		return
	}
	if over := len(t.buf) + len(p) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	t.buf = append(t.buf, p...)
}

func (t *tail) String() string { return string(t.buf) }
