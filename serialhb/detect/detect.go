// Package detect judges who is late, silent or deaf. It is layer 0: pure, and takes the time as an argument.
//
// Time is a [time.Duration] on the boot-time clock, so that suspend counts and steps of the wall clock do not. It decides
// only when to suspect a peer, never what is safe.
//
// The rules are the design's, section 3:
//   - Suspect yourself first: windows are lengthened by the lateness of the own daemon, so they count the time in which
//     this member was awake. A node that was stopped and continued accuses nobody who lives, and a slow one still
//     decides.
//   - After a start, and after deafness, nobody is silent until an own link could receive for a whole window.
//   - The loss of an own device is no silence of the peer.
//   - A line that babbles stretches the verdict by a bounded factor, never for ever.
//
// A [Detector] is not safe for concurrent use; the daemon owns it.
package detect

import (
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Config says what a [Detector] watches.
type Config struct {
	Me, N uint8
	Links []Link
	// Interval is assumed of a peer that has not advertised its own.
	Interval time.Duration
	// Multiplier is how many of the sender's intervals may pass without life.
	Multiplier uint8
	// LateMultiplier is after how many of them a link is called late, which moves nothing; 0 is three quarters of Multiplier.
	LateMultiplier uint8
	// StartWindow is how long an own link must have been able to receive before a peer that was never heard is silent.
	StartWindow time.Duration
	// Stretch is the factor by which a babbling line lengthens a window; 1 is none.
	Stretch float64
	// Extensions is how many lengthenings of one window raise [CannotJudge].
	Extensions int
}

// Link is one link of this member.
type Link struct {
	Peers uint16 // members at its other end, bits
}

// Way is the state of one direction of a link.
type Way uint8

// The states of a direction.
const (
	Never   Way = iota // nothing yet
	OK                 // life within three quarters of the detection time
	Late               // none for three quarters of it
	Down               // none for all of it, or the peer says that it does not hear me
	Unknown            // of the way out: only a pulse that arrives on this link could tell
)

func (w Way) String() string { return [...]string{"never", "ok", "late", "down", "unknown"}[w] }

// ChangeKind says what changed.
type ChangeKind uint8

// The changes.
const (
	// Silent: no link has life of Peer within its detection time. OneByOne: its links were lost one after the other.
	Silent ChangeKind = iota
	// Receives and Sends: a direction of Link towards Peer is now Way.
	Receives
	Sends
	// Deaf and Hears: every own link lost its device, or one is back.
	Deaf
	Hears
	// CannotJudge: this member was too late too often to judge Peer. Clear: it can again.
	CannotJudge
	CanJudge
)

// Change is something that became different.
type Change struct {
	Kind     ChangeKind
	Peer     uint8
	Link     uint8
	Way      Way
	OneByOne bool
}

// path is one link towards one peer.
type path struct {
	heard    bool
	last     time.Duration // newest life
	noise    time.Duration // newest bytes that made no frame
	receives Way
	sends    Way
	hears    Way           // what its last pulse here says about the way out, not reported yet
	extended time.Duration // own lateness since the last life here
}

type peer struct {
	silent   bool          // the verdict
	heard    bool          // life was seen
	last     time.Duration // newest life on any link
	window   time.Duration // detection time, stretched by a quiet time that was announced
	usual    time.Duration // detection time by the interval that it advertised
	session  uint32        // of the pulse that advertised it
	seq      uint32
	extended time.Duration // own lateness since the last life
	times    int
	stuck    bool
}

// Detector watches all peers of one member.
type Detector struct {
	c     Config
	up    []bool
	since []time.Duration // an own link can receive since then
	deaf  bool
	peers [pulse.MaxMembers]peer
	paths [pulse.MaxLinks][pulse.MaxMembers]path
}

// New makes a detector in which no link can receive yet.
func New(c Config) *Detector {
	d := &Detector{c: c, up: make([]bool, len(c.Links)), since: make([]time.Duration, len(c.Links)), deaf: true}
	for p := range d.peers {
		d.peers[p].usual = c.Interval * time.Duration(c.Multiplier)
		d.peers[p].window = d.peers[p].usual
	}
	for l := range c.Links {
		for p := range d.paths[l] {
			d.paths[l][p].sends, d.paths[l][p].hears = Unknown, Unknown
		}
	}
	return d
}

func (d *Detector) reaches(link int, p uint8) bool { return d.c.Links[link].Peers&(1<<p) != 0 }

// Life notes a pulse that counts as life of its sender.
func (d *Detector) Life(now time.Duration, link, from uint8, p *pulse.Pulse) {
	peer, path := &d.peers[from], &d.paths[link][from]
	d.advertised(peer, p)
	peer.silent, peer.heard = false, true
	peer.last = max(peer.last, now)
	peer.extended, peer.times = 0, 0
	path.heard, path.last, path.extended = true, max(path.last, now), 0
	path.hears = Down
	if age := time.Duration(pulse.EchoAgeMS(p.EchoAge)) * time.Millisecond; p.Echo != 0 && p.EchoAge < 15 && age < peer.window {
		path.hears = OK
	}
}

// advertised takes over the interval of a peer's newest pulse. An older one that comes late on a slower link says what
// was, and must not end the quiet time that a newer one announced.
func (d *Detector) advertised(peer *peer, p *pulse.Pulse) {
	if p.Session == peer.session && p.Seq < peer.seq {
		return
	}
	peer.session, peer.seq = p.Session, p.Seq
	step := time.Duration(p.IntervalMS) * time.Millisecond
	switch {
	case p.Flags.Has(pulse.Quiet):
		peer.window = max(step, peer.window) // it stretches this once
	case step > 0:
		peer.usual = step * time.Duration(d.c.Multiplier)
		peer.window = peer.usual
	default: // a newer version, of which nothing but life is read
		peer.window = peer.usual
	}
}

// Noise notes bytes on a link that made no frame.
func (d *Detector) Noise(now time.Duration, link uint8) {
	for p := range d.c.N {
		d.paths[link][p].noise = now
	}
}

// Link notes that an own device works, or is gone.
func (d *Detector) Link(now time.Duration, link uint8, up bool) {
	var could [pulse.MaxMembers]bool
	for p := range d.c.N {
		could[p] = d.CanHear(p)
	}
	if up && !d.up[link] {
		d.since[link] = now
	}
	d.up[link] = up
	for p := range d.c.N {
		if !could[p] && d.CanHear(p) { // a fresh window
			d.peers[p].extended, d.peers[p].times = 0, 0
		}
	}
}

// hearing gives since when this member could have heard a peer without a break, and whether it can. A link on which a
// peer that was heard has never been heard has no vote.
func (d *Detector) hearing(p uint8) (since time.Duration, can bool) {
	for l := range d.c.Links {
		if !d.up[l] || !d.reaches(l, p) || d.peers[p].heard && !d.paths[l][p].heard {
			continue
		}
		if !can || d.since[l] < since {
			since, can = d.since[l], true
		}
	}
	return since, can
}

// CanHear says whether this member could hear a peer: some link on which it was ever heard works here, or any link while
// it was heard on none.
func (d *Detector) CanHear(p uint8) bool {
	_, can := d.hearing(p)
	return can
}

// Late lengthens every running window by the lateness of the own daemon.
func (d *Detector) Late(by time.Duration) {
	for p := range d.c.N {
		for l := range d.c.Links {
			d.paths[l][p].extended += by
		}
		peer := &d.peers[p]
		if p != d.c.Me && !peer.silent && d.CanHear(p) {
			peer.extended += by
			peer.times++
		}
	}
}

// Window is the detection time of a peer.
func (d *Detector) Window(p uint8) time.Duration { return d.peers[p].window }

// LastLife is the time of the newest life of a peer, and whether there was any.
func (d *Detector) LastLife(p uint8) (time.Duration, bool) { return d.peers[p].last, d.peers[p].heard }

// Path gives the state of both directions of a link towards a peer, and when life was last heard there.
func (d *Detector) Path(link, p uint8) (receives, sends Way, last time.Duration, heard bool) {
	path := &d.paths[link][p]
	return path.receives, path.sends, path.last, path.heard
}

// Babbles says whether a link carries bytes that make no frame.
func (d *Detector) Babbles(now time.Duration, link, p uint8) bool {
	path := &d.paths[link][p]
	return path.noise > 0 && now-path.noise < d.peers[p].window
}

// deadline is when a peer is silent unless life comes, if it can be judged at all.
func (d *Detector) deadline(p uint8) (time.Duration, bool) {
	peer := &d.peers[p]
	since, can := d.hearing(p)
	if !can || peer.silent {
		return 0, false
	}
	if !peer.heard {
		return since + max(d.c.StartWindow, peer.window) + peer.extended, true
	}
	window := peer.window
	for l := range d.c.Links {
		path := &d.paths[l][p]
		if d.reaches(l, p) && path.noise > peer.last && d.c.Stretch > 1 {
			window = time.Duration(float64(peer.window) * d.c.Stretch)
		}
	}
	return max(peer.last, since) + window + peer.extended, true
}

// lateAfter is when a link without life is called late.
func (d *Detector) lateAfter(p uint8) time.Duration {
	if d.c.LateMultiplier == 0 {
		return d.peers[p].window / 4 * 3
	}
	return d.peers[p].window / time.Duration(d.c.Multiplier) * time.Duration(d.c.LateMultiplier)
}

// Check appends what has changed by now. It must be called after everything that was received has been handed in.
func (d *Detector) Check(now time.Duration, out []Change) []Change {
	out = d.checkDeaf(out)
	for p := range d.c.N {
		if p == d.c.Me {
			continue
		}
		for l := range d.c.Links {
			if d.reaches(l, p) {
				out = d.checkPath(now, uint8(l), p, out)
			}
		}
		out = d.checkPeer(now, p, out)
	}
	return out
}

func (d *Detector) checkDeaf(out []Change) []Change {
	deaf := true
	for _, up := range d.up {
		deaf = deaf && !up
	}
	if deaf == d.deaf {
		return out
	}
	d.deaf = deaf
	if deaf {
		return append(out, Change{Kind: Deaf})
	}
	return append(out, Change{Kind: Hears})
}

func (d *Detector) checkPath(now time.Duration, l, p uint8, out []Change) []Change {
	path, window := &d.paths[l][p], d.peers[p].window
	way := Never
	if path.heard {
		switch age := now - path.last - path.extended; {
		case age >= window || !d.up[l]:
			way = Down
		case age >= d.lateAfter(p):
			way = Late
		default:
			way = OK
		}
	}
	if way != path.receives {
		path.receives = way
		out = append(out, Change{Kind: Receives, Link: l, Peer: p, Way: way})
	}
	if way == Down {
		path.hears = Unknown
	}
	if path.hears != path.sends {
		path.sends = path.hears
		out = append(out, Change{Kind: Sends, Link: l, Peer: p, Way: path.sends})
	}
	return out
}

func (d *Detector) checkPeer(now time.Duration, p uint8, out []Change) []Change {
	peer := &d.peers[p]
	if stuck := peer.times >= d.c.Extensions; stuck != peer.stuck {
		peer.stuck = stuck
		kind := CanJudge
		if stuck {
			kind = CannotJudge
		}
		out = append(out, Change{Kind: kind, Peer: p})
	}
	at, can := d.deadline(p)
	if !can || now < at {
		return out
	}
	peer.silent = true
	return append(out, Change{Kind: Silent, Peer: p, OneByOne: d.oneByOne(p)})
}

// oneByOne says whether the links to a peer were lost more than a detection time apart. A link that was never good has
// no vote.
func (d *Detector) oneByOne(p uint8) bool {
	peer := &d.peers[p]
	for l := range d.c.Links {
		path := &d.paths[l][p]
		if d.reaches(l, p) && path.heard && peer.last-path.last >= peer.window {
			return true
		}
	}
	return false
}

// Next is when [Detector.Check] has something to say if nothing arrives, and whether there is such a time.
func (d *Detector) Next() (time.Duration, bool) {
	var next time.Duration
	found := false
	soonest := func(t time.Duration) {
		if !found || t < next {
			next, found = t, true
		}
	}
	for p := range d.c.N {
		if p == d.c.Me {
			continue
		}
		if at, can := d.deadline(p); can {
			soonest(at)
		}
		for l := range d.c.Links {
			path, peer := &d.paths[l][p], &d.peers[p]
			if !d.reaches(l, p) || !path.heard || !d.up[l] {
				continue
			}
			switch path.receives {
			case OK, Never:
				soonest(path.last + d.lateAfter(p) + path.extended)
			case Late:
				soonest(path.last + peer.window + path.extended)
			}
		}
	}
	return next, found
}
