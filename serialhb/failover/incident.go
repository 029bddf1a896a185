package failover

import "github.com/serialhb/serialhb/serialhb/pulse"

// Why a person is asked before the coil, bits of [Question.Why]. Append only: they are kept in records.
const (
	AskMode        uint16 = 1 << iota // takeover = "approve"
	AskDoubt                          // a session that cannot hear me keeps sending
	AskWrongKey                       // someone with another key is on the cable
	AskTwin                           // two daemons bear its name
	AskMaintenance                    // its last claim announced maintenance
	AskOneByOne                       // the links were lost one after the other
	AskLate                           // armed, cleared or out of maintenance only after the incident began
	AskAgain                          // a group was taken from it in this incident already
)

// doubts gives the reasons to ask a person about a peer, without those of the incident.
func (m *machine) doubts(p uint8) uint16 {
	peer := &m.s.Peers[p]
	if m.fenceMe(p) && peer.Doubt&DoubtRising == 0 {
		return 0 // it asks for it itself, and no session but that one rises
	}
	var why uint16
	for _, d := range [...]struct {
		on  bool
		bit uint16
	}{
		{peer.Doubt&DoubtRising != 0, AskDoubt},
		{peer.Doubt&DoubtWrongKey != 0, AskWrongKey},
		{peer.Doubt&oneName != 0, AskTwin},
		{peer.Presence == Silent && peer.Claim.Flags.Has(pulse.Maintenance), AskMaintenance},
		{peer.Presence == Silent && peer.OneByOne && m.c.OnLastLink == AskOnLastLink, AskOneByOne},
	} {
		if d.on {
			why |= d.bit
		}
	}
	return why
}

// asksFirst says whether nobody is cut in this incident without a person's approval.
func (m *machine) asksFirst() bool { return m.c.Takeover == Approve || m.s.Incident.Late }

// question says whether a person must be asked before a member is cut for a group, and asks, once about each. An approval
// covers the members that were asked about and were silent, or asked to be cut, when it was given, for as long as they are.
// Of another one it is asked afresh.
func (m *machine) question(g, p uint8) bool {
	q := &m.s.Incident.Question
	given := q.Approved || q.Used
	if given && q.Covers&(1<<p) != 0 || m.s.Peers[p].Fence.Phase == FenceRunning || m.s.Peers[p].Fence.Phase == FenceOpening {
		return false
	}
	why := m.doubts(p)
	if m.c.Takeover == Approve {
		why |= AskMode
	}
	if m.s.Incident.Late && !given {
		why |= AskLate
	}
	if m.s.Incident.Moved&(1<<p) != 0 && m.isMove(g) {
		why |= AskAgain
	}
	if q.Asked && !given {
		why |= q.Why
	}
	if why == 0 {
		return false
	}
	if given {
		*q = Question{About: q.Covers}
	}
	q.Why |= why
	if q.Asked = true; q.About&(1<<p) == 0 {
		q.About |= 1 << p
		m.note(NoteQuestion, p, g, uint32(q.Why))
		m.dirty()
	}
	return true
}

// cmdAnswer takes a person's answer to the question.
func (m *machine) cmdAnswer(c Command) {
	inc := &m.s.Incident
	q := &inc.Question
	switch {
	case !inc.Open || inc.ID != c.Incident:
		m.refuse(c, WhyNoIncident)
		return
	case !q.Asked && !q.Denied:
		m.refuse(c, WhyNoQuestion)
		return
	case q.Used:
		m.refuse(c, WhyAnswered)
		return
	}
	if c.Kind == CmdDeny {
		q.Denied, q.Approved = true, false
		m.stopTimer(TimerApproval, 0)
		m.note(NoteDenied, 0, 0, inc.ID)
	} else {
		covers, why := m.approvable(&c)
		if why != None {
			m.refuse(c, why)
			return
		}
		q.Denied, q.Approved, q.Covers = false, true, covers
		m.setTimer(TimerApproval, 0, m.c.ApprovalTime)
		m.note(NoteApproved, 0, 0, inc.ID)
	}
	m.dirty()
	m.accept(c, 0)
}

// approvable gives the members that an approval would be about, or why it would do nothing now.
func (m *machine) approvable(c *Command) (covers uint16, why Code) {
	switch {
	case m.s.Locked:
		return 0, WhyLocked
	case !m.s.Armed:
		return 0, WhyArmFirst
	case m.s.Maintenance:
		return 0, WhyMaintenanceFirst
	}
	why = WhyNoQuestion
	for p := range m.peers() {
		switch {
		case m.s.Incident.Question.About&(1<<p) == 0:
		case m.cuttable(p):
			covers |= 1 << p
		case m.s.Peers[p].Presence == Unjudged:
			c.Peer, why = p, WhyWaiting
		}
	}
	if covers != 0 {
		why = None
	}
	return covers, why
}

// useApproval: an approval that was given is used now, and covers the rest of the incident.
func (m *machine) useApproval() {
	if q := &m.s.Incident.Question; q.Approved {
		q.Approved, q.Used = false, true
		m.stopTimer(TimerApproval, 0)
		m.dirty()
	}
}

// approvalTime: an approval that was not used expires, and the question stands again.
func (m *machine) approvalTime() {
	if q := &m.s.Incident.Question; q.Approved {
		q.Approved = false
		m.note(NoteApprovalExpired, 0, 0, m.s.Incident.ID)
		m.dirty()
	}
}

// incident opens one at the first silence or fence-me, and closes it when every group is owned and all peers are heard.
func (m *machine) incident() {
	inc := &m.s.Incident
	trouble, whole := false, true
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		if m.away(p) || peer.Presence == Gone {
			continue
		}
		trouble = trouble || peer.Presence == Silent || m.fenceMe(p)
		whole = whole && peer.Presence == Present && peer.Claim.Valid && !m.fenceMe(p)
	}
	trouble = trouble || m.s.FenceMe
	for g := range m.c.G {
		whole = whole && m.owned(g)
	}
	switch {
	case trouble && !inc.Open && m.s.Leaving == Staying:
		*inc = Incident{Open: true, ID: inc.ID + 1}
		m.dirty()
		m.keep()
		m.note(NoteIncidentOpen, 0, 0, inc.ID)
	case inc.Open && !trouble && whole:
		m.closeIncident(NoteIncidentClosed)
	}
	if inc.Open {
		m.stopTimer(TimerWindow, 0)
	} else if !m.armed(TimerWindow, 0) && (m.s.Moves > 0 || m.s.Fences > 0) {
		m.setTimer(TimerWindow, 0, m.c.Window)
	}
}

func (m *machine) closeIncident(code Code) {
	inc := &m.s.Incident
	m.note(code, 0, 0, inc.ID)
	m.stopTimer(TimerApproval, 0)
	*inc = Incident{ID: inc.ID}
	for p := range m.peers() {
		fence := &m.s.Peers[p].Fence
		fence.Counted, fence.Attempts = false, 0
	}
	for g := range m.c.G {
		m.s.Groups[g].Moved = false
	}
	m.dirty()
}

// owned says whether somebody heard, or this member, holds a group.
func (m *machine) owned(g uint8) bool {
	if m.s.Groups[g].Holds == pulse.HoldsYes {
		return true
	}
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		if peer.Presence == Present && peer.Claim.Valid && peer.Claim.Core == m.c.Core && peer.Claim.Groups[g].Holds == pulse.HoldsYes {
			return true
		}
	}
	return false
}

// countMove counts an automatic move once, when it begins. What was begun is finished.
func (m *machine) countMove(g uint8) {
	grp := &m.s.Groups[g]
	if grp.Moved || !m.isMove(g) || grp.Approved {
		return
	}
	grp.Moved = true
	m.s.Moves++
	m.dirty()
	grp.MoveGen = m.keep()
}

// CountNotKept says whether the count of a move or of a fence is not on disk.
func (s *State) CountNotKept() bool {
	for g := range s.Groups {
		if s.Groups[g].MoveGen > s.KeptGen {
			return true
		}
	}
	for p := range s.Peers {
		if s.Peers[p].CountGen > s.KeptGen {
			return true
		}
	}
	return false
}

// windowTime: a whole window passed with all peers up. The budget is fresh; a reboot would not have made it so.
func (m *machine) windowTime() {
	if m.s.Incident.Open || m.s.Moves == 0 && m.s.Fences == 0 {
		return
	}
	m.s.Moves, m.s.Fences = 0, 0
	m.dirty()
	m.keep()
}

// lockOut: the budget is spent. Nothing moves by itself until a person clears it.
func (m *machine) lockOut(g uint8) {
	m.s.Locked = true
	m.dirty()
	if m.s.CountNotKept() {
		m.note(NoteCountNotKept, 0, g, 0)
	}
	m.keep()
	m.note(NoteLockedOut, 0, g, uint32(m.s.Moves)<<8|uint32(m.s.Fences))
}
