package fencing

import "time"

// Bounds and defaults of a plan.
const (
	DefaultSettle  = 50 * time.Millisecond
	DefaultSample  = 10 * time.Millisecond
	DefaultWindow  = 5 * time.Second
	DefaultHoldOff = 3 * time.Second
	// DefaultHoldUp is for a sense on the target's DC side.
	DefaultHoldUp = 500 * time.Millisecond
	// FeedHoldUp is how long a supply may carry its host after the feed was cut. It is the default for a sense on the
	// feed side and the least that one may have unless the true value was measured.
	FeedHoldUp = 3 * time.Second
	// verifySlack is added to all that a sequence has to wait for, to make the default verify time.
	verifySlack = 2 * time.Second
	// maxGap bounds how far two samples may lie apart before nobody can say what happened between them.
	maxGap = 250 * time.Millisecond
)

// Plan is all that a [Sequence] needs to know of its relay and of this fence. All times are durations; a comparable
// value.
type Plan struct {
	HasSense  bool
	FailSafe  bool // "off" is driven, a broken wire reads on
	HasMirror bool

	// Trusted: the plain sense read on while the target's pulses were heard in this session.
	Trusted bool
	// Broken: the sense was caught lying. Its off proves nothing; its on still counts.
	Broken bool
	// AllowAssumed: the config says in so many words that off may be assumed after the hold-off.
	AllowAssumed bool

	Settle  time.Duration // contacts may bounce for so long after the coil
	Sample  time.Duration // between two samples
	Window  time.Duration // within which a plain sense has to fall after the coil
	HoldUp  time.Duration // for which a sense has to read off without a break
	HoldOff time.Duration // for which nothing may speak against off where no sense proves it
	Verify  time.Duration // from the coil to the end of all waiting
}

// gap is the longest time between two samples that still counts as unbroken. It is at most half of a wait, so a process
// that was stopped cannot have slept through one.
func (p Plan) gap() time.Duration { return min(maxGap, min(p.HoldUp, p.HoldOff)/2) }

// longest is the longest unbroken wait of the plan.
func (p Plan) longest() time.Duration { return max(p.HoldUp, p.HoldOff) }
