package failover

import (
	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Volatile is what outlives the daemon and not the host: it is kept in the boot-tagged run directory (rule 17).
type Volatile struct {
	Incident Incident                 `json:"incident"`
	Moves    uint8                    `json:"moves"`
	Fences   uint8                    `json:"fences"`
	Locked   bool                     `json:"locked"`
	Peers    [MaxMembers]VolatilePeer `json:"peers"`
	Groups   [MaxGroups]VolatileGroup `json:"groups"`
}

// VolatilePeer are the volatile facts about a peer.
type VolatilePeer struct {
	Seen      bool          `json:"seen,omitempty"`
	Left      bool          `json:"left,omitempty"`
	Proof     fencing.Proof `json:"proof,omitempty"`
	ProofBoot uint32        `json:"proof_boot,omitempty"`
	Boot      uint32        `json:"boot,omitempty"` // last claimed
	Core      uint16        `json:"core,omitempty"` // last claimed: who had other groups is cut by no later daemon either
	Open      bool          `json:"cut_open,omitempty"`
	Counted   bool          `json:"fence_counted,omitempty"`
	Unsure    bool          `json:"word_alone,omitempty"`
	Unkept    bool          `json:"fence_unkept,omitempty"` // the count of its last fence was not on disk
	Broken    uint8         `json:"broken_senses,omitempty"`
	Attempts  uint8         `json:"fences_failed,omitempty"` // in a row, of this incident
}

// VolatileGroup are the volatile facts about a group: held by me, and the standing permits. A grant is never kept.
type VolatileGroup struct {
	Held    bool               `json:"held,omitempty"`
	OwnTerm uint32             `json:"own_term,omitempty"`
	MaxTerm uint32             `json:"max_term,omitempty"`
	Permits [MaxMembers]Permit `json:"permits,omitempty"`
	Unkept  bool               `json:"move_unkept,omitempty"` // the count of its last move was not on disk
	Moved   bool               `json:"move_counted,omitempty"`

	// What a stop is for, or why the group stays down here. A daemon that finds one of them adopts nothing.
	Stopping bool `json:"stopping,omitempty"`
	Failed   bool `json:"failed,omitempty"`
	Accused  bool `json:"accused,omitempty"`     // its proof was contradicted
	Stuck    bool `json:"stop_failed,omitempty"` // fence-me
	// ReleasedTo is member + 1 whom a switchover goes to: an owner whose daemon dies in the middle has the better right to
	// the free group, and would take back at once what a person wanted moved.
	ReleasedTo uint8 `json:"released_to,omitempty"`
	// Rests are the members by whose being off or away it is held, bits. Files without it: see [New].
	Rests uint16 `json:"rests_on,omitempty"`
}

// Durable is what outlives the host: the ownership record, so that anybody can read later who was last active, and the
// modes that people set.
type Durable struct {
	Armed       bool                    `json:"armed"`
	Maintenance bool                    `json:"maintenance"`
	Standby     bool                    `json:"standby"`
	Locked      bool                    `json:"locked"`
	Moves       uint8                   `json:"moves"`
	Fences      uint8                   `json:"fences"`
	Incident    uint32                  `json:"incident"`
	Withdrawn   [MaxMembers]bool        `json:"withdrawn"`
	Groups      [MaxGroups]DurableGroup `json:"groups"`
}

// DurableGroup is the ownership record of a group.
type DurableGroup struct {
	Owner   bool   `json:"owner"` // this member owned it when the record was written, or was about to
	OwnTerm uint32 `json:"own_term"`
	MaxTerm uint32 `json:"max_term"`
}

// mayOpen says whether the cut is open, or will be as soon as that is written: the coil waits for this very fact.
func (f *Fence) mayOpen() bool { return f.Open || f.Phase == FenceSaving || f.Phase == FenceOpening }

// Volatile gives the facts to be written to the run directory.
func (s *State) Volatile() Volatile {
	v := Volatile{Incident: s.Incident, Moves: s.Moves, Fences: s.Fences, Locked: s.Locked}
	for p := range s.Peers {
		peer := &s.Peers[p]
		v.Peers[p] = VolatilePeer{Seen: peer.Seen, Left: peer.Presence == Gone, Proof: peer.Proof, ProofBoot: peer.ProofBoot, Boot: peer.Claim.Boot, Core: peer.Claim.Core,
			Open: peer.Fence.mayOpen(), Counted: peer.Fence.Counted, Unsure: peer.Fence.Unsure, Unkept: peer.CountGen > s.KeptGen, Attempts: peer.Fence.Attempts}
		if peer.Fence.Phase == FenceIdle {
			v.Peers[p].Attempts = 0 // nobody asks for it any more
		}
		for d := range peer.Senses {
			if peer.Senses[d].Broken {
				v.Peers[p].Broken |= 1 << d
			}
		}
	}
	for g := range s.Groups {
		grp := &s.Groups[g]
		v.Groups[g] = VolatileGroup{Held: grp.Holds == pulse.HoldsYes || grp.Recorded, OwnTerm: grp.OwnTerm, MaxTerm: grp.MaxTerm, Unkept: grp.MoveGen > s.KeptGen, Moved: grp.Moved,
			Stopping: grp.Phase == pulse.Stopping || grp.Halted, Failed: grp.Phase == pulse.Failed || grp.Then == ThenFailed,
			Accused: grp.Accused, Stuck: grp.Stuck, ReleasedTo: grp.YieldTo, Rests: grp.Rests}
		for p, permit := range grp.Permits {
			if permit != Granted {
				v.Groups[g].Permits[p] = permit
			}
		}
	}
	return v
}

// Durable gives the facts to be written to the state directory.
func (s *State) Durable() Durable {
	d := Durable{Armed: s.Armed, Maintenance: s.Maintenance, Standby: s.Standby, Locked: s.Locked, Moves: s.Moves, Fences: s.Fences, Incident: s.Incident.ID}
	for p := range s.Peers {
		d.Withdrawn[p] = s.Peers[p].Withdrawn
	}
	for g := range s.Groups {
		grp := &s.Groups[g]
		d.Groups[g] = DurableGroup{Owner: grp.Holds == pulse.HoldsYes, OwnTerm: grp.OwnTerm, MaxTerm: grp.MaxTerm}
	}
	return d
}

// New makes the state of a daemon that starts under a random session. v are the facts of this boot, zero if there are
// none; d those of the state directory; sameBoot says that v was written in this boot. Nothing happens before
// [Started].
func New(c *Config, session uint32, v Volatile, d Durable, sameBoot bool) State {
	s := State{Self: Self{Session: session, Armed: d.Armed, Maintenance: d.Maintenance, Standby: d.Standby,
		Locked: d.Locked, Moves: d.Moves, Fences: d.Fences, Incident: Incident{ID: d.Incident}}}
	if sameBoot {
		s.Incident = v.Incident
		s.Locked = s.Locked || v.Locked
		s.Moves, s.Fences = max(s.Moves, v.Moves), max(s.Fences, v.Fences)
	}
	for p := range c.N {
		peer := &s.Peers[p]
		peer.Withdrawn = d.Withdrawn[p]
		peer.Stale = !sameBoot && !c.WithdrawSurvivesReboot
		if !sameBoot {
			continue
		}
		f := v.Peers[p]
		peer.Seen, peer.Proof, peer.ProofBoot, peer.Claim.Boot, peer.Claim.Core = f.Seen, f.Proof, f.ProofBoot, f.Boot, f.Core
		if f.Left && v.left(p) {
			peer.Presence = Gone
		}
		peer.Fence = Fence{Open: f.Open && c.Members[p].Fenceable, Counted: f.Counted, Unsure: f.Unsure}
		if f.Attempts > 0 && v.Incident.Open && c.Members[p].Fenceable {
			peer.Fence.Phase, peer.Fence.Attempts = FenceFailed, f.Attempts
		}
		peer.CountGen = s.unkept(f.Unkept)
		for b := range MaxSenses {
			peer.Senses[b].Broken = f.Broken&(1<<b) != 0
		}
	}
	for g := range c.G {
		grp := &s.Groups[g]
		grp.OwnTerm, grp.MaxTerm = d.Groups[g].OwnTerm, d.Groups[g].MaxTerm
		if !sameBoot {
			continue
		}
		f := v.Groups[g]
		grp.OwnTerm, grp.MaxTerm = max(grp.OwnTerm, f.OwnTerm), max(grp.MaxTerm, f.MaxTerm)
		grp.Recorded, grp.Permits = f.Held, f.Permits
		grp.MoveGen = s.unkept(f.Unkept)
		grp.Moved = f.Moved && v.Incident.Open
		s.resume(grp, &f)
	}
	return s
}

// left says whether anything still permits to do without a member that said goodbye. One of which the permits were erased, by
// an own goodbye, is missed like any other: a person must be told, and be able to confirm that it is off.
func (v *Volatile) left(p uint8) bool {
	for g := range v.Groups {
		if v.Groups[g].Permits[p] != NoPermit {
			return true
		}
	}
	return false
}

// resume takes over what the earlier daemon was about to do with a group, or had to leave undone.
func (s *State) resume(grp *Group, f *VolatileGroup) {
	grp.Accused, grp.Stuck, grp.Rests = f.Accused, f.Stuck, f.Rests
	if f.ReleasedTo <= MaxMembers { // a file may say anything
		grp.YieldTo = f.ReleasedTo
	}
	grp.Halted = f.Stopping || f.Failed || f.Accused || f.Stuck
	if f.Failed {
		grp.Then = ThenFailed
	}
	s.FenceMe = s.FenceMe || f.Stuck
	for p, permit := range f.Permits {
		if f.Held && permit == ProvenOff { // also in a file of before rests_on
			grp.Rests |= 1 << p
		}
	}
}

// unkept gives the durable generation that a count waits for which an earlier daemon could not keep. It is asked for at
// the start.
func (s *State) unkept(yes bool) uint32 {
	if !yes {
		return 0
	}
	s.KeepGen = 1
	return s.KeepGen
}
