// Package failover is the decision: who may own a resource group, and what has to happen first.
//
// It is pure. [Step] takes a configuration, a state and an event and returns the next state and the actions that the
// world is asked to carry out. There is no clock in it: time reaches it only as [TimerFired] for timers that it asked
// for, and every rule holds whenever any timer fires. There is no I/O: every action comes back as an event, also when
// it failed, and a completion that nobody waits for is counted and ignored. An impossible state of its own panics,
// because the death of the process is always safe.
//
// The whole safety argument is one sentence: a member starts a group only while it holds, for each other member, that
// member's grant of this very request, its orderly goodbye, or a proof that it is off.
//
// README.md tells the rules; the files follow them:
//
//	config.go state.go event.go action.go   the vocabulary
//	step.go      one event in, settled state out
//	hear.go      what a pulse and a silence mean
//	proof.go     rules 5 and 6: a proof of off, and what contradicts it
//	sense.go     what a power sense says, and when it lies
//	request.go   rule 1: when a member asks for a group, and what it needs to get it
//	grant.go     rule 2: when a member lets another have it
//	group.go     what each phase does with each input, as a table
//	fence.go     rules 8 to 11: the way to a proof of off
//	incident.go  rules 12 and 15: questions, counts, lock-out
//	command.go   what a person may ask for, and why it is refused
//	leave.go     rule 7: leaving, quiet restart
//	claim.go     the pulse that says all this to a peer
//	facts.go     rule 17: what outlives the daemon, and the host
package failover
