// Package boundary kills a daemon at every system call with which its takeover changes something outside itself, and looks
// whether the pair recovers.
//
// What belongs here: a small tracer (ptrace, Linux only), the list of calls that count, one run of a rack with a death in it,
// and the judgement of what comes after. What does not: hardware (firmware-sim/rack), the language in which the rest of the
// run is told (firmware-sim/story).
//
//	calls.go    which system calls count, and why the others do not
//	name.go     what a call is about, in words that are the same in every run
//	tracer.go   the process that follows all threads of a daemon and kills it
//	trace.go    its other end
//	rig.go      a rack in which the survivor dies
//	facts.go    what the dead daemon left on file
//	play.go     one run; what came of it
//	tour.go     all of them
//
// # What a boundary is
//
// The beginning (entry) or the end (exit) of a call, from the moment at which the owner is lost until the survivor has
// recorded that the group is active, and [Tail] longer for what is written after that. Killed at the entry, the call has no
// effect; killed at the exit, it has all of it and the daemon never learns so.
//
// Threads run differently in every run, so a boundary is not a number but a name: the call, what it is about (the path, the
// line to the relay board with its words, the kind of record), and the how many-th of that name it is. A run in which its
// boundary does not come is repeated, and then reported as not reached; it never counts as passed.
//
// The thread that reaches the boundary stands still there when the daemon is killed. The others may go on for the few
// microseconds until the kill arrives, as with any death.
//
// # What is judged
//
// Between a death and the next start: every fact on file is whole and so is the record, and nothing was done of which they
// do not say so: no relay is driven without an open cut, a count and a reason, no service runs without "held", a reason and
// what it rests on. Then the supervisor starts the daemon as its unit would, nobody helps, and within 20 s the group is active
// on exactly one node, by its daemon and by the ledger; when the owner is back both hear each other, nobody moves, and status,
// why and events are answered. The ledger must never have seen two nodes run the service.
//
// For each call on the files of facts there is a second run, in which the next daemon dies there too, the first time that it
// comes by; it is in the tracer's hands before it begins. And there is a third one, in which the thread is held at the
// beginning of the call for a while before all are killed: what must not be done before the facts are on file has time to be
// done then, and is seen.
//
// A run in which the pair was not well before the loss, or in which the whole machine stood still for half a detection time,
// says nothing. It is repeated, and never counts as passed; two owners in it count all the same.
//
// One stretch takes longer than the others: from the note that a start begins (unfinished-...) to the note that names its
// process the next daemon cannot know whether the start command runs, and waits for as long as it may take (start_timeout; the
// story sets 2 s). See serialhb/resource.
//
// # What is left out
//
// Calls at which nothing outside the process changes, so that a death before, in and after them leaves the same world: all
// that the Go runtime does to sleep, to wake and to have memory, and all that only reads (calls.go lists them). Children of
// the daemon (services, agents) are not followed; that they have begun is the exit of the clone that made them. Answers on
// the control socket are left out too: nobody but the observer asks for them here.
//
// A SIGKILL loses no page that was written and not synced. What a loss of power at these places leaves of a file is tried in
// serialhb/journal.
package boundary
