package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/serialhb/serialhb/serialhb/clock"
	"github.com/serialhb/serialhb/serialhb/process"
)

// unfinished is a start or stop that has begun and that nothing has ended yet, as it stands in a file: a daemon that is
// killed leaves its command behind, and the next one must neither take a service for stopped that this command is about
// to start, nor for running that it is about to stop.
type unfinished struct {
	Action Action        `json:"action"`
	Boot   string        `json:"boot"`
	Until  time.Duration `json:"until_ns"` // boot time at which the action has failed
	// Pid and Born name the command's process and the head of its group; 0 is not known: the daemon died in between.
	Pid  int           `json:"pid,omitempty"`
	Born time.Duration `json:"born_ns,omitempty"` // the number alone may be another's by now
	// Started: a stop that was begun after a start that nobody saw the end of.
	Started bool `json:"started,omitempty"`
}

func (u *unfinished) startsYet() bool { return u.Action == ActionStart || u.Started }

// ErrUnfinished says that a start or stop began and did not end well, so that what the status says is not certain.
var ErrUnfinished = errors.New("a start or stop of it began and nobody saw it end well, so only another stop makes sure of it")

// note is the file of one resource; "" keeps nothing.
type note string

func (n note) write(u unfinished) error {
	if n == "" {
		return nil
	}
	b, err := json.Marshal(u)
	if err != nil {
		return err
	}
	fresh := string(n) + ".new"
	if err := os.WriteFile(fresh, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, string(n)) // no fsync: it outlives the daemon, not the host
}

// read gives what was left unfinished in this boot; nil is nothing. A file that cannot be read is one that may say
// anything.
func (n note) read(boot string) (*unfinished, error) {
	if n == "" {
		return nil, nil
	}
	b, err := os.ReadFile(string(n))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	var u unfinished
	if err == nil {
		err = json.Unmarshal(b, &u)
	}
	if err == nil && !u.sound() {
		err = errors.New("it is no note of a start or stop")
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", string(n), cause(err))
	case u.Boot != boot:
		return nil, nil
	}
	return &u, nil
}

// sound says whether a note can be one of ours. Its process is signalled as a group, and 1 as a group is everybody.
func (u *unfinished) sound() bool {
	return (u.Action == ActionStart || u.Action == ActionStop) && u.Until >= 0 && u.Born >= 0 && (u.Pid > 1 || u.Pid == 0 && u.Born == 0)
}

// remove forgets. A note that stays makes the next daemon stop what it could have adopted, which is the safe side.
func (n note) remove() {
	if n != "" {
		_ = os.Remove(string(n))
	}
}

// away waits until the command of an earlier daemon has ended. One that is over its time is ended, as the earlier daemon
// would have done.
func (u *unfinished) away(ctx context.Context) error {
	tick := time.NewTicker(groupLook)
	defer tick.Stop()
	for {
		runs, err := u.runs()
		switch {
		case !runs:
			return nil
		case clock.Boot() >= u.Until && err != nil:
			return fmt.Errorf("nobody can tell whether the %s of an earlier daemon still runs: %w", u.Action, err) // nor whom a signal would meet
		case clock.Boot() >= u.Until:
			return u.end(ctx, tick)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the %s of an earlier daemon still runs: %w", u.Action, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// runs says whether the command runs; an error says that it may.
func (u *unfinished) runs() (bool, error) {
	if u.Pid == 0 {
		return clock.Boot() < u.Until, nil // whoever it is has that long
	}
	now, err := process.Of(u.Pid)
	switch {
	case errors.Is(err, process.ErrNone):
		return false, nil
	case err != nil:
		return true, err
	}
	return !now.Ended && now.Born == u.Born, nil
}

// end ends the command and what it began. Its number stands for its group for as long as any of the group is left.
func (u *unfinished) end(ctx context.Context, tick *time.Ticker) error {
	for _, how := range []struct {
		signal syscall.Signal
		grace  time.Duration
	}{{syscall.SIGTERM, termGrace}, {syscall.SIGKILL, killGrace}} {
		_ = syscall.Kill(-u.Pid, how.signal) // whether it helped is seen below
		for late := clock.Boot() + how.grace; clock.Boot() < late; {
			if runs, _ := u.runs(); !runs && !groupLives(u.Pid) {
				return nil
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-tick.C:
			}
		}
	}
	if runs, _ := u.runs(); runs {
		return fmt.Errorf("process %d, the %s of an earlier daemon, cannot be killed", u.Pid, u.Action)
	}
	return nil
}
