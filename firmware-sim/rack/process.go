package rack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How long a process of the rack may take to answer, and to end.
const (
	answerTime = 5 * time.Second
	endTime    = 10 * time.Second
)

// process is a board or a supervisor: it lives until its standard input ends.
type process struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *os.File
	log  *os.File

	mu    sync.Mutex // one request at a time
	lines *bufio.Reader

	exited  chan struct{}
	exitErr error // valid after exited
}

func launch(binary, log string, args ...string) (*process, error) {
	name := strings.Join(args, " ")
	file, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("rack: open log: %w", err)
	}
	out, theirs, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rack: make pipe: %w", err), file.Close())
	}
	p := &process{name: name, cmd: exec.Command(binary, args...), out: out, log: file, lines: bufio.NewReader(out), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = theirs, file
	// A process group of its own: a Ctrl-C in the lab is the lab's to answer, in its order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.in, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	theirs.Close()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rack: start %s: %w", name, err), out.Close(), file.Close())
	}
	go func() {
		p.exitErr = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

func (p *process) expect(want string) error {
	got, err := p.line()
	if err == nil && got != want {
		err = fmt.Errorf("it says %q instead of %q", got, want)
	}
	if err != nil {
		return fmt.Errorf("rack: %s: %w (see %s)", p.name, err, p.log.Name())
	}
	return nil
}

func (p *process) line() (string, error) {
	if err := p.out.SetReadDeadline(time.Now().Add(answerTime)); err != nil {
		return "", err
	}
	text, err := p.lines.ReadString('\n')
	return strings.TrimSuffix(text, "\n"), err
}

// ask sends a verb and returns what stands after "ok". After a time-out the answers would no longer belong to the
// questions, so the process is ended.
func (p *process) ask(verb string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := io.WriteString(p.in, verb+"\n")
	text := ""
	if err == nil {
		text, err = p.line()
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("rack: ask %s to %s: %w (see %s)", p.name, verb, err, p.log.Name()), ignoreClosed(p.in.Close()))
	}
	if sentence, ok := strings.CutPrefix(text, "error "); ok {
		return "", fmt.Errorf("rack: %s", sentence)
	}
	return strings.TrimPrefix(strings.TrimPrefix(text, "ok"), " "), nil
}

// end closes the process's standard input and waits until it has gone.
func (p *process) end() error {
	err := ignoreClosed(p.in.Close())
	select {
	case <-p.exited:
		err = errors.Join(err, p.exitErr)
	case <-time.After(endTime):
		err = errors.Join(err, fmt.Errorf("it did not end within %s and was killed; what it had started may still run", endTime), p.cmd.Process.Kill())
		<-p.exited
	}
	err = errors.Join(err, p.out.Close(), p.log.Close())
	if err != nil {
		return fmt.Errorf("rack: end %s: %w (see %s)", p.name, err, p.log.Name())
	}
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
