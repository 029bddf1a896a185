package story

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/serialhb/control"
)

// World is what a story happens to. All its times are CLOCK_MONOTONIC, whoever stamped them. One goroutine uses it.
type World interface {
	Now() time.Duration
	// Sleep returns early with the context's error.
	Sleep(ctx context.Context, d time.Duration) error
	// Do carries out a verb and returns when it is done, with what was said (run only). A command that exits with
	// another code than 0 is an [ExitError].
	Do(ctx context.Context, o Order) (said string, err error)
	// Look takes in everything that happened so far, and asks the given nodes for their status. An error means that a
	// witness was lost, and with it the story.
	Look(ctx context.Context, ask []string) (View, error)
	// Overlaps tells, in words, every time at which two nodes ran the service or had its address at once.
	Overlaps() ([]string, error)
	// Outage is the longest time between begin and end in which the client had no answer.
	Outage(begin, end time.Duration) (time.Duration, error)
	// Answer is the client's first answer from a node at or after a moment; an empty node is any.
	Answer(node string, since time.Duration) (at time.Duration, ok bool, err error)
	// Logs are the last lines that each node's daemon wrote, for who has to find out why a story failed.
	Logs() map[string][]string
	// Close takes everything away and waits until it is gone.
	Close() error
}

// Builder makes a world and powers it up.
type Builder func(ctx context.Context, s Settings) (World, error)

// View is what can be known at a moment. Its slices only ever grow from one view of a world to the next; nobody changes
// what they hold.
type View struct {
	Now   time.Duration
	Board []board.Event // what physically happened, in order
	Told  []Told        // what the nodes recorded, in the order of arrival
	Nodes map[string]NodeView
	// Answering is the node that answered the client last, if that was within AnswerFresh.
	Answering string
	// Net is what the kernels know of the service's addresses; nil without `--netns`.
	Net *NetView
}

// NetView is who has the service's addresses at a moment. They are IPv4, and IPv6 if this machine has it.
type NetView struct {
	Addresses int                     // of the service
	Holders   map[string][]netip.Addr // which of them each node has on a card that is on
	Believed  string                  // the machine that the client takes to have them, "" none

	// Announced is when the client last heard each machine announce them, the oldest of all of them.
	Announced map[string]time.Duration
}

// AnswerFresh is how old the client's last answer may be for a node to count as answering. It asks every two
// milliseconds; a busy machine can keep client and service waiting for much longer than that.
const AnswerFresh = 250 * time.Millisecond

// Told is one event of a node's record, with its time on the world's clock.
type Told struct {
	At    time.Duration
	Node  string
	Event control.Event
}

// NodeView is what a node answered when it was asked. Err says why it did not.
type NodeView struct {
	Status control.Status
	Err    error
}

// ExitError says that a command of serialhb did not succeed. Code -1 is an end by a signal.
type ExitError struct {
	Code int
	Said string // standard error, or else standard output
}

func (e *ExitError) Error() string {
	if e.Said == "" {
		return fmt.Sprintf("exit code %d, without a word", e.Code)
	}
	return fmt.Sprintf("exit code %d: %s", e.Code, e.Said)
}
