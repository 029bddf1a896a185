package explore

import (
	"fmt"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Sightings counts what members told people, by [failover.Code]: a scope in which nothing ever happened proves nothing.
type Sightings [256]uint64

func (s *Sightings) add(o *Sightings) {
	for i, n := range o {
		s[i] += n
	}
}

// demand is what must be so of one step of a member: what it believed before, what came, what it wants done.
func (p *player) demand(i uint8, before *failover.State, e *failover.Event) {
	h := &p.c.Hosts[i]
	for k := range p.out {
		a := &p.out[k]
		switch a.Kind {
		case failover.Note:
			p.saw[a.Code]++
			if a.Code == failover.NoteUnsettled {
				p.fail("the rules of %s do not come to rest", memberName(i))
			}
			if a.Code == failover.NoteOwns {
				p.unanimity(i, a.Group, before, e)
			}
		case failover.Start:
			grp := &h.State.Groups[a.Group]
			switch {
			case grp.Holds != pulse.HoldsYes:
				p.fail("%s starts %s, which it does not hold", memberName(i), groupName(a.Group))
			case !h.OfBoot || !h.Run.Groups[a.Group].Held:
				p.fail("%s starts %s before it is written that it holds it", memberName(i), groupName(a.Group))
			}
		case failover.Cut, failover.Secure, failover.OpenCuts, failover.Restore:
			p.coil(i, before, a)
		}
		if e.Kind == failover.Started {
			p.onlyLooks(i, a)
		}
	}
}

// onlyLooks: the start of a daemon moves nothing.
func (p *player) onlyLooks(i uint8, a *failover.Action) {
	switch a.Kind {
	case failover.Start, failover.Stop, failover.Adopt, failover.Cut, failover.Secure, failover.OpenCuts, failover.Restore:
		p.fail("%s starts its daemon, and that moves something: %s", memberName(i), a.Kind)
	}
}

// coil is what has to be so before a relay is driven (rules 5, 8 to 12, 16, 17).
func (p *player) coil(i uint8, before *failover.State, a *failover.Action) {
	h := &p.c.Hosts[i]
	s, peer := &h.State, &h.State.Peers[a.Peer]
	who, whom := memberName(i), memberName(a.Peer)
	if !s.Armed {
		p.fail("%s drives a coil towards %s and is disarmed", who, whom)
	}
	if a.Kind == failover.Restore {
		return
	}
	file := &h.Run.Peers[a.Peer]
	if !h.OfBoot || !file.Open {
		p.fail("%s drives a coil towards %s before it is written that the cut may be open", who, whom)
	}
	if a.Kind == failover.OpenCuts || a.Code == failover.CodePerson {
		return // on a person's word
	}
	asks := peer.Claim.Valid && peer.Claim.Core == p.cfg[i].Core && peer.Claim.Flags.Has(pulse.FenceMe)
	question := &s.Incident.Question
	switch {
	case a.Kind == failover.Cut && p.s.Budget && !file.Counted:
		p.fail("%s cuts %s before it is written that this is counted", who, whom)
	case peer.Presence == failover.Present && !asks:
		p.fail("%s cuts %s and hears it", who, whom)
	case a.Kind == failover.Cut && !peer.Seen:
		p.fail("%s cuts %s and never saw it since its own host booted", who, whom)
	case s.Maintenance:
		p.fail("%s cuts %s in maintenance", who, whom)
	case s.Locked && before.Locked: // else this coil came first, and spent the budget
		p.fail("%s cuts %s and is locked out", who, whom)
	case s.Deaf:
		p.fail("%s cuts %s and is deaf", who, whom)
	case p.s.Takeover == failover.Approve && !(question.Used && question.Covers&(1<<a.Peer) != 0):
		p.fail("%s cuts %s, and nobody approved", who, whom)
	}
}

// unanimity: whoever comes to hold a group had a permit of every other member before, or what just came is one.
func (p *player) unanimity(i, g uint8, before *failover.State, e *failover.Event) {
	asked := &before.Groups[g]
	for q := range p.s.Members {
		if q == i || asked.Permits[q] != failover.NoPermit || before.Away(&p.cfg[i], q) {
			continue
		}
		permit := false
		switch e.Kind {
		case failover.Heard:
			said := &e.Pulse.Groups[g]
			toMe := e.Pulse.From == q && e.Pulse.PeerSession == before.Session
			permit = toMe && (e.Pulse.Flags.Has(pulse.Leaving) || asked.Request != 0 && said.Grant == asked.Request)
		case failover.FenceDone:
			permit = e.Peer == q && e.OK
		case failover.CutsOpened:
			permit = e.Peer == q
		case failover.Commanded:
			permit = e.Command.Kind == failover.CmdWithdraw && e.Command.Peer == q
		case failover.SenseRead:
			permit = e.Peer == q && before.Peers[q].Withdrawn // an old word, and a sense beside it
		}
		if !permit {
			p.fail("%s comes to hold %s without a permit of %s", memberName(i), groupName(g), memberName(q))
		}
	}
}

// truth is what must be so of all hosts together.
func (p *player) truth() string {
	c := p.c
	for g := range p.s.Groups {
		run, hold, first := 0, 0, uint8(0)
		for i := range p.s.Members {
			h := &c.Hosts[i]
			if !h.Powered {
				continue
			}
			if h.runs(g) {
				run++
			}
			if h.Daemon && h.State.Groups[g].Holds == pulse.HoldsYes {
				if hold++; hold == 2 && c.Lies > 0 {
					if bad := p.knows(first, i, g); bad != "" {
						return bad
					}
				}
				first = i
			}
		}
		switch {
		case c.Lies > 0: // a proof lied: two may own, until they hear each other
		case run > 1:
			return fmt.Sprintf("%s runs on %d hosts", groupName(g), run)
		case hold > 1:
			return fmt.Sprintf("%s is held by %d members", groupName(g), hold)
		}
	}
	return ""
}

// knows: of two members that hold a group because a proof lied, and that both heard of it, one at least gives way, or both
// keep what runs and move nothing.
func (p *player) knows(a, b, g uint8) string {
	one, other := &p.c.Hosts[a].State, &p.c.Hosts[b].State
	hears := func(s *failover.State, q uint8) bool {
		peer := &s.Peers[q]
		return peer.Presence == failover.Present && peer.Claim.Valid && peer.Claim.Groups[g].Holds == pulse.HoldsYes
	}
	settled := func(s *failover.State) bool {
		grp := &s.Groups[g]
		return grp.Frozen || grp.Accused || grp.Phase == pulse.Stopping || grp.Phase == pulse.Failed
	}
	if hears(one, b) && hears(other, a) && !settled(one) && !settled(other) {
		return fmt.Sprintf("%s is held by %s and %s, both know it, and both go on", groupName(g), memberName(a), memberName(b))
	}
	return ""
}

func (p *player) fail(format string, a ...any) {
	if p.bad == "" {
		p.bad = fmt.Sprintf(format, a...)
	}
}
