package explore

import "github.com/serialhb/serialhb/serialhb/failover"

// generations: whatever waits for one that is written has it.
func (r *renamer) generations(s *Scope, h *Host) {
	st := &h.State
	r.bounds = r.bounds[:0]
	r.wide = append(r.wide[:0], &st.Gen, &st.AskedGen, &h.SavedAs)
	if st.Leaving == failover.LeaveSaving {
		r.wide = append(r.wide, &st.ByeSeq)
	}
	for g := range s.Groups {
		grp := &st.Groups[g]
		r.wide = append(r.wide, &grp.Gen)
		for p := range s.Members {
			r.wide = append(r.wide, &grp.Grants[p].Gen)
		}
	}
	for p := range s.Members {
		r.wide = append(r.wide, &st.Peers[p].Fence.Gen)
	}
	r.compressWide(st.SavedGen)
	st.SavedGen = 0

	r.wide = append(r.wide[:0], &st.KeepGen, &h.KeptAs)
	for g := range s.Groups {
		r.wide = append(r.wide, &st.Groups[g].MoveGen)
	}
	for p := range s.Members {
		r.wide = append(r.wide, &st.Peers[p].CountGen, &st.Peers[p].MutedGen)
	}
	r.compressWide(st.KeptGen)
	st.KeptGen = 0
}

// ids renames what is under way on a host.
func ids(s *Scope, h *Host) {
	st := &h.State
	next := uint32(0)
	name := func(id *uint32) {
		if *id != 0 {
			next++
			*id = next
		}
	}
	for g := range s.Groups {
		name(&st.Groups[g].Doing)
	}
	for p := range s.Members {
		name(&st.Peers[p].Fence.ID)
		name(&st.Peers[p].Fence.Giving)
	}
	st.NextID = next
}
