package boundary

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The sides of a call.
const (
	Entry = "entry"
	Exit  = "exit"
)

// Boundary is the beginning or the end of a call. It is a value that can be compared.
type Boundary struct {
	Call  string `json:"call"`
	About string `json:"about,omitempty"`
	Nth   int    `json:"nth,omitempty"` // of this call about this, from 1
	Side  string `json:"side,omitempty"`
}

func (b Boundary) String() string {
	return fmt.Sprintf("%-5s of %s %s #%d", b.Side, b.Call, b.About, b.Nth)
}

// Facts says whether it belongs to a write of the facts that a later daemon believes.
func (b Boundary) Facts() bool { return strings.Contains(b.About, ".facts") }

// First is the same place the first time that a daemon comes by.
func (b Boundary) First() Boundary {
	b.Nth = 1
	return b
}

func lines(text string) iter.Seq[string] { return strings.SplitSeq(text, "\n") }

// traceTime is how long a tracer may take to have every thread of a daemon in its hands, and to see it die.
const traceTime = 10 * time.Second

// tracing is a tracer at work.
type tracing struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan said
	fault strings.Builder
}

// follow begins to trace a process of which program is or will be the program; want may be nil. self is this program, or
// another that serves [Hidden].
func follow(self string, pid int, dir, program string, want *Boundary, delay time.Duration) (*tracing, error) {
	args := []string{ArgTracer, strconv.Itoa(pid), dir, program}
	if want != nil {
		text, err := json.Marshal(want)
		if err != nil {
			return nil, fmt.Errorf("boundary: name boundary: %w", err)
		}
		args = append(args, string(text), delay.String())
	}
	t := &tracing{cmd: exec.Command(self, args...), lines: make(chan said, 4096)}
	t.cmd.Stderr = &t.fault
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("boundary: start tracer: %w", err)
	}
	out, err := t.cmd.StdoutPipe()
	if err == nil {
		err = t.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("boundary: start tracer: %w", err)
	}
	go func() {
		defer close(t.lines)
		for dec := json.NewDecoder(bufio.NewReader(out)); ; {
			var s said
			if dec.Decode(&s) != nil {
				return // the closed channel says it
			}
			t.lines <- s
		}
	}()
	first, err := t.next(time.After(traceTime))
	if err == nil && !first.Ready {
		err = errors.New("boundary: the tracer did not begin in order")
	}
	if err != nil {
		return nil, errors.Join(err, t.end())
	}
	return t, nil
}

var errSilent = errors.New("boundary: the tracer says nothing")

// next waits for what the tracer says.
func (t *tracing) next(late <-chan time.Time) (said, error) {
	select {
	case s, ok := <-t.lines:
		if !ok {
			return s, fmt.Errorf("boundary: the tracer has ended: %s", strings.TrimSpace(t.fault.String()))
		}
		return s, nil
	case <-late:
		return said{}, errSilent
	}
}

// end lets the process go on untraced, if it lives, and waits until the tracer has gone. What it had said may still be read.
func (t *tracing) end() error {
	err := t.in.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	kill := time.AfterFunc(traceTime, func() { _ = t.cmd.Process.Kill() })
	defer kill.Stop()
	rest := make(chan struct{})
	go func() {
		defer close(rest)
		for range t.lines { // its reader must not stand in the way of its end
		}
	}()
	<-rest
	if wait := t.cmd.Wait(); wait != nil {
		err = errors.Join(err, fmt.Errorf("boundary: tracer: %w: %s", wait, strings.TrimSpace(t.fault.String())))
	}
	return err
}
