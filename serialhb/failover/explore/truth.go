package explore

import (
	"fmt"
	"math/bits"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// truth is what must be so of all hosts together.
func (p *player) truth() string {
	for g := range p.s.Groups {
		run, hold := p.has(g)
		switch {
		case p.c.Lied: // a proof lied: two may own, until they hear each other
			if bad := p.goOn(hold, g); bad != "" {
				return bad
			}
		}
		for i := range p.s.Members {
			if h := &p.c.Hosts[i]; run&bit(i) != 0 && h.Daemon && h.State.Groups[g].Holds == pulse.HoldsNo {
				return fmt.Sprintf("%s says that it does not hold %s, which runs there", memberName(i), groupName(g))
			}
		}
		switch {
		case p.c.Lied:
		case bits.OnesCount8(run) > 1:
			return fmt.Sprintf("%s runs on %d hosts", groupName(g), bits.OnesCount8(run))
		case bits.OnesCount8(hold) > 1:
			return fmt.Sprintf("%s is held by %d members", groupName(g), bits.OnesCount8(hold))
		}
	}
	return ""
}

// has gives the hosts on which a group runs, and the members that hold it, bits.
func (p *player) has(g uint8) (run, hold uint8) {
	for i := range p.s.Members {
		h := &p.c.Hosts[i]
		if h.Powered && h.runs(g) {
			run |= bit(i)
		}
		if h.Daemon && h.State.Groups[g].Holds == pulse.HoldsYes {
			hold |= bit(i)
		}
	}
	return run, hold
}

// goOn: of any two members that hold a group because a proof lied, see knows.
func (p *player) goOn(hold, g uint8) string {
	for i := range p.s.Members {
		for j := range i {
			if both := bit(i) | bit(j); hold&both == both {
				if bad := p.knows(j, i, g); bad != "" {
					return bad
				}
			}
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
		return grp.Frozen && grp.Rests == 0 || grp.Accused || grp.Phase == pulse.Stopping || grp.Phase == pulse.Failed
	}
	if hears(one, b) && hears(other, a) && !settled(one) && !settled(other) {
		return fmt.Sprintf("%s is held by %s and %s, both know it, and both go on", groupName(g), memberName(a), memberName(b))
	}
	return ""
}

// healed says whether nothing rests any more on a proof of off of what has power. What comes later has no lie for an excuse.
func (p *player) healed() bool {
	for g := range p.s.Groups {
		if run, hold := p.has(g); bits.OnesCount8(run) > 1 || bits.OnesCount8(hold) > 1 {
			return false
		}
	}
	for i := range p.s.Members {
		for q := range p.s.Members {
			if i != q && p.c.Hosts[i].Powered && p.c.Hosts[q].Powered && p.c.Hosts[i].restsOn(p.s, q) {
				return false
			}
		}
	}
	return true
}

// restsOn says whether anything on a host rests on a proof that a member is off, or would in the next daemon.
func (h *Host) restsOn(s *Scope, q uint8) bool {
	rests := h.State.Peers[q].Proof != 0
	for g := range s.Groups {
		grp := &h.State.Groups[g]
		rests = rests || grp.Permits[q] == failover.ProvenOff || grp.Rests&(1<<q) != 0
	}
	for _, v := range [...]*failover.Volatile{&h.Run, &h.NextRun} {
		rests = rests || v.Peers[q].Proof != 0
		for g := range s.Groups {
			f := &v.Groups[g]
			rests = rests || f.Permits[q] == failover.ProvenOff || f.Rests&(1<<q) != 0
		}
	}
	return rests
}
