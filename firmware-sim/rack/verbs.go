package rack

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/rack/cable"
	"github.com/serialhb/serialhb/firmware-sim/rack/netpath"
)

var errStopped = errors.New("rack: nothing runs: call Start first")

// PowerOff takes a node's mains away and returns at once; the node runs on until its hold-up is over.
func (r *Rack) PowerOff(node string) error { return r.order("mains", node, "off") }

// PowerOn gives the mains back. If nothing else cuts the node, it boots.
func (r *Rack) PowerOn(node string) error { return r.order("mains", node, "on") }

// HoldUp sets for how long a node's supplies carry it without feed.
func (r *Rack) HoldUp(node string, d time.Duration) error {
	return r.order("holdup", node, d.String())
}

// Weld makes a relay's contact stay closed.
func (r *Rack) Weld(relay string) error { return r.order("weld", relay) }

// Free ends a Weld: the contact follows its coil again.
func (r *Rack) Free(relay string) error { return r.order("free", relay) }

// Slow sets the time from current in a relay's coil to its open contact.
func (r *Rack) Slow(relay string, operate time.Duration) error {
	return r.order("slow", relay, operate.String())
}

// Sense sets the fault of a sense: board.FaultStuckOn, FaultStuckOff, FaultFloat or FaultNone.
func (r *Rack) Sense(name, fault string) error { return r.order("sense", name, fault) }

// SenseLies makes a sense read off for a time, whatever the truth.
func (r *Rack) SenseLies(name string, d time.Duration) error {
	return r.order("sense", name, board.FaultLie, d.String())
}

func (r *Rack) order(words ...string) error {
	_, err := r.control(words...)
	return err
}

func (r *Rack) control(words ...string) (string, error) {
	if r.ctl == nil {
		return "", errStopped
	}
	return r.ctl.Ask(append([]string{"ctl"}, words...)...)
}

// Freeze stops every process of a node, as a hung machine: it keeps its power, its sockets and its services' places.
func (r *Rack) Freeze(node string) error { return r.tell(node, "freeze") }

// Thaw continues what Freeze stopped.
func (r *Rack) Thaw(node string) error { return r.tell(node, "thaw") }

// KillDaemon kills a node's daemon alone and returns when it is dead. It restarts after the restart delay.
func (r *Rack) KillDaemon(node string) error { return r.tell(node, "kill-daemon") }

// HoldDaemon kills a node's daemon alone; it stays dead until StartNode or RestartDaemon.
func (r *Rack) HoldDaemon(node string) error { return r.tell(node, "hold-daemon") }

// RestartDaemon kills a node's daemon if it runs, and starts it at once.
func (r *Rack) RestartDaemon(node string) error { return r.tell(node, "restart-daemon") }

// StartNode starts a node's daemon if it does not run.
func (r *Rack) StartNode(node string) error { return r.tell(node, "start") }

// Reload has a node's daemon read its configuration again (SIGHUP). The daemon records what came of it.
func (r *Rack) Reload(node string) error { return r.tell(node, "reload") }

// StopNode asks a node's daemon to leave in order (SIGTERM) and returns when it has ended, with an error if its exit
// code is not 0 or if it takes longer than the limit.
func (r *Rack) StopNode(node string, limit time.Duration) error {
	if err := r.tell(node, "stop"); err != nil {
		return err
	}
	for end := time.Now().Add(limit); ; time.Sleep(2 * time.Millisecond) {
		text, err := r.Status(node)
		switch {
		case err != nil:
			return err
		case text == "stopped 0":
			return nil
		case strings.HasPrefix(text, "stopped"), text == "off":
			return fmt.Errorf("rack: %s did not leave in order: %s", node, text)
		case time.Now().After(end):
			return fmt.Errorf("rack: %s has not left within %s: its daemon is %s", node, limit, text)
		}
	}
}

// Reset boots a node anew while its power stays on, as a watchdog or a panic does: what it ran is gone, its run
// directory and its boot id too, and no sense sees it.
func (r *Rack) Reset(node string) error { return r.tell(node, "reset") }

// Reboot is what `reboot` does on a server: StopNode, then Reset.
func (r *Rack) Reboot(node string, limit time.Duration) error {
	if err := r.StopNode(node, limit); err != nil {
		return err
	}
	return r.Reset(node)
}

// Status says how a node is: "off", "booting", "running PID", "restarting" or "stopped CODE".
func (r *Rack) Status(node string) (string, error) {
	return r.ask(node, "status")
}

func (r *Rack) tell(node, verb string) error {
	_, err := r.ask(node, verb)
	return err
}

func (r *Rack) ask(node, verb string) (string, error) {
	if err := r.known(node); err != nil {
		return "", err
	}
	p := r.hosts[node]
	if p == nil {
		return "", errStopped
	}
	return p.ask(verb)
}

// CutCable breaks the wire that carries what from sends to to. Both directions are a cut cable.
func (r *Rack) CutCable(from, to string) error { return r.onWire(from, to, (*cable.Wire).Cut) }

// MendCable joins a wire again.
func (r *Rack) MendCable(from, to string) error { return r.onWire(from, to, (*cable.Wire).Mend) }

// LoopBack puts a loop-back plug on a node's port in place of its cable to other: what it sends comes back to it.
// MendCable in both directions ends it.
func (r *Rack) LoopBack(node, other string) error {
	return errors.Join(r.onWire(node, other, (*cable.Wire).Loop), r.CutCable(other, node))
}

// Noise adds random bytes to what from sends to to; 0 ends it.
func (r *Rack) Noise(from, to string, bytesPerSecond float64) error {
	return r.onWire(from, to, func(w *cable.Wire) { w.Noise(bytesPerSecond) })
}

// ByteErrors changes bytes on their way from from to to with a probability of 0 to 1.
func (r *Rack) ByteErrors(from, to string, probability float64) error {
	return r.onWire(from, to, func(w *cable.Wire) { w.ByteErrors(probability) })
}

// CableStats counts what went from from to to.
func (r *Rack) CableStats(from, to string) (cable.Stats, error) {
	var s cable.Stats
	err := r.onWire(from, to, func(w *cable.Wire) { s = w.Stats() })
	return s, err
}

func (r *Rack) onWire(from, to string, f func(*cable.Wire)) error {
	c, err := r.cable(from, to)
	if err != nil {
		return err
	}
	f(c.From(from))
	return nil
}

// Unplug takes node's port of its cable to other away.
func (r *Rack) Unplug(node, other string) error {
	c, err := r.cable(node, other)
	if err != nil {
		return err
	}
	return c.Unplug(node)
}

// Replug puts it back.
func (r *Rack) Replug(node, other string) error {
	c, err := r.cable(node, other)
	if err != nil {
		return err
	}
	return c.Replug(node)
}

func (r *Rack) cable(a, b string) (*cable.Cable, error) {
	c := r.cables[pairOf(a, b)]
	if c == nil {
		return nil, fmt.Errorf("rack: no cable joins %q and %q; the nodes are %s", a, b, strings.Join(r.cfg.Nodes, ", "))
	}
	return c, nil
}

// CutNet makes datagrams from from to to vanish.
func (r *Rack) CutNet(from, to string) error {
	return r.onNet(from, to, func(n *netpath.Net) { n.Cut(from, to) })
}

// MendNet ends a CutNet.
func (r *Rack) MendNet(from, to string) error {
	return r.onNet(from, to, func(n *netpath.Net) { n.Mend(from, to) })
}

// DropNet loses datagrams from from to to with a probability of 0 to 1.
func (r *Rack) DropNet(from, to string, probability float64) error {
	return r.onNet(from, to, func(n *netpath.Net) { n.Drop(from, to, probability) })
}

func (r *Rack) onNet(from, to string, f func(*netpath.Net)) error {
	if _, err := r.cable(from, to); err != nil {
		return err
	}
	f(r.net)
	return nil
}

// Ledger returns every run of every service so far.
func (r *Rack) Ledger() ([]board.Run, error) {
	var runs []board.Run
	err := r.query("ledger", &runs)
	return runs, err
}

// Overlaps returns every time that two nodes ran one service at once.
func (r *Rack) Overlaps() ([]board.Overlap, error) {
	runs, err := r.Ledger()
	return board.Overlaps(runs), err
}

// Edges counts the changes of an output line since Start.
func (r *Rack) Edges(line string) (int, error) {
	var edges map[string]int
	if err := r.query("edges", &edges); err != nil {
		return 0, err
	}
	n, ok := edges[line]
	if !ok {
		return 0, fmt.Errorf("rack: no output line is called %q", line)
	}
	return n, nil
}

// State returns the physical truth.
func (r *Rack) State() (board.State, error) {
	var s board.State
	err := r.query("state", &s)
	return s, err
}

func (r *Rack) query(what string, v any) error {
	text, err := r.control(what)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("rack: read %s: %w", what, err)
	}
	return nil
}

// Watch streams the board's events; see [board.Watch].
func (r *Rack) Watch() (events <-chan board.Event, stop func() error, err error) {
	return board.Watch(r.BoardSocket())
}
