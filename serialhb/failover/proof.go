package failover

import (
	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

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

// provenOff says whether a pulse speaks for what was proven off: the same boot. Of a member that was never heard since my
// host booted no boot is known. Then what claims a group of which only the proof keeps it away is taken for it: after a
// true one it could have that group by my grant alone, which ends the proof.
func (m *machine) provenOff(p *pulse.Pulse) bool {
	peer := &m.s.Peers[p.From]
	if peer.Proof == 0 || peer.ProofBoot != 0 {
		return peer.Proof != 0 && p.Boot == peer.ProofBoot
	}
	for g := range m.c.G {
		if p.Core == m.c.Core && p.Groups[g].Holds == pulse.HoldsYes && m.s.Groups[g].Permits[p.From] == ProvenOff {
			return true
		}
	}
	return false
}

// contradicts says whether a pulse shows that a proof of off lied (rule 6): it is of what was proven off, and names a
// sequence of mine sent after the proof. What only keeps rising is watched for a whole detection time.
func (m *machine) contradicts(p *pulse.Pulse, claimed bool) bool {
	peer := &m.s.Peers[p.From]
	if !m.provenOff(p) {
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
	m.endProof(p)
	for g := range m.c.G {
		if m.s.Groups[g].Permits[p] == ProvenOff {
			m.clearPermit(p, g)
			m.accused(g)
		}
	}
}

// endProof: a member lives that was proven off. Of its fence only what is open stays.
func (m *machine) endProof(p uint8) {
	peer := &m.s.Peers[p]
	peer.Proof = 0
	m.stopTimer(TimerRising, p)
	if fence := &peer.Fence; fence.Phase == FenceProven {
		*fence = Fence{Open: fence.Open, Owed: fence.Owed, Giving: fence.Giving}
	}
}

// disputed: a member by whose being off, or away, I own a group says, after I won it, that it holds the group. Whatever
// its boot: it could have it by my grant or goodbye alone, and I gave none. So what I rest on was not so, or what it rests
// on; it looks for itself.
func (m *machine) disputed(p, g uint8) {
	m.note(NoteContradiction, p, g, uint32(m.s.Peers[p].Proof))
	m.accused(g)
}

// denies: a member neither holds a group nor asks for it. What it says from now on it can have by a new permit only, so
// it speaks no more against what I rest on.
func (m *machine) denies(p, g uint8) {
	if grp := &m.s.Groups[g]; grp.Rests&(1<<p) != 0 {
		grp.Rests &^= 1 << p
		m.dirty()
	}
}

// accused hands a contradiction to a group, also to one of which it is not known yet whether it runs.
func (m *machine) accused(g uint8) {
	grp := &m.s.Groups[g]
	grp.Rests = 0
	m.dirty()
	if grp.Recorded {
		grp.Accused, grp.Halted = true, true
		return
	}
	m.input(g, inContradicted)
}
