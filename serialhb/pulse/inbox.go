package pulse

// Standing is what an authentic pulse is worth to its receiver.
type Standing uint8

// The standings, from worthless to best.
const (
	// Own: a frame of mine came back (loop-back plug or echoing modem).
	Own Standing = iota
	// Misaddressed: between other members, or from one that does not exist.
	Misaddressed
	// Replayed: not newer on its link than what was heard there.
	Replayed
	// Older: of a session that is not the current one and does not prove itself fresh. No life, no claim.
	Older
	// Rising: as Older, but its sequence keeps rising: its sender may be alive and deaf.
	Rising
	// Twin: of a session that had answered and was replaced, yet it answers me now: two daemons bear one name. No life, no claim.
	Twin
	// Alive: life, and no claim.
	Alive
	// Claimed: life, and a claim to be believed.
	Claimed
)

var standingNames = [...]string{"own", "misaddressed", "replayed", "older", "rising", "twin", "alive", "claimed"}

func (s Standing) String() string { return standingNames[s] }

// IsLife says whether the sender is alive.
func (s Standing) IsLife() bool { return s >= Alive }

// Me is what an [Inbox] needs to know of its owner.
type Me struct {
	Index   uint8
	Session uint32
	Sent    uint32 // last sequence sent in this session
}

// risingRun is how many times a foreign session has to rise before it counts as [Rising].
const risingRun = 3

// Inbox holds what one member knows of the sessions of one peer. It is a comparable value; the zero value knows
// nothing. Its rules are the design's, section 2, rules 1 and 2.
type Inbox struct {
	Session     uint32           // the peer's current session, 0 is none
	Claimed     bool             // a claim of that session was accepted
	ClaimSeq    uint32           // sequence of the last claim accepted
	SentAtClaim uint32           // my last sequence when it was accepted
	Replaced    uint32           // the session before, if a claim of it was accepted; 0 is none
	SentAtStart uint32           // my last sequence when the current one took its place
	LinkSeq     [MaxLinks]uint32 // newest sequence of that session per link

	// A session that is not the current one, watched for signs of life.
	Stranger    uint32
	StrangerSeq [MaxLinks]uint32 // newest sequence of it per link: what waited in a slow one rises too
	StrangerRun uint8
}

// Hear judges an authentic pulse that arrived on a link.
func (in Inbox) Hear(p *Pulse, link int, me Me) (Inbox, Standing) {
	switch {
	case p.From == me.Index:
		return in, Own
	case p.To != me.Index:
		return in, Misaddressed
	}
	toMe := p.PeerSession == me.Session
	if p.Session != in.Session {
		fresh := toMe && p.Echo > in.SentAtClaim && p.Echo <= me.Sent
		// What was replaced and names a sequence that I sent since is no delayed pulse: it lives.
		answers := toMe && p.Echo > in.SentAtStart && p.Echo <= me.Sent
		switch {
		case in.Claimed && p.Session == in.Replaced && answers:
			return in, Twin
		case in.Claimed && !fresh:
			return in.stranger(p, link)
		}
		// What was seen and never answered may as well have begun after a late pulse of the one before it was sent.
		before := uint32(0)
		if in.Claimed {
			before = in.Session
		}
		in = Inbox{Session: p.Session, Replaced: before, SentAtStart: me.Sent}
	} else if p.Seq <= in.LinkSeq[link] {
		return in, Replayed
	}
	in.LinkSeq[link] = p.Seq
	if !toMe || p.Seq <= in.ClaimSeq {
		return in, Alive
	}
	in.Claimed = true
	in.ClaimSeq = p.Seq
	in.SentAtClaim = me.Sent
	return in, Claimed
}

func (in Inbox) stranger(p *Pulse, link int) (Inbox, Standing) {
	if p.Session != in.Stranger {
		in.Stranger, in.StrangerSeq, in.StrangerRun = p.Session, [MaxLinks]uint32{}, 0
	}
	last := &in.StrangerSeq[link]
	if *last != 0 && p.Seq > *last {
		in.StrangerRun = min(in.StrangerRun+1, risingRun)
	}
	*last = max(*last, p.Seq)
	if in.StrangerRun >= risingRun {
		return in, Rising
	}
	return in, Older
}

// Forget drops what depends on my own session: it is called when I begin a new one. No claim of the peer is accepted in
// it yet, so any session may take the place of the current one: the peer may begin a new one in the same moment, and
// could never prove it fresh. Claims still have to name my new session, which no older one can.
func (in Inbox) Forget() Inbox {
	in.Claimed, in.SentAtClaim, in.SentAtStart = false, 0, 0
	return in
}
