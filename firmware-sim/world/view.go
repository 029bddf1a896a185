package world

import (
	"slices"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// What can be seen of a world. Nothing here changes one.

// Add adds what another world counted.
func (p *Pairs) Add(q *Pairs) {
	for phase := range q {
		for kind, n := range q[phase] {
			p[phase][kind] += n
		}
	}
}

// Powered says whether a node has power.
func (w *World) Powered(node string) bool { return w.host(node).powered }

// State is a copy of what the daemon of a node decides on, and whether there is a daemon at all. A hung one still has
// its state.
func (w *World) State(node string) (failover.State, bool) {
	if d := w.host(node).daemon; d != nil {
		return d.state, true
	}
	return failover.State{}, false
}

// Phase is where a node stands with a group; false without a daemon.
func (w *World) Phase(node string, g uint8) (pulse.Phase, bool) {
	d := w.host(node).daemon
	if d == nil {
		return 0, false
	}
	return d.state.Groups[g].Phase, true
}

// Presence is how one node sees another; false without a daemon.
func (w *World) Presence(by, of string) (failover.Presence, bool) {
	d := w.host(by).daemon
	if d == nil {
		return 0, false
	}
	return d.state.Peers[w.host(of).me].Presence, true
}

// Obstacle is why a node does not ask for a group by itself; false without a daemon.
func (w *World) Obstacle(node string, g uint8) (failover.Code, bool) {
	d := w.host(node).daemon
	if d == nil {
		return failover.None, false
	}
	code, _ := d.state.Explain(&d.cfg, g)
	return code, true
}

// Member is the index of a node, and whether there is such a node.
func (w *World) Member(node string) (uint8, bool) {
	i := slices.IndexFunc(w.hosts, func(h *host) bool { return h.name == node })
	if i < 0 {
		return failover.NoPeer, false
	}
	return w.hosts[i].me, true
}

// Nodes are the names of the configured members, in order.
func (w *World) Nodes() []string { return w.c.Nodes }
