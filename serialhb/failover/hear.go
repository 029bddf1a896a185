package failover

import (
	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// me is what the session rules need to know of this member.
func (m *machine) me() pulse.Me {
	return pulse.Me{Index: m.c.Me, Session: m.s.Session, Sent: m.s.Seq}
}

// heard judges one authentic pulse: is it life, is it a claim, does it contradict a proof?
func (m *machine) heard(p *pulse.Pulse, link uint8) {
	if p.From >= m.c.N || p.From == m.c.Me || link >= pulse.MaxLinks {
		m.s.Ignored++
		return
	}
	peer := &m.s.Peers[p.From]
	m.endWithdrawal(p.From)
	session := peer.In.Session
	in, standing := peer.In.Hear(p, int(link), m.me())
	peer.In = in
	switch standing {
	case pulse.Rising:
		m.doubt(p.From, DoubtRising)
		m.contradicts(p, false)
	case pulse.Twin:
		m.doubt(p.From, DoubtTwin)
	case pulse.Alive, pulse.Claimed:
		if in.Session != session {
			m.otherSession(p)
		}
		m.alive(p, link, standing == pulse.Claimed)
	default:
		m.s.Ignored++
	}
}

func (m *machine) heardNewer(p, link uint8) {
	if p >= m.c.N || p == m.c.Me || link >= pulse.MaxLinks {
		m.s.Ignored++
		return
	}
	m.endWithdrawal(p)
	peer := &m.s.Peers[p]
	if !peer.Newer {
		peer.Newer = true
		m.note(NoteNewerVersion, p, 0, 0)
	}
	m.do(Action{Kind: Alive, Peer: p, Link: link})
	m.present(p)
}

// otherSession voids what named the peer's old session. Another boot in the place of one that is heard and has something
// is a fast reboot, or another machine under the same name: until that is known, nothing rests on its word.
func (m *machine) otherSession(p *pulse.Pulse) {
	peer := &m.s.Peers[p.From]
	if peer.Claim.Valid && peer.Presence == Present && peer.Claim.Boot != p.Boot && m.hasSomething(&peer.Claim) {
		peer.Doubt |= DoubtBoot
		m.setTimer(TimerDoubt, p.From, m.c.DoubtTime)
	}
	peer.Claim.Valid = false
	for g := range m.c.G {
		m.s.Groups[g].Grants[p.From] = Grant{}
		m.s.Groups[g].Seen[p.From] = pulse.Wish{}
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
	if peer.Proof != 0 && p.Boot == peer.ProofBoot {
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

// present notes that a peer is heard. A fence that has not touched a coil is off (rule 10).
func (m *machine) present(p uint8) {
	peer := &m.s.Peers[p]
	if peer.Presence != Present {
		m.note(NoteHeard, p, 0, 0)
		peer.Presence = Present
		m.s.Incident.Moved &^= 1 << p
	}
	if !m.fenceMe(p) {
		m.callOff(p)
	}
}

// claim takes over what an accepted pulse says.
func (m *machine) claim(p *pulse.Pulse) {
	peer := &m.s.Peers[p.From]
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
	}
}

// believeLife drops the proofs and goodbyes that a claim made after them ends.
func (m *machine) believeLife(p uint8) {
	peer := &m.s.Peers[p]
	if peer.Proof != 0 && peer.Claim.Echo > peer.ProofSeq {
		peer.Proof = 0
		m.stopTimer(TimerRising, p)
		m.clearPermits(p, ProvenOff)
		if peer.Fence.Phase == FenceProven {
			peer.Fence = Fence{Open: peer.Fence.Open, Owed: peer.Fence.Owed}
		}
	}
	if peer.Claim.Echo > peer.LeftSeq && !peer.Claim.Flags.Has(pulse.Leaving) {
		m.clearPermits(p, LeftIt)
	}
}

func (m *machine) clearPermits(p uint8, kind Permit) {
	for g := range m.c.G {
		if m.s.Groups[g].Permits[p] == kind {
			m.s.Groups[g].Permits[p] = NoPermit
			m.dirty()
		}
	}
}

// goodbye accepts an orderly leave (rule 7), unless this session has said goodbye itself.
func (m *machine) goodbye(p uint8) {
	peer := &m.s.Peers[p]
	if m.s.Leaving >= LeaveSaving {
		return
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
	m.callOff(p)
	for g := range m.c.G {
		grp := &m.s.Groups[g]
		grp.Grants[p] = Grant{}
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
	if said.Request == 0 || said.Request != grp.Grants[p].Request {
		grp.Grants[p] = Grant{} // fulfilled, or withdrawn
	}
	if grp.Request != 0 && said.Grant == grp.Request && grp.Permits[p] != ProvenOff {
		grp.Permits[p] = Granted
	}
	if said.Holds == pulse.HoldsYes {
		if grp.YieldTo == p+1 {
			grp.YieldTo = 0
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

// away says whether a person's word that a member is away for repair counts now.
func (m *machine) away(p uint8) bool {
	peer := &m.s.Peers[p]
	return peer.Withdrawn && (!peer.Stale || m.offBySense(p))
}

// contradicts says whether a pulse shows that a proof of off lied (rule 6): the same boot, and it names a sequence of
// mine sent after the proof. What only keeps rising is watched for a whole detection time.
func (m *machine) contradicts(p *pulse.Pulse, claimed bool) bool {
	peer := &m.s.Peers[p.From]
	if peer.Proof == 0 || p.Boot != peer.ProofBoot {
		return false
	}
	if p.PeerSession == m.s.Session && p.Echo > peer.ProofSeq && claimed {
		return true
	}
	if !m.armed(TimerRising, p.From) {
		peer.RiseFrom, peer.RiseRuns = p.Seq, 0
		m.setTimer(TimerRising, p.From, m.c.DetectTime/riseRuns)
	}
	peer.RiseLast = p.Seq
	return false
}

// riseRuns is in how many parts of the detection time a proved-off peer must keep sending to be believed alive.
const riseRuns = 4

func (m *machine) risingTime(p uint8) {
	peer := &m.s.Peers[p]
	if peer.Proof == 0 || peer.RiseLast <= peer.RiseFrom {
		return
	}
	peer.RiseFrom = peer.RiseLast
	peer.RiseRuns++
	if peer.RiseRuns >= riseRuns {
		m.contradiction(p)
		return
	}
	m.setTimer(TimerRising, p, m.c.DetectTime/riseRuns)
}

// contradiction: the proof lied. Whoever rests on it stops at once, and is blocked until a person looked.
func (m *machine) contradiction(p uint8) {
	peer := &m.s.Peers[p]
	m.note(NoteContradiction, p, 0, uint32(peer.Proof))
	peer.Proof = 0
	m.stopTimer(TimerRising, p)
	for g := range m.c.G {
		rested := m.s.Groups[g].Permits[p] == ProvenOff
		if rested {
			m.s.Groups[g].Permits[p] = NoPermit
			m.dirty()
			m.input(g, inContradicted)
		}
	}
}

// senseRead takes over what a power sense says.
func (m *machine) senseRead(p, d uint8, r Reading) {
	if p >= m.c.N || d >= MaxSenses || !m.c.Members[p].Senses[d].Present {
		m.s.Ignored++
		return
	}
	peer := &m.s.Peers[p]
	sense := &peer.Senses[d]
	if r == ReadsOff && sense.Reading != ReadsOff {
		sense.FellAt = m.s.Seq
	}
	sense.Reading = r
	m.confirmSuspicion(p, d)
	if r == ReadsOn {
		if peer.Presence == Present {
			sense.Proven = true
		}
		if !sense.Broken {
			m.endWithdrawal(p)
		}
	}
}

// confirmSuspicion counts the readings of a sense that a claim speaks against. Senses are read, and reported, all the
// time, changed or not.
func (m *machine) confirmSuspicion(p, d uint8) {
	peer := &m.s.Peers[p]
	sense := &peer.Senses[d]
	switch {
	case sense.Suspect == 0:
	case sense.Reading != ReadsOff || peer.Presence != Present:
		sense.Suspect = 0
	case sense.Suspect > 1:
		sense.Suspect--
	default:
		sense.Suspect, sense.Broken = 0, true
		m.dirty()
		m.note(NoteSenseBroken, p, 0, uint32(d))
	}
}

// judgeSenses: a claim that answers a pulse sent after a sense fell speaks against the sense. Its last reading may be
// older than the claim, so it is only suspected until it was read again, twice: see senseRead.
func (m *machine) judgeSenses(p uint8) {
	peer := &m.s.Peers[p]
	for d := range peer.Senses {
		sense := &peer.Senses[d]
		switch {
		case sense.Reading == ReadsOn:
			sense.Proven = true
		case sense.Reading == ReadsOff && peer.Claim.Echo > sense.FellAt && !sense.Broken && sense.Suspect == 0:
			sense.Suspect = suspectReads
		}
	}
}

// suspectReads is how many fresh readings of off, while the peer is heard, prove that a suspected sense lies. The first
// may have been on its way when the claim came.
const suspectReads = 2

// offBySense says whether every fail-safe sense of a member reads off, and there is one.
func (m *machine) offBySense(p uint8) bool {
	any := false
	for d := range MaxSenses {
		cfg, sense := m.c.Members[p].Senses[d], m.s.Peers[p].Senses[d]
		if !cfg.Present {
			continue
		}
		if !cfg.FailSafe || sense.Broken || sense.Reading != ReadsOff {
			return false
		}
		any = true
	}
	return any
}

// trusted gives the senses of a member that may prove, as bits.
func (m *machine) trusted(p uint8) uint32 {
	var bits uint32
	for d := range MaxSenses {
		cfg, sense := m.c.Members[p].Senses[d], m.s.Peers[p].Senses[d]
		if cfg.Present && !sense.Broken && (cfg.FailSafe || sense.Proven) {
			bits |= 1 << d
		}
	}
	return bits
}

// fenceMe says whether a peer asks to be cut.
func (m *machine) fenceMe(p uint8) bool {
	peer := &m.s.Peers[p]
	return peer.Claim.Valid && peer.Claim.Core == m.c.Core && peer.Claim.Flags.Has(pulse.FenceMe)
}

// proved records a proof of off of a peer for every group whose request was open from before the coil.
func (m *machine) proved(p uint8, proof fencing.Proof, groups uint16) {
	peer := &m.s.Peers[p]
	peer.Proof, peer.ProofSeq, peer.ProofBoot = proof, m.s.Seq, peer.Claim.Boot
	peer.RiseFrom, peer.RiseLast, peer.RiseRuns = 0, 0, 0
	peer.Claim.Valid = false // what it claimed before is over; a late pulse must not bring it back
	for g := range m.c.G {
		if groups&(1<<g) != 0 && m.s.Groups[g].Request != 0 {
			m.s.Groups[g].Permits[p] = ProvenOff
		}
	}
	m.dirty()
	m.note(NoteProvenOff, p, 0, uint32(proof))
}
