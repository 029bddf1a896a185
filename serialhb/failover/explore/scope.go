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
	Lies    uint8 // proofs of off of what has power, and people who say so of it, in all

	Says []failover.CommandKind // what people ask for

	Again    bool // pulses are delivered twice
	SlowRun  bool // the run directory may take its time; else it answers in the same move
	SlowDisk bool // the same of the state directory
	Senses   bool // every member has a fail-safe sense
	Deaf     bool // a member may lose all its ports
	Fights   bool // members fall silent to each other although both live
	Budget   bool // one automatic move, one fence; else no limit that could be reached
	OneWay   bool // of two links each carries what one member says, and not what the other does
	Stays    bool // the run directory outlives the power of its host: it is known by its boot alone
	Wipes    bool // the run directory may be emptied while no daemon runs

	Keys bool // someone with another key is on a cable, now and then

	Takeover failover.Takeover
	LastLink failover.OnLastLink // ask: links may be lost one after the other
	Split    failover.Split
	Failback failover.Failback
	CoreOf1  uint16 // core digest of the second member, 0: that of the others
	RestOf1  uint8  // the same of the rest digest

	// Settled begins with everybody up and every group where it is at home. Else nothing has power yet.
	Settled bool

	// Depth is how many moves go test goes, from there. Without a limit most scopes take minutes to days.
	Depth int
	// Must is what has to be reached by roams: what the scope is for. The rest of it then is not held for want of an occasion.
	Must []failover.Code
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

// carriers is how many of them carry a pulse.
func (s *Scope) carriers() uint8 {
	if s.OneWay {
		return 1
	}
	return s.links()
}

// counts says whether moves and fences are counted: where a limit can be reached, and where the disk is slow, for what it has not
// taken yet is waited for. Elsewhere nothing is decided on the counts, as long as no window ends, and none does.
func (s *Scope) counts() bool { return s.Budget || s.SlowDisk }

// config is what a member decides by. Durations are of no account: any timer may fire at any moment.
func (s *Scope) config(me uint8) failover.Config {
	c := failover.Config{Me: me, N: s.Members, G: s.Groups, Core: 1, Rest: 1, IntervalMS: 100, QuietMS: 2000,
		Takeover: s.Takeover, OnLastLink: s.LastLink, Split: s.Split,
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
		Members: 2, Groups: 1, Wire: 2, Crashes: 2, Fights: true, Again: true, SlowRun: true, Settled: true, Depth: 8,
		Must: []failover.Code{failover.NoteGranted, failover.NoteProvenOff}},
	{Name: "links", About: "two links: the same pulse arrives over both, sooner or later",
		Members: 2, Groups: 1, Wire: 2, Links: 2, Crashes: 1, Fights: true, Settled: true, Depth: 8},
	{Name: "one-way", About: "two links, each cut in another direction: both hear each other, and no pulse names what was heard on its own link",
		Members: 2, Groups: 1, Wire: 1, Links: 2, Crashes: 2, Words: 2, OneWay: true, Fights: true, Settled: true, Depth: 9,
		Says: []failover.CommandKind{failover.CmdLeave, failover.CmdSwitchover},
		Must: []failover.Code{failover.NoteLeft, failover.NoteGranted}},
	{Name: "records", About: "the run directory outlives its host, or is emptied while no daemon runs",
		Members: 2, Groups: 1, Wire: 1, Crashes: 2, Faults: 1, Words: 1, Fights: true, Stays: true, Wipes: true, Settled: true, Depth: 9,
		Says: []failover.CommandKind{failover.CmdLeave},
		Must: []failover.Code{failover.NoteStray, failover.NoteProvenOff, failover.NoteLeft}},
	{Name: "both-leave", About: "both leave, and come back; nobody crashes",
		Members: 2, Groups: 1, Wire: 1, Words: 2, Settled: true, Depth: 17, Says: []failover.CommandKind{failover.CmdLeave},
		Must: []failover.Code{failover.NoteLeft, failover.NoteOwns}},
	{Name: "sessions", About: "daemons leave, die and come back, and pulses of their earlier sessions arrive late",
		Members: 2, Groups: 1, Wire: 3, Crashes: 6, Words: 6, Fights: true, Settled: true, Depth: 7,
		Says: []failover.CommandKind{failover.CmdLeave},
		Must: []failover.Code{failover.NoteLeft, failover.NoteDoubt, failover.NoteProvenOff}},
	{Name: "faults", About: "starts, stops, probes, cuts and writes that end badly, services that die",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Faults: 2, Fights: true, SlowRun: true, Settled: true, Depth: 8,
		Must: []failover.Code{failover.NoteFenceMe, failover.NoteStartFailed, failover.NoteServiceFailed, failover.NoteBlocked, failover.NoteSaveFailed}},
	{Name: "disk", About: "the state directory takes its time, or nothing at all; one move and one fence are allowed",
		Members: 2, Groups: 1, Wire: 1, Crashes: 2, Faults: 1, Fights: true, SlowDisk: true, Budget: true, Settled: true, Depth: 8,
		Must: []failover.Code{failover.NoteLockedOut, failover.NoteProvenOff}},
	{Name: "approve", About: "a person is asked before the coil, and answers, or does not",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 2, Fights: true, Takeover: failover.Approve, Settled: true, Depth: 10,
		Says: []failover.CommandKind{failover.CmdApprove, failover.CmdDeny, failover.CmdClear, failover.CmdDisarm, failover.CmdArm},
		Must: []failover.Code{failover.NoteQuestion, failover.NoteApproved, failover.NoteApprovalExpired, failover.NoteDenied, failover.NoteProvenOff}},
	{Name: "approve-3", About: "three members, and a person approves of what may be about one of them or two",
		Members: 3, Groups: 1, Wire: 1, Crashes: 2, Words: 2, Fights: true, Takeover: failover.Approve, Settled: true, Depth: 5,
		Says: []failover.CommandKind{failover.CmdApprove},
		Must: []failover.Code{failover.NoteQuestion, failover.NoteApproved, failover.NoteProvenOff}},
	{Name: "words", About: "people ask for anything, twice, of any member, at any moment",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 2, Fights: true, Failback: failover.FailbackManual, Says: everything, Settled: true, Depth: 6,
		Must: []failover.Code{failover.NoteConfirmed, failover.NoteWithdrawn, failover.NoteReleasing, failover.NoteLeft}},
	{Name: "switch", About: "people move the group, twice, and the run directory takes its time; nobody crashes or is called silent",
		Members: 2, Groups: 1, Wire: 1, Words: 2, SlowRun: true, Failback: failover.FailbackManual, Settled: true, Depth: 17,
		Says: []failover.CommandKind{failover.CmdSwitchover, failover.CmdFailback},
		Must: []failover.Code{failover.NoteReleasing, failover.NoteGranted, failover.NoteActive}},
	{Name: "leave", About: "daemons leave, come back, and restart quietly",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 3, Fights: true, Settled: true, Depth: 9,
		Says: []failover.CommandKind{failover.CmdLeave, failover.CmdQuiet},
		Must: []failover.Code{failover.NoteLeft, failover.NoteProvenOff, failover.NoteAdopted}},
	{Name: "failback", About: "the group returns by itself",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Fights: true, Failback: failover.FailbackAuto, Settled: true, Depth: 15,
		Must: []failover.Code{failover.NoteReleasing, failover.NoteProvenOff}},
	{Name: "survives", About: "the owner survives a split; people put a member into maintenance and out of it",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 2, Fights: true, Split: failover.OwnerSurvives, Settled: true, Depth: 10,
		Says: []failover.CommandKind{failover.CmdMaintenanceOn, failover.CmdMaintenanceOff},
		Must: []failover.Code{failover.NoteProvenOff}},
	{Name: "senses", About: "fail-safe senses, members that lose all their ports, people who say who is off or away, and one fault",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 1, Faults: 1, Fights: true, Senses: true, Deaf: true, Settled: true, Depth: 9,
		Says: []failover.CommandKind{failover.CmdConfirmOff, failover.CmdWithdraw},
		Must: []failover.Code{failover.NoteProvenOff, failover.NoteWithdrawn, failover.NoteConfirmed}},
	{Name: "core", About: "the members disagree on what the groups are",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 1, Fights: true, CoreOf1: 2, Says: everything, Depth: 12},
	{Name: "rest", About: "the members disagree on anything else",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 1, Fights: true, RestOf1: 2, Says: everything, Settled: true, Depth: 9,
		Must: []failover.Code{failover.NoteProvenOff}},
	{Name: "lies", About: "one proof of off lies, or a person does, and a cut may fail: two may own then, until they hear each other",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Faults: 1, Words: 1, Lies: 1, Fights: true, Settled: true, Depth: 9,
		Says: []failover.CommandKind{failover.CmdConfirmOff},
		Must: []failover.Code{failover.NoteContradiction, failover.NoteTwoOwners, failover.NoteConfirmed, failover.NoteWordAlone}},
	{Name: "lying-senses", About: "the same, with a fail-safe sense of each, which speaks against it",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Faults: 1, Words: 1, Lies: 1, Fights: true, Senses: true, Settled: true, Depth: 8,
		Says: []failover.CommandKind{failover.CmdConfirmOff},
		Must: []failover.Code{failover.NoteContradiction, failover.NoteConfirmed}},
	{Name: "away", About: "one is away for repair, comes back, and the state directory takes its time",
		Members: 2, Groups: 1, Wire: 1, Crashes: 2, Words: 1, SlowDisk: true, Fights: true, Senses: true, Settled: true, Depth: 9,
		Says: []failover.CommandKind{failover.CmdWithdraw},
		Must: []failover.Code{failover.NoteWithdrawn, failover.NoteWithdrawalEnded, failover.NoteOwns, failover.NoteGranted}},
	{Name: "key", About: "someone with another key is on the cable now and then, and a person approves",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 1, Fights: true, Keys: true, Settled: true, Depth: 9,
		Says: []failover.CommandKind{failover.CmdApprove},
		Must: []failover.Code{failover.NoteDoubt, failover.NoteQuestion, failover.NoteApproved, failover.NoteProvenOff}},
	{Name: "last-link", About: "the links to a member are lost one after the other, or all at once, and a person approves",
		Members: 2, Groups: 1, Wire: 1, Crashes: 1, Words: 1, Fights: true, LastLink: failover.AskOnLastLink, Settled: true, Depth: 10,
		Says: []failover.CommandKind{failover.CmdApprove},
		Must: []failover.Code{failover.NoteQuestion, failover.NoteApproved, failover.NoteProvenOff}},
	{Name: "two-groups", About: "two groups, each at home on another member",
		Members: 2, Groups: 2, Wire: 1, Crashes: 1, Fights: true, Settled: true, Depth: 12,
		Must: []failover.Code{failover.NoteFenceDelayed, failover.NoteProvenOff}},
	{Name: "spare", About: "three members and one group, which a person moves once",
		Members: 3, Groups: 1, Wire: 1, Crashes: 2, Words: 1, Fights: true, Settled: true, Depth: 5,
		Says: []failover.CommandKind{failover.CmdSwitchover},
		Must: []failover.Code{failover.NoteProvenOff, failover.NoteActive, failover.NoteGranted}},
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
