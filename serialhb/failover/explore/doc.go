// Package explore tries everything that can happen to a few members within given limits, in every order, on the real
// decision: the [failover.Step] of the daemon, not a model of it.
//
// A cluster here is two or three hosts with their power, their relays, what they run, what they wrote down, and the pulses
// that are under way. A [Move] is one thing that happens: a pulse is sent, delivered, delivered twice or late, a timer
// fires (any that is armed, at any moment), a verdict falls, something that was begun ends well or badly, a process or a
// host dies and comes back, a person asks for something. [Search] goes through all clusters that any order of moves leads
// to, breadth first, and holds each against what must always be so (demand.go). What it finds first is therefore a
// shortest way to it, printed as a [Path] that can be kept in testdata and is played there by a test.
//
// Numbers that only ever grow (sequences, sessions, boots, requests, generations, ownership terms) would make the clusters
// infinitely many. The decision only compares them, so they are renamed after each move (rename.go): two clusters that
// differ in names alone are one.
//
// It is as pure as what it explores: no clock, no chance, no goroutine. A search is cut into jobs, and its caller carries them
// out on as many processors as there are ([Run]); the same scope has the same clusters in the same order on any machine. What
// is drawn by chance, walks and roams, is in the tests.
//
// Nothing here is safe for concurrent use, but for the jobs that a search hands to its Run.
package explore
