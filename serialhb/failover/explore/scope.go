package explore

import (
	"fmt"
	"strings"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
)

// Scope says what may happen, and how often.
type Scope struct {
	Name  string
	About string

	Members, Groups uint8
	Wire            uint8 // pulses under way, in each direction; 1 to [maxWire]
	Links           uint8 // between two members, each carries every pulse; 0 is one

	Crashes uint8 // deaths of daemons and losses of power, in all
	Faults  uint8 // what ends badly: starts, stops, probes, cuts, writes, services; in all
	Words   uint8 // what people ask for, in all
	Lies    uint8 // proofs of off of what has power, in all

	Says []failover.CommandKind // what people ask for

	Again    bool // pulses are delivered twice
	SlowRun  bool // the run directory may take its time; else it answers in the same move
	SlowDisk bool // the same of the state directory
	Senses   bool // every member has a fail-safe sense
	Deaf     bool // a member may lose all its ports
	Fights   bool // members fall silent to each other although both live
	Budget   bool // one automatic move, one fence; else no limit that could be reached

	Takeover failover.Takeover
	Split    failover.Split
	Failback failover.Failback
	CoreOf1  uint16 // core digest of the second member, 0: that of the others
	RestOf1  uint8  // the same of the rest digest

	// Settled begins with everybody up and every group where it is at home. Else nothing has power yet.
	Settled bool

	// Depth is how many moves go test goes, from there; 0: it leaves the scope alone. Without a limit each takes minutes to days.
	Depth int
}

// Limits of what can be explored.
const (
	maxMembers = 3
	maxGroups  = 2
	maxWire    = 4
	maxWays    = maxMembers * (maxMembers - 1)
)

// everything that people may ask for.
var everything = []failover.CommandKind{
	failover.CmdSwitchover, failover.CmdFailback, failover.CmdApprove, failover.CmdDeny, failover.CmdConfirmOff, failover.CmdWithdraw,
	failover.CmdStandbyOn, failover.CmdStandbyOff, failover.CmdMaintenanceOn, failover.CmdMaintenanceOff, failover.CmdArm, failover.CmdDisarm,
	failover.CmdClear, failover.CmdFenceOff, failover.CmdFenceOn, failover.CmdLeave, failover.CmdQuiet,
}

// links is how many there are.
func (s *Scope) links() uint8 { return max(1, s.Links) }

// config is what a member decides by. Durations are of no account: any timer may fire at any moment.
func (s *Scope) config(me uint8) failover.Config {
	c := failover.Config{Me: me, N: s.Members, G: s.Groups, Core: 1, Rest: 1, IntervalMS: 100, QuietMS: 2000,
		Takeover: s.Takeover, Split: s.Split,
		DetectTime: time.Second, FenceDelay: time.Second, MoveTime: time.Second, Backoff: time.Second, ApprovalTime: time.Second,
		DoubtTime: time.Second, FenceRetries: 1, FenceRetryTime: time.Second, Window: time.Second, MaxMoves: 250, MaxFences: 250,
		RestoreTime: time.Second, FarewellTime: time.Second}
	if s.Budget {
		c.MaxMoves, c.MaxFences = 1, 1
	}
	if me == 1 && s.CoreOf1 != 0 {
		c.Core = s.CoreOf1
	}
	if me == 1 && s.RestOf1 != 0 {
		c.Rest = s.RestOf1
	}
	for m := range s.Members {
		c.Members[m] = failover.MemberConfig{Fenceable: true, RestoreAfter: time.Second}
		c.Members[m].Senses[0] = failover.SenseConfig{Present: s.Senses, FailSafe: true}
	}
	for g := range s.Groups {
		for m := range s.Members {
			c.Groups[g].Rank[m] = (m + s.Members - g%s.Members) % s.Members
		}
		c.Groups[g].Failback = s.Failback
	}
	return c
}

// Scopes are those that are explored. Each says what it adds. Where nothing else is said it is a pair with one group, one pulse
// under way in each direction, one crash, and members that may call each other silent at any time.
var Scopes = []Scope{
	{Name: "calm", About: "a pair comes up; nobody crashes, nobody is called silent who runs, any timer fires at any time",
		Members: 2, Groups: 1, Wire: 1, Depth: 60},
	{Name: "crash", About: "the same, and one crash",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Depth: 20},
	{Name: "pair", About: "from nothing, and everybody may be called silent at any time",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Fights: true, Depth: 17},
	{Name: "pair-3", About: "two pulses under way, in any order, and three crashes",
		Members: 2, Groups: 1, Wire: 2, Crashes: 3, Fights: true, Depth: 13},
	{Name: "running", About: "from a pair that is up",
		Members: 2, Groups: 1, Wire: 1, Crashes: 2, Fights: true, Settled: true, Depth: 13},
	{Name: "late", About: "pulses arrive twice and in any order, and writes to the run directory take their time",
		Members: 2, Groups: 1, Wire: 2, Crashes: 2, Fights: true, Again: true, SlowRun: true, Settled: true, Depth: 8},
	{Name: "links", About: "two links: the same pulse arrives over both, sooner or later",
		Members: 2, Groups: 1, Wire: 2, Links: 2, Crashes: 1, Fights: true, Settled: true, Depth: 8},
	{Name: "faults", About: "starts, stops, probes, cuts and writes that end badly, services that die",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Faults: 2, Fights: true, SlowRun: true, Settled: true, Depth: 8},
	{Name: "disk", About: "the state directory takes its time, or nothing at all; one move and one fence are allowed",
		Members: 2, Groups: 1, Wire: 1, Crashes: 2, Faults: 1, Fights: true, SlowDisk: true, Budget: true, Settled: true, Depth: 8},
	{Name: "approve", About: "a person is asked before the coil, and answers, or does not",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 2, Fights: true, Takeover: failover.Approve, Settled: true, Depth: 10,
		Says: []failover.CommandKind{failover.CmdApprove, failover.CmdDeny, failover.CmdClear, failover.CmdDisarm, failover.CmdArm}},
	{Name: "words", About: "people ask for anything, twice, of any member, at any moment",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 2, Fights: true, Failback: failover.FailbackManual, Says: everything, Settled: true, Depth: 6},
	{Name: "switch", About: "people move the group, twice, and the run directory takes its time; nobody crashes or is called silent",
		Members: 2, Groups: 1, Wire: 1, Words: 2, SlowRun: true, Failback: failover.FailbackManual, Settled: true, Depth: 17,
		Says: []failover.CommandKind{failover.CmdSwitchover, failover.CmdFailback}},
	{Name: "leave", About: "daemons leave, come back, and restart quietly",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 3, Fights: true, Settled: true, Depth: 9,
		Says: []failover.CommandKind{failover.CmdLeave, failover.CmdQuiet}},
	{Name: "failback", About: "the group returns by itself",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Fights: true, Failback: failover.FailbackAuto, Settled: true, Depth: 15},
	{Name: "survives", About: "the owner survives a split",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Fights: true, Split: failover.OwnerSurvives, Settled: true, Depth: 14},
	{Name: "senses", About: "fail-safe senses, members that lose all their ports, people who say who is off or away, and one fault",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 1, Faults: 1, Fights: true, Senses: true, Deaf: true, Settled: true, Depth: 9,
		Says: []failover.CommandKind{failover.CmdConfirmOff, failover.CmdWithdraw}},
	{Name: "core", About: "the members disagree on what the groups are",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 1, Fights: true, CoreOf1: 2, Says: everything, Depth: 12},
	{Name: "rest", About: "the members disagree on anything else",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 1, Fights: true, RestOf1: 2, Says: everything, Settled: true, Depth: 9},
	{Name: "lies", About: "one proof of off lies: two may own then, until they hear each other",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Lies: 1, Fights: true, Settled: true, Depth: 14},
	{Name: "two-groups", About: "two groups, each at home on another member",
		Members: 2, Groups: 2, Wire: 1, Crashes: 1, Fights: true, Settled: true, Depth: 12},
	{Name: "spare", About: "three members and one group",
		Members: 3, Groups: 1, Wire: 1, Crashes: 1, Fights: true, Settled: true, Depth: 7},
}

// ScopeNamed finds a scope.
func ScopeNamed(name string) (*Scope, error) {
	for i := range Scopes {
		if Scopes[i].Name == name {
			return &Scopes[i], nil
		}
	}
	return nil, fmt.Errorf("there is no scope %q: %s", name, scopeNames())
}

func scopeNames() string {
	var names []string
	for i := range Scopes {
		names = append(names, Scopes[i].Name)
	}
	return "choose one of " + strings.Join(names, ", ")
}
