package world

import (
	"slices"

	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// What can be seen of a world. Nothing here changes anything.

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

// Ill says why a node is not well, or "": its daemon runs and hears and is heard on every link, no group is in trouble there, and
// nothing waits for a person.
func (w *World) Ill(node string) string {
	d := w.host(node).daemon
	if d == nil {
		return "no daemon runs"
	}
	s := &d.state
	for _, bad := range [...]struct {
		is  bool
		why string
	}{
		{!s.Armed, "it is disarmed"}, {s.Maintenance, "it is in maintenance"}, {s.Standby, "it is in standby mode"}, {s.Locked, "it is locked out"},
		{s.Incident.Open, "an incident is open"}, {s.Deaf, "it is deaf"}, {s.FenceMe, "it asks to be cut"},
		{s.SaveBad, "its run directory takes nothing"}, {s.KeepBad, "its state directory takes nothing"},
	} {
		if bad.is {
			return bad.why
		}
	}
	for p := range d.cfg.N {
		if why := d.illTowards(p); p != d.cfg.Me && why != "" {
			return why + " " + w.member(p)
		}
	}
	for g := range d.cfg.G {
		switch grp := &s.Groups[g]; {
		case grp.Phase == pulse.Failed, grp.Phase == pulse.Blocked, grp.Accused, grp.Frozen, grp.Stuck:
			return w.group(g) + " is in trouble there"
		}
	}
	return ""
}

func (d *daemon) illTowards(p uint8) string {
	peer := &d.state.Peers[p]
	switch {
	case peer.Presence != failover.Present || !peer.Claim.Valid:
		return "it does not hear"
	case peer.Doubt != 0:
		return "it doubts"
	case peer.Withdrawn:
		return "it was told of the absence of"
	case peer.Fence.Phase != failover.FenceIdle || peer.Fence.Open:
		return "the cut is not closed, or not at rest, of"
	}
	for l, link := range d.w.links {
		if link.peers(d.cfg.Me)&(1<<p) == 0 {
			continue
		}
		if receives, sends, _, _ := d.watch.Path(uint8(l), p); receives != detect.OK || sends != detect.OK {
			return "a way of the " + link.name + " is down towards"
		}
	}
	return ""
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
