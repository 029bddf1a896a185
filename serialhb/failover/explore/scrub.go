package explore

import (
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// scrub drops what a host cannot tell any more, or never looks at.
func scrub(s *Scope, h *Host) {
	st := &h.State
	st.Ignored, st.Incident.ID, h.Run.Incident.ID, h.NextRun.Incident.ID, h.Disk.Incident, h.NextDisk.Incident = 0, 0, 0, 0, 0, 0
	if !s.counts() {
		uncount(s, h)
	}
	for p := range s.Members {
		scrubFile(&h.Run.Peers[p])
		scrubFile(&h.NextRun.Peers[p])
		scrubPeer(s, st, p)
	}
	for g := range s.Groups {
		grp := &st.Groups[g]
		grp.Back = 0
		h.Disk.Groups[g].Owner, h.NextDisk.Groups[g].Owner = false, false // for people
		if grp.Rests == 0 {
			grp.WonSeq = 0
		}
		if grp.Phase != pulse.Starting || grp.Doing != 0 {
			grp.Gen = 0
		}
	}
}

// uncount drops the counts of moves and fences, and that they are not on disk: see [Scope.counts]. That this very move, or this
// fence, is counted stays: what is counted once more is written once more.
func uncount(s *Scope, h *Host) {
	st := &h.State
	for _, n := range [...]*uint8{&st.Moves, &st.Fences, &h.Run.Moves, &h.Run.Fences, &h.NextRun.Moves, &h.NextRun.Fences,
		&h.Disk.Moves, &h.Disk.Fences, &h.NextDisk.Moves, &h.NextDisk.Fences} {
		*n = 0
	}
	st.Timers[failover.TimerWindow] = 0
	for p := range s.Members {
		h.Run.Peers[p].Unkept, h.NextRun.Peers[p].Unkept = false, false
	}
	for g := range s.Groups {
		h.Run.Groups[g].Unkept, h.NextRun.Groups[g].Unkept = false, false
	}
}

func scrubFile(f *failover.VolatilePeer) {
	f.Attempts = min(f.Attempts, manyTries)
	if f.Proof == 0 {
		f.ProofBoot = 0
	}
}

// manyTries is more than may fail in any scope before a person is left to it.
const manyTries = 2

func scrubPeer(s *Scope, st *failover.State, p uint8) {
	peer := &st.Peers[p]
	peer.Fence.Attempts = min(peer.Fence.Attempts, manyTries)
	if peer.Proof == 0 {
		peer.ProofSeq, peer.ProofBoot = 0, 0
	}
	if st.Timers[failover.TimerRising]&(1<<p) == 0 {
		peer.RiseFrom, peer.RiseLast, peer.RiseRuns = 0, 0, 0
	}
	if phase := peer.Fence.Phase; peer.Fence.ID != 0 || phase != failover.FenceSaving && phase != failover.FenceOpening {
		peer.Fence.Gen = 0
	}
	if !peer.Muted {
		peer.MutedGen = 0
	}
	if !peer.In.Claimed {
		peer.In.SentAtClaim = 0
	}
	if peer.Senses[0].Reading != failover.ReadsOff {
		peer.Senses[0].FellAt = 0
	}
	left := false
	for g := range s.Groups {
		left = left || st.Groups[g].Permits[p] == failover.LeftIt
		said := &peer.Claim.Groups[g]
		said.Grant = 0 // it was looked at when it came
		if !peer.Claim.Valid {
			*said = pulse.GroupClaim{Holds: said.Holds}
		}
	}
	if !peer.Claim.Valid {
		peer.Claim.Rest = 0
	}
	if !left {
		peer.LeftSeq = 0
	}
}
