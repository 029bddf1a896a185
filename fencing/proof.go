package fencing

// Proof says why a member may be taken for off. The zero value is no proof.
type Proof uint8

// The proofs. From Assumed to FailSafe a higher value is a stronger proof by a device; the last two are a person's.
const (
	None Proof = iota
	// Assumed: the cut was made, the hold-off waited out, and nothing looked whether it worked.
	Assumed
	// Lease: the member's watchdog must have reset it. The only proof that trusts a clock.
	Lease
	// Agent: an external fence agent says so.
	Agent
	// Mirror: the guided contact of the relay shows that the feed is open, and the hold-off was waited out.
	Mirror
	// Sense: a plain sense fell after the coil and stayed off.
	Sense
	// FailSafe: a sense that cannot read off by accident reads off.
	FailSafe
	// Operator: a person confirmed it.
	Operator
	// Withdrawn: a person took the member out of service.
	Withdrawn

	proofEnd
)

var proofNames = [...]string{
	"not proven off",
	"assumed off after the hold-off, nothing looked",
	"its watchdog lease has run out",
	"the fence agent reports off",
	"the relay's mirror contact shows the feed open",
	"plain sense fell after the coil and reads off",
	"fail-safe sense reads off",
	"a person confirmed that it is off",
	"a person withdrew it",
}

func (p Proof) String() string {
	if p < proofEnd {
		return proofNames[p]
	}
	return "invalid"
}

// IsOff says whether p is a proof of off at all.
func (p Proof) IsOff() bool { return p > None && p < proofEnd }

// SenseState is what a power sense says. Unknown is the zero value: nobody takes it for off.
type SenseState uint8

// The states of a sense.
const (
	Unknown SenseState = iota
	On
	Off
)

var senseNames = [...]string{"unknown", "on", "off"}

func (s SenseState) String() string { return senseNames[s] }

// Feed is the state of a relay's contact towards the power of its target, as read back from the coil's line or from a
// mirror contact.
type Feed uint8

// The states of a feed.
const (
	FeedUnknown Feed = iota
	FeedClosed
	FeedOpen
)

var feedNames = [...]string{"unknown", "closed", "open"}

func (f Feed) String() string { return feedNames[f] }

// Failure is why a fence failed. It is an error, and each value can be found with errors.Is.
type Failure string

func (f Failure) Error() string { return string(f) }

// The failures of a relay sequence.
const (
	// Welded: the sense still reads on at the end. The contact never opened, or another supply feeds the target.
	Welded Failure = "the sense still reads on: the relay's contact is welded or another supply feeds the target"
	// MirrorClosed: the mirror contact still shows a closed feed at the end.
	MirrorClosed Failure = "the mirror contact still shows the feed closed: the relay is stuck or welded"
	// NotSteady: sense or mirror came and went until the verify time was over.
	NotSteady Failure = "sense or mirror did not stay off for long enough before the verify time was over"
	// LateFall: a plain sense fell so late that the cut cannot be what made it fall, and nothing else proves off.
	LateFall Failure = "the plain sense fell too long after the coil to prove anything"
	// Unprovable: nothing that the device has could prove off, so nothing was touched.
	Unprovable Failure = "nothing could prove off, so the cut was not made: the device needs a trusted sense that reads on, a fail-safe sense, a mirror contact, or leave to assume"
	// SenseUnreadable: a reading of the sense failed.
	SenseUnreadable Failure = "the sense cannot be read"
	// MirrorUnreadable: a reading of the mirror contact failed.
	MirrorUnreadable Failure = "the mirror contact cannot be read"
	// CoilUnreadable: the coil's line could not be read back.
	CoilUnreadable Failure = "the coil's line cannot be read back"
	// ReadBack: the coil's line does not read what was driven.
	ReadBack Failure = "the coil's line does not read back as driven"
	// NotFailSafe: only a fail-safe sense that nobody caught lying allows a cut to be secured.
	NotFailSafe Failure = "only a fail-safe sense in good order can show that the target is off already"
	// StillOn: a cut is secured only where the sense reads off already; nothing was touched.
	StillOn Failure = "the sense reads on, so nothing was touched"
	// PowerBack: the proof was had and has been lost since.
	PowerBack Failure = "the proof no longer stands: sense, mirror or coil changed since"
	// StillOpen: the cut was to be closed and reads open.
	StillOpen Failure = "the feed still reads open"
)
