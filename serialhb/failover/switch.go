package failover

import "github.com/serialhb/serialhb/serialhb/pulse"

// A switchover begins at its target: it asks with a wish, and shows the wish only when it has every other permit. The
// owner stops for such a request and for nothing else (rule 13).

// wish opens a request of this member that the owner shall stop for.
func (m *machine) wish(g uint8, w pulse.Wish) {
	grp := &m.s.Groups[g]
	grp.Planned = true
	m.ask(g, NoteAsksSwitchover)
	grp.Pending = w
}

func (m *machine) nextWish(g uint8, to uint8) pulse.Wish {
	grp := &m.s.Groups[g]
	grp.NextWish = grp.NextWish%pulse.MaxWish + 1
	return pulse.Wish{To: to + 1, ID: grp.NextWish}
}

// announceWish shows the wish of an open request once only holders are missing.
func (m *machine) announceWish(g uint8) {
	grp := &m.s.Groups[g]
	if grp.Pending.To == 0 {
		return
	}
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		holder := peer.Presence == Present && peer.Claim.Valid && peer.Claim.Groups[g].Holds == pulse.HoldsYes
		if m.lacks(g, p) && !holder {
			grp.Wish = pulse.Wish{}
			return
		}
	}
	grp.Wish = grp.Pending
}

// takeUpWish opens the request that a peer wishes this member to make, and says whether it did.
func (m *machine) takeUpWish(g uint8) bool {
	grp := &m.s.Groups[g]
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		said := peer.Claim.Groups[g]
		if peer.Presence != Present || !peer.Claim.Valid || said.Request != 0 || said.Wish == grp.Seen[p] {
			continue
		}
		grp.Seen[p] = said.Wish
		if said.Wish.To != m.c.Me+1 {
			continue
		}
		if why := m.switchObstacle(g, m.c.Me); why != None {
			m.note(NoteWishRefused, p, g, uint32(why))
			continue
		}
		m.wish(g, said.Wish)
		return true
	}
	return false
}

// switchObstacle says why a group cannot be moved to a member now, or None. It is what the command and the wish share.
func (m *machine) switchObstacle(g, to uint8) Code {
	grp := &m.s.Groups[g]
	owner := m.owner(g)
	switch {
	case m.s.Leaving != Staying:
		return WhyLeaving
	case m.c.Groups[g].Rank[to] == NoRank:
		return WhyNotListed
	case owner == NoPeer:
		return WhyNoOwner
	case owner == to:
		return WhyOwnsAlready
	case grp.Frozen:
		return WhyTwoOwners
	case m.s.Incident.Open:
		return WhyIncident
	}
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		if peer.Presence != Present || !peer.Claim.Valid {
			if p == to || m.lacks(g, p) {
				return WhyNotAllHeard
			}
			continue
		}
		said := peer.Claim.Groups[g]
		switch {
		case peer.Doubt&oneName != 0:
			return WhyDoubted
		case peer.Claim.Core != m.c.Core:
			return WhyCoreDiffers
		case peer.Claim.Rest != m.c.Rest:
			return WhyRestDiffers
		case said.Phase == pulse.Starting || said.Phase == pulse.Stopping || openPhase(said.Phase):
			return WhyInFlux
		case p == to && said.Phase != pulse.Idle:
			return WhyTargetNotReady
		}
	}
	if to == m.c.Me {
		switch {
		case m.s.FenceMe:
			return WhyFenceMe
		case m.s.Standby:
			return WhyStandby
		case grp.Phase == pulse.Failed:
			return WhyFailed
		case grp.Accused:
			return WhyAccused
		case grp.Phase == pulse.Blocked:
			return WhyFenceFailed
		case grp.Doing != 0 || grp.Request != 0 || grp.Holds != pulse.HoldsNo:
			return WhyInFlux
		case m.s.Renewing || grp.LastRequest >= pulse.MaxRequest:
			return WhyRenewing
		}
	} else if grp.Doing != 0 || grp.Request != 0 {
		return WhyInFlux
	}
	return None
}

// owner is who holds a group, as far as this member hears, or NoPeer.
func (m *machine) owner(g uint8) uint8 {
	if m.s.Groups[g].Holds == pulse.HoldsYes {
		return m.c.Me
	}
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		if peer.Presence == Present && peer.Claim.Valid && peer.Claim.Groups[g].Holds == pulse.HoldsYes {
			return p
		}
	}
	return NoPeer
}

// best is the most preferred member that a group could be moved to now, other than its owner.
func (m *machine) best(g uint8) uint8 {
	best := uint8(NoPeer)
	for to := range m.c.N {
		if m.switchObstacle(g, to) != None {
			continue
		}
		if best == NoPeer || m.c.Groups[g].Rank[to] < m.c.Groups[g].Rank[best] {
			best = to
		}
	}
	return best
}

// switchTo begins a switchover that a person, or failback, asked for.
func (m *machine) switchTo(g, to uint8) {
	grp := &m.s.Groups[g]
	w := m.nextWish(g, to)
	if to == m.c.Me {
		m.wish(g, w)
		return
	}
	grp.Announced = w
	m.note(NoteWishes, to, g, 0)
	m.setTimer(TimerWish, g, 4*m.c.MoveTime)
}

// wishTime: nobody took up the wish that this member announced.
func (m *machine) wishTime(g uint8) {
	grp := &m.s.Groups[g]
	if grp.Announced.To != 0 {
		m.note(NoteWishExpired, grp.Announced.To-1, g, 0)
		grp.Announced = pulse.Wish{}
	}
}

// releaseTime: the member that I released to does not hold the group. If it is heard I ask again; if it is silent it
// may hold it, and is treated so.
func (m *machine) releaseTime(g uint8) {
	grp := &m.s.Groups[g]
	if grp.YieldTo != 0 {
		m.note(NoteReleaseUnused, grp.YieldTo-1, g, 0)
		grp.YieldTo = 0
		m.dirty()
	}
}

// autoFailback waits until everything is well for the whole wait-to-restore, then asks for the group back.
func (m *machine) autoFailback(g uint8) {
	owner := m.owner(g)
	ready := m.c.Groups[g].Failback == FailbackAuto && owner != NoPeer && owner != m.c.Me && !m.s.Maintenance && !m.s.Locked &&
		m.c.Groups[g].Rank[m.c.Me] < m.c.Groups[g].Rank[owner] && m.best(g) == m.c.Me &&
		m.s.Moves < m.c.MaxMoves && m.s.Groups[g].MoveGen <= m.s.KeptGen
	switch {
	case !ready:
		m.stopTimer(TimerRestore, g)
	case !m.armed(TimerRestore, g):
		m.setTimer(TimerRestore, g, m.c.RestoreTime)
	}
}

// restoreTime: wait-to-restore is over. Settling would have stopped the timer had anything changed meanwhile.
func (m *machine) restoreTime(g uint8) {
	if m.switchObstacle(g, m.c.Me) != None {
		return
	}
	m.s.Moves++
	m.dirty()
	m.s.Groups[g].MoveGen, m.s.Groups[g].Moved = m.keep(), true
	m.switchTo(g, m.c.Me)
}

// handOver hands held groups over while this member is in standby mode: one wish at a time, again when one was
// not taken up.
func (m *machine) handOver(g uint8) {
	grp := &m.s.Groups[g]
	if !m.s.Standby || grp.Phase != pulse.Active || grp.Announced.To != 0 || grp.Doing != 0 {
		return
	}
	if to := m.best(g); to != NoPeer {
		m.switchTo(g, to)
	}
}
