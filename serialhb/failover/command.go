package failover

import "github.com/serialhb/serialhb/serialhb/pulse"

// command answers what a person asks for: done, begun, or refused with a reason. Who leaves and cannot stop a group goes on
// when a person has stopped it and clears the failure, or is told once more to leave.
func (m *machine) command(c Command) {
	if m.s.Leaving != Staying && !(m.s.Leaving == LeaveStopping && (c.Kind == CmdLeave || c.Kind == CmdClear)) {
		m.refuse(c, WhyLeaving)
		return
	}
	switch c.Kind {
	case CmdSwitchover, CmdFailback:
		m.cmdMove(c)
	case CmdApprove, CmdDeny:
		m.cmdAnswer(c)
	case CmdConfirmOff, CmdWithdraw:
		m.cmdEvidence(c)
	case CmdStandbyOn, CmdStandbyOff, CmdMaintenanceOn, CmdMaintenanceOff, CmdArm, CmdDisarm:
		m.cmdMode(c)
	case CmdClear:
		m.cmdClear(c)
	case CmdFenceOff, CmdFenceOn:
		m.cmdFence(c)
	case CmdLeave, CmdQuiet:
		m.cmdLeave(c)
	default:
		m.refuse(c, WhyUnknownCommand)
	}
}

func (m *machine) refuse(c Command, why Code) {
	m.do(Action{Kind: Reply, ID: c.ID, Code: why, Peer: c.Peer, Group: c.Group})
}

// accept answers that it is done, or begun; after gen of the durable facts is kept, if gen is not 0.
func (m *machine) accept(c Command, gen uint32) {
	m.do(Action{Kind: Reply, ID: c.ID, OK: true, Peer: c.Peer, Group: c.Group, Gen: gen})
}

func (m *machine) cmdMove(c Command) {
	if c.Group >= m.c.G || c.Kind == CmdSwitchover && c.Peer >= m.c.N && c.Peer != NoPeer {
		m.refuse(c, WhyUnknownCommand)
		return
	}
	to := c.Peer
	if c.Kind == CmdFailback {
		to = m.best(c.Group)
		owner := m.owner(c.Group)
		switch {
		case m.c.Groups[c.Group].Failback == FailbackOff:
			m.refuse(c, WhyFailbackOff)
			return
		case owner != NoPeer && (to == NoPeer || m.c.Groups[c.Group].Rank[to] > m.c.Groups[c.Group].Rank[owner]):
			if m.isBest(c.Group, owner) {
				m.refuse(c, WhyOwnsAlready)
				return
			}
			to = m.preferred(c.Group)
		case to == NoPeer:
			to = m.preferred(c.Group)
		}
	}
	if to == NoPeer {
		if to = m.best(c.Group); to == NoPeer {
			to = m.someoneElse(c.Group)
		}
	}
	if why := m.switchObstacle(c.Group, to); why != None {
		c.Peer = to
		m.refuse(c, why)
		return
	}
	m.switchTo(c.Group, to)
	c.Peer = to
	m.accept(c, 0)
}

// preferred is the member that a group's configuration prefers.
func (m *machine) preferred(g uint8) uint8 {
	best := uint8(0)
	for p := range m.c.N {
		if m.c.Groups[g].Rank[p] < m.c.Groups[g].Rank[best] {
			best = p
		}
	}
	return best
}

func (m *machine) isBest(g, p uint8) bool { return m.preferred(g) == p }

// someoneElse is the most preferred member that does not own a group, ready or not: the refusal speaks of it.
func (m *machine) someoneElse(g uint8) uint8 {
	owner, best := m.owner(g), uint8(NoPeer)
	for p := range m.c.N {
		if p != owner && (best == NoPeer || m.c.Groups[g].Rank[p] < m.c.Groups[g].Rank[best]) {
			best = p
		}
	}
	return best
}

// cmdEvidence is a person's word that a member is off, or away: refused while anything speaks against it.
func (m *machine) cmdEvidence(c Command) {
	p := c.Peer
	if p >= m.c.N || p == m.c.Me {
		m.refuse(c, WhyUnknownCommand)
		return
	}
	if why := m.lives(p, c.Broken); why != None {
		m.refuse(c, why)
		return
	}
	peer := &m.s.Peers[p]
	if c.Kind == CmdWithdraw {
		m.nameBroken(p, c.Broken)
		peer.Withdrawn, peer.Stale = true, false
		m.note(NoteWithdrawn, p, 0, 0)
		m.accept(c, m.keep())
		return
	}
	switch {
	case !m.s.Armed:
		m.refuse(c, WhyDisarmed)
		return
	case !m.s.Incident.Open:
		m.refuse(c, WhyNoIncident)
		return
	case peer.Fence.Phase == FenceRunning || peer.Fence.Phase == FenceOpening:
		m.refuse(c, WhyFenceRunning)
		return
	case m.s.Renewing || m.requestsSpent():
		m.refuse(c, WhyRenewing)
		return
	}
	m.nameBroken(p, c.Broken)
	m.confirmOff(p)
	m.accept(c, 0)
}

// nameBroken takes a person's word that senses of a member are broken.
func (m *machine) nameBroken(p, broken uint8) {
	peer := &m.s.Peers[p]
	for d := range MaxSenses {
		if broken&(1<<d) != 0 && m.c.Members[p].Senses[d].Present && !peer.Senses[d].Broken {
			peer.Senses[d].Broken = true
			m.note(NoteSenseNamedBroken, p, 0, uint32(d))
			m.dirty()
		}
	}
}

// confirmOff asks afresh for each group that this member could take, then opens the cuts, once it is written that they may
// be open; the word counts when they are (rule 5).
func (m *machine) confirmOff(p uint8) {
	m.stopTimer(TimerPower, p)
	m.stopTimer(TimerRetry, p)
	m.stopTimer(TimerDelay, p)
	fence := &m.s.Peers[p].Fence
	*fence = Fence{Phase: FenceOpening, Open: fence.Open, Counted: true, Giving: fence.Giving, Gen: m.dirty()}
	for g := range m.c.G {
		grp := &m.s.Groups[g]
		m.abandon(g)
		free := grp.Phase == pulse.Idle || grp.Phase == pulse.Ineligible || grp.Phase == pulse.Blocked
		if !free || grp.Holds != pulse.HoldsNo || grp.Doing != 0 || m.c.Groups[g].Rank[m.c.Me] == NoRank || m.heldElsewhere(g, p) {
			continue
		}
		grp.Accused = false
		m.ask(g, NoteAsks)
		grp.Approved, grp.Planned = true, true
		fence.Groups |= 1 << g
	}
	m.note(NoteConfirmed, p, 0, m.s.Incident.ID)
}

// heldElsewhere says whether a heard member other than p holds a group.
func (m *machine) heldElsewhere(g, p uint8) bool {
	owner := m.owner(g)
	return owner != NoPeer && owner != p
}

// lives says what speaks against a person's word that a member is off, or None.
func (m *machine) lives(p, broken uint8) Code {
	peer := &m.s.Peers[p]
	switch peer.Presence {
	case Unjudged:
		return WhyWaiting
	case Present:
		return WhyHeard
	}
	if peer.Doubt != 0 {
		return WhyDoubted
	}
	for d := range MaxSenses {
		if !m.c.Members[p].Senses[d].Present || broken&(1<<d) != 0 || peer.Senses[d].Broken {
			continue
		}
		if peer.Senses[d].Reading == ReadsOn {
			return WhySenseOn
		}
	}
	return None
}

func (m *machine) cmdMode(c Command) {
	s := m.s
	switch c.Kind {
	case CmdStandbyOn:
		for g := range m.c.G {
			if s.Groups[g].Holds == pulse.HoldsYes && !s.Groups[g].Frozen && m.best(g) == NoPeer {
				c.Group = g
				m.refuse(c, WhyNobodyReady)
				return
			}
		}
		s.Standby = true
		for g := range m.c.G {
			if s.Groups[g].Frozen {
				m.input(g, inRelease) // the other one keeps it
			}
			s.Groups[g].Frozen = false
		}
	case CmdStandbyOff:
		s.Standby = false
	case CmdMaintenanceOn:
		s.Maintenance = true
	case CmdMaintenanceOff:
		if s.Maintenance && s.Incident.Open {
			s.Incident.Late = true
		}
		s.Maintenance = false
	case CmdArm:
		if !s.Armed && s.Incident.Open {
			s.Incident.Late = true
		}
		s.Armed = true
		for p := range m.peers() {
			if s.Peers[p].Fence.Owed {
				m.givePower(p)
			}
		}
	case CmdDisarm:
		for p := range m.peers() {
			if s.Peers[p].Fence.Driving() {
				c.Peer = p
				m.refuse(c, WhyFenceRunning)
				return
			}
		}
		s.Armed = false
		for p := range m.peers() {
			if m.s.Peers[p].Fence.Phase != FenceFailed {
				m.callOff(p)
			}
		}
	}
	m.note(NoteMode, m.c.Me, 0, uint32(c.Kind))
	m.dirty()
	m.accept(c, m.keep())
}

// cmdClear: a person looked. It never acts by itself on an incident that is open: it turns it into a question.
func (m *machine) cmdClear(c Command) {
	s := m.s
	s.Locked = false
	s.Moves, s.Fences = 0, 0
	if s.Incident.Open {
		s.Incident.Late = true
		s.Incident.Question = Question{}
		m.stopTimer(TimerApproval, 0)
	}
	for g := range m.c.G {
		grp := &s.Groups[g]
		grp.Accused, grp.Stuck, grp.Back, grp.MoveGen = false, false, 0, 0
		m.stopTimer(TimerBackoff, g)
		if grp.Phase != pulse.Failed && (!grp.Halted || grp.Phase == pulse.Stopping) {
			continue
		}
		grp.Phase, grp.Then, grp.Halted = pulse.Idle, ThenIdle, false
		if grp.Holds != pulse.HoldsNo { // a stop had failed: look again before anything
			grp.Holds, grp.Recorded = pulse.HoldsUnknown, false
			if grp.Doing == 0 {
				m.probe(g, CodeStart)
			}
		}
	}
	s.FenceMe = false
	for p := range m.peers() {
		peer := &s.Peers[p]
		peer.CountGen = 0
		if peer.Fence.Phase == FenceFailed {
			m.callOff(p)
		}
		for d := range peer.Senses {
			peer.Senses[d].Broken, peer.Senses[d].Proven = false, false
		}
	}
	m.note(NoteMode, m.c.Me, 0, uint32(c.Kind))
	m.dirty()
	m.accept(c, m.keep())
}

// cmdFence is a cut, or power, on a person's word. It goes past maintenance and heard pulses, never past disarmed.
func (m *machine) cmdFence(c Command) {
	if c.Peer >= m.c.N || c.Peer == m.c.Me {
		m.refuse(c, WhyUnknownCommand)
		return
	}
	fence := &m.s.Peers[c.Peer].Fence
	switch {
	case !m.c.Members[c.Peer].Fenceable:
		m.refuse(c, WhyNoFence)
	case !m.s.Armed:
		m.refuse(c, WhyDisarmed)
	case fence.Phase == FenceRunning || fence.Phase == FenceSaving || fence.Phase == FenceOpening:
		m.refuse(c, WhyFenceRunning)
	case c.Kind == CmdFenceOn:
		m.restore(c.Peer, CodePerson)
		m.accept(c, 0)
	default:
		m.stopTimer(TimerRetry, c.Peer)
		m.stopTimer(TimerDelay, c.Peer)
		fence.ByPerson = true
		fence.Groups, _ = m.fenceWanted(c.Peer)
		m.prepareFence(c.Peer)
		m.accept(c, 0)
	}
}

func (m *machine) cmdLeave(c Command) {
	s := m.s
	if c.Kind == CmdQuiet {
		for p := range m.peers() {
			if s.Peers[p].Fence.underWay() {
				c.Peer = p
				m.refuse(c, WhyFenceRunning)
				return
			}
		}
		for g := range m.c.G {
			if s.Groups[g].Doing != 0 || openPhase(s.Groups[g].Phase) && !m.waitsForPerson(g) {
				c.Group = g
				m.refuse(c, WhyInFlux)
				return
			}
		}
		s.Leaving, s.ByeSeq = QuietSaying, s.Seq+1
		m.setTimer(TimerFarewell, 0, m.c.FarewellTime)
		m.accept(c, 0)
		return
	}
	s.Hurried = s.Leaving == LeaveStopping // asked for twice
	s.Leaving = LeaveStopping
	m.note(NoteMode, m.c.Me, 0, uint32(c.Kind))
	m.accept(c, 0)
}

// waitsForPerson says whether a request only waits for the answer to a question that is written down: whoever starts after
// this daemon goes on waiting for it.
func (m *machine) waitsForPerson(g uint8) bool {
	return m.s.Groups[g].Phase == pulse.AwaitingApproval && m.s.SavedGen >= m.s.Gen
}
