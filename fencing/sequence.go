package fencing

import "time"

// Reading is one sample of everything that a relay device can look at. What a device does not have stays zero.
type Reading struct {
	Coil   Feed // from the level read back on the coil's line
	Sense  SenseState
	Mirror Feed
}

// Act is what a sequence wants done.
type Act uint8

// The acts.
const (
	// Wait: take the next reading when the time to wake has come.
	Wait Act = iota
	// CutFeed: drive the coil so that the feed opens, then take the next reading at once.
	CutFeed
	// CloseFeed: drive the coil so that the feed closes, then take the next reading at once.
	CloseFeed
	// Proven: off is proven. The sequence goes on watching if it is stepped again.
	Proven
	// Restored: the feed reads closed again.
	Restored
	// Failed: the sequence is over. A cut that was made stays open until it is restored.
	Failed
)

// Event is something worth telling that a step saw.
type Event uint8

// The events.
const (
	NoEvent Event = iota
	SenseFell
	SenseCameBack
	MirrorOpened
	MirrorCameBack
	SamplesMissed
	FellTooLate
)

// Order is the answer to a reading.
type Order struct {
	Act     Act
	Event   Event
	Proof   Proof   // with Proven
	Failure Failure // with Failed
}

type stage uint8

const (
	ready stage = iota
	observing
	cutting
	verifying
	held
	closing
	restoring
	over
)

// Sequence is the relay sequence: cut, settle, verify, hold, restore. It is a comparable value without clock or I/O;
// the zero value is not usable, see [Begin], [BeginSecure] and [BeginRestore].
//
// There is one rule of time in it: from the moment [Sequence.quiet] on, every sample had the coil cut, the sense not on
// and the mirror open, and no two samples lay far apart. Any sample that says otherwise starts it anew.
type Sequence struct {
	plan     Plan
	stage    stage
	evidence Proof // what the end of the wait will prove; None is nothing

	atCoil  Reading       // the last one before the coil
	before  time.Duration // of that reading
	settled time.Duration // when contacts have stopped bouncing
	last    time.Duration // of the last sample
	fell    time.Duration // first off of the sense since it last read on
	quiet   time.Duration // first of the unbroken samples
	isQuiet bool
	seen    Reading
}

// Begin starts a fence: open the cut, then prove off.
func Begin(p Plan) Sequence { return Sequence{plan: p} }

// BeginSecure starts a fence of a target that is off already: the cut is opened only after a fail-safe sense has read
// off for the whole hold-up.
func BeginSecure(p Plan) Sequence { return Sequence{plan: p, stage: observing} }

// BeginRestore starts giving the power back.
func BeginRestore(p Plan) Sequence { return Sequence{plan: p, stage: closing} }

// Evidence is what the sequence would prove if it succeeded now.
func (s Sequence) Evidence() Proof { return s.evidence }

// Step takes the reading of the instant now, on a clock of the caller's that never goes back. It returns what is to be
// done and the instant at which to step next; a step that comes later than that is safe and may cost time.
func (s Sequence) Step(now time.Duration, in Reading) (Sequence, Order, time.Duration) {
	var o Order
	switch s.stage {
	case ready:
		s, o = s.start(now, in)
	case observing:
		s, o = s.observe(now, in)
	case cutting:
		s, o = s.cut(now, in)
	case verifying:
		s, o = s.verify(now, in)
	case held:
		s, o = s.hold(in)
	case closing:
		s.stage, s.before, o.Act = restoring, now, CloseFeed
	case restoring:
		s, o = s.restore(now, in)
	case over:
		panic("fencing: a sequence was stepped after its end")
	}
	s.last, s.seen = now, in
	if o.Act == CutFeed || o.Act == CloseFeed {
		return s, o, now
	}
	return s, o, now + s.plan.Sample
}

func (s Sequence) fail(f Failure) (Sequence, Order) {
	s.stage = over
	return s, Order{Act: Failed, Failure: f}
}

func (s Sequence) start(now time.Duration, in Reading) (Sequence, Order) {
	// What cannot be read now will not prove anything later, and an uncut peer is better than one cut in vain.
	if f := s.unreadable(in); f != "" {
		return s.fail(f)
	}
	s.evidence = s.strongest(in)
	if s.evidence == None {
		return s.fail(Unprovable)
	}
	return s.drive(now)
}

func (s Sequence) drive(now time.Duration) (Sequence, Order) {
	s.stage, s.before, s.isQuiet = cutting, now, false
	return s, Order{Act: CutFeed}
}

func (s Sequence) unreadable(in Reading) Failure {
	switch {
	case s.plan.HasSense && in.Sense == Unknown:
		return SenseUnreadable
	case s.plan.HasMirror && in.Mirror == FeedUnknown:
		return MirrorUnreadable
	}
	return ""
}

// strongest is the best proof that can follow from the state before the coil.
func (s Sequence) strongest(in Reading) Proof {
	p := s.plan
	switch {
	case p.HasSense && p.FailSafe && !p.Broken:
		return FailSafe
	// A plain sense proves only by falling because of the coil: it has to be on, and the feed not cut yet.
	case p.HasSense && p.Trusted && !p.Broken && in.Sense == On && in.Coil == FeedClosed:
		return Sense
	}
	return p.withoutSense(in)
}

// withoutSense is the best proof of a device whose sense proves nothing, from the state before the coil.
func (p Plan) withoutSense(before Reading) Proof {
	switch {
	// A mirror that shows an open feed under an idle coil does not follow the contact.
	case p.HasMirror && before.Mirror == before.Coil:
		return Mirror
	case p.AllowAssumed:
		return Assumed
	}
	return None
}

func (s Sequence) observe(now time.Duration, in Reading) (Sequence, Order) {
	if !s.plan.HasSense || !s.plan.FailSafe || s.plan.Broken {
		return s.fail(NotFailSafe)
	}
	if f := s.unreadable(in); f != "" {
		return s.fail(f)
	}
	if in.Sense == On {
		return s.fail(StillOn)
	}
	var o Order
	if s.isQuiet && now-s.last > s.plan.gap() {
		s.isQuiet, o.Event = false, SamplesMissed
	}
	if !s.isQuiet {
		s.isQuiet, s.quiet = true, now
	}
	if now-s.quiet < s.plan.HoldUp {
		return s, o
	}
	s.evidence = FailSafe
	return s.drive(now)
}

// cut takes the first sample after the coil.
func (s Sequence) cut(now time.Duration, in Reading) (Sequence, Order) {
	s.stage, s.settled, s.atCoil = verifying, now+s.plan.Settle, s.seen
	// If driving the coil took long, a fall in between may have come before the cut.
	if s.evidence == Sense && in.Sense == Off && now-s.before > s.plan.gap() {
		s.evidence = s.plan.withoutSense(s.atCoil)
		if s.evidence == None {
			return s.fail(LateFall)
		}
	}
	return s.verify(now, in)
}

func (s Sequence) verify(now time.Duration, in Reading) (Sequence, Order) {
	switch {
	case in.Coil == FeedUnknown:
		return s.fail(CoilUnreadable)
	case in.Coil != FeedOpen:
		return s.fail(ReadBack)
	}
	if f := s.unreadable(in); f != "" {
		return s.fail(f)
	}
	var o Order
	s, o.Event = s.watch(now, in)
	if s.evidence == Sense && in.Sense == Off && s.fell-s.before > s.plan.Window {
		s.evidence, o.Event = s.plan.withoutSense(s.atCoil), FellTooLate
		if s.evidence == None {
			return s.fail(LateFall)
		}
	}
	if s.isQuiet && now >= s.settled && now-s.since() >= s.required() {
		s.stage = held
		return s, Order{Act: Proven, Event: o.Event, Proof: s.evidence}
	}
	if now-s.before < s.plan.Verify {
		return s, o
	}
	switch {
	case in.Sense == On:
		return s.fail(Welded)
	case in.Mirror == FeedClosed:
		return s.fail(MirrorClosed)
	}
	return s.fail(NotSteady)
}

// watch keeps the count of unbroken samples.
func (s Sequence) watch(now time.Duration, in Reading) (Sequence, Event) {
	var e Event
	against := false
	if s.plan.HasSense {
		switch {
		case in.Sense == On:
			against = true
			if s.seen.Sense == Off {
				e = SenseCameBack
			}
		case s.seen.Sense == On:
			s.fell, e = now, SenseFell
		}
	}
	if s.plan.HasMirror {
		switch {
		case in.Mirror == FeedClosed:
			against = true
			if s.seen.Mirror == FeedOpen {
				e = MirrorCameBack
			}
		case s.seen.Mirror == FeedClosed && e == NoEvent:
			e = MirrorOpened
		}
	}
	missed := s.isQuiet && now-s.last > s.plan.gap()
	switch {
	case against:
		s.isQuiet = false
	case missed:
		s.quiet, e = now, SamplesMissed
	case !s.isQuiet:
		s.isQuiet, s.quiet = true, now
	}
	return s, e
}

func (s Sequence) required() time.Duration {
	if s.evidence == Sense || s.evidence == FailSafe {
		return s.plan.HoldUp
	}
	return s.plan.HoldOff
}

// since is when the wait began. A hold-off counts from when the contact has settled, for nothing saw it open.
func (s Sequence) since() time.Duration {
	if s.evidence == Sense || s.evidence == FailSafe {
		return s.quiet
	}
	return max(s.quiet, s.settled)
}

// hold watches a proof that was had. Whatever it cannot see is gone.
func (s Sequence) hold(in Reading) (Sequence, Order) {
	switch {
	case in.Coil != FeedOpen,
		s.plan.HasSense && in.Sense != Off,
		s.plan.HasMirror && in.Mirror != FeedOpen:
		return s.fail(PowerBack)
	}
	return s, Order{Act: Proven, Proof: s.evidence}
}

// restore waits until the coil's line, and the mirror where there is one, read closed. The sense has no say: a target may
// stay off although it is fed.
func (s Sequence) restore(now time.Duration, in Reading) (Sequence, Order) {
	if in.Coil == FeedClosed && (!s.plan.HasMirror || in.Mirror == FeedClosed) {
		s.stage = over
		return s, Order{Act: Restored}
	}
	if now-s.before < s.plan.Settle+restoreTime {
		return s, Order{}
	}
	switch {
	case in.Coil == FeedUnknown:
		return s.fail(CoilUnreadable)
	case s.plan.HasMirror && in.Mirror == FeedUnknown:
		return s.fail(MirrorUnreadable)
	}
	return s.fail(StillOpen)
}

// restoreTime is how long a released contact may take beyond the time to settle.
const restoreTime = time.Second
