package resource

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/serialhb/serialhb/serialhb/process"
)

const (
	// termGrace is what a command that is cut short has between SIGTERM and SIGKILL.
	termGrace = 5 * time.Second
	// killGrace is how long a killed command may take to go. One that sits in the kernel, say on a dead disk, does
	// not go at all, and nobody may wait for it.
	killGrace = 2 * time.Second
	// groupLook is how often a process group is looked at while it is being ended.
	groupLook = 20 * time.Millisecond
)

type command struct {
	argv  []string
	env   []string
	dir   string
	grace time.Duration // 0 is termGrace
	// started hears of the process as soon as there is one; nil is nobody.
	started func(pid int)
}

// ending is how a command ended and the tail of what it wrote.
type ending struct {
	code   int            // -1: it did not exit by itself
	signal syscall.Signal // 0: none
	output string
}

// run carries out the command in a session of its own, so that what it leaves behind outlives the daemon. It waits for
// the process, never for its output. The error is nil only if the command ended by itself before ctx did.
func (c command) run(ctx context.Context) (ending, error) {
	sink, err := openSink()
	if err != nil {
		return ending{code: -1}, err
	}
	_ = process.SealDescriptors() // a descriptor too many is no reason not to stop a service
	cmd := &exec.Cmd{
		Path: c.argv[0], Args: c.argv, Env: c.env, Dir: c.dir,
		Stdout: sink.write, Stderr: sink.write,
		// No Pdeathsig: a service must survive us.
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	process.Ordinary(func() { err = cmd.Start() })
	sink.started()
	if err != nil {
		sink.discard()
		return ending{code: -1}, cause(err)
	}
	if c.started != nil {
		c.started(cmd.Process.Pid)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		process.AwaitExit(cmd.Process.Pid)
	}()

	select {
	case <-exited:
	case <-ctx.Done():
		err = context.Cause(ctx)
		if !c.endGroup(cmd.Process.Pid, exited) {
			go func() {
				<-exited
				_ = cmd.Wait() // reaps what nobody asks about any more
			}()
			output, drainErr := sink.finish()
			return ending{code: -1, output: output}, errors.Join(fmt.Errorf("%w, and process %d cannot be killed", err, cmd.Process.Pid), drainErr)
		}
	}
	waitErr := cmd.Wait()
	output, drainErr := sink.finish()
	end := ending{code: -1, output: output}
	var exit *exec.ExitError
	if waitErr != nil && !errors.As(waitErr, &exit) {
		return end, joinErrors(err, fmt.Errorf("wait for process %d: %w", cmd.Process.Pid, waitErr))
	}
	end.code = cmd.ProcessState.ExitCode()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		end.signal = ws.Signal()
	}
	return end, joinErrors(err, drainErr)
}

// joinErrors is both errors in one sentence.
func joinErrors(a, b error) error {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	return several{a, b}
}

// endGroup ends the process group of an unreaped process: SIGTERM, time to leave, SIGKILL. It says whether the process
// itself is gone.
func (c command) endGroup(pid int, exited <-chan struct{}) bool {
	grace := c.grace
	if grace == 0 {
		grace = termGrace
	}
	_ = syscall.Kill(-pid, syscall.SIGTERM)
	late := time.After(grace)
	look := time.NewTicker(groupLook)
	defer look.Stop()
waiting:
	for {
		select {
		case <-late:
			break waiting
		case <-look.C:
			select {
			case <-exited:
				if !groupLives(pid) {
					return true
				}
			default:
			}
		}
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	select {
	case <-exited:
		return true
	case <-time.After(killGrace):
		return false
	}
}
