package failover

import (
	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// EventKind says what happened.
type EventKind uint8

// The events. Each names the fields of [Event] that it uses.
const (
	// Started: the daemon runs. First event of a state. Nothing.
	Started EventKind = iota
	// Beat: time for a pulse. Nothing.
	Beat
	// Heard: an authentic pulse of this protocol version arrived. Link, Pulse.
	Heard
	// HeardNewer: an authentic pulse of a newer protocol version, of which only the header and the echo are known. Link, Pulse.
	HeardNewer
	// WentSilent: no link has life of a peer within its detection time. Peer, OneByOne.
	WentSilent
	// Doubted: a serial link to a peer carries well-formed frames under another key. Peer.
	Doubted
	// WentDeaf and HearsAgain: every link of mine lost its device, or one is back. Nothing.
	WentDeaf
	HearsAgain
	// SenseRead: a power sense was read. It is told every time, changed or not. Peer, Device, Reading.
	SenseRead
	// TimerFired: a timer that was asked for. Timer.
	TimerFired
	// Probed: a probe ended. ID, Group, Found.
	Probed
	// StartDone and StopDone: the resources of a group. ID, Group, OK.
	StartDone
	StopDone
	// ServiceFailed: a monitor found an active group not running. Group.
	ServiceFailed
	// FenceDone: a cut or a securing ended. ID, Peer, OK, Proof.
	FenceDone
	// CutsOpened: the cuts of a member are open for a person's confirmation. ID, Peer, OK.
	CutsOpened
	// RestoreDone: power was given back, or not. ID, Peer, OK.
	RestoreDone
	// Saved: the volatile facts of a generation are written, or not. Gen, OK.
	Saved
	// Kept: the durable facts of a generation are written, or not. Gen, OK.
	Kept
	// Commanded: a person asks. Command.
	Commanded
	// Reloaded: the configuration passed to this and the following calls is new. Nothing.
	Reloaded
	// NewSession: go on under a new session. Session.
	NewSession

	eventEnd
)

var eventNames = [...]string{"started", "beat", "heard", "heard-newer", "went-silent", "doubted", "went-deaf", "hears-again", "sense-read",
	"timer-fired", "probed", "start-done", "stop-done", "service-failed", "fence-done", "cuts-opened", "restore-done", "saved", "kept",
	"commanded", "reloaded", "new-session"}

func (k EventKind) String() string {
	if k < eventEnd {
		return eventNames[k]
	}
	return "invalid"
}

// Found is what a probe says of a group.
type Found uint8

// What a probe may find. Unknown is the zero value and never counts as stopped.
const (
	FoundUnknown Found = iota
	FoundStopped
	FoundRunning
)

// Reading is what a sense says. NotRead is the zero value and never counts as off.
type Reading uint8

// The readings.
const (
	NotRead Reading = iota
	ReadsOn
	ReadsOff
)

// Event is one thing that happened. Pulse is read, never kept.
type Event struct {
	Kind     EventKind
	Peer     uint8
	Group    uint8
	Device   uint8
	Link     uint8
	OK       bool
	OneByOne bool // the links to the peer were lost one after the other
	Found    Found
	Reading  Reading
	Proof    fencing.Proof
	ID       uint32
	Gen      uint32
	Session  uint32
	Timer    Timer
	Pulse    *pulse.Pulse
	Command  Command
}

// CommandKind says what a person asks for.
type CommandKind uint8

// The commands. Each names the fields of [Command] that it uses.
const (
	// CmdSwitchover: move Group to Peer, or to the best other member if Peer is NoPeer.
	CmdSwitchover CommandKind = iota
	// CmdFailback: move Group to the best member that is ready.
	CmdFailback
	// CmdApprove and CmdDeny answer the question of Incident.
	CmdApprove
	CmdDeny
	// CmdConfirmOff: a person saw that Peer is off. Broken names senses of it (bits) that are known broken.
	CmdConfirmOff
	// CmdWithdraw: Peer is away for repair. Broken as above.
	CmdWithdraw
	// CmdStandbyOn and CmdStandbyOff: this member wants to own nothing, or may again.
	CmdStandbyOn
	CmdStandbyOff
	// CmdMaintenanceOn and CmdMaintenanceOff: this member does nothing by itself, or does again.
	CmdMaintenanceOn
	CmdMaintenanceOff
	// CmdArm and CmdDisarm: this member may drive coils, or not.
	CmdArm
	CmdDisarm
	// CmdClear: a person looked at lock-out, failures, broken senses and denials, and clears them.
	CmdClear
	// CmdFenceOff: cut Peer on a person's word. CmdFenceOn: give its power back.
	CmdFenceOff
	CmdFenceOn
	// CmdLeave: hand over and stop. CmdQuiet: restart without moving anything.
	CmdLeave
	CmdQuiet

	commandEnd
)

var commandNames = [...]string{"switchover", "failback", "approve", "deny", "confirm-off", "withdraw", "standby on", "standby off",
	"maintenance on", "maintenance off", "arm", "disarm", "clear", "fence off", "fence on", "leave", "restart"}

func (k CommandKind) String() string {
	if k < commandEnd {
		return commandNames[k]
	}
	return "invalid"
}

// NoPeer stands for "any" where a command names a member.
const NoPeer = 255

// Command is what a person asked for. ID comes back with the [Reply].
type Command struct {
	Kind     CommandKind
	ID       uint32
	Group    uint8
	Peer     uint8
	Incident uint32
	Broken   uint8
}
