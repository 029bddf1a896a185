// To ask again and again how many processors there are would wake an idle daemon once a second.
//go:debug updatemaxprocs=0

// Command serialhb is the one program of serialhb: the daemon, and what people ask it.
//
// Exit codes: 0 done, 1 refused or failed (why on standard error), 2 usage, 3 no daemon, 4 not allowed now, 5 timed out.
// They are the same for every command, so that a script can tell a daemon that says no from one that is not there. The
// daemon itself ends with 75 to be started again at once, and with 74 if it must not be; exit.go has the table.
package main

import (
	"context"
	"os"
)

func main() {
	if code, ok := hidden(os.Args[1:]); ok {
		os.Exit(code)
	}
	os.Exit(program(os.Args[1:], &terminal{
		ctx:      context.Background(),
		in:       os.Stdin,
		out:      os.Stdout,
		err:      os.Stderr,
		answers:  isTerminal(os.Stdin),
		redrawn:  isTerminal(os.Stdout),
		hostname: os.Hostname,
	}))
}
