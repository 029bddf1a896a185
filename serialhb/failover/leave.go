package failover

import "github.com/serialhb/serialhb/serialhb/pulse"

// leave moves the end of the session on: services down, permits and seen erased, goodbye said until it was heard.
func (m *machine) leave() {
	s := m.s
	switch s.Leaving {
	case LeaveStopping:
		if !m.allStopped() {
			return
		}
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
