package failover

import (
	"math"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// fenceObstacle says why this member may not make a proof of off of a peer by itself, or None.
func (m *machine) fenceObstacle(p uint8) Code {
	s, peer := m.s, &m.s.Peers[p]
	switch {
	case !m.c.Members[p].Fenceable:
		return WhyNoFence
	case !s.Armed:
		return WhyDisarmed
	case s.Locked:
		return WhyLocked
	case s.Deaf && !m.c.FenceWhenDeaf:
		return WhyDeaf
	case s.CoreDiffers(m.c, p):
		return WhyCoreDiffers
	case peer.Fence.Phase == FenceFailed:
		return WhyFenceFailed
	case !peer.Seen && !m.offBySense(p):
		return WhyNeverSeen
	case s.Incident.Question.Denied:
		return WhyDenied
	case peer.Seen && !peer.Fence.Counted && (s.Fences >= m.c.MaxFences && !m.begun(p) || peer.CountGen > s.KeptGen) && !m.fenceMe(p):
		return WhyBudget
	}
	return None
}

// CoreDiffers says whether a peer runs with other nodes or groups, as it said last, to this daemon or to an earlier one of this boot.
func (s *State) CoreDiffers(c *Config, p uint8) bool {
	claim := &s.Peers[p].Claim
	return (claim.Valid || claim.Core != 0) && claim.Core != c.Core
}

// begun says whether a move that was begun needs a proof of a peer: it is finished, also when its own fences spend the rest
// of the budget.
func (m *machine) begun(p uint8) bool {
	for g := range m.c.G {
		if grp := &m.s.Groups[g]; grp.Phase == pulse.Fencing && grp.Moved && m.lacks(g, p) && m.cuttable(p) {
			return true
		}
	}
	return false
}

// fence moves the fence of one peer on.
func (m *machine) fence(p uint8) {
	fence := &m.s.Peers[p].Fence
	groups, want := m.fenceWanted(p)
	switch fence.Phase {
	case FenceIdle, FenceProven:
		if !want {
			return
		}
		fence.Groups = groups
		if wait := m.fenceDelay(p); wait > 0 {
			fence.Phase = FenceDelayed
			m.note(NoteFenceDelayed, p, 0, uint32(wait/time.Millisecond))
			m.setTimer(TimerDelay, p, wait)
			return
		}
		m.prepareFence(p)
	case FenceDelayed:
		if !want {
			m.callOff(p)
		}
	case FenceSaving, FenceOpening:
		switch {
		case fence.ID != 0: // the cuts are being opened
		case !m.s.Armed, m.s.Leaving != Staying, fence.Phase == FenceSaving && !want && !fence.ByPerson:
			m.callOff(p)
		case m.s.SavedGen >= fence.Gen:
			m.drive(p)
		}
	}
}

// fenceWanted gives the groups whose open request only a proof can complete, and whether a fence is wanted at all. A request
// may be open although something bars the fence: see confirming. Who gains nothing fences nobody (rule 11), unless the owner is
// to survive a split, or a member asks to be cut that may have what this one has.
func (m *machine) fenceWanted(p uint8) (groups uint16, want bool) {
	if m.s.Leaving != Staying {
		return 0, false
	}
	holds := false
	for g := range m.c.G {
		grp := &m.s.Groups[g]
		holds = holds || grp.Holds == pulse.HoldsYes
		if grp.Phase == pulse.Fencing && m.lacks(g, p) && m.cuttable(p) {
			groups |= 1 << g
		}
	}
	barred := m.s.Maintenance || m.fenceObstacle(p) != None
	if groups != 0 {
		return groups, !barred
	}
	peer := &m.s.Peers[p]
	survive := m.c.Split == OwnerSurvives && holds && peer.Presence == Silent && peer.Seen && !m.away(p)
	answer := m.fenceMe(p) && peer.Presence == Present && m.contested(p)
	return 0, (survive || answer) && peer.Proof == 0 && !barred && m.doubts(p) == 0 && !m.asksFirst()
}

// contested says whether a peer may have what this member has.
func (m *machine) contested(p uint8) bool {
	for g := range m.c.G {
		if m.s.Groups[g].Holds == pulse.HoldsYes && m.s.Peers[p].Claim.Groups[g].Holds != pulse.HoldsNo {
			return true
		}
	}
	return false
}

// fenceDelay is how long this side waits so that at most one coil of a fight is driven (rule 11). Who can gain nothing
// does not fence, so nobody waits for it.
func (m *machine) fenceDelay(p uint8) time.Duration {
	peer := &m.s.Peers[p]
	if m.fenceMe(p) || !peer.Seen || peer.Fence.ByPerson {
		return 0
	}
	var mine, theirs, all int
	for g := range m.c.G {
		all++
		if m.s.Groups[g].Holds == pulse.HoldsYes {
			mine++
		}
		if peer.Claim.Groups[g].Holds == pulse.HoldsYes || m.s.Groups[g].Grants[p].Request != 0 {
			theirs++
		}
	}
	if m.c.Split == OwnerSurvives {
		if mine < theirs || mine == theirs && m.c.Me > p {
			return m.c.FenceDelay
		}
		return 0
	}
	gains := theirs < all && !peer.Claim.Flags.Has(pulse.Standby) && !peer.Claim.Flags.Has(pulse.Maintenance)
	if gains && (mine < theirs || mine == theirs && m.c.Me > p) {
		return m.c.FenceDelay
	}
	return 0
}

func (m *machine) delayTime(p uint8) {
	if m.s.Peers[p].Fence.Phase == FenceDelayed {
		m.prepareFence(p)
	}
}

// prepareFence counts the fence and has that written before the coil, together with the fact that the cut may be open
// (see [State.Volatile]): a daemon that dies between the coil and its next write knows afterwards what it left behind.
// A fence counts once per incident and target; opening a cut whose fail-safe sense already reads off is none.
func (m *machine) prepareFence(p uint8) {
	peer := &m.s.Peers[p]
	fence := &peer.Fence
	fence.Phase = FenceSaving
	fence.Secure = !peer.Seen && !fence.ByPerson
	if !fence.Secure && !fence.Counted && !fence.ByPerson {
		fence.Counted = true
		if gen := m.keep(); !m.fenceMe(p) {
			m.s.Fences++
			peer.CountGen = gen
		}
	}
	fence.Gen = m.dirty()
}

// drive asks for the coil, once it is written that the cut may be open. From here on the fence runs to its end: half a
// cut would be worse.
func (m *machine) drive(p uint8) {
	fence := &m.s.Peers[p].Fence
	m.stopTimer(TimerPower, p)
	fence.Open, fence.Owed, fence.ID = m.c.Members[p].Fenceable, false, m.id()
	if fence.Phase == FenceOpening {
		m.do(Action{Kind: OpenCuts, Peer: p, ID: fence.ID, Code: CodePerson})
		return
	}
	fence.Phase = FenceRunning
	m.useApproval()
	a := Action{Kind: Cut, Peer: p, ID: fence.ID, Arg: m.trusted(p), Code: CodeSilent}
	switch {
	case fence.ByPerson:
		a.Code = CodePerson
	case fence.Secure:
		a.Kind, a.Code = Secure, CodeAlreadyOff
	case m.fenceMe(p):
		a.Code = CodeFenceMe
	}
	m.do(a)
}

// CutLeftOpen says whether the power of a peer may be cut, without a proof, and nothing will give it back by itself.
func (s *State) CutLeftOpen(p uint8) bool {
	fence := &s.Peers[p].Fence
	if !fence.Open || s.Peers[p].Proof != 0 {
		return false
	}
	waits := func(k TimerKind) bool { return s.Timers[k]&(1<<p) != 0 }
	return fence.Phase == FenceIdle || fence.Phase == FenceFailed && fence.Giving == 0 && !waits(TimerRetry) && !waits(TimerPower)
}

// PowerNotBack says whether the power of a member that was proven off was due to be given back, and was not.
func (s *State) PowerNotBack(c *Config, p uint8) bool {
	fence := &s.Peers[p].Fence
	due := s.Timers[TimerPower]&(1<<p) == 0 && c.Members[p].RestoreAfter > 0 && !fence.Owed
	return due && fence.Open && !fence.Driving() && s.Peers[p].Proof != 0 && (fence.Phase == FenceProven || fence.Phase == FenceIdle)
}

// callOff ends a fence that has not driven a coil, and gives power back where a failed one left a cut open.
func (m *machine) callOff(p uint8) {
	fence := &m.s.Peers[p].Fence
	m.stopTimer(TimerDelay, p)
	switch fence.Phase {
	case FenceDelayed, FenceSaving:
		*fence = Fence{Phase: FenceIdle, Counted: fence.Counted, Open: fence.Open, Owed: fence.Owed, Attempts: fence.Attempts, Giving: fence.Giving}
		m.dirty() // what is on file says that the cut may be open
		m.note(NoteFenceCalledOff, p, 0, 0)
	case FenceFailed, FenceOpening:
		m.stopTimer(TimerRetry, p)
		m.dirty()
		if fence.Phase == FenceOpening {
			for g := range m.c.G { // the word that these requests rest on was wrong
				if fence.Groups&(1<<g) != 0 && m.s.Groups[g].Approved {
					m.abandon(g)
				}
			}
		}
		*fence = Fence{Phase: FenceIdle, Counted: fence.Counted, Open: fence.Open, Giving: fence.Giving}
		m.givePower(p)
	}
}

func (m *machine) fenceDone(e *Event) {
	if e.Peer >= m.c.N || m.s.Peers[e.Peer].Fence.Phase != FenceRunning || m.s.Peers[e.Peer].Fence.ID != e.ID {
		m.s.Ignored++
		return
	}
	p := e.Peer
	fence := &m.s.Peers[p].Fence
	fence.ID, fence.ByPerson = 0, false
	if e.OK && e.Proof != fencing.None {
		fence.Phase, fence.Attempts, fence.Unsure = FenceProven, 0, false
		m.proved(p, e.Proof, fence.Groups)
		m.powerLater(p)
		return
	}
	fence.Phase = FenceFailed
	if fence.Attempts < math.MaxUint8 { // a person may go on trying
		fence.Attempts++
	}
	m.dirty() // a daemon that starts in between goes on counting
	m.note(NoteFenceFailed, p, 0, uint32(fence.Attempts))
	for g := range m.c.G {
		if m.s.Groups[g].Phase == pulse.Fencing && m.lacks(g, p) && m.cuttable(p) {
			m.input(g, inFenceFailed)
		}
	}
	if m.retryLater(p) {
		return
	}
	m.note(NoteFenceGivenUp, p, 0, 0)
	m.givePower(p)
}

// retryLater has a fence that failed tried again after a wait that doubles, or says that it was tried often enough.
func (m *machine) retryLater(p uint8) bool {
	tries := m.s.Peers[p].Fence.Attempts
	if tries > m.c.FenceRetries {
		return false
	}
	m.setTimer(TimerRetry, p, m.c.FenceRetryTime<<(tries-1))
	return true
}

func (m *machine) retryTime(p uint8) {
	fence := &m.s.Peers[p].Fence
	if fence.Phase != FenceFailed {
		return
	}
	fence.Phase = FenceIdle // blocked groups ask again, afresh, when they settle
	if fence.Open {
		m.setTimer(TimerPower, p, m.c.FenceRetryTime) // or nobody asks any more, and then the retries are over
	}
}

// powerLater gives power back after the dwell, or never.
func (m *machine) powerLater(p uint8) {
	if dwell := m.c.Members[p].RestoreAfter; dwell > 0 {
		m.setTimer(TimerPower, p, dwell)
	}
}

func (m *machine) powerTime(p uint8) {
	if m.s.Peers[p].Fence.Phase != FenceRunning {
		m.givePower(p)
	}
}

// givePower closes the cuts of a peer. Disarmed drives no coil on any path: what is owed then waits for arm. What falls due
// while this process ends would be broken off: it waits for the next start.
func (m *machine) givePower(p uint8) {
	if m.s.Leaving > LeaveStopping {
		return
	}
	fence := &m.s.Peers[p].Fence
	fence.Owed = fence.Open && !m.s.Armed
	if fence.Open && m.s.Armed {
		m.restore(p, CodeDwellOver)
	}
}

func (m *machine) restore(p uint8, code Code) {
	fence := &m.s.Peers[p].Fence
	fence.Giving = m.id()
	m.do(Action{Kind: Restore, Peer: p, ID: fence.Giving, Code: code})
}

func (m *machine) restoreDone(e *Event) {
	if e.Peer >= m.c.N {
		m.s.Ignored++
		return
	}
	fence := &m.s.Peers[e.Peer].Fence
	if fence.Giving == e.ID {
		fence.Giving = 0
	}
	if fence.ID != 0 {
		m.s.Ignored++ // a newer cut was ordered behind it
		return
	}
	if !e.OK {
		m.note(NoteRestoreFailed, e.Peer, 0, 0)
		return
	}
	if fence.Open {
		fence.Open = false
		m.dirty()
		m.note(NoteRestored, e.Peer, 0, 0)
	}
}

// cutsOpened completes a person's confirmation: every cut that works is open, now the word counts. One that did not open
// does not work, and the person is told what that means.
func (m *machine) cutsOpened(e *Event) {
	if e.Peer >= m.c.N || m.s.Peers[e.Peer].Fence.Phase != FenceOpening || m.s.Peers[e.Peer].Fence.ID != e.ID {
		m.s.Ignored++
		return
	}
	fence := &m.s.Peers[e.Peer].Fence
	fence.Phase, fence.ID, fence.Attempts = FenceProven, 0, 0
	if fence.Unsure = !e.OK; fence.Unsure {
		m.note(NoteWordAlone, e.Peer, 0, 0)
	}
	m.proved(e.Peer, fencing.Operator, fence.Groups)
	m.powerLater(e.Peer)
}
