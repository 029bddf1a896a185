package story

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
)

// ArgAgent is the hidden first argument that speaks the interface of a fence agent: the board's mains are its outlets, and
// a host is off when the board says that nothing of it runs. Options: board, the socket; plug, the host.
const ArgAgent = "lab-agent"

// What a fence agent says by its exit code.
const (
	agentDone   = 0 // of status: on
	agentFailed = 1
	agentOff    = 2 // of status
)

// agentWays are what the agent of the lab can be: the words of its script before the agent itself.
var agentWays = map[string]string{
	"ok":        "",
	"fails":     "echo 'nobody answers' >&2; exit 1\n",
	"hangs":     "exec sleep 1000\n",
	"hangs-off": "said=$(cat)\ncase $said in *action=off*) exec sleep 1000 ;; esac\nexec <<END\n$said\nEND\n",
}

func (w *lab) agentFile() string { return filepath.Join(w.dir, "fence_lab") }

// spoilAgent writes the agent in one piece: a daemon may start it at this moment.
func (w *lab) spoilAgent(way string) error {
	file := w.agentFile()
	text := fmt.Appendf(nil, "#!/bin/sh\n%sexec '%s' %s\n", agentWays[way], w.binary, ArgAgent)
	if err := errors.Join(os.WriteFile(file+".new", text, 0o755), os.Rename(file+".new", file)); err != nil {
		return fmt.Errorf("story: write fence agent: %w", err)
	}
	return nil
}

func agentMain(in io.Reader, errs io.Writer) int {
	code, err := agentAct(in)
	if err != nil {
		fmt.Fprintln(errs, err)
	}
	return code
}

func agentAct(in io.Reader) (int, error) {
	option := map[string]string{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			option[name] = value
		}
	}
	if err := lines.Err(); err != nil {
		return agentFailed, fmt.Errorf("lab-agent: read options: %w", err)
	}
	c, err := board.Dial(option["board"])
	if err != nil {
		return agentFailed, fmt.Errorf("lab-agent: %w", err)
	}
	defer c.Close()
	switch action := option["action"]; action {
	case "on", "off":
		if _, err := c.Ask("ctl", "mains", option["plug"], action); err != nil {
			return agentFailed, fmt.Errorf("lab-agent: %w", err)
		}
		return agentDone, nil
	case "status", "monitor":
		return agentStatus(c, option["plug"])
	default:
		return agentFailed, fmt.Errorf("lab-agent: there is no action %q", action)
	}
}

func agentStatus(c *board.Client, plug string) (int, error) {
	text, err := c.Ask("ctl", "state")
	if err != nil {
		return agentFailed, fmt.Errorf("lab-agent: %w", err)
	}
	var s board.State
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return agentFailed, fmt.Errorf("lab-agent: read the board: %w", err)
	}
	switch s.Hosts[plug].Power {
	case "off":
		return agentOff, nil
	case "":
		return agentFailed, errors.New("lab-agent: there is no plug " + plug)
	}
	return agentDone, nil
}
