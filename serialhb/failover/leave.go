package failover

import "github.com/serialhb/serialhb/serialhb/pulse"

// leave moves the end of the session on: services down, no peer's power half-way, permits and seen erased, goodbye said
// until it was heard. In maintenance the services stay, and nothing is said.
func (m *machine) leave() {
	s := m.s
	switch s.Leaving {
	case LeaveStopping:
		if !s.Maintenance && !m.allStopped() || !m.powerSettled() {
			return
		}
		if s.Maintenance {
			m.exit(ExitInMaintenance)
			return
		}
		m.tellNobodyHas()
		for p := range m.peers() {
			peer := &s.Peers[p]
			peer.Seen, peer.Proof = false, 0
			m.callOff(p)
			for g := range m.c.G {
				s.Groups[g].Permits[p] = NoPermit
			}
		}
		s.Leaving = LeaveSaving
		s.ByeSeq = m.dirty()
		m.setTimer(TimerFarewell, 0, m.c.FarewellTime)
	case LeaveSaving:
		if s.SavedGen >= s.ByeSeq {
			s.Leaving = LeaveSaying
			s.ByeSeq = s.Seq + 1
			m.setTimer(TimerFarewell, 0, m.c.FarewellTime)
			m.note(NoteSaysLeaving, 0, 0, 0)
		}
	case LeaveSaying:
		if m.everyoneEchoed() {
			m.exit(ExitLeft)
		}
	case QuietSaying:
		if m.everyoneEchoed() {
			m.exit(ExitQuiet)
		}
	}
}

// allStopped drives every group towards stopped and says whether it is there.
func (m *machine) allStopped() bool {
	all := true
	for g := range m.c.G {
		grp := &m.s.Groups[g]
		if grp.Holds == pulse.HoldsNo && grp.Request == 0 && grp.Phase != pulse.Stopping {
			continue
		}
		all = false
		switch {
		case grp.Phase == pulse.Active || grp.Phase == pulse.Starting || openPhase(grp.Phase):
			m.input(g, inRelease)
		case grp.Holds == pulse.HoldsUnknown && grp.Doing == 0 && grp.Phase != pulse.Failed:
			m.stop(g, ThenIdle, CodeAsked)
		}
	}
	return all
}

// powerSettled brings the power of every peer to where it can be left, and says whether it is there. What drove no coil
// yet is called off. What did goes to its end, which the fence itself bounds: broken off, it would leave a peer that nobody
// knows to be on or off. Its outcome starts nothing here, for the requests are gone. Then power that was to be given back
// is given back now, without the rest of the dwell: the peer is proven off, nothing runs here, and there will be nobody to
// do it later. In maintenance the services and what they rest on stay, and the next start sees to it.
func (m *machine) powerSettled() bool {
	settled := true
	for p := range m.peers() {
		fence := &m.s.Peers[p].Fence
		if fence.Phase == FenceFailed {
			m.callOff(p)
		}
		if m.armed(TimerPower, p) && fence.ID == 0 && !m.s.Maintenance {
			m.stopTimer(TimerPower, p)
			m.givePower(p)
		}
		if !fence.Driving() || m.s.Hurried {
			continue
		}
		settled = false
		if m.s.Waits&(1<<p) == 0 {
			m.s.Waits |= 1 << p
			m.note(NoteLeaveWaits, p, 0, 0)
		}
	}
	return settled
}

// tellNobodyHas tells a person which groups stay down when this member is gone, as far as it can tell.
func (m *machine) tellNobodyHas() {
	for g := range m.c.G {
		if m.owner(g) == NoPeer && !m.heir(g) {
			m.note(NoteNobodyHas, m.c.Me, g, 0)
		}
	}
}

// heir says whether a heard member could take a group that nobody holds.
func (m *machine) heir(g uint8) bool {
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		if peer.Presence != Present || !peer.Claim.Valid || peer.Claim.Core != m.c.Core {
			continue
		}
		switch peer.Claim.Groups[g].Phase {
		case pulse.Ineligible, pulse.Failed, pulse.Blocked:
		default:
			return true
		}
	}
	return false
}

// everyoneEchoed says whether each heard peer named a sequence since the first farewell. Nobody heard: nobody to wait
// for, but one pulse at least goes out.
func (m *machine) everyoneEchoed() bool {
	if m.s.Seq < m.s.ByeSeq {
		return false
	}
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		if peer.Presence == Present && peer.Claim.Echo < m.s.ByeSeq {
			return false
		}
	}
	return true
}

func (m *machine) farewellTime() {
	switch m.s.Leaving {
	case LeaveSaying:
		m.exit(ExitLeft)
	case QuietSaying, LeaveSaving: // what could not be erased is not left: no goodbye
		m.exit(ExitQuiet)
	}
}

func (m *machine) exit(how uint32) {
	m.s.Leaving = QuietDone
	if how == ExitLeft {
		m.s.Leaving = LeaveDone
	}
	m.stopTimer(TimerFarewell, 0)
	m.do(Action{Kind: Exit, Arg: how})
}
