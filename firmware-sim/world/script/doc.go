// Package script is the language in which stories about a cluster are told, and what plays them in a [world.World].
//
// A story is a text, one order a line: what happens to the machines, what a person asks for, and what must come true.
// It uses the words of `serialhb lab` where they mean the same. [Parse] looks at every line before anything starts;
// [Script.Run] plays it in simulated time and says, with the timeline around it, which line did not hold.
//
//	parse.go   a text, line by line
//	config.go  the lines that shape the cluster
//	verbs.go   what can be ordered, as a table
//	command.go what a person may ask of a daemon
//	run.go     plays a story, and tells a failure
//	help.go    the language as a page
//	expect.go  what can be expected, as a table
package script
