package failover

import "github.com/serialhb/serialhb/serialhb/pulse"

// answer looks at what the peers ask for: a free group is probed and then granted (rule 2), a held one is released if
// a person wished so (rule 13). Each request is looked at until somebody can tell, and once if nobody can: who asks withdraws it
// after a while and asks again.
func (m *machine) answer(g uint8) {
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		said := &peer.Claim.Groups[g]
		if !m.grantable(p) {
			continue
		}
		grant := &m.s.Groups[g].Grants[p]
		if said.Request == 0 || said.Holds == pulse.HoldsYes || said.Request == grant.Request || said.Request == grant.Untold {
			continue
		}
		m.answerTo(p, g, said)
	}
}

// grantable says whether a member's word is good enough to grant it anything: it is heard, it is one machine, and it runs
// with the same nodes and groups.
func (m *machine) grantable(p uint8) bool {
	peer := &m.s.Peers[p]
	return peer.Presence == Present && peer.Claim.Valid && peer.Claim.Core == m.c.Core && !peer.Withdrawn && peer.Doubt&oneName == 0
}

func (m *machine) answerTo(p, g uint8, said *pulse.GroupClaim) {
	grp := &m.s.Groups[g]
	switch {
	case grp.Holds == pulse.HoldsYes:
		switch {
		case !m.releasable(p, g, said):
		case grp.Tried != said.Wish:
			// What cannot be written could be stopped and then not granted: a save shows it, as long as all still runs.
			grp.Tried = said.Wish
			m.dirty()
		default:
			m.release(p, g)
		}
	case grp.Holds == pulse.HoldsUnknown || grp.Doing != 0:
		// Unknown never grants; the completion will settle it.
	case grp.Request != 0 && m.better(g, m.c.Me, p) && said.Wish.To == 0:
		// Two requests at once: mine has the better right and stays.
	default:
		if grp.Request != 0 {
			m.note(NoteGaveWay, p, g, 0)
			m.abandon(g)
		}
		grp.ProbeFor, grp.ProbeReq = p+1, said.Request
		m.probe(g, CodeGrantProbe)
	}
}

// releasable says whether the owner stops for a request: it carries a wish, the configurations agree, nothing is in
// flux. That the requester has all its other permits is what its showing the wish says.
func (m *machine) releasable(p, g uint8, said *pulse.GroupClaim) bool {
	grp := &m.s.Groups[g]
	return said.Wish.To == p+1 && grp.Phase == pulse.Active && grp.Doing == 0 && !grp.Frozen &&
		m.s.Peers[p].Claim.Rest == m.c.Rest && m.s.Leaving == Staying &&
		m.s.SavedGen >= m.s.Gen && // or the run directory may take nothing, and it could not be granted
		(grp.Announced.To == 0 || grp.Announced == said.Wish)
}

func (m *machine) release(p, g uint8) {
	grp := &m.s.Groups[g]
	grp.YieldTo = p + 1
	grp.Announced, grp.Tried = pulse.Wish{}, pulse.Wish{}
	m.stopTimer(TimerWish, g)
	m.note(NoteReleasing, p, g, 0)
	m.stop(g, ThenIdle, CodeWish)
}

// probe asks whether the group's resources run.
func (m *machine) probe(g uint8, code Code) {
	grp := &m.s.Groups[g]
	grp.Doing = m.id()
	m.do(Action{Kind: Probe, Group: g, ID: grp.Doing, Code: code})
}

func (m *machine) stop(g uint8, then After, code Code) {
	grp := &m.s.Groups[g]
	grp.Then = then
	grp.Phase = pulse.Stopping
	grp.Doing = m.id()
	m.do(Action{Kind: Stop, Group: g, ID: grp.Doing, Code: code})
	m.dirty() // whoever starts after a crash in the middle goes on stopping
}

// probed takes the result of a probe.
func (m *machine) probed(e *Event) {
	if e.Group >= m.c.G || e.ID == 0 || m.s.Groups[e.Group].Doing != e.ID || m.s.Groups[e.Group].Phase == pulse.Stopping {
		m.s.Ignored++
		return
	}
	g := e.Group
	grp := &m.s.Groups[g]
	grp.Doing = 0
	if grp.Holds == pulse.HoldsUnknown {
		m.firstProbe(g, e.Found)
		return
	}
	p, req := grp.ProbeFor, grp.ProbeReq
	grp.ProbeFor, grp.ProbeReq = 0, 0
	switch {
	case e.Found != FoundStopped:
		// It is not held and yet not stopped: somebody started it, or nobody can tell. It is stopped before anything.
		m.note(NoteStray, m.c.Me, g, 0)
		if p != 0 && e.Found == FoundUnknown { // or it would be looked at again as soon as it is stopped, and so for ever
			grp.Grants[p-1].Untold = req
		}
		grp.Holds = pulse.HoldsUnknown
		m.abandon(g)
		m.stop(g, ThenIdle, CodeStray)
	case p != 0:
		m.grant(p-1, g, req)
	}
}

// grant gives the group to a peer's request, if it is still the one that the probe was made for, and if nothing came up
// while the probe ran.
func (m *machine) grant(p, g uint8, req uint16) {
	grp, peer := &m.s.Groups[g], &m.s.Peers[p]
	if grp.Holds != pulse.HoldsNo || grp.Request != 0 || !m.grantable(p) || peer.Claim.Groups[g].Request != req {
		return
	}
	grp.Permits[p] = NoPermit
	grp.Grants[p] = Grant{Request: req, Gen: m.dirty()}
	m.note(NoteGranted, p, g, uint32(req))
}

// firstProbe settles what this daemon found when it started (rule 4). What an earlier daemon was stopping, or was accused
// of, is not adopted: the probe becomes a stop.
func (m *machine) firstProbe(g uint8, found Found) {
	grp := &m.s.Groups[g]
	switch {
	case found == FoundStopped:
		m.free(g)
		m.settleStopped(g)
	case grp.Halted:
		m.stop(g, grp.Then, CodeUnfinished)
	case found == FoundRunning && grp.Recorded:
		grp.Recorded = false
		grp.Holds, grp.Phase = pulse.HoldsYes, pulse.Active
		m.note(NoteAdopted, m.c.Me, g, 0)
		m.do(Action{Kind: Adopt, Group: g, Code: CodeAdopted})
		m.twoOwners(g)
	case found == FoundRunning:
		grp.Found = true // it asks for the group like anyone, or stops it
	default:
		m.note(NoteProbeUnknown, m.c.Me, g, 0)
		m.stop(g, ThenIdle, CodeStray)
	}
}

// free: the group is verified stopped here.
func (m *machine) free(g uint8) {
	grp := &m.s.Groups[g]
	grp.Recorded, grp.Found, grp.Halted = false, false, false
	grp.Rests = 0
	if grp.Stuck {
		grp.Stuck, m.s.FenceMe = false, false
		for g := range m.c.G {
			m.s.FenceMe = m.s.FenceMe || m.s.Groups[g].Stuck
		}
	}
	if grp.Holds != pulse.HoldsNo {
		grp.Holds = pulse.HoldsNo
		m.dirty()
	}
}

// foundStray decides what becomes of a group that runs here without a record: adopted if all the others let it, else
// stopped.
func (m *machine) foundStray(g uint8) {
	grp := &m.s.Groups[g]
	if !grp.Found || grp.Doing != 0 || grp.Request != 0 || m.armed(TimerBackoff, g) {
		return
	}
	wait := false
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		switch {
		case m.away(p):
		case peer.Presence == Unjudged, peer.Presence == Present && !peer.Claim.Valid:
			wait = true
		case peer.Presence == Present && peer.Claim.Core == m.c.Core && peer.Claim.Groups[g].Holds == pulse.HoldsNo && m.better(g, m.c.Me, p):
		case peer.Presence != Present && grp.Permits[p] != NoPermit:
		default:
			m.note(NoteStray, m.c.Me, g, 0)
			m.stop(g, ThenIdle, CodeStray)
			return
		}
	}
	if why, _ := m.obstacle(g); !wait && why == None {
		m.ask(g, NoteAsks)
	}
}
