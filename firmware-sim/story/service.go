package story

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack"
	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/rack/service"
)

// ArgService is the hidden first argument that starts, stops and checks the lab's service on the node that asks:
// "lab-service FILE start|stop|status".
const ArgService = "lab-service"

// envNode is what the daemon tells every command of a resource: the node on which it runs.
const envNode = "SERIALHB_NODE"

// serviceBook is the FILE: the commands of a resource must be the same words on every node, and their environment is
// not the daemon's, so what differs between the nodes is looked up here.
type serviceBook struct {
	Board string
	Args  map[string][]string      // per node, what follows the verb
	Takes map[string]time.Duration // per verb, what it takes before it does anything
	Fails map[string]string        // per node, the verb that does nothing but fail
}

func (b serviceBook) write(file string) error {
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("story: write service book: %w", err)
	}
	// In one piece: a command may read it at this moment.
	if err := errors.Join(os.WriteFile(file+".new", text, 0o644), os.Rename(file+".new", file)); err != nil {
		return fmt.Errorf("story: write service book: %w", err)
	}
	return nil
}

// Hidden serves the hidden first arguments of the lab. args are the program's arguments without its name; ok says
// whether they were for the lab, and then exit is the exit code. It is to be asked before anything else in main.
func Hidden(args []string) (exit int, ok bool) {
	if len(args) > 0 && args[0] == ArgService {
		return serviceMain(args[1:]), true
	}
	if len(args) > 0 && args[0] == ArgAgent {
		return agentMain(os.Stdin, os.Stderr), true
	}
	return rack.Hidden(args)
}

func serviceMain(args []string) int {
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "lab-service: give FILE and start, stop or status")
		return 2
	}
	argv, err := serviceArgs(args[0], args[1], os.Getenv(envNode))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// The service finds the words that lead back to itself in front of its arguments, so they take the place of ours.
	os.Args = append([]string{os.Args[0], rack.ArgService}, argv...)
	return service.Main(argv)
}

func serviceArgs(file, verb, node string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("lab-service: read service book: %w", err)
	}
	var book serviceBook
	if err := json.Unmarshal(text, &book); err != nil {
		return nil, fmt.Errorf("lab-service: read service book %s: %w", file, err)
	}
	rest, ok := book.Args[node]
	if !ok {
		return nil, fmt.Errorf("lab-service: %s is %q, which is no node of the lab; only a daemon of the lab may run this", envNode, node)
	}
	time.Sleep(book.Takes[verb])
	if book.Fails[node] == verb {
		return nil, fmt.Errorf("lab-service: the story says that %s fails here", verb)
	}
	if err := os.Setenv(board.Env, book.Board); err != nil {
		return nil, fmt.Errorf("lab-service: name the board: %w", err)
	}
	return append([]string{verb}, rest...), nil
}
