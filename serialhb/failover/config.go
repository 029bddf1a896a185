package failover

import (
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Limits of the decision.
const (
	MaxMembers = pulse.MaxMembers
	MaxGroups  = pulse.MaxGroups
	// MaxSenses bounds the power senses of one member.
	MaxSenses = 8
	// NoRank is the preference of a member that never takes a group.
	NoRank = 255
)

// Takeover says who decides on an automatic takeover.
type Takeover uint8

// The two ways to take over.
const (
	Auto Takeover = iota
	Approve
)

// OnLastLink says what the loss of the last link does if the links were lost one after the other.
type OnLastLink uint8

// What to do after the last link.
const (
	FenceOnLastLink OnLastLink = iota
	AskOnLastLink
)

// Split says who is to survive when all links are cut and both members are alive.
type Split uint8

// Who survives a split.
const (
	StandbySurvives Split = iota
	OwnerSurvives
)

// Failback says how a group returns to the member that is preferred.
type Failback uint8

// The ways back.
const (
	FailbackOff Failback = iota
	FailbackManual
	FailbackAuto
)

// Config is what one member must know to decide. It is a value and never changes under a running [State] except by a
// [Reloaded] event, which keeps members and groups as they are.
type Config struct {
	Me, N, G uint8
	Core     uint16 // digest of cluster, nodes and groups
	Rest     uint8  // digest of the other cluster-wide values
	Boot     uint32 // 24 bit hash of my host's boot id

	IntervalMS uint32 // my pulse interval, advertised
	QuietMS    uint32 // announced before a quiet restart

	Takeover   Takeover
	OnLastLink OnLastLink
	Split      Split

	// DetectTime is the longest detection time of any peer. Time decides when to look, never what is safe.
	DetectTime time.Duration
	// FenceDelay is how long the lighter side of a fight waits before its coil.
	FenceDelay time.Duration
	// MoveTime is how long a request, a better member or a release may stand still.
	MoveTime time.Duration
	// Backoff is the wait after a withdrawn request; it doubles up to 16 times itself.
	Backoff time.Duration
	// ApprovalTime is how long an approval stays good unused.
	ApprovalTime time.Duration
	// DoubtTime is how long a sign of a deaf or wrongly keyed peer turns a fence into a question.
	DoubtTime time.Duration
	// FenceRetries and FenceRetryTime bound what happens after a failed fence before it is left to a person.
	FenceRetries   uint8
	FenceRetryTime time.Duration
	// Window, MaxMoves and MaxFences are the failover budget.
	Window              time.Duration
	MaxMoves, MaxFences uint8
	// RestoreTime is the wait-to-restore before an automatic failback.
	RestoreTime time.Duration
	// FarewellTime bounds how long leaving and quiet pulses wait for the peers' echoes.
	FarewellTime time.Duration

	FenceWhenDeaf          bool
	WithdrawSurvivesReboot bool

	Members [MaxMembers]MemberConfig
	Groups  [MaxGroups]GroupConfig
}

// MemberConfig is what this member can do about another one.
type MemberConfig struct {
	Fenceable bool // some fence level of it is mine to drive
	Senses    [MaxSenses]SenseConfig
	// RestoreAfter is the dwell before power is given back after a proof; 0 leaves it off.
	RestoreAfter time.Duration
}

// SenseConfig describes one power sense of a member.
type SenseConfig struct {
	Present  bool
	FailSafe bool
}

// GroupConfig is the order of preference of a group.
type GroupConfig struct {
	Rank     [MaxMembers]uint8 // 0 is best, NoRank is never
	Failback Failback
}
