// Package resource starts, stops and probes what a resource group is made of.
//
// It knows nothing of peers, fences or grants. It answers one question for them, and never guesses: is this thing
// running here, stopped here, or can nobody tell? README.md in this folder says how commands are run and what becomes
// of their output.
package resource

import (
	"context"
	"errors"
	"time"
)

// State is what a probe found.
type State uint8

// The states. Unknown is the zero value: nobody takes it for a stop.
const (
	Unknown State = iota
	Stopped
	Running
)

func (s State) String() string {
	switch s {
	case Unknown:
		return "unknown"
	case Stopped:
		return "stopped"
	case Running:
		return "running"
	}
	return "invalid"
}

// Resource is one thing that runs on one member at a time. Its methods may be called from any goroutine; they run one
// at a time, in no particular order if they wait for each other.
type Resource interface {
	// Name is unique within its group.
	Name() string
	// Start returns nil once the resource is up.
	Start(ctx context.Context) error
	// Stop returns nil once the resource is verified stopped. Any error means that it may still run.
	Stop(ctx context.Context) error
	// Probe changes nothing. The error is nil exactly if the state is Stopped or Running.
	Probe(ctx context.Context) (State, error)
}

// Action is what is done to a resource.
type Action string

// The actions. Their text is what a command finds in SERIALHB_ACTION.
const (
	ActionStart  Action = "start"
	ActionStop   Action = "stop"
	ActionStatus Action = "status"
)

// Step is the evidence of one action on one resource of a group.
type Step struct {
	Group    string
	Resource string
	Action   Action
	State    State // what a probe found, Unknown for the other actions
	Duration time.Duration
	Err      error
}

var (
	// ErrTimeout is wrapped by every error that comes from a time-out of this package.
	ErrTimeout = errors.New("timed out")
	// ErrNoStatus is wrapped where a state is asked of a resource that has no way to tell it.
	ErrNoStatus = errors.New("it has no status command, so nobody can tell whether it runs: configure one")
	// ErrUnsafe is wrapped where a command is refused because somebody else could change it.
	ErrUnsafe = errors.New("refused")
)
