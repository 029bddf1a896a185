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
