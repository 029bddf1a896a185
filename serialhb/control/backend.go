package control

import "context"

// Backend is the daemon behind the door. Its methods are called from many goroutines at once.
//
// A daemon that hangs must not be hidden: nobody is handed old facts. Once the context has ended, Command and Follow
// return soon; the others take a few seconds at most.
type Backend interface {
	// Status is how things stand now. One without a time (Taken is zero) says that nobody knows, and its headline why.
	Status() Status
	// Command carries out a request of who. A request that was not begun when the context ends is not begun any more,
	// and is answered with Exit 5.
	Command(ctx context.Context, who string, r Request) Result
	// Events gives the record in order, from sequence from on.
	Events(from uint64) []Event
	// Follow tells the same and goes on with what happens, until the context ends, the daemon does (nil), or tell
	// returns an error, which is returned. tell may block for seconds; nothing but this call may wait for it.
	Follow(ctx context.Context, from uint64, tell func(Event) error) error
	// Why tells an incident, 0 the last one. One that is not on record has no events and nothing in Now.
	Why(incident uint32) Why
}
