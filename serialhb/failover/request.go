package failover

import "github.com/serialhb/serialhb/serialhb/pulse"

// A member asks for a group when it is eligible and nobody else holds it or has the better right; what it then needs
// is a permit of every other member.

// obstacle says why this member does not ask for a group by itself, or None, and which peer it is about. It is what
// `why` and `status` tell.
func (m *machine) obstacle(g uint8) (Code, uint8) {
	if why := m.ownObstacle(g); why != None {
		return why, m.c.Me
	}
	for p := range m.peers() {
		if why := m.peerObstacle(p, g); why != None {
			return why, p
		}
	}
	return m.budgetObstacle(g), m.c.Me
}

func (m *machine) ownObstacle(g uint8) Code {
	s, grp := m.s, &m.s.Groups[g]
	switch {
	case m.c.Groups[g].Rank[m.c.Me] == NoRank:
		return WhyNotListed
	case s.Leaving != Staying:
		return WhyLeaving
	case grp.Holds == pulse.HoldsUnknown && !grp.Found:
		return WhyProbing
	case s.FenceMe:
		return WhyFenceMe
	case grp.Phase == pulse.Failed:
		return WhyFailed
	case grp.Accused:
		return WhyAccused
	case s.Standby:
		return WhyStandby
	case s.Maintenance:
		return WhyMaintenance
	case s.Renewing || grp.LastRequest >= pulse.MaxRequest:
		return WhyRenewing
	}
	return None
}

// peerObstacle says why a member stands in the way of an automatic request.
func (m *machine) peerObstacle(p, g uint8) Code {
	peer, grp := &m.s.Peers[p], &m.s.Groups[g]
	if m.away(p) {
		return None
	}
	switch peer.Presence {
	case Unjudged:
		return WhyWaiting
	case Present:
		said := peer.Claim.Groups[g]
		switch {
		case !peer.Claim.Valid:
			return WhyNoClaim
		case peer.Doubt&oneName != 0:
			return WhyDoubted
		case peer.Claim.Core != m.c.Core:
			return WhyCoreDiffers
		case m.fenceMe(p):
			if said.Holds == pulse.HoldsNo {
				return None
			}
			return m.fenceObstacle(p)
		case said.Holds != pulse.HoldsNo:
			return WhyHeldByPeer
		case grp.YieldTo == p+1:
			return WhyReleased
		case m.yields(p, g):
			return WhyBetterPeer
		}
		return None
	}
	if grp.Permits[p] != NoPermit {
		return None
	}
	return m.fenceObstacle(p)
}

// yields says whether a heard member has the better right to a free group and may still take it.
func (m *machine) yields(p, g uint8) bool {
	said, grp := &m.s.Peers[p].Claim.Groups[g], &m.s.Groups[g]
	if m.better(g, m.c.Me, p) || grp.Yielded && !openPhase(said.Phase) {
		return false
	}
	return said.Phase == pulse.Idle || openPhase(said.Phase)
}

// better says whether member a has the better right to a group than member b: the later ownership, then preference.
func (m *machine) better(g, a, b uint8) bool {
	if ta, tb := m.term(g, a), m.term(g, b); ta != tb {
		return ta > tb
	}
	rank := &m.c.Groups[g].Rank
	if rank[a] != rank[b] {
		return rank[a] < rank[b]
	}
	return a < b
}

func (m *machine) term(g, member uint8) uint32 {
	if member == m.c.Me {
		return m.s.Groups[g].OwnTerm
	}
	return m.s.Peers[member].Claim.Groups[g].Term
}

// budgetObstacle tests the limits of rule 15, before a request is made. A move whose count never got to the disk is the
// one that is allowed without; whether the disk refuses, or never answers, makes no difference.
func (m *machine) budgetObstacle(g uint8) Code {
	grp := &m.s.Groups[g]
	switch {
	case !m.isMove(g), grp.Moved:
		return None // what was begun is finished, in however many tries
	case m.s.Moves >= m.c.MaxMoves, grp.MoveGen > m.s.KeptGen:
		return WhyBudget
	}
	return None
}

// isMove says whether taking a group would be an automatic move: starting again where it last ran is none, nor is the
// first start of all.
func (m *machine) isMove(g uint8) bool {
	grp := &m.s.Groups[g]
	last := m.lastTerm(g)
	return !m.planned(g) && last > 0 && grp.OwnTerm != last
}

// planned says whether a request is no automatic move, because a person asked for it or the group goes back. That ends when
// it needs the proof that a member is off: what takes from a silent owner is a takeover, however it began.
func (m *machine) planned(g uint8) bool {
	grp := &m.s.Groups[g]
	if !grp.Planned || grp.Approved {
		return grp.Planned
	}
	for p := range m.peers() {
		if m.lacks(g, p) && m.cuttable(p) {
			return false
		}
	}
	return true
}

// lastTerm is the term of the last ownership that there may have been. A member that I granted the group to may have
// owned it for a moment that nobody heard of.
func (m *machine) lastTerm(g uint8) uint32 {
	grp := &m.s.Groups[g]
	for p := range m.peers() {
		if grp.Grants[p].Request != 0 {
			return min(grp.MaxTerm+1, pulse.MaxTerm)
		}
	}
	return grp.MaxTerm
}

// ask opens a request: the next number, no permits but the standing ones.
func (m *machine) ask(g uint8, code Code) {
	grp := &m.s.Groups[g]
	grp.LastRequest++
	grp.Request = grp.LastRequest
	grp.Phase = pulse.Requesting
	grp.Yielded, grp.Approved = false, false
	for p := range m.peers() {
		if grp.Permits[p] == Granted {
			grp.Permits[p] = NoPermit
		}
		m.s.Peers[p].Fence.Groups &^= 1 << g
	}
	m.stopTimer(TimerYield, g)
	m.stopTimer(TimerRestore, g)
	m.setTimer(TimerMove, g, m.c.MoveTime)
	m.note(code, m.c.Me, g, uint32(grp.Request))
}

// abandon gives up an open request. What was proved for it from now on proves nothing (rule 5).
func (m *machine) abandon(g uint8) {
	grp := &m.s.Groups[g]
	if grp.Request == 0 {
		return
	}
	if grp.Planned && grp.Phase == pulse.Requesting {
		grp.Moved = false // a failback that came to nothing; the next move is another one
	}
	grp.Request, grp.Wish, grp.Pending, grp.Planned = 0, pulse.Wish{}, pulse.Wish{}, false
	grp.Phase = pulse.Idle
	for p := range m.peers() {
		m.s.Peers[p].Fence.Groups &^= 1 << g
		if grp.Permits[p] == Granted {
			grp.Permits[p] = NoPermit
		}
	}
	m.stopTimer(TimerMove, g)
}

// withdraw abandons a request that does not get on, and waits before the next.
func (m *machine) withdraw(g uint8, code Code, about uint8) {
	m.abandon(g)
	grp := &m.s.Groups[g]
	m.note(code, about, g, 0)
	m.setTimer(TimerBackoff, g, m.c.Backoff<<min(grp.Back, 4))
	grp.Back++
}

// lacks says whether a request still needs the permit of a member.
func (m *machine) lacks(g, p uint8) bool {
	return !m.away(p) && m.s.Groups[g].Permits[p] == NoPermit
}

// pursue moves an open request on: to the questions, to the fence, or to ownership.
func (m *machine) pursue(g uint8) {
	grp := &m.s.Groups[g]
	if why, about := m.lost(g); why != None {
		m.withdraw(g, why, about)
		return
	}
	var silent, asked, others bool
	for p := range m.peers() {
		if !m.lacks(g, p) {
			continue
		}
		if m.cuttable(p) {
			silent = true
			asked = m.question(g, p) || asked // every one is told
		} else {
			others = true
		}
	}
	switch {
	case !silent && !others:
		m.win(g)
	case asked:
		grp.Phase = pulse.AwaitingApproval
		m.stopTimer(TimerMove, g)
	case silent:
		if grp.Phase != pulse.Fencing {
			grp.Phase = pulse.Fencing
			m.stopTimer(TimerMove, g)
			m.countMove(g)
		}
	default:
		if grp.Phase != pulse.Requesting {
			grp.Phase = pulse.Requesting
			m.setTimer(TimerMove, g, m.c.MoveTime)
		}
		m.announceWish(g)
	}
}

// lost says why an open request has no chance or no right any more, or None, and about whom that is.
func (m *machine) lost(g uint8) (why Code, about uint8) {
	s, grp := m.s, &m.s.Groups[g]
	switch {
	case s.Leaving != Staying:
		return WhyLeaving, m.c.Me
	case s.Standby && !grp.Planned:
		return WhyStandby, m.c.Me
	case s.Maintenance && !grp.Planned:
		return WhyMaintenance, m.c.Me
	case s.FenceMe:
		return WhyFenceMe, m.c.Me
	}
	for p := range m.peers() {
		peer := &s.Peers[p]
		if peer.Doubt&oneName != 0 && (peer.Presence == Present || peer.Presence == Gone || grp.Permits[p] == Granted) {
			return WhyDoubted, p // whoever granted, the other one may hold it
		}
		if !m.lacks(g, p) {
			continue
		}
		switch {
		case peer.Presence == Present && peer.Claim.Valid && peer.Claim.Core != m.c.Core:
			return WhyCoreDiffers, p
		case !m.cuttable(p), m.confirming():
		case s.Maintenance:
			return WhyMaintenance, m.c.Me // also for what a person asked for when the member still lived
		default:
			if why := m.fenceObstacle(p); why != None {
				return why, p
			}
			if grp.Planned && m.budgetObstacle(g) != None {
				return WhyBudget, m.c.Me // it was not tested when the request was made
			}
		}
	}
	return None, m.c.Me
}

// confirming says whether a person's word that some member is off is being carried out. Requests stay open for that long,
// whatever stands in the way of a proof of yet another member: the word is a permit that stands.
func (m *machine) confirming() bool {
	for p := range m.peers() {
		if m.s.Peers[p].Fence.Phase == FenceOpening {
			return true
		}
	}
	return false
}

// cuttable says whether only a proof can stand for a member's permit: it is silent, or asks to be cut.
func (m *machine) cuttable(p uint8) bool {
	presence := m.s.Peers[p].Presence
	return presence == Silent || presence == Gone || presence == Present && m.fenceMe(p)
}

// win makes this member the owner, in the same step in which the permits are complete (rule 4). The resources start
// only when that is written.
func (m *machine) win(g uint8) {
	grp := &m.s.Groups[g]
	m.countMove(g)
	grp.MaxTerm = m.lastTerm(g)
	grp.Rests, grp.WonSeq = 0, m.s.Seq
	for p := range m.peers() {
		if m.away(p) || grp.Permits[p] == ProvenOff {
			grp.Rests |= 1 << p
		}
		if grp.Permits[p] == Granted {
			grp.Permits[p] = NoPermit
		}
		grp.Grants[p] = Grant{}
		if m.s.Peers[p].Presence == Silent && !m.lacks(g, p) {
			m.s.Incident.Moved |= 1 << p
		}
	}
	m.stopTimer(TimerMove, g)
	m.stopTimer(TimerBackoff, g)
	m.useApproval()
	grp.Request, grp.Wish, grp.Pending, grp.Back = 0, pulse.Wish{}, pulse.Wish{}, 0
	grp.Holds = pulse.HoldsYes
	grp.MaxTerm = min(grp.MaxTerm+1, pulse.MaxTerm)
	grp.OwnTerm = grp.MaxTerm
	grp.YieldTo, grp.Planned, grp.Moved = 0, false, false
	grp.Gen = m.dirty()
	m.keep()
	m.note(NoteOwns, m.c.Me, g, grp.OwnTerm)
	if grp.Found {
		grp.Found = false
		grp.Phase = pulse.Active
		m.do(Action{Kind: Adopt, Group: g, Code: CodeAdopted})
		return
	}
	grp.Phase = pulse.Starting
}

// ineligible says whether a reason not to ask is about this member itself: the others need not wait for it.
func ineligible(why Code) bool {
	switch why {
	case WhyNotListed, WhyLeaving, WhyFenceMe, WhyFailed, WhyAccused, WhyStandby, WhyMaintenance, WhyBudget:
		return true
	}
	return false
}

// Explain says why this member does not ask for a group by itself, or None, and which member that is about.
func (s *State) Explain(c *Config, g uint8) (Code, uint8) {
	m := machine{c: c, s: s}
	return m.obstacle(g)
}

// ExplainFence says why this member could not make a proof of off of a peer by itself now, or None. That the peer is
// heard is no obstacle here.
func (s *State) ExplainFence(c *Config, p uint8) Code {
	m := machine{c: c, s: s}
	return m.fenceObstacle(p)
}

// Owner is who holds a group as far as this member hears, or [NoPeer].
func (s *State) Owner(c *Config, g uint8) uint8 {
	m := machine{c: c, s: s}
	return m.owner(g)
}

// Away says whether a member is withdrawn for repair, and that word counts now.
func (s *State) Away(c *Config, p uint8) bool {
	m := machine{c: c, s: s}
	return m.away(p)
}
