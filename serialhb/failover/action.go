package failover

import "time"

// ActionKind says what the world is asked to do.
type ActionKind uint8

// The actions. They are carried out in the order in which they are returned.
const (
	// Send: a pulse for every peer that is not muted ([State.Pulse] builds it).
	Send ActionKind = iota
	// Alive: a pulse of Peer on Link was life (for detection). Arg 1: it was a claim.
	Alive
	// Save: write the volatile facts ([State.Volatile]), answer [Saved] with Gen.
	Save
	// Keep: write the durable facts ([State.Durable]), answer [Kept] with Gen.
	Keep
	// SetTimer and StopTimer: Timer, After. Setting replaces.
	SetTimer
	StopTimer
	// Probe, Start, Stop: the resources of Group; answer with ID.
	Probe
	Start
	Stop
	// Adopt: Group runs already and is owned from now on.
	Adopt
	// Cut: open every cut of Peer and prove it off. Arg: bits of the senses that may prove. Answer [FenceDone].
	Cut
	// Secure: open the cuts of Peer only where its fail-safe senses already read off. Answer [FenceDone].
	Secure
	// OpenCuts: open every cut of Peer, prove nothing. Answer [CutsOpened].
	OpenCuts
	// Restore: close the cuts of Peer. Answer [RestoreDone].
	Restore
	// Reply: answer command ID with Code; refused unless OK. After Gen (durable) is kept if Gen is not 0.
	Reply
	// Note: tell people. Code, Peer, Group, Arg.
	Note
	// Renew: begin a new session as soon as nothing is in flux ([NewSession]).
	Renew
	// Exit: leave the process. Arg 0: left, 1: quiet restart, 2: left with services running.
	Exit

	actionEnd
)

var actionNames = [...]string{"send", "alive", "save", "keep", "set-timer", "stop-timer", "probe", "start", "stop", "adopt", "cut", "secure",
	"open-cuts", "restore", "reply", "note", "renew", "exit"}

func (k ActionKind) String() string {
	if k < actionEnd {
		return actionNames[k]
	}
	return "invalid"
}

// What [Exit] carries in Arg.
const (
	ExitLeft = iota
	ExitQuiet
	ExitInMaintenance
)

// Action is one thing to do. Code says by which rule.
type Action struct {
	Kind  ActionKind
	Code  Code
	OK    bool
	Peer  uint8
	Group uint8
	Link  uint8
	ID    uint32
	Gen   uint32
	Arg   uint32
	Timer Timer
	After time.Duration
}

// TimerKind says what a timer is for.
type TimerKind uint8

// The timers, of a group, of a peer, or of the member itself.
const (
	// TimerMove (group): nothing moved for MoveTime.
	TimerMove TimerKind = iota
	// TimerBackoff (group): a withdrawn request may be made again.
	TimerBackoff
	// TimerYield (group): a better member has not moved.
	TimerYield
	// TimerRelease (group): the member I released to does not hold.
	TimerRelease
	// TimerRestore (group): wait-to-restore is over.
	TimerRestore
	// TimerWish (group): a wish that I announced was not taken up.
	TimerWish
	// TimerDelay (peer): the lighter side has waited.
	TimerDelay
	// TimerRetry (peer): try the fence again.
	TimerRetry
	// TimerPower (peer): the dwell is over, give power back.
	TimerPower
	// TimerRising (peer): does it still send after a proof of off?
	TimerRising
	// TimerDoubt (peer): a doubt is old.
	TimerDoubt
	// TimerApproval (member): an approval was not used.
	TimerApproval
	// TimerWindow (member): a whole window has passed with all peers up.
	TimerWindow
	// TimerFarewell (member): the echoes have not come.
	TimerFarewell
	// TimerSave (member): write the volatile facts again.
	TimerSave
	// TimerKeep (member): write the durable facts again.
	TimerKeep

	timerEnd
)

var timerNames = [...]string{"move", "backoff", "yield", "release", "restore", "wish", "delay", "retry", "power", "rising", "doubt",
	"approval", "window", "farewell", "save", "keep"}

func (k TimerKind) String() string {
	if k < timerEnd {
		return timerNames[k]
	}
	return "invalid"
}

// Timer names one timer: of group or peer Index, 0 for the member's own.
type Timer struct {
	Kind  TimerKind
	Index uint8
}
