// Package daemon is the only place where things happen one after the other. It takes what the adapters bring, hands it to
// detection and to the decision, and has the decision's actions carried out. All state belongs to whoever has the turn,
// which lasts from an event to the last action that follows from it and waits for nobody; everything that could wait (a
// disk, a relay, a service, a log) is done by workers that are joined at the end and answer with an event.
//
//	ports.go    what the daemon needs of the world; cmd/serialhb wires the adapters to it
//	daemon.go   making one, running it, ending it
//	turn.go     one turn at a time, and what is due in it
//	inbox.go    the turns of what links bring
//	act.go      the actions of the decision
//	work.go     the workers: services, power, facts
//	person.go   commands and what is answered
//	book.go     the record: who writes it, in which order, and what becomes of a deed while it hangs
//	record.go   what is put on record, and the evidence of an action, which is written before it
//	flood.go    how much news of one kind is recorded
//	prepare.go  what is done for services beside the decision
//	news.go     what services tell by themselves
//	health.go   whether fence devices would work
//	status.go   what people are told
//	cause.go    why a service failed, in its own words
//	alarm.go    what a person should mend
package daemon
