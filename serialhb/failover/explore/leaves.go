package explore

import (
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Every number of a cluster stands here once, or two clusters that differ would be taken for one. A test sets each field and
// must find it again.

func (l *leaves) host(s *Scope, h *Host) {
	l.flags = append(l.flags, &h.Powered, &h.Daemon, &h.OfBoot, &h.Saving, &h.Keeping)
	l.small = append(l.small, &h.Cut, &h.Runs)
	l.wide = append(l.wide, &h.Boot, &h.SavedAs, &h.KeptAs)
	l.state(s, &h.State)
	for _, v := range [...]*failover.Volatile{&h.Run, &h.NextRun} {
		l.volatile(s, v)
	}
	for _, d := range [...]*failover.Durable{&h.Disk, &h.NextDisk} {
		l.durable(s, d)
	}
}

func (l *leaves) state(s *Scope, st *failover.State) {
	l.flags = append(l.flags, &st.Armed, &st.Maintenance, &st.Standby, &st.Locked, &st.Running, &st.Deaf, &st.FenceMe, &st.Hurried,
		&st.Renewing, &st.Unsettled, &st.SaveBad, &st.KeepBad)
	l.small = append(l.small, (*uint8)(&st.Leaving), &st.Moves, &st.Fences)
	l.middle = append(l.middle, &st.Waits)
	for k := range st.Timers {
		l.middle = append(l.middle, &st.Timers[k])
	}
	l.wide = append(l.wide, &st.Session, &st.Seq, &st.ByeSeq, &st.NextID, &st.Gen, &st.AskedGen, &st.SavedGen, &st.KeepGen, &st.KeptGen, &st.Ignored)
	l.incident(&st.Incident)
	for p := range s.Members {
		l.peer(s, &st.Peers[p])
	}
	for g := range s.Groups {
		l.group(s, &st.Groups[g])
	}
}

func (l *leaves) incident(i *failover.Incident) {
	q := &i.Question
	l.flags = append(l.flags, &i.Open, &i.Late, &q.Asked, &q.Denied, &q.Approved, &q.Used)
	l.middle = append(l.middle, &i.Moved, &q.Why, &q.Covers, &q.About)
	l.wide = append(l.wide, &i.ID)
}

func (l *leaves) peer(s *Scope, p *failover.Peer) {
	in, claim, sense := &p.In, &p.Claim, &p.Senses[0]
	l.flags = append(l.flags, &p.Seen, &p.OneByOne, &p.Newer, &p.Withdrawn, &p.Stale, &p.Muted, &in.Claimed, &claim.Valid,
		&sense.Proven, &sense.Broken)
	l.small = append(l.small, (*uint8)(&p.Presence), (*uint8)(&p.Doubt), (*uint8)(&p.Proof), &p.RiseRuns, &in.StrangerRun,
		(*uint8)(&claim.Flags), &claim.Health, &claim.Rest, (*uint8)(&sense.Reading), &sense.Suspect)
	l.middle = append(l.middle, &claim.Core)
	l.wide = append(l.wide, &p.CountGen, &p.MutedGen, &p.ProofBoot, &p.ProofSeq, &p.LeftSeq, &p.RiseFrom, &p.RiseLast,
		&in.Session, &in.ClaimSeq, &in.SentAtClaim, &in.Replaced, &in.SentAtStart, &in.Stranger,
		&claim.Boot, &claim.Echo, &sense.FellAt)
	for k := range s.links() {
		l.wide = append(l.wide, &in.LinkSeq[k], &in.StrangerSeq[k])
	}
	for g := range s.Groups {
		l.claim(&claim.Groups[g])
	}
	l.fence(&p.Fence)
}

func (l *leaves) fence(f *failover.Fence) {
	l.flags = append(l.flags, &f.Secure, &f.Counted, &f.ByPerson, &f.Open, &f.Owed, &f.Unsure)
	l.small = append(l.small, (*uint8)(&f.Phase), &f.Attempts)
	l.middle = append(l.middle, &f.Groups)
	l.wide = append(l.wide, &f.ID, &f.Giving, &f.Gen)
}

func (l *leaves) group(s *Scope, g *failover.Group) {
	l.flags = append(l.flags, &g.Recorded, &g.Halted, &g.Stuck, &g.Found, &g.Moved, &g.Planned, &g.Approved, &g.Accused, &g.Yielded, &g.Frozen)
	l.small = append(l.small, (*uint8)(&g.Phase), (*uint8)(&g.Holds), &g.ProbeFor, (*uint8)(&g.Then), &g.YieldTo, &g.Back, &g.NextWish)
	l.middle = append(l.middle, &g.Request, &g.LastRequest, &g.ProbeReq, &g.Rests)
	l.wide = append(l.wide, &g.OwnTerm, &g.MaxTerm, &g.Doing, &g.Gen, &g.WonSeq, &g.MoveGen)
	for _, w := range [...]*pulse.Wish{&g.Pending, &g.Wish, &g.Announced, &g.Tried} {
		l.wish(w)
	}
	for p := range s.Members {
		l.small = append(l.small, (*uint8)(&g.Permits[p]))
		l.middle = append(l.middle, &g.Grants[p].Request, &g.Grants[p].Untold)
		l.wide = append(l.wide, &g.Grants[p].Gen)
		l.wish(&g.Seen[p])
	}
}

func (l *leaves) wish(w *pulse.Wish) { l.small = append(l.small, &w.To, &w.ID) }

func (l *leaves) claim(c *pulse.GroupClaim) {
	l.small = append(l.small, (*uint8)(&c.Holds), (*uint8)(&c.Phase))
	l.middle = append(l.middle, &c.Request, &c.Grant)
	l.wide = append(l.wide, &c.Term)
	l.wish(&c.Wish)
}

func (l *leaves) volatile(s *Scope, v *failover.Volatile) {
	l.incident(&v.Incident)
	l.flags = append(l.flags, &v.Locked)
	l.small = append(l.small, &v.Moves, &v.Fences)
	for i := range s.Members {
		p := &v.Peers[i]
		l.flags = append(l.flags, &p.Seen, &p.Left, &p.Open, &p.Counted, &p.Unsure, &p.Unkept)
		l.small = append(l.small, (*uint8)(&p.Proof), &p.Broken, &p.Attempts)
		l.middle = append(l.middle, &p.Core)
		l.wide = append(l.wide, &p.ProofBoot, &p.Boot)
	}
	for i := range s.Groups {
		g := &v.Groups[i]
		l.flags = append(l.flags, &g.Held, &g.Unkept, &g.Moved, &g.Stopping, &g.Failed, &g.Accused, &g.Stuck)
		l.small = append(l.small, &g.ReleasedTo)
		l.middle = append(l.middle, &g.Rests)
		l.wide = append(l.wide, &g.OwnTerm, &g.MaxTerm)
		for p := range s.Members {
			l.small = append(l.small, (*uint8)(&g.Permits[p]))
		}
	}
}

func (l *leaves) durable(s *Scope, d *failover.Durable) {
	l.flags = append(l.flags, &d.Armed, &d.Maintenance, &d.Standby, &d.Locked)
	l.small = append(l.small, &d.Moves, &d.Fences)
	l.wide = append(l.wide, &d.Incident)
	for p := range s.Members {
		l.flags = append(l.flags, &d.Withdrawn[p])
	}
	for g := range s.Groups {
		l.flags = append(l.flags, &d.Groups[g].Owner)
		l.wide = append(l.wide, &d.Groups[g].OwnTerm, &d.Groups[g].MaxTerm)
	}
}

func (l *leaves) flight(s *Scope, f *Flight) {
	l.small = append(l.small, &f.Link, (*uint8)(&f.Flags), &f.From, &f.To, &f.EchoAge, &f.Health, &f.Rest, &f.N)
	l.middle = append(l.middle, &f.Core)
	l.wide = append(l.wide, &f.Session, &f.PeerSession, &f.Seq, &f.Echo, &f.IntervalMS, &f.Boot)
	for g := range s.Groups {
		l.claim(&f.Groups[g])
	}
}
