package failover

import (
	"fmt"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Step takes one event and returns the next state and what the world is asked to do, in order. It is a pure function.
func Step(c *Config, s State, e Event) (State, []Action) {
	out := s.Apply(c, e, nil)
	return s, out
}

// Apply is [Step] in place: it changes s and appends the actions to out, so that a steady pulse allocates nothing.
func (s *State) Apply(c *Config, e Event, out []Action) []Action {
	m := machine{c: c, s: s, out: out}
	m.apply(&e)
	m.settle(settleRounds)
	if bad := s.Check(c); bad != "" {
		panic(fmt.Sprintf("failover: %s after %s", bad, e.Kind))
	}
	return m.out
}

// machine carries one step.
type machine struct {
	c   *Config
	s   *State
	out []Action
}

func (m *machine) apply(e *Event) {
	if !m.s.Running && e.Kind != Started {
		m.s.Ignored++
		return
	}
	switch e.Kind {
	case Started:
		m.started()
	case Beat:
		m.beat()
	case Heard:
		m.heard(e.Pulse, e.Link)
	case HeardNewer:
		m.heardNewer(e.Pulse, e.Link)
	case WentSilent:
		m.wentSilent(e.Peer, e.OneByOne)
	case Doubted:
		m.doubt(e.Peer, DoubtWrongKey)
	case WentDeaf:
		m.s.Deaf = true
	case HearsAgain:
		m.s.Deaf = false
	case SenseRead:
		m.senseRead(e.Peer, e.Device, e.Reading)
	case TimerFired:
		m.timerFired(e.Timer)
	case Probed:
		m.probed(e)
	case StartDone:
		m.completed(e, inStarted, inStartFailed)
	case StopDone:
		m.completed(e, inStopped, inStopFailed)
	case ServiceFailed:
		m.input(e.Group, inServiceFailed)
	case FenceDone:
		m.fenceDone(e)
	case CutsOpened:
		m.cutsOpened(e)
	case RestoreDone:
		m.restoreDone(e)
	case Saved:
		m.saved(e)
	case Kept:
		m.kept(e)
	case Commanded:
		m.command(e.Command)
	case Reloaded:
		m.note(NoteReloaded, 0, 0, 0)
	case NewSession:
		m.newSession(e.Session)
	default:
		panic(fmt.Sprintf("failover: event %d", e.Kind))
	}
}

// settleRounds is how often the rules may look at the facts of one step. The random walks, of
// two or three members and one or two groups, need 5; their test allows half of this.
const settleRounds = 16

// settle lets every rule look at the facts until none of them moves any more, and gives the rounds that this took. Rules
// that do not come to rest are a fault of this program, and yet no impossible state: each of their moves was allowed when
// it was made. A panic would come again after every start and have a healthy owner cut, so a person is told, and the next
// event goes on from here.
func (m *machine) settle(rounds int) int {
	if !m.s.Running {
		return 0
	}
	used, rest := 0, false
	var before State
	for used < rounds && !rest {
		used++
		m.s.copyTo(m.c, &before)
		for p := range m.peers() {
			m.fence(p)
		}
		for g := range m.c.G {
			m.input(g, inSettle)
		}
		m.incident()
		m.leave()
		rest = m.s.equals(m.c, &before)
	}
	if !rest && !m.s.Unsettled {
		m.note(NoteUnsettled, m.c.Me, 0, uint32(used))
	}
	m.s.Unsettled = !rest
	m.save()
	return used
}

// peers yields every other member.
func (m *machine) peers() func(func(uint8) bool) {
	return func(yield func(uint8) bool) {
		for p := range m.c.N {
			if p != m.c.Me && !yield(p) {
				return
			}
		}
	}
}

func (m *machine) started() {
	if m.s.Running {
		m.s.Ignored++
		return
	}
	m.s.Running = true
	for g := range m.c.G {
		m.probe(g, CodeStart)
	}
	for p := range m.peers() {
		fence := &m.s.Peers[p].Fence
		switch {
		case fence.Phase == FenceFailed && m.retryLater(p):
		case fence.Open && fence.Phase == FenceFailed:
			m.setTimer(TimerPower, p, m.c.FenceRetryTime) // the retries are over, and that was not
		case fence.Open && m.c.Members[p].RestoreAfter > 0:
			m.setTimer(TimerPower, p, m.c.Members[p].RestoreAfter)
		}
	}
	if m.s.KeepGen > 0 {
		m.keep()
	}
	m.setTimer(TimerWindow, 0, m.c.Window)
	if m.s.Incident.Question.Approved {
		m.setTimer(TimerApproval, 0, m.c.ApprovalTime)
	}
}

func (m *machine) beat() {
	if m.s.Seq >= pulse.MaxSeq {
		m.s.Ignored++ // the session could not be renewed in time: silence is safe
	} else {
		m.s.Seq++
		m.do(Action{Kind: Send})
	}
	if m.s.Seq > renewAt || m.requestsSpent() {
		m.renew()
	}
}

// renewAt leaves hours for a quiet moment to come.
const renewAt = pulse.MaxSeq - 1<<20

func (m *machine) requestsSpent() bool {
	for g := range m.c.G {
		if m.s.Groups[g].LastRequest >= pulse.MaxRequest {
			return true
		}
	}
	return false
}

func (m *machine) renew() {
	if m.s.Renewing || m.s.Leaving != Staying {
		return
	}
	for g := range m.c.G {
		open := openPhase(m.s.Groups[g].Phase) && m.s.Groups[g].Phase != pulse.AwaitingApproval // which may last for weeks
		if open || m.s.Groups[g].Doing != 0 {
			return
		}
	}
	for p := range m.peers() {
		if m.s.Peers[p].Fence.underWay() { // it would prove nothing for a request of the new session
			return
		}
	}
	m.s.Renewing = true
	m.do(Action{Kind: Renew})
}

// newSession goes on under a new session: requests and sequences of the old one are void, what runs stays.
func (m *machine) newSession(session uint32) {
	s := m.s
	s.Session, s.Seq, s.Renewing = session, 0, false
	for g := range m.c.G {
		m.abandon(g)
		s.Groups[g].LastRequest, s.Groups[g].WonSeq = 0, 0
	}
	for p := range m.peers() {
		peer := &s.Peers[p]
		peer.In = peer.In.Forget()
		peer.Claim.Valid = false
		peer.Claim.Echo = 0
		peer.ProofSeq, peer.LeftSeq = 0, 0
		for d := range peer.Senses {
			peer.Senses[d].FellAt = 0
		}
	}
	m.note(NoteNewSession, 0, 0, 0)
}

func (m *machine) do(a Action) { m.out = append(m.out, a) }

func (m *machine) note(code Code, peer, group uint8, arg uint32) {
	m.do(Action{Kind: Note, Code: code, Peer: peer, Group: group, Arg: arg})
}

func (m *machine) id() uint32 {
	m.s.NextID++
	return m.s.NextID
}

func (m *machine) setTimer(k TimerKind, index uint8, after time.Duration) {
	m.s.Timers[k] |= 1 << index
	m.do(Action{Kind: SetTimer, Timer: Timer{k, index}, After: after})
}

func (m *machine) stopTimer(k TimerKind, index uint8) {
	if m.armed(k, index) {
		m.s.Timers[k] &^= 1 << index
		m.do(Action{Kind: StopTimer, Timer: Timer{k, index}})
	}
}

func (m *machine) armed(k TimerKind, index uint8) bool { return m.s.Timers[k]&(1<<index) != 0 }

// timerFired hands a timer to the rule that set it. One that is not armed fired late.
func (m *machine) timerFired(t Timer) {
	if t.Kind >= timerEnd || !m.armed(t.Kind, t.Index) {
		m.s.Ignored++
		return
	}
	m.s.Timers[t.Kind] &^= 1 << t.Index
	switch t.Kind {
	case TimerMove:
		m.input(t.Index, inMoveTime)
	case TimerBackoff, TimerYield:
		m.s.Groups[t.Index].Yielded = m.s.Groups[t.Index].Yielded || t.Kind == TimerYield
	case TimerRelease:
		m.releaseTime(t.Index)
	case TimerRestore:
		m.restoreTime(t.Index)
	case TimerWish:
		m.wishTime(t.Index)
	case TimerDelay:
		m.delayTime(t.Index)
	case TimerRetry:
		m.retryTime(t.Index)
	case TimerPower:
		m.powerTime(t.Index)
	case TimerRising:
		m.risingTime(t.Index)
	case TimerDoubt:
		m.s.Peers[t.Index].Doubt = 0
	case TimerApproval:
		m.approvalTime()
	case TimerWindow:
		m.windowTime()
	case TimerFarewell:
		m.farewellTime()
	case TimerSave:
		m.askSave()
	case TimerKeep:
		m.keep()
	}
}

// dirty says that the volatile facts changed, and returns the generation that must be saved.
func (m *machine) dirty() uint32 {
	m.s.Gen++
	return m.s.Gen
}

// keep writes the durable facts, in parallel to everything else.
func (m *machine) keep() uint32 {
	m.s.KeepGen++
	m.do(Action{Kind: Keep, Gen: m.s.KeepGen})
	return m.s.KeepGen
}

// save asks for the volatile facts to be written once per step, before anything that waits for them.
func (m *machine) save() {
	if !m.s.SaveBad { // else its timer asks again
		m.askSave()
	}
}

func (m *machine) askSave() {
	if m.s.Gen > m.s.AskedGen {
		m.s.AskedGen = m.s.Gen
		m.do(Action{Kind: Save, Gen: m.s.Gen})
	}
}

// writeRetry is how long a failed write of facts waits for the next one.
const writeRetry = time.Second

func (m *machine) saved(e *Event) {
	switch {
	case e.Gen > m.s.Gen:
		m.s.Ignored++
	case e.OK:
		m.s.SavedGen = max(m.s.SavedGen, e.Gen)
		m.s.SaveBad = false
		m.stopTimer(TimerSave, 0)
	default:
		if e.Gen <= m.s.SavedGen { // nothing was to be written, and nothing could be
			m.dirty()
		}
		if !m.s.SaveBad {
			m.note(NoteSaveFailed, 0, 0, 0)
		}
		m.s.SaveBad, m.s.AskedGen = true, m.s.SavedGen
		m.setTimer(TimerSave, 0, writeRetry)
	}
}

func (m *machine) kept(e *Event) {
	switch {
	case e.Gen > m.s.KeepGen:
		m.s.Ignored++
	case e.OK:
		m.s.KeptGen = max(m.s.KeptGen, e.Gen)
		m.s.KeepBad = false
		for p := range m.peers() {
			peer := &m.s.Peers[p]
			if peer.Muted && m.s.KeptGen >= peer.MutedGen {
				peer.Muted = false
			}
		}
	default:
		if !m.s.KeepBad {
			m.note(NoteKeepFailed, 0, 0, 0)
		}
		m.s.KeepBad = true
		m.setTimer(TimerKeep, 0, writeRetry)
	}
}
