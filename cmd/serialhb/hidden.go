package main

import "github.com/serialhb/serialhb/firmware-sim/story"

// hidden runs the part that the first word names, if it is one that this program plays only for a lab: board, host,
// service. They are found before the command line is parsed, because a service begins in the measured time of a takeover.
func hidden(args []string) (code int, ok bool) { return story.Hidden(args) }
