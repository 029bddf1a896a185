package main

import (
	"errors"

	"github.com/serialhb/serialhb/serialhb/control"
)

// The exit table. Scripts rely on it: it never changes.
const (
	exitDone     = 0
	exitRefused  = 1 // or failed
	exitUsage    = 2
	exitNoDaemon = 3
	exitNotNow   = 4
	exitTimedOut = 5
)

// How `serialhb run` ends besides 0, which is an orderly leave, and 1. They are meant for its supervisor.
const (
	// exitStay: it ended otherwise than was asked for and must not be started again by itself, because a person left with
	// it, or another daemon of this node runs. Its last line says which (EX_IOERR).
	exitStay = 74
	// exitQuiet: start it again at once (EX_TEMPFAIL).
	exitQuiet = 75
)

// exitError is an error with its place in the table. A nil cause has been told already.
type exitError struct {
	code  int
	cause error
}

func (e *exitError) Error() string {
	if e.cause == nil {
		return ""
	}
	return e.cause.Error()
}

func (e *exitError) Unwrap() error { return e.cause }

func refused(err error) error  { return &exitError{exitRefused, err} }
func usage(err error) error    { return &exitError{exitUsage, err} }
func timedOut(err error) error { return &exitError{exitTimedOut, err} }

// exitCode finds an error's place. Whatever has none was refused or failed.
func exitCode(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &e):
		return e.code
	case errors.Is(err, control.ErrNoDaemon):
		return exitNoDaemon
	case errors.Is(err, control.ErrTimeout):
		return exitTimedOut
	}
	return exitRefused
}

// verdict is the error of an answer, nil if the daemon did what was asked. An answer that contradicts itself is a no.
func verdict(res control.Result) error {
	if res.OK && res.Exit == exitDone {
		return nil
	}
	text := res.Text
	if text == "" {
		text = "the daemon refused without a reason; `serialhb events` may tell more"
	}
	code := exitRefused
	switch res.Exit {
	case exitUsage, exitNotNow, exitTimedOut:
		code = res.Exit
	}
	return &exitError{code, errors.New(text)}
}
