package main

import (
	"errors"
	"fmt"
	"os"
)

// resourceMain is the resource of a heartbeat node: it holds nothing but a line in the ledger. The flag file lies in a
// folder of the node's own, so it is gone when the node is.
//
//	NODE LEDGER FLAG start|stop|status
func resourceMain(args []string) int {
	if len(args) != 4 {
		fmt.Fprintln(os.Stderr, "peers: a resource needs a node, a ledger, a flag file and start, stop or status")
		return 2
	}
	said, err := resource(args[0], args[1], args[2], args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if said != "" {
		fmt.Println(said)
	}
	return 0
}

// resource answers status with the words that heartbeat looks for.
func resource(node, ledger, flag, verb string) (said string, err error) {
	switch verb {
	case "start":
		f, err := os.OpenFile(flag, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, os.ErrExist) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("peers: start resource: %w", err)
		}
		return "", errors.Join(enter(ledger, node, true), f.Close())
	case "stop":
		err := os.Remove(flag)
		if errors.Is(err, os.ErrNotExist) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("peers: stop resource: %w", err)
		}
		return "", enter(ledger, node, false)
	case "status":
		_, err := os.Stat(flag)
		if errors.Is(err, os.ErrNotExist) {
			return "stopped", nil
		}
		return "running", err
	}
	return "", fmt.Errorf("peers: %q is not start, stop or status", verb)
}
