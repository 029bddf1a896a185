package world

import (
	"slices"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
)

// What the world does to machines. Every call takes effect at once.

func (w *World) host(node string) *host {
	i := slices.IndexFunc(w.hosts, func(h *host) bool { return h.name == node })
	if i < 0 {
		panic("world: there is no node " + node)
	}
	return w.hosts[i]
}

// Mains gives a node its mains, or takes them away.
func (w *World) Mains(node string, on bool) {
	h := w.host(node)
	h.mains = on
	h.tell(map[bool]string{true: "mains on", false: "mains off"}[on])
	h.settlePower()
}

// Reset is a panic or a pressed button: everything dies and boots again, the power stays on.
func (w *World) Reset(node string) {
	h := w.host(node)
	if !h.powered {
		return
	}
	h.tell("resets")
	h.die()
	h.bootLater()
}

// Freeze hangs a node while its power stays on. Thaw continues it.
func (w *World) Freeze(node string) {
	h := w.host(node)
	if h.up && !h.frozen {
		h.still.begin(w.now)
	}
	h.frozen = h.up
	h.tell("hangs")
}

// Thaw continues a hung node.
func (w *World) Thaw(node string) {
	h := w.host(node)
	h.tell("goes on")
	h.thaw()
}

// KillDaemon ends the daemon of a node as SIGKILL does. Services stay as they are.
func (w *World) KillDaemon(node string) {
	h := w.host(node)
	if h.daemon == nil {
		return
	}
	h.tell("daemon killed")
	h.endDaemon()
	h.restartLater()
}

// StartDaemon starts the daemon of a node that is up, if it leaves when it has left.
func (w *World) StartDaemon(node string) {
	h := w.host(node)
	if d := h.daemon; d != nil && d.state.Leaving != failover.Staying && h.afterLeave == nil {
		h.afterLeave = h.startDaemon
	}
	h.startDaemon()
}

// SetRestarts says what becomes of a daemon of a node that dies.
func (w *World) SetRestarts(node string, r Restarts) { w.host(node).restart = r }

// StopDaemon is SIGTERM: an orderly leave, and SIGKILL for whoever does not end in time. It stays stopped.
func (w *World) StopDaemon(node string) *Answer {
	h := w.host(node)
	if d := h.daemon; d != nil {
		h.later(w.c.StopLimit, func() {
			if !d.dead && d.state.Leaving != failover.Staying {
				d.tell("daemon killed: it does not leave")
				h.endDaemon()
				h.hasLeft()
			}
		})
	}
	return w.Command(node, failover.Command{Kind: failover.CmdLeave})
}

// hasLeft does what waits for the end of a daemon.
func (h *host) hasLeft() {
	if after := h.afterLeave; after != nil {
		h.afterLeave = nil
		after()
	}
}

// Reboot is an orderly reboot: the daemon leaves, then the host goes through a boot.
func (w *World) Reboot(node string) {
	h := w.host(node)
	if !h.up || h.frozen {
		return
	}
	h.tell("reboots in order")
	down := func() {
		h.die()
		h.bootLater()
	}
	if h.daemon == nil {
		down()
		return
	}
	h.afterLeave = down
	w.StopDaemon(node)
}

// FreshDisk gives a node an empty state directory, as a new machine has.
func (w *World) FreshDisk(node string) { w.host(node).disk = nil }

// Unwritable makes the run or the state directory of a node refuse writes, or take them again.
func (w *World) Unwritable(node string, run, state bool) {
	h := w.host(node)
	h.runBad, h.diskBad = run, state
}

// EditConfig changes the digests that the configuration file of a node stands for. A daemon reads it when it starts, and
// [World.Reload] has it read the rest.
func (w *World) EditConfig(node string, core uint16, rest uint8) {
	h := w.host(node)
	h.file.core, h.file.rest = core, rest
}

// SetKeys changes the keys in the configuration of a node, by name; the first signs.
func (w *World) SetKeys(node string, keys ...string) { w.host(node).file.keys = keys }

// Digests are what the configuration file of a node stands for.
func (w *World) Digests(node string) (core uint16, rest uint8) {
	f := w.host(node).file
	return f.core, f.rest
}

// Shape changes how the resources of a group behave on a node.
func (w *World) Shape(node string, group uint8, change func(*Services)) {
	change(&w.host(node).services[group].Services)
}

// FailService has the resources of a group die on a node.
func (w *World) FailService(node string, group uint8) { w.host(node).fail(group) }

// RunByHand has somebody start the resources of a group on a node, past the daemon.
func (w *World) RunByHand(node string, group uint8, on bool) { w.host(node).services[group].runs = on }

// Relay changes the relays of a level (0 or 1) that cut a target, of one member's board or of all.
func (w *World) Relay(by, target string, level int, change func(*RelayFault)) {
	for _, h := range w.hosts {
		if by != "" && h.name != by {
			continue
		}
		for _, r := range h.boards[w.host(target).me] {
			if r.level != level {
				continue
			}
			f := RelayFault{Welded: r.welded, Dead: r.dead, Slow: r.slow}
			change(&f)
			r.welded, r.dead, r.slow = f.Welded, f.Dead, f.Slow
			r.follow()
		}
	}
}

// RelayFault is what is wrong with a relay.
type RelayFault struct {
	Welded bool          // its contact stays closed
	Dead   bool          // its line cannot be driven
	Slow   time.Duration // it takes so much longer to open
}

// Sense spoils the senses of a target, of one member's inputs or of all, or mends them.
func (w *World) Sense(by, target string, s Spoil) {
	t := w.host(target).me
	for _, h := range w.hosts {
		if by == "" || h.name == by {
			for _, input := range h.senses[t] {
				input.spoil = s
			}
		}
	}
	w.sensesMayChange(t)
}

// Path changes what the cables, or the network, do on the way between two members; "" is any.
func (w *World) Path(serial bool, from, to string, change func(*PathFault)) {
	for _, l := range w.links {
		if l.serial != serial {
			continue
		}
		for a := range l.ways {
			for b, way := range l.ways[a] {
				if way == nil || from != "" && w.c.Nodes[a] != from || to != "" && w.c.Nodes[b] != to {
					continue
				}
				f := PathFault{Cut: way.cut, Air: way.air, Held: way.held}
				change(&f)
				way.cut, way.air, way.held = f.Cut, f.Air, f.Held
			}
		}
	}
}

// PathFault is what a way does to frames.
type PathFault struct {
	Cut  bool
	Air  Air
	Held time.Duration // datagrams sent now arrive so much later
}

// Noise puts bytes that make no frame on the cables towards a node, every so often, for a time.
func (w *World) Noise(node string, every, d time.Duration) {
	h := w.host(node)
	for l := range h.ports {
		if w.links[l].serial && w.links[l].peers(h.me) != 0 {
			h.noise(uint8(l), every, w.now+d)
		}
	}
}

// Unplug makes the devices of a node's serial ports, or its network card, vanish or come back.
func (w *World) Unplug(node string, serial, gone bool) {
	h := w.host(node)
	for l := range h.ports {
		if w.links[l].serial != serial || w.links[l].peers(h.me) == 0 || h.ports[l].gone == gone {
			continue
		}
		h.ports[l].gone = gone
		if h.daemon != nil {
			h.daemon.arrive(arrival{kind: arrivedChange, link: uint8(l), up: !gone})
		}
	}
	was := h.portless
	if h.portless = h.hasNoPort(); h.portless && !was {
		h.portlessAt = w.now
	}
}

func (h *host) hasNoPort() bool {
	for l := range h.ports {
		if h.w.links[l].peers(h.me) != 0 && !h.ports[l].gone {
			return false
		}
	}
	return true
}

// Clone boots another machine with a node's image on the same network and address. No relay and no sense leads to it.
func (w *World) Clone(node, name string) {
	original := w.host(node)
	h := w.newHost(original.me, name)
	h.clone = true
	h.file = original.file
	if original.disk != nil {
		disk := *original.disk
		h.disk = &disk
	}
	h.ports = make([]port, len(w.links))
	w.Mains(name, true)
}
