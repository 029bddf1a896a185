package control

import (
	"context"
	"iter"
)

// Backend is the daemon behind the door. Its methods are called from many goroutines at once.
//
// A hung decision loop must not be hidden: Status waits for the loop, or fails to answer, rather than hand out old
// facts. Once the context has ended, Command and Follow return soon.
type Backend interface {
	// Status is how things stand now.
	Status() Status
	// Command carries out a request of who. A request that was not begun when the context ends is not begun any more,
	// and is answered with Exit 5.
	Command(ctx context.Context, who string, r Request) Result
	// Events gives the record in order, from sequence from on. An error ends it.
	Events(from uint64) iter.Seq2[Event, error]
	// Follow does the same and goes on with what happens, until the context ends or tell returns an error. tell may
	// block for seconds; nothing but this call may wait for it.
	Follow(ctx context.Context, from uint64, tell func(Event) error) error
	// Why tells an incident, 0 the last one. One that is not on record has no events and nothing in Now.
	Why(incident uint32) Why
}
