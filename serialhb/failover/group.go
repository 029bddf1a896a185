package failover

import "github.com/serialhb/serialhb/serialhb/pulse"

// input is what can happen to one group.
type input uint8

// The inputs of a group.
const (
	inSettle        input = iota // the facts may have changed: look again
	inStarted                    // the resources run
	inStartFailed                // they could not be started
	inStopped                    // they are verified stopped
	inStopFailed                 // they could not be stopped
	inServiceFailed              // a monitor found them not running
	inMoveTime                   // nothing moved for MoveTime
	inFenceFailed                // no level could prove a member off
	inContradicted               // the proof that it rests on lied
	inRelease                    // a person, or leaving, wants it stopped here

	inputEnd
)

var inputNames = [...]string{"settle", "started", "start-failed", "stopped", "stop-failed", "service-failed", "move-time", "fence-failed", "contradicted", "release"}

func (i input) String() string { return inputNames[i] }

// rule is what a phase does with an input: one of the handlers, or nothing for a stated reason.
type rule struct {
	do  handler
	why string // why nothing is done; only where do is hNothing
}

type handler uint8

const (
	hNothing handler = iota
	hSettleFree
	hSettleOpen
	hSettleStarting
	hSettleActive
	hSettleFailed
	hSettleBlocked
	hStarted
	hCleanUp
	hStopped
	hStopFailed
	hRestart
	hStandstill
	hBlock
	hAccuse
	hStopNow
	hGiveUp
)

const (
	whyNotStarting = "only a group that is starting can have been started: the completion is late"
	whyNotStopping = "only a group that is stopping can have been stopped: the completion is late"
	whyNotActive   = "only an active group is monitored: the report is late"
	whyNoTimer     = "the timer belongs to an open request: it fired late"
	whyNoRequest   = "no request is open that the fence could have helped"
	whyNoOwner     = "it owns nothing that could rest on a proof"
	whyNothingRuns = "nothing runs here"
	whyUnderWay    = "it is being stopped already"
	whyWaiting     = "the completion of what is under way comes first"
)

func none(why string) rule { return rule{why: why} }

// free is the column of a phase that owns nothing and asks for nothing.
func free(settle handler) [inputEnd]rule {
	return [inputEnd]rule{
		inSettle:        {do: settle},
		inStarted:       none(whyNotStarting),
		inStartFailed:   none(whyNotStarting),
		inStopped:       none(whyNotStopping),
		inStopFailed:    none(whyNotStopping),
		inServiceFailed: none(whyNotActive),
		inMoveTime:      none(whyNoTimer),
		inFenceFailed:   none(whyNoRequest),
		inContradicted:  none(whyNoOwner),
		inRelease:       none(whyNothingRuns),
	}
}

// open is the column of a phase with an open request.
func open(moveTime rule) [inputEnd]rule {
	r := free(hSettleOpen)
	r[inMoveTime] = moveTime
	r[inFenceFailed] = rule{do: hBlock}
	r[inContradicted] = none("the permit is gone, and the request asks for it again")
	r[inRelease] = rule{do: hGiveUp}
	return r
}

// table says what every phase does with every input. A pair that does nothing says why.
var table = [pulse.Blocked + 1][inputEnd]rule{
	pulse.Ineligible:       free(hSettleFree),
	pulse.Idle:             free(hSettleFree),
	pulse.Requesting:       open(rule{do: hStandstill}),
	pulse.AwaitingApproval: open(none("the question stands as long as its incident")),
	pulse.Fencing:          open(none("a level being tried is movement")),
	pulse.Starting: {
		inSettle:        {do: hSettleStarting},
		inStarted:       {do: hStarted},
		inStartFailed:   {do: hCleanUp},
		inStopped:       none(whyNotStopping),
		inStopFailed:    none(whyNotStopping),
		inServiceFailed: none(whyNotActive),
		inMoveTime:      none(whyNoTimer),
		inFenceFailed:   none(whyNoRequest),
		inContradicted:  {do: hAccuse},
		inRelease:       {do: hStopNow},
	},
	pulse.Active: {
		inSettle:        {do: hSettleActive},
		inStarted:       none(whyNotStarting),
		inStartFailed:   none(whyNotStarting),
		inStopped:       none(whyNotStopping),
		inStopFailed:    none(whyNotStopping),
		inServiceFailed: {do: hRestart},
		inMoveTime:      none(whyNoTimer),
		inFenceFailed:   none(whyNoRequest),
		inContradicted:  {do: hAccuse},
		inRelease:       {do: hStopNow},
	},
	pulse.Stopping: {
		inSettle:        none(whyWaiting),
		inStarted:       none("the start was overtaken by the stop"),
		inStartFailed:   none("the start was overtaken by the stop"),
		inStopped:       {do: hStopped},
		inStopFailed:    {do: hStopFailed},
		inServiceFailed: none(whyNotActive),
		inMoveTime:      none(whyNoTimer),
		inFenceFailed:   none(whyNoRequest),
		inContradicted:  {do: hAccuse},
		inRelease:       none(whyUnderWay),
	},
	pulse.Failed:  free(hSettleFailed),
	pulse.Blocked: free(hSettleBlocked),
}

// input looks the pair up and does what it says. Ignored inputs are counted, the mere look is not.
func (m *machine) input(g uint8, in input) {
	if g >= m.c.G {
		m.s.Ignored++
		return
	}
	r := table[m.s.Groups[g].Phase][in]
	if r.do == hNothing && in != inSettle {
		m.s.Ignored++
	}
	m.handle(r.do, g)
}

func (m *machine) handle(h handler, g uint8) {
	grp := &m.s.Groups[g]
	switch h {
	case hNothing:
	case hSettleFree:
		m.settleFree(g)
	case hSettleOpen:
		m.answer(g)
		if grp.Request != 0 {
			m.pursue(g)
		}
	case hSettleStarting:
		if grp.Doing == 0 && m.s.SavedGen >= grp.Gen {
			grp.Doing = m.id()
			m.do(Action{Kind: Start, Group: g, ID: grp.Doing, Code: CodeOwns})
		}
	case hSettleActive:
		m.answer(g)
		m.handOver(g)
	case hSettleFailed, hSettleBlocked:
		m.settleDown(g)
	case hStarted:
		grp.Phase = pulse.Active
		m.note(NoteActive, m.c.Me, g, 0)
		m.keep()
	case hCleanUp:
		m.note(NoteStartFailed, m.c.Me, g, 0)
		m.stop(g, ThenFailed, CodeCleanUp)
	case hStopped:
		m.stopped(g)
	case hStopFailed:
		m.stopFailed(g)
	case hRestart:
		m.note(NoteServiceFailed, m.c.Me, g, 0)
		m.stop(g, ThenFailed, CodeServiceFailed)
	case hStandstill:
		m.standstill(g)
	case hBlock:
		m.abandon(g)
		grp.Phase = pulse.Blocked
		m.note(NoteBlocked, m.c.Me, g, 0)
	case hAccuse:
		m.accuse(g)
	case hStopNow:
		m.stop(g, ThenIdle, CodeAsked)
	case hGiveUp:
		m.abandon(g)
	default:
		panic("failover: no such handler")
	}
}

// completed hands the end of a start or a stop to its group, if it is the one that was waited for.
func (m *machine) completed(e *Event, ok, failed input) {
	if e.Group >= m.c.G || e.ID == 0 || m.s.Groups[e.Group].Doing != e.ID {
		m.s.Ignored++
		return
	}
	in := failed
	if e.OK {
		in = ok
	}
	if table[m.s.Groups[e.Group].Phase][in].do == hNothing {
		m.s.Ignored++
		return
	}
	m.s.Groups[e.Group].Doing = 0
	m.input(e.Group, in)
}

// settleFree is the life of a group that this member does not have.
func (m *machine) settleFree(g uint8) {
	grp := &m.s.Groups[g]
	if grp.Doing != 0 {
		return
	}
	if grp.Found {
		m.foundStray(g)
		return
	}
	if grp.Holds != pulse.HoldsNo {
		return
	}
	m.answer(g)
	if grp.Doing != 0 || m.takeUpWish(g) {
		return
	}
	why, about := m.obstacle(g)
	grp.Phase = pulse.Idle
	if ineligible(why) {
		grp.Phase = pulse.Ineligible
	}
	switch {
	case why == WhyFenceFailed && !m.heldElsewhere(g, about): // by an earlier daemon, or for a person
		grp.Phase = pulse.Blocked
	case why == WhyBudget && !m.s.Locked:
		m.lockOut(g)
	case why == WhyBetterPeer && !m.armed(TimerYield, g):
		m.setTimer(TimerYield, g, m.c.MoveTime)
	case why != WhyBetterPeer && !grp.Yielded:
		m.stopTimer(TimerYield, g)
	}
	if why == None && !m.armed(TimerBackoff, g) {
		m.ask(g, NoteAsks)
		return
	}
	m.autoFailback(g)
}

// settleDown is the life of a group that failed or is blocked here: others may have it, this member waits.
func (m *machine) settleDown(g uint8) {
	grp := &m.s.Groups[g]
	if grp.Doing != 0 || grp.Holds != pulse.HoldsNo {
		return
	}
	m.answer(g)
	if grp.Phase != pulse.Blocked || grp.Accused || grp.Doing != 0 {
		return
	}
	for p := range m.peers() {
		if m.lacks(g, p) && m.cuttable(p) && m.s.Peers[p].Fence.Phase == FenceFailed && !m.heldElsewhere(g, p) {
			return
		}
	}
	grp.Phase = pulse.Idle
}

func (m *machine) stopped(g uint8) {
	m.free(g)
	m.keep()
	m.note(NoteStopped, m.c.Me, g, 0)
	m.settleStopped(g)
}

// settleStopped gives a group that is verified stopped the phase that the stop was for, and whom it was released to time to
// take it.
func (m *machine) settleStopped(g uint8) {
	grp := &m.s.Groups[g]
	switch {
	case grp.Then == ThenBlocked || grp.Accused:
		grp.Phase, grp.Accused = pulse.Blocked, true
	case grp.Then == ThenFailed:
		grp.Phase = pulse.Failed
	default:
		grp.Phase = pulse.Idle
	}
	grp.Then = ThenIdle
	if grp.YieldTo != 0 {
		m.setTimer(TimerRelease, g, m.c.MoveTime)
	}
}

// stopFailed: what cannot be stopped must be cut. The group stays held, and the peers are asked to fence.
func (m *machine) stopFailed(g uint8) {
	grp := &m.s.Groups[g]
	grp.Phase, grp.YieldTo = pulse.Failed, 0
	if grp.Holds == pulse.HoldsNo {
		grp.Holds = pulse.HoldsUnknown
	}
	grp.Stuck, m.s.FenceMe = true, true
	m.dirty()
	m.note(NoteFenceMe, m.c.Me, g, 0)
}

// accuse ends an ownership that rests on what was not so. The accusation is kept in the same write in which the permit
// goes, so a daemon that starts in the middle either knows of it, or finds the same contradiction again.
func (m *machine) accuse(g uint8) {
	grp := &m.s.Groups[g]
	grp.Accused = true
	if grp.Phase == pulse.Stopping {
		grp.Then = ThenBlocked
		return
	}
	m.stop(g, ThenBlocked, CodeContradicted)
}

// standstill: a request got no answer for MoveTime. A holder that is stopping for it is movement.
func (m *machine) standstill(g uint8) {
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		if m.lacks(g, p) && peer.Presence == Present && peer.Claim.Valid && peer.Claim.Groups[g].Phase == pulse.Stopping {
			m.setTimer(TimerMove, g, m.c.MoveTime)
			return
		}
	}
	m.withdraw(g, NoteStandstill, m.c.Me)
}

// stopEnded: a holder has just stopped, which is movement too. Its grant waits for a probe and for a pulse, and would find
// the request withdrawn if the stop had taken nearly MoveTime.
func (m *machine) stopEnded(g uint8) {
	if m.armed(TimerMove, g) {
		m.setTimer(TimerMove, g, m.c.MoveTime)
	}
}
