package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/serialhb/serialhb/serialhb/process"
)

const (
	// termGrace is what an agent that ran out of time has between SIGTERM and SIGKILL.
	termGrace = time.Second
	// killGrace is how long a killed agent may take to go. One that hangs in the kernel does not go at all.
	killGrace = 2 * time.Second
	// drainGrace is how long the output of an agent that has ended is still read if something holds it open.
	drainGrace = 500 * time.Millisecond
	// writeGrace ends the wait for a pipe that is too small for the options, as users with very many pipes get them.
	writeGrace = time.Second
)

// environment is all that an agent gets. It has to read its options as UTF-8, whatever language this machine speaks.
var environment = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/"}

// program is one run of an agent.
type program struct {
	path  string
	input []byte // on its standard input
	keep  int    // of its standard output
}

// ending is how an agent that ended by itself did so, and the beginning of what any agent wrote.
type ending struct {
	code     int
	out, err text
}

// run carries the program out in a session and a process group of its own. Whatever of the group is left when the program
// ends is killed: nothing of an agent acts later. The agent dies with this process too, so that an off cannot outlive the
// decision to cut. The error is nil only if the agent exited by itself and before ctx ended.
func (p program) run(ctx context.Context) (end ending, err error) {
	// The kernel kills the agent when the thread that started it ends.
	process.Ordinary(func() { end, err = p.runHere(ctx) })
	return end, err
}

func (p program) runHere(ctx context.Context) (ending, error) {
	cmd := &exec.Cmd{
		Path: p.path, Args: []string{p.path}, Env: environment, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	}
	out, errs, err := p.start(cmd)
	if err != nil {
		return ending{}, err
	}
	pid := cmd.Process.Pid
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		process.AwaitExit(pid)
	}()
	gone := true
	select {
	case <-exited:
	case <-ctx.Done():
		gone = endGroup(pid, exited)
	}
	// The agent is not reaped yet, so its number still stands for its own group.
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	if !gone {
		go func() {
			<-exited
			_ = cmd.Wait() // reaps what nobody asks about any more
		}()
		return ending{out: out.finish(), err: errs.finish()}, fmt.Errorf("%w, and process %d cannot be killed", context.Cause(ctx), pid)
	}
	waited := cmd.Wait()
	end := ending{code: cmd.ProcessState.ExitCode(), out: out.finish(), err: errs.finish()}
	var exit *exec.ExitError
	ws, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case ctx.Err() != nil:
		return end, context.Cause(ctx)
	case waited != nil && !errors.As(waited, &exit):
		return end, fmt.Errorf("wait for process %d: %w", pid, waited)
	case ws.Signaled():
		return end, fmt.Errorf("it was ended by signal %d (%v)", int(ws.Signal()), ws.Signal())
	case !ws.Exited():
		return end, fmt.Errorf("process %d ended in a way that nobody knows", pid)
	}
	return end, nil
}

// start gives the agent its options and begins to read what it writes. The options are all in the pipe before the agent
// runs, so one that does not read them blocks nobody.
func (p program) start(cmd *exec.Cmd) (out, errs *sink, err error) {
	options, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("open a pipe for the options of the agent: %w", err)
	}
	defer options.Close()
	_ = w.SetWriteDeadline(time.Now().Add(writeGrace))
	_, err = w.Write(p.input)
	w.Close()
	if err != nil {
		return nil, nil, fmt.Errorf("write the options of the agent: %w", err)
	}
	if out, err = openSink(p.keep); err != nil {
		return nil, nil, err
	}
	if errs, err = openSink(keepText); err != nil {
		out.finish()
		return nil, nil, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = options, out.write, errs.write
	_ = process.SealDescriptors() // a descriptor too many is no reason not to cut
	err = cmd.Start()
	out.write.Close()
	errs.write.Close()
	if err != nil {
		out.finish()
		errs.finish()
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, nil, fmt.Errorf("run %s: %w", p.path, err)
	}
	return out, errs, nil
}

// endGroup asks a process group to end, then kills it, and says whether its leader has exited.
func endGroup(pid int, exited <-chan struct{}) bool {
	for _, try := range []struct {
		signal syscall.Signal
		grace  time.Duration
	}{{syscall.SIGTERM, termGrace}, {syscall.SIGKILL, killGrace}} {
		_ = syscall.Kill(-pid, try.signal)
		late := time.NewTimer(try.grace)
		defer late.Stop()
		select {
		case <-exited:
			return true
		case <-late.C:
		}
	}
	return false
}
