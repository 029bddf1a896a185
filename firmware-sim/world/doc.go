// Package world is a cluster in simulated time: hosts, supplies, relays, senses, cables, a network, services and people,
// and on each host the real decision. Pulses are really encoded, signed and opened, [detect.Detector] really judges,
// [failover.State] really decides and [fencing.Sequence] really drives the coils; only what the daemon gets from the
// operating system is a model here, in the order in which the daemon's loop uses it.
//
// It is a discrete-event simulation: one agenda, no goroutine, no wall clock, one seeded source of chance. The same
// [Config] and the same calls give the same history. A [World] is not safe for concurrent use.
//
// After every event a checker looks at the physical truth, not at what anybody believes; see check.go. The first thing
// that it finds is kept and ends the simulation.
//
//	config.go agenda.go world.go   the whole, its clock, its timeline
//	host.go power.go               machines, supplies, boots
//	relay.go sense.go cut.go       the power that one member has over another
//	link.go                        cables and the network
//	service.go facts.go            resources, files
//	daemon.go act.go inbox.go      the loop, as serialhb/daemon has it
//	dialect.go                     a protocol version that is not written yet
//	person.go hand.go upkeep.go    commands of operators, and what the world does to machines
//	view.go well.go                what can be seen, and whether all is well
//	check.go signs.go              what must never be
//	script/                        the story language
package world
