package world

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Unwell says why not all is well, or "": each group runs on one node, whose daemon alone calls it active, and no node is ill.
func (w *World) Unwell() string {
	for g, group := range w.c.Groups {
		on, active := w.Running(uint8(g)), 0
		for _, n := range w.c.Nodes {
			if p, ok := w.Phase(n, uint8(g)); ok && p == pulse.Active {
				active++
			}
		}
		if len(on) != 1 || active != 1 {
			return fmt.Sprintf("%s runs on %d nodes and is active on %d", group.Name, len(on), active)
		}
		if p, ok := w.Phase(on[0], uint8(g)); !ok || p != pulse.Active {
			return fmt.Sprintf("%s runs on %s, whose daemon does not call it active", group.Name, on[0])
		}
	}
	for _, n := range w.c.Nodes {
		if why := w.Ill(n); why != "" {
			return n + ": " + why
		}
	}
	return ""
}

// Unrest says why a cluster is neither well nor waits for anybody, or "": all is well, or some node visibly waits for a person.
func (w *World) Unrest() string {
	why := w.Unwell()
	for _, n := range w.c.Nodes {
		if w.Waits(n) != "" {
			return ""
		}
	}
	return why
}

// because is a reason and whether it holds.
type because struct {
	is  bool
	why string
}

// first is the first reason that holds, or "".
func first(reasons ...because) string {
	for _, r := range reasons {
		if r.is {
			return r.why
		}
	}
	return ""
}

// about says what a reason is about, if there is one.
func about(why, what string) string {
	if why == "" {
		return ""
	}
	return why + " " + what
}

// Ill says why a node is not well, or "": its daemon runs, hears and is heard on every link, agrees with its peers, reads every
// sense, has or knows the owner of every group, and neither waits for a person nor is about to do anything.
func (w *World) Ill(node string) string {
	d := w.host(node).daemon
	if d == nil {
		return "no daemon runs"
	}
	s := &d.state
	why := first(because{!s.Armed, "it is disarmed"}, because{s.Maintenance, "it is in maintenance"}, because{s.Standby, "it is in standby mode"},
		because{s.Locked, "it is locked out"}, because{s.Incident.Open, "an incident is open"}, because{s.Deaf, "it is deaf"},
		because{s.FenceMe, "it asks to be cut"}, because{s.Leaving != failover.Staying, "it is leaving"},
		because{s.SaveBad, "its run directory takes nothing"}, because{s.KeepBad, "its state directory takes nothing"},
		because{s.CountNotKept(), "a count is not kept"}, because{s.Unsettled, "its rules do not come to rest"})
	for p := range d.cfg.N {
		if p != d.cfg.Me && why == "" {
			why = d.illTowards(p)
		}
	}
	for g := range d.cfg.G {
		if why == "" {
			why = d.illWith(g)
		}
	}
	return why
}

func (d *daemon) illTowards(p uint8) string {
	peer := &d.state.Peers[p]
	why := first(
		because{peer.Presence != failover.Present || !peer.Claim.Valid, "it does not hear"},
		because{peer.Doubt != 0, "it doubts"},
		because{peer.Withdrawn, "it was told of the absence of"},
		because{peer.Muted, "it says nothing to"},
		because{peer.Newer, "it does not understand"},
		because{peer.Claim.Core != d.cfg.Core || peer.Claim.Rest != d.cfg.Rest, "its configuration is not that of"},
		because{peer.Fence.Phase != failover.FenceIdle || peer.Fence.Open || peer.Fence.Driving(), "the cut is not closed, or not at rest, of"})
	for l, link := range d.w.links {
		if why == "" && link.peers(d.cfg.Me)&(1<<p) != 0 {
			if receives, sends, _, _ := d.watch.Path(uint8(l), p); receives != detect.OK || sends != detect.OK {
				why = "a way of a link is down: " + link.name + ", towards"
			}
		}
	}
	for i, c := range d.cfg.Members[p].Senses {
		if sense := &peer.Senses[i]; why == "" && c.Present {
			why = first(because{sense.Broken || sense.Suspect > 0, "a sense is broken, or may be, of"},
				because{sense.Reading != failover.ReadsOn, "a sense does not read on of"})
		}
	}
	return about(why, d.w.member(p))
}

func (d *daemon) illWith(g uint8) string {
	grp := &d.state.Groups[g]
	calm := grp.Phase == pulse.Active || grp.Phase == pulse.Idle || grp.Phase == pulse.Ineligible
	return about(first(
		because{!calm, "nothing calm can be said of"},
		because{grp.Accused || grp.Frozen || grp.Stuck, "there is trouble with"},
		because{grp.Holds == pulse.HoldsUnknown || grp.Found, "it does not know whether it may have"},
		because{grp.Doing != 0, "something is being done to"},
		because{d.state.Owner(&d.cfg, g) == failover.NoPeer, "it knows nobody who has"},
		because{d.state.Timers[failover.TimerRestore]&(1<<g) != 0, "it is about to take back"}), d.w.group(g))
}

// Waits says for what a person a node visibly waits, or "". Only reasons are here for which it rightly does nothing by itself;
// that it asks to be cut is none as long as somebody else could answer, who then says why not.
func (w *World) Waits(node string) string {
	d := w.host(node).daemon
	if d == nil {
		return ""
	}
	s, q := &d.state, &d.state.Incident.Question
	asks := q.Asked && !q.Approved && !q.Used
	why := first(because{!s.Armed, "it is disarmed"}, because{s.Maintenance, "it is in maintenance"}, because{s.Standby, "it is in standby mode"},
		because{s.Locked, "it is locked out"}, because{s.Incident.Open && q.Denied, "a takeover was denied"},
		because{s.Incident.Open && asks, "its question is not answered"},
		because{s.FenceMe && w.asksFirst(), "it asks to be cut, and a person decides"})
	everybody := s.FenceMe
	for p := range d.cfg.N {
		if p != d.cfg.Me {
			everybody = everybody && s.Peers[p].Claim.Flags.Has(pulse.FenceMe)
			why = cmp.Or(why, d.waitsFor(p))
		}
	}
	for g := range d.cfg.G {
		grp := &s.Groups[g]
		trouble := first(because{grp.Phase == pulse.Failed && !grp.Stuck, "a start failed of"},
			because{grp.Accused, "an owner was not off, of"}, because{grp.Frozen, "there are two owners of"})
		why = cmp.Or(why, about(trouble, w.group(g)))
	}
	return cmp.Or(why, first(because{everybody, "everybody asks to be cut"}))
}

// asksFirst says whether nobody is cut without a person's word: that is configured, or somebody may again what it might not when
// its incident began.
func (w *World) asksFirst() bool {
	return w.c.Decision.Takeover == failover.Approve || slices.ContainsFunc(w.hosts, func(h *host) bool {
		return h.daemon != nil && h.daemon.state.Incident.Late
	})
}

func (d *daemon) waitsFor(p uint8) string {
	peer := &d.state.Peers[p]
	fence := &peer.Fence
	armed := func(k failover.TimerKind) bool { return d.state.Timers[k]&(1<<p) != 0 }
	still := !fence.Driving() && !armed(failover.TimerPower) && !armed(failover.TimerRetry)
	left := func() bool {
		return d.cfg.Members[p].RestoreAfter == 0 || d.state.CutLeftOpen(p) || d.restoreFailed(p)
	}
	why := first(because{peer.Withdrawn, "it was told of the absence of"},
		because{fence.Phase == failover.FenceFailed && still, "no fence proved off"},
		because{fence.Open && still && left(), "nobody gives power back to"})
	for i, c := range d.cfg.Members[p].Senses {
		why = cmp.Or(why, first(because{c.Present && peer.Senses[i].Broken, "a sense is broken of"}))
	}
	return about(why, d.w.member(p))
}

// restoreFailed says whether a member told people last that it could not give the power of a peer back.
func (d *daemon) restoreFailed(p uint8) bool {
	for i := len(d.w.notes) - 1; i >= 0; i-- {
		n := &d.w.notes[i]
		if n.Node == d.h.name && n.Peer == p && (n.Code == failover.NoteRestoreFailed || n.Code == failover.NoteRestored) {
			return n.Code == failover.NoteRestoreFailed
		}
	}
	return false
}
