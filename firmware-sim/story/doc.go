// Package story is the lab's story language: a script says what happens to a rack of two real nodes and what must come
// of it; this package parses it, carries it out, checks it against witnesses outside the nodes, and tells it in words
// with measured times.
//
// What belongs here: the language (parse.go, verbs.go, conditions.go, settings.go), the runner (run.go) and what it
// needs of a rack (world.go), the rack itself behind that (adapter.go, asking.go), the report (report*.go), the built-
// in story (lab.story), the measuring of takeovers (measure.go), and the node configuration that the rack's nodes run
// with. Nothing that decides imports it.
//
// Who owned what is read from the ledger that the services themselves keep on the board, and from a client that asks
// them every two milliseconds; a node's own status decides nothing but what a node says. README.md in this folder is
// the manual of the language.
package story
