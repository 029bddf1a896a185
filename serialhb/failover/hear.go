package failover

import "github.com/serialhb/serialhb/serialhb/pulse"

// me is what the session rules need to know of this member.
func (m *machine) me() pulse.Me {
	return pulse.Me{Index: m.c.Me, Session: m.s.Session, Sent: m.s.Seq}
}

// heard judges one authentic pulse: is it life, is it a claim, does it contradict a proof?
func (m *machine) heard(p *pulse.Pulse, link uint8) {
	standing, other := m.standing(p, link)
	switch {
	case standing == pulse.Rising:
		m.contradicts(p, false)
	case standing.IsLife():
		if other {
			m.otherSession(p)
		}
		m.alive(p, link, standing == pulse.Claimed)
	}
}

// standing says what an authentic pulse is worth by its header, and whether its session takes the place of another one.
func (m *machine) standing(p *pulse.Pulse, link uint8) (worth pulse.Standing, other bool) {
	if p.From >= m.c.N || p.From == m.c.Me || link >= pulse.MaxLinks {
		m.s.Ignored++
		return pulse.Own, false
	}
	peer := &m.s.Peers[p.From]
	m.endWithdrawal(p.From)
	session := peer.In.Session
	peer.In, worth = peer.In.Hear(p, int(link), m.me())
	switch worth {
	case pulse.Rising:
		m.doubt(p.From, DoubtRising)
	case pulse.Twin:
		m.doubt(p.From, DoubtTwin)
	case pulse.Alive, pulse.Claimed:
	default:
		m.s.Ignored++
	}
	return worth, peer.In.Session != session
}

// heardNewer reads of a newer version whether it is life, and of which session. The peer understands this member all the
// while: it has to be named in what it hears, or it would take this member's next session for a stranger's.
func (m *machine) heardNewer(p *pulse.Pulse, link uint8) {
	standing, other := m.standing(p, link)
	if !standing.IsLife() {
		return
	}
	if other {
		m.voidSession(p.From)
	}
	peer := &m.s.Peers[p.From]
	if !peer.Newer {
		peer.Newer = true
		m.note(NoteNewerVersion, p.From, 0, 0)
	}
	m.do(Action{Kind: Alive, Peer: p.From, Link: link})
	m.present(p.From)
}

// otherSession is another session in the place of the one before. Another boot in the place of one that is heard and has
// something is a fast reboot, or another machine under the same name: until that is known, nothing rests on its word.
func (m *machine) otherSession(p *pulse.Pulse) {
	peer := &m.s.Peers[p.From]
	if peer.Claim.Valid && peer.Presence == Present && peer.Claim.Boot != p.Boot && m.hasSomething(&peer.Claim) {
		peer.Doubt |= DoubtBoot
		m.setTimer(TimerDoubt, p.From, m.c.DoubtTime)
	}
	m.voidSession(p.From)
}

// voidSession voids what named the old session of a peer.
func (m *machine) voidSession(p uint8) {
	m.s.Peers[p].Claim.Valid = false
	for g := range m.c.G {
		grp := &m.s.Groups[g]
		grp.Grants[p] = Grant{}
		grp.Seen[p] = pulse.Wish{}
		grp.Tried = pulse.Wish{} // each session numbers its wishes anew
		if grp.ProbeFor == p+1 { // the new session's request may bear the same number: it needs a probe of its own
			grp.ProbeFor, grp.ProbeReq = 0, 0
		}
	}
}

// hasSomething says whether a claim holds a group, may hold one, or asks for one.
func (m *machine) hasSomething(c *Claim) bool {
	for g := range m.c.G {
		if c.Groups[g].Holds != pulse.HoldsNo || c.Groups[g].Request != 0 {
			return true
		}
	}
	return false
}

// alive is what life means; a claim means more. After a proof of off the last pulses of that boot may still be on
// their way: they are counted, not believed, unless they contradict the proof.
func (m *machine) alive(p *pulse.Pulse, link uint8, claimed bool) {
	peer := &m.s.Peers[p.From]
	if m.provenOff(p) {
		if !m.contradicts(p, claimed) {
			m.s.Ignored++
			return
		}
		m.contradiction(p.From)
	}
	arg := uint32(0)
	if claimed {
		arg = 1
	}
	m.do(Action{Kind: Alive, Peer: p.From, Link: link, Arg: arg})
	if claimed {
		m.claim(p)
	}
	if peer.Presence == Gone && peer.Claim.Valid && peer.Claim.Flags.Has(pulse.Leaving) {
		return // the goodbye itself, repeated
	}
	m.present(p.From)
}

// present notes that a peer is heard. A fence that has not touched a coil is off, unless a person ordered it (rule 10).
func (m *machine) present(p uint8) {
	peer := &m.s.Peers[p]
	if peer.Presence != Present {
		m.note(NoteHeard, p, 0, 0)
		peer.Presence = Present
		m.s.Incident.Moved &^= 1 << p
		if peer.Fence.Phase == FenceIdle && peer.Fence.Giving == 0 && peer.Proof == 0 {
			m.givePower(p) // of a cut that did not end
		}
	}
	if m.fenceMe(p) {
		if peer.Fence.Phase == FenceOpening {
			m.callOff(p) // who asks to be cut is not off, whatever a person said: now it takes a proof
		}
		return
	}
	m.uncover(p)
	if peer.Fence.Phase == FenceFailed && !peer.Claim.Valid && !peer.Newer {
		return // whether it asks to be cut is in its claim, which comes once it hears us
	}
	if !peer.Fence.ByPerson {
		m.callOff(p)
	}
	if peer.Fence.Attempts > 0 && peer.Fence.Phase == FenceIdle {
		peer.Fence.Attempts = 0
		m.dirty()
	}
}

// uncover ends the question and the approval about a member that lives, or may (rule 12). What was denied stays so.
func (m *machine) uncover(p uint8) {
	q := &m.s.Incident.Question
	if q.Denied || (q.Covers|q.About)&(1<<p) == 0 {
		return
	}
	q.Covers &^= 1 << p
	if q.About &^= 1 << p; q.About == 0 {
		m.stopTimer(TimerApproval, 0)
		*q = Question{}
	}
	m.dirty()
}

// claim takes over what an accepted pulse says.
func (m *machine) claim(p *pulse.Pulse) {
	peer := &m.s.Peers[p.From]
	if peer.Claim.Boot != p.Boot || peer.Claim.Core != p.Core {
		m.dirty()
	}
	was := peer.Claim
	peer.Claim = Claim{Valid: true, Flags: p.Flags, Boot: p.Boot, Echo: p.Echo, Health: p.Health, Core: p.Core, Rest: p.Rest, Groups: p.Groups}
	peer.Newer = false
	if peer.Doubt &= oneName; peer.Doubt == 0 {
		m.stopTimer(TimerDoubt, p.From)
	}
	if !peer.Seen && m.s.Leaving == Staying {
		peer.Seen = true
		m.dirty()
	}
	m.judgeSenses(p.From)
	m.believeLife(p.From)
	if peer.Claim.Core != m.c.Core {
		return // rule 4 of the protocol: life counts, group claims do not
	}
	if p.Flags.Has(pulse.Leaving) {
		m.goodbye(p.From)
		return
	}
	for g := range m.c.G {
		m.groupClaim(p.From, g)
		if was.Valid && was.Groups[g].Phase == pulse.Stopping && p.Groups[g].Phase != pulse.Stopping {
			m.stopEnded(g)
		}
	}
}

// believeLife drops the proofs and goodbyes that a claim made after them ends.
func (m *machine) believeLife(p uint8) {
	peer := &m.s.Peers[p]
	if peer.Proof != 0 && peer.Claim.Echo > peer.ProofSeq {
		m.endProof(p)
		m.clearPermits(p, ProvenOff)
	}
	if peer.Claim.Echo > peer.LeftSeq && !peer.Claim.Flags.Has(pulse.Leaving) {
		m.clearPermits(p, LeftIt)
	}
}

func (m *machine) clearPermits(p uint8, kind Permit) {
	for g := range m.c.G {
		if m.s.Groups[g].Permits[p] == kind {
			m.clearPermit(p, g)
		}
	}
}

// clearPermit drops the permit of a member. What was granted to it before is not said again until that is written: a daemon that
// dies in between would come back with a permit to do without whom it has granted (rule 5).
func (m *machine) clearPermit(p, g uint8) {
	grp := &m.s.Groups[g]
	grp.Permits[p] = NoPermit
	if gen := m.dirty(); grp.Grants[p].Request != 0 {
		grp.Grants[p].Gen = gen
	}
}

// goodbye accepts an orderly leave (rule 7), unless this session has said goodbye itself.
func (m *machine) goodbye(p uint8) {
	peer := &m.s.Peers[p]
	if m.s.Leaving >= LeaveSaving {
		return
	}
	if peer.Doubt&oneName != 0 {
		return // it may be the copy that leaves, and the one that holds the group that stays
	}
	for g := range m.c.G {
		if peer.Claim.Groups[g].Holds != pulse.HoldsNo {
			return // it says goodbye and holds something: that is no goodbye
		}
	}
	if peer.Presence != Gone {
		m.note(NoteLeft, p, 0, 0)
	}
	peer.Presence = Gone
	peer.LeftSeq = m.s.Seq
	if !peer.Fence.ByPerson {
		m.callOff(p)
	}
	for g := range m.c.G {
		grp := &m.s.Groups[g]
		grp.Grants[p] = Grant{}
		m.denies(p, g)
		grp.MaxTerm = max(grp.MaxTerm, peer.Claim.Groups[g].Term)
		if grp.Permits[p] != LeftIt {
			grp.Permits[p] = LeftIt
			m.dirty()
		}
	}
}

// groupClaim takes over what a peer says of one group.
func (m *machine) groupClaim(p, g uint8) {
	grp, said := &m.s.Groups[g], &m.s.Peers[p].Claim.Groups[g]
	grp.MaxTerm = max(grp.MaxTerm, said.Term)
	grant := &grp.Grants[p]
	if said.Request == 0 || said.Request != grant.Request {
		grant.Request, grant.Gen = 0, 0 // fulfilled, or withdrawn
	}
	if said.Request != grant.Untold {
		grant.Untold = 0
	}
	if grp.Request != 0 && said.Grant == grp.Request && grp.Permits[p] != ProvenOff {
		grp.Permits[p] = Granted
	}
	switch {
	case said.Holds == pulse.HoldsNo && said.Request == 0:
		m.denies(p, g)
	case said.Holds == pulse.HoldsYes && grp.Rests&(1<<p) != 0 && m.s.Peers[p].Claim.Echo > grp.WonSeq:
		m.disputed(p, g)
	}
	if said.Holds == pulse.HoldsYes {
		if grp.Moved && grp.Request == 0 && !m.fenceMe(p) { // it went elsewhere: to take it from there is another move
			grp.Moved = false
			m.dirty()
		}
		if grp.YieldTo == p+1 {
			grp.YieldTo = 0
			m.dirty()
			m.stopTimer(TimerRelease, g)
		}
		if grp.Announced.To == p+1 {
			grp.Announced = pulse.Wish{}
			m.stopTimer(TimerWish, g)
		}
	}
	m.twoOwners(g)
}

// twoOwners notices that two members hold a group: both keep what runs, start and move nothing, and call a person.
func (m *machine) twoOwners(g uint8) {
	grp := &m.s.Groups[g]
	two := false
	for p := range m.peers() {
		peer := &m.s.Peers[p]
		two = two || peer.Presence == Present && peer.Claim.Valid && peer.Claim.Groups[g].Holds == pulse.HoldsYes
	}
	two = two && grp.Holds == pulse.HoldsYes
	if two && !grp.Frozen {
		m.note(NoteTwoOwners, 0, g, 0)
	}
	grp.Frozen = two
}

// wentSilent: detection says that no link has life of a peer.
func (m *machine) wentSilent(p uint8, oneByOne bool) {
	if p >= m.c.N || p == m.c.Me {
		m.s.Ignored++
		return
	}
	peer := &m.s.Peers[p]
	if peer.Presence == Gone || peer.Presence == Silent {
		m.s.Ignored++ // it said so, or we knew
		return
	}
	peer.Presence, peer.OneByOne = Silent, oneByOne
	m.note(NoteSilent, p, 0, 0)
	m.twoOwnersEverywhere()
}

func (m *machine) twoOwnersEverywhere() {
	for g := range m.c.G {
		m.twoOwners(g)
	}
}

func (m *machine) doubt(p uint8, d Doubt) {
	if p >= m.c.N || p == m.c.Me {
		m.s.Ignored++
		return
	}
	peer := &m.s.Peers[p]
	if peer.Doubt&d == 0 {
		peer.Doubt |= d
		m.note(NoteDoubt, p, 0, uint32(d))
		if d == DoubtRising {
			m.uncover(p) // whoever approved did not know of this
		}
	}
	m.setTimer(TimerDoubt, p, m.c.DoubtTime)
}

// endWithdrawal: any authentic frame of a member, or its sense, says that it is not away. That is kept before any
// pulse is sent to it.
func (m *machine) endWithdrawal(p uint8) {
	peer := &m.s.Peers[p]
	if !peer.Withdrawn {
		return
	}
	peer.Withdrawn, peer.Muted = false, true
	peer.MutedGen = m.keep()
	m.note(NoteWithdrawalEnded, p, 0, 0)
}

// away says whether a person's word that a member is away for repair counts now: not before this daemon has listened for it.
// It may have come back while this host was down, and be the owner.
func (m *machine) away(p uint8) bool {
	peer := &m.s.Peers[p]
	return peer.Withdrawn && peer.Presence != Unjudged && (!peer.Stale || m.offBySense(p))
}

// fenceMe says whether a peer asks to be cut.
func (m *machine) fenceMe(p uint8) bool {
	peer := &m.s.Peers[p]
	return peer.Claim.Valid && peer.Claim.Core == m.c.Core && peer.Claim.Flags.Has(pulse.FenceMe)
}
