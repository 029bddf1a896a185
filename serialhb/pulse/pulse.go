// Package pulse is the bytes on the wire and the rules that say what a frame from a peer is worth.
//
// It is layer 0: values and functions only. No clock, no goroutine, no I/O, no allocation per pulse.
//
// A [Pulse] carries the whole current claim of its sender towards one receiver. Nothing else decides anything, so
// loss, repetition and reordering are harmless. A [Side] frame carries news and vital signs beside it; it is never a
// claim and never life. README.md in this folder documents both byte by byte.
package pulse

// Limits of the wire format.
const (
	// MaxMembers bounds the members of a cluster.
	MaxMembers = 4
	// MaxGroups bounds the resource groups of a cluster.
	MaxGroups = 16
	// MaxLinks bounds the links between two members.
	MaxLinks = 8

	// MaxSeq is the last sequence number of a session; the next pulse needs a new session.
	MaxSeq = 1<<24 - 1
	// MaxRequest is the last request number of a group in a session; the next request needs a new session.
	MaxRequest = 1<<10 - 1
	// MaxTerm is the last ownership term. It does not run out: one a second lasts half a year, one a day 45 000 years.
	MaxTerm = 1<<24 - 1
	// MaxWish is the last wish id of the three bits that carry it; 0 is none.
	MaxWish = 7
	// MaxIntervalMS is the longest interval that the wire can advertise, in milliseconds.
	MaxIntervalMS = 1<<12 - 1
	// MaxQuietMS is the longest quiet time that may be announced, in milliseconds.
	MaxQuietMS = 60_000
)

// Flags are facts about the sender as a whole.
type Flags uint8

// The flags of a pulse. Append only: the values are on the wire.
const (
	// Leaving says that everything is stopped and this session will start nothing more.
	Leaving Flags = 1 << iota
	// Quiet says that the sender will be silent for the quiet time that stands in the place of the interval.
	Quiet
	// FenceMe says that a stop failed and the sender asks to be cut off.
	FenceMe
	// Armed says that the sender may drive coils.
	Armed
	// Lease says that the sender feeds its watchdog only under the lease rule.
	Lease
	// Maintenance says that the sender does nothing by itself.
	Maintenance
	// Standby says that the sender wants to own nothing.
	Standby
	// CannotFence says that some fence device of the sender is unhealthy, or that it is locked out.
	CannotFence
)

// Has says whether all flags of g are set.
func (f Flags) Has(g Flags) bool { return f&g == g }

// Holds says whether a member holds a group.
type Holds uint8

// The three answers. Unknown is the zero value: nobody takes it for a no.
const (
	HoldsUnknown Holds = iota
	HoldsNo
	HoldsYes
)

func (h Holds) String() string {
	switch h {
	case HoldsUnknown:
		return "unknown"
	case HoldsNo:
		return "no"
	case HoldsYes:
		return "yes"
	}
	return "invalid"
}

// Phase is where a member stands with a group.
type Phase uint8

// The phases. Append only: the values are on the wire (four bits).
const (
	// Ineligible: holds nothing and would not take it.
	Ineligible Phase = iota
	// Idle: holds nothing, would take it if it had to.
	Idle
	// Requesting: asks every other member for the group.
	Requesting
	// AwaitingApproval: a person has to answer before the coil.
	AwaitingApproval
	// Fencing: proof of off of some member is being made.
	Fencing
	// Starting: owns the group, resources are being started.
	Starting
	// Active: owns the group, resources run.
	Active
	// Stopping: owns the group, resources are being stopped.
	Stopping
	// Failed: a start failed here, or a stop; a person clears it.
	Failed
	// Blocked: no proof could be had; services stay down until a person or a peer moves it.
	Blocked

	phaseEnd
)

var phaseNames = [...]string{"ineligible", "idle", "requesting", "awaiting-approval", "fencing", "starting", "active", "stopping", "failed", "blocked"}

func (p Phase) String() string {
	if p < phaseEnd {
		return phaseNames[p]
	}
	return "invalid"
}

// Wish asks that a group move to a member: a switchover. The zero value is none.
type Wish struct {
	To uint8 // member index + 1; 0 is none
	ID uint8 // 1..MaxWish
}

// GroupClaim is what the sender says of one group.
type GroupClaim struct {
	Holds   Holds
	Phase   Phase
	Wish    Wish
	Request uint16 // the sender's current request, 0 is none
	Grant   uint16 // the receiver's request that the sender grants, 0 is none
	Term    uint32 // last ownership term that the sender knows of
}

// Pulse is the whole claim of one member towards one other.
type Pulse struct {
	Flags       Flags
	From, To    uint8
	Session     uint32 // the sender's, random, never 0
	PeerSession uint32 // the receiver's as last heard, 0 is none
	Seq         uint32 // 1..MaxSeq, one per turn of the sender
	Echo        uint32 // last sequence of the receiver heard on this link, 0 is none
	EchoAge     uint8  // age of the echo in steps of [EchoAgeMS]
	IntervalMS  uint32 // interval, or the quiet time if Quiet is set
	Boot        uint32 // 24 bit hash of the sender's boot id
	Health      uint8  // score, 255 is best
	Core        uint16 // digest of cluster, nodes and groups
	Rest        uint8  // digest of all other cluster-wide values
	N           uint8  // number of groups
	Groups      [MaxGroups]GroupClaim
}

// EchoAgeMS gives the age in milliseconds at which step n of [Pulse.EchoAge] begins: 0, 1, 2, 4, … 8192.
// Step 15 says older than that, or none.
func EchoAgeMS(step uint8) uint32 {
	if step == 0 {
		return 0
	}
	return 1 << (step - 1)
}

// EchoAgeStep is the step for an age in milliseconds.
func EchoAgeStep(ms uint32) uint8 {
	var n uint8
	for n < 15 && ms >= EchoAgeMS(n+1) {
		n++
	}
	return n
}
