package failover

import (
	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Presence is what a member knows of a peer's life.
type Presence uint8

// The presences. Unjudged, the zero value, is neither: it waits for the start window.
const (
	Unjudged Presence = iota
	Present
	Silent
	Gone // said leaving
)

func (p Presence) String() string {
	return [...]string{"not judged yet", "heard", "silent", "left"}[p]
}

// Permit is why a peer cannot own a group while I do.
type Permit uint8

// The permits. None is the zero value.
const (
	NoPermit  Permit = iota
	Granted          // it granted my current request
	LeftIt           // it said leaving, with everything stopped
	ProvenOff        // a proof that it is off
)

func (p Permit) String() string { return [...]string{"none", "granted", "left", "proven off"}[p] }

// Doubt is a sign that a silent peer may be alive after all. It turns an automatic fence into a question.
type Doubt uint8

// The doubts, bits.
const (
	DoubtRising   Doubt = 1 << iota // a session that cannot hear me keeps sending
	DoubtWrongKey                   // someone with another key is on its cable
	DoubtTwin                       // two daemons bear its name
	DoubtBoot                       // another boot took the place of one that was heard and had something

	// oneName are the doubts in whose presence nothing rests on what a heard peer says: it may be two machines.
	oneName = DoubtTwin | DoubtBoot
)

// FencePhase is how far the fence of a peer is.
type FencePhase uint8

// The phases of a fence.
const (
	FenceIdle    FencePhase = iota
	FenceDelayed            // the lighter side waits
	FenceSaving             // the count is being written
	FenceRunning            // coils are driven, senses are read
	FenceProven             // it is off
	FenceFailed             // all levels failed; waits for the retry, or for a person
	FenceOpening            // a person's confirmation: all cuts are being opened
)

func (p FencePhase) String() string {
	return [...]string{"idle", "delayed", "saving", "running", "proven", "failed", "opening"}[p]
}

// Fence is the fence of one peer.
type Fence struct {
	Phase    FencePhase
	Secure   bool   // its senses already read off: open only
	Counted  bool   // in the budget of this incident
	ByPerson bool   // asked for by a person
	Open     bool   // my cuts of it are, or may be, open
	Owed     bool   // its power was to be given back while this member was disarmed
	Unsure   bool   // not every cut opened for the person who confirmed that it is off
	Attempts uint8  // failed ones of this incident since the peer was last heard
	ID       uint32 // of the cut under way, 0 is none
	Giving   uint32 // of the newest restore under way, 0 is none
	Gen      uint32 // facts that must be saved before the coil
	Groups   uint16 // groups whose request was open from before the coil, bits
}

// Driving says whether relays were told to cut the peer, or to give its power back, and have not answered.
func (f *Fence) Driving() bool { return f.ID != 0 || f.Giving != 0 }

// underWay is Driving, and what leads to it: a fence that has begun and not ended, whoever asked for it.
func (f *Fence) underWay() bool {
	return f.Driving() || f.Phase == FenceDelayed || f.Phase == FenceSaving || f.Phase == FenceOpening
}

// Sense is one power sense of a peer.
type Sense struct {
	Reading Reading
	Proven  bool   // read on while the peer was heard in this session
	Broken  bool   // read off while the peer lived: it proves nothing until cleared
	Suspect uint8  // so many more readings of off, and it is broken; 0 is not suspected
	FellAt  uint32 // my sequence when it fell
}

// Claim is the last accepted claim of a peer. The zero value is none.
type Claim struct {
	Valid  bool // in this session of mine
	Flags  pulse.Flags
	Boot   uint32
	Echo   uint32 // newest sequence of mine that it named
	Health uint8
	Core   uint16
	Rest   uint8
	Groups [MaxGroups]pulse.GroupClaim
}

// Peer is what a member knows of another one.
type Peer struct {
	In       pulse.Inbox
	Claim    Claim
	Presence Presence
	Seen     bool // a claim was accepted since my host booted
	OneByOne bool // its links were lost one after the other
	Newer    bool // speaks a newer protocol version
	Doubt    Doubt
	Fence    Fence
	CountGen uint32 // durable generation with the count of its last fence
	Senses   [MaxSenses]Sense

	Withdrawn bool   // away for repair, on a person's word
	Stale     bool   // that word is of an earlier boot of mine: it needs a sense beside it
	Muted     bool   // no pulse to it until the end of the withdrawal is kept
	MutedGen  uint32 // durable generation that ends the mute

	// The last proof of off or goodbye, to be cleared, or contradicted.
	Proof     fencing.Proof
	ProofBoot uint32
	ProofSeq  uint32 // my sequence at that time
	LeftSeq   uint32 // my sequence at its goodbye
	RiseFrom  uint32 // sequences heard of that boot after the proof
	RiseLast  uint32
	RiseRuns  uint8
}

// Grant is what I granted to a peer.
type Grant struct {
	Request uint16 // of its current session; 0 is none
	Gen     uint32 // facts that must be saved before it is sent
	Untold  uint16 // another request, for which nobody could tell whether the group is stopped here; 0 is none
}

// Group is where a member stands with one group.
type Group struct {
	Phase   pulse.Phase
	Holds   pulse.Holds
	OwnTerm uint32 // my last ownership
	MaxTerm uint32 // the last ownership that I know of

	Request     uint16     // my current request, 0 is none
	LastRequest uint16     // the last number used in this session
	Pending     pulse.Wish // the wish that my request is for
	Wish        pulse.Wish // the same once all other permits are in hand: the owner may release
	Permits     [MaxMembers]Permit
	Grants      [MaxMembers]Grant

	Doing    uint32 // id of the action under way: probe, start or stop
	Gen      uint32 // facts that must be saved before the start
	ProbeFor uint8  // member + 1 whose request the probe is for
	ProbeReq uint16
	Then     After // what a stop is for

	WonSeq   uint32 // my sequence when I won it
	Rests    uint16 // members by whose being off or away I own it, and who have not denied to hold it since, bits
	Recorded bool   // a record of this boot says that I held it when the daemon died
	Halted   bool   // an earlier daemon was stopping it, or meant to: it is stopped, not adopted
	Stuck    bool   // it could not be stopped: fence-me
	Found    bool   // runs here without a record
	Moved    bool   // the move that it is asked for is counted already; its retries are the same one
	MoveGen  uint32 // durable generation with the count of its last move
	Planned  bool   // this request was asked for by a person, or is a failback
	Approved bool   // this request rests on a person's word
	Accused  bool   // its proof was contradicted: blocked until a person clears it
	YieldTo  uint8  // member + 1 to whom I released
	Yielded  bool   // a better member had its time
	Frozen   bool   // two members hold it
	Back     uint8  // how many requests were withdrawn in a row

	Announced pulse.Wish             // a wish of mine that another member shall take it
	Tried     pulse.Wish             // the wish for which it was tried whether facts can be saved
	Seen      [MaxMembers]pulse.Wish // wishes of others that I took up
	NextWish  uint8
}

// After is what a stop is for.
type After uint8

// The reasons for a stop.
const (
	ThenIdle    After = iota
	ThenFailed        // the start failed: clean up
	ThenBlocked       // the proof was contradicted
)

// Question is what a person is asked in an incident.
type Question struct {
	Why      uint16 // bits of Ask…
	Asked    bool
	Denied   bool
	Approved bool   // given and not used up
	Used     bool   // given and used
	Covers   uint16 // members that the approval is about, bits: see question
	About    uint16 // members that a person was asked about, bits
}

// Incident runs from the first silence or fence-me until every group is owned and all peers are heard.
type Incident struct {
	Open     bool
	ID       uint32
	Late     bool   // arming, the end of maintenance or a clear came after its beginning
	Moved    uint16 // silent members from whom a group was taken, bits
	Question Question
}

// Leaving is how far the end of the session is.
type Leaving uint8

// The stages of leaving and of a quiet restart.
const (
	Staying       Leaving = iota
	LeaveStopping         // services are being stopped, acts on a peer's power end
	LeaveSaving           // permits and seen are being erased
	LeaveSaying           // leaving pulses go out
	QuietSaying           // quiet pulses go out
	LeaveDone
	QuietDone // quietly, or in maintenance
)

// State is everything that a member decides on. It is a flat, comparable value; the zero value is not valid: see [New].
type State struct {
	Self
	Peers  [MaxMembers]Peer
	Groups [MaxGroups]Group
}

// Self is what concerns no single peer and no single group.
type Self struct {
	Session uint32
	Seq     uint32

	Armed       bool
	Maintenance bool
	Standby     bool
	Locked      bool

	Running   bool // Started was seen
	Deaf      bool
	FenceMe   bool
	Leaving   Leaving
	ByeSeq    uint32 // sequence of the first leaving or quiet pulse
	Waits     uint16 // peers whose power leaving was told to wait for, bits
	Hurried   bool   // a person asked twice to leave: it waits for no power
	Renewing  bool
	Unsettled bool // the rules did not come to rest after the last event

	Moves    uint8 // automatic moves in the window
	Fences   uint8 // fences in the window
	NextID   uint32
	Gen      uint32 // volatile facts as they are
	AskedGen uint32 // as their writing was asked for
	SavedGen uint32 // as they are written
	SaveBad  bool
	KeepGen  uint32
	KeptGen  uint32
	KeepBad  bool

	Timers  [timerEnd]uint16 // armed timers, bits by index
	Ignored uint32           // late or unknown completions

	Incident Incident
}

// copyTo copies what a configuration has of a state: a copy of the whole takes longer than the rules that look at it.
func (s *State) copyTo(c *Config, to *State) {
	to.Self = s.Self
	copy(to.Peers[:c.N], s.Peers[:])
	copy(to.Groups[:c.G], s.Groups[:])
}

// equals compares what a configuration has.
func (s *State) equals(c *Config, o *State) bool {
	if s.Self != o.Self {
		return false
	}
	for p := range c.N {
		if s.Peers[p] != o.Peers[p] {
			return false
		}
	}
	for g := range c.G {
		if s.Groups[g] != o.Groups[g] {
			return false
		}
	}
	return true
}

// Check returns what is impossible in a state, or "". Step panics on it: the process dying is always safe.
func (s *State) Check(c *Config) string {
	for g := range c.G {
		grp := &s.Groups[g]
		owns := grp.Phase == pulse.Starting || grp.Phase == pulse.Active
		switch {
		case owns && grp.Holds != pulse.HoldsYes:
			return "a group is started or active and not held"
		case grp.Request != 0 && grp.Holds == pulse.HoldsYes:
			return "a held group has a request"
		case grp.Request != 0 && !openPhase(grp.Phase):
			return "a request outside its phases"
		case grp.Request == 0 && openPhase(grp.Phase):
			return "a requesting phase without a request"
		case grp.Holds == pulse.HoldsYes && !owns && grp.Phase != pulse.Stopping && grp.Phase != pulse.Failed:
			return "a group is held in a phase that owns nothing"
		}
		for m := range c.N {
			if grp.Permits[m] == Granted && grp.Request == 0 {
				return "a grant outlives its request"
			}
		}
	}
	return ""
}

// openPhase says whether a request is open in a phase.
func openPhase(p pulse.Phase) bool {
	return p == pulse.Requesting || p == pulse.AwaitingApproval || p == pulse.Fencing
}
