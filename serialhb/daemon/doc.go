// Package daemon is the only loop. It takes what the adapters bring, hands it to detection and to the decision, and has
// the decision's actions carried out. All state belongs to the goroutine of [Daemon.Run]; everything that could wait
// (a disk, a relay, a service, a log) is done by workers that are joined at the end and answer with an event.
//
//	ports.go    what the daemon needs of the world; cmd/serialhb wires the adapters to it
//	daemon.go   making one, running it, ending it
//	inbox.go    from the links into the loop
//	loop.go     one turn
//	act.go      the actions of the decision
//	work.go     the workers: services, power, facts
//	person.go   commands and what is answered
//	record.go   the record of what happened and why, written before the action
//	flood.go    how much news of one kind is recorded
//	prepare.go  what is done for services beside the decision
//	news.go     what services tell by themselves
//	health.go   whether fence devices would work
//	status.go   what people are told
//	cause.go    why a service failed, in its own words
//	alarm.go    what a person should mend
package daemon
