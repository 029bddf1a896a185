package explore

import (
	"cmp"
	"slices"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// renamer gives the numbers of a cluster the smallest names that keep what the decision can tell: which are equal, which
// came later, which are still in anybody's hand. What it can no longer tell is dropped. The zero value is ready; it is not
// safe for concurrent use.
//
//	sessions, boots       only equality counts; those that nobody can send any more are as good as none
//	sequences, requests   only the order counts, of one member's one session, and of those that may be compared
//	generations           only the order counts, of one host; what is written is behind
//	ids                   only equality counts, of one host
//	terms                 the order counts, and the distance up to [farTerm]: a term is guessed by adding one, also to none
//	incidents, counts     of no account here
type renamer struct {
	wide   []*uint32
	bounds []*uint32 // thresholds
	narrow []*uint16
}

func (r *renamer) rename(s *Scope, c *Cluster) {
	for i := range s.Members {
		scrub(s, &c.Hosts[i])
	}
	r.boots(s, c)
	for i := range s.Members {
		r.sessions(s, c, i)
	}
	for i := range s.Members {
		r.generations(s, &c.Hosts[i])
		ids(s, &c.Hosts[i])
	}
	for g := range s.Groups {
		r.terms(s, c, g)
	}
	sortWays(c)
}

// each way that starts at a member, and its pulses.
func from(s *Scope, c *Cluster, i uint8, f func(*pulse.Pulse)) {
	for p := range s.Members {
		if p != i {
			w := &c.Ways[way(i, p)]
			for k := range w.N {
				f(&w.Pulses[k].Pulse)
			}
		}
	}
}

// to is the same of those that end there.
func to(s *Scope, c *Cluster, i uint8, f func(*pulse.Pulse)) {
	for p := range s.Members {
		if p != i {
			w := &c.Ways[way(p, i)]
			for k := range w.N {
				f(&w.Pulses[k].Pulse)
			}
		}
	}
}

// gone stands for a boot that nobody will send any more. Nothing that arrives equals it.
const gone = 99

// boots renames the boots of each host: those that run or are under way by their order, all others are gone.
func (r *renamer) boots(s *Scope, c *Cluster) {
	for i := range s.Members {
		var live ranks
		live.add(c.Hosts[i].Boot)
		from(s, c, i, func(p *pulse.Pulse) { live.add(p.Boot) })
		name := func(boot *uint32) {
			switch {
			case *boot == 0:
			case live.has(*boot):
				*boot = live.of(*boot)
			default:
				*boot = gone
			}
		}
		for j := range s.Members {
			if h := &c.Hosts[j]; j != i {
				name(&h.State.Peers[i].Claim.Boot)
				name(&h.State.Peers[i].ProofBoot)
				for _, f := range [...]*failover.VolatilePeer{&h.Run.Peers[i], &h.NextRun.Peers[i]} {
					name(&f.Boot)
					name(&f.ProofBoot)
				}
			}
		}
		from(s, c, i, func(p *pulse.Pulse) { name(&p.Boot) })
		name(&c.Hosts[i].Boot)
	}
}

// sessions renames the sessions of a member, and what is numbered within each.
func (r *renamer) sessions(s *Scope, c *Cluster, i uint8) {
	now := c.Hosts[i].State.Session // 0 without a daemon
	to(s, c, i, func(p *pulse.Pulse) {
		if now == 0 || p.PeerSession != now { // nobody will take it for an answer
			p.PeerSession, p.Echo = 0, 0
			for g := range s.Groups {
				p.Groups[g].Grant = 0
			}
		}
	})
	var live ranks
	live.add(now)
	from(s, c, i, func(p *pulse.Pulse) { live.add(p.Session) })
	r.forget(s, c, i, &live)
	for session := range live.each {
		r.within(s, c, i, session, session == now)
	}
	name := func(session *uint32) { *session = live.of(*session) }
	for j := range s.Members {
		if j != i {
			in := &c.Hosts[j].State.Peers[i].In
			name(&in.Session)
			name(&in.Replaced)
			name(&in.Stranger)
		}
	}
	from(s, c, i, func(p *pulse.Pulse) { name(&p.Session) })
	to(s, c, i, func(p *pulse.Pulse) { name(&p.PeerSession) })
	name(&c.Hosts[i].State.Session)
}

// forget drops what others know of sessions that nobody will send any more.
func (r *renamer) forget(s *Scope, c *Cluster, i uint8, live *ranks) {
	dead := func(session uint32) bool { return session == 0 || !live.has(session) }
	for j := range s.Members {
		if j == i {
			continue
		}
		st := &c.Hosts[j].State
		peer := &st.Peers[i]
		in := &peer.In
		if dead(in.Replaced) {
			in.Replaced, in.SentAtStart = 0, 0
		}
		if dead(in.Stranger) {
			in.Stranger, in.StrangerSeq, in.StrangerRun = 0, [pulse.MaxLinks]uint32{}, 0
		}
		if !dead(in.Session) {
			continue
		}
		in.Session, in.ClaimSeq, in.LinkSeq = 0, 0, [pulse.MaxLinks]uint32{}
		if in.Stranger == 0 {
			rose := peer.RiseLast > peer.RiseFrom
			peer.RiseFrom, peer.RiseLast = 0, 0
			if rose {
				peer.RiseLast = 1
			}
		}
		for g := range s.Groups { // what was asked for in it is compared with itself alone
			r.narrow = remembered(r.narrow[:0], st, i, g)
			r.compressNarrow()
		}
	}
}

// within renames the sequences and requests of one session of a member.
//
// Of sequences, what is under way, what others heard last, and what names them is named in order. All else is a threshold: it is
// only ever compared with those, so it falls to the next lower of them. The own last sequence is one more threshold, from above.
func (r *renamer) within(s *Scope, c *Cluster, i uint8, session uint32, now bool) {
	r.wide, r.bounds = r.wide[:0], r.bounds[:0]
	from(s, c, i, func(p *pulse.Pulse) {
		if p.Session == session {
			r.wide = append(r.wide, &p.Seq)
		}
	})
	for j := range s.Members {
		if j == i {
			continue
		}
		peer := &c.Hosts[j].State.Peers[i]
		in := &peer.In
		if in.Session == session {
			r.bounds = append(r.bounds, &in.ClaimSeq)
			for l := range s.links() {
				r.wide = append(r.wide, &in.LinkSeq[l])
			}
		}
		if in.Stranger == session {
			for l := range s.links() {
				r.wide = append(r.wide, &in.StrangerSeq[l]) // no threshold: whether anything came at all counts, too
			}
		}
		if in.Session == session || in.Stranger == session && in.Session == 0 {
			r.wide = append(r.wide, &peer.RiseFrom, &peer.RiseLast)
		}
	}
	st := &c.Hosts[i].State
	says := st.Leaving == failover.LeaveSaying || st.Leaving == failover.QuietSaying
	if now {
		r.ownSequences(s, c, i, says)
	}
	r.compressWide(0)
	if now && says {
		nameBye(s, st)
	}
	for g := range s.Groups {
		r.requests(s, c, i, g, session, now)
	}
}

// ownSequences are those that a member remembers of its own session, or that are named to it.
func (r *renamer) ownSequences(s *Scope, c *Cluster, i uint8, says bool) {
	st := &c.Hosts[i].State
	if says && st.Seq >= st.ByeSeq {
		r.wide = append(r.wide, &st.Seq) // whether it was said at all counts
	} else {
		r.bounds = append(r.bounds, &st.Seq)
	}
	for p := range s.Members {
		peer := &st.Peers[p]
		peer.Claim.Echo = uint32(b2u(says && peer.Claim.Echo >= st.ByeSeq)) // else it was looked at when it came
		r.bounds = append(r.bounds, &peer.ProofSeq, &peer.LeftSeq, &peer.In.SentAtClaim, &peer.In.SentAtStart, &peer.Senses[0].FellAt)
	}
	switch {
	case says: // see nameBye
		st.ByeSeq--
		r.bounds = append(r.bounds, &st.ByeSeq)
	case st.Leaving != failover.LeaveSaving: // then it is a generation
		st.ByeSeq = 0
	}
	for g := range s.Groups {
		r.bounds = append(r.bounds, &st.Groups[g].WonSeq)
	}
	to(s, c, i, func(p *pulse.Pulse) { r.wide = append(r.wide, &p.Echo) })
}

// nameBye gives the first sequence of a farewell the name after that of the last one before it. Whoever heard it, or a later one,
// is remembered as having heard the first.
func nameBye(s *Scope, st *failover.State) {
	st.ByeSeq++
	for p := range s.Members {
		st.Peers[p].Claim.Echo *= st.ByeSeq
	}
}

func (r *renamer) requests(s *Scope, c *Cluster, i, g uint8, session uint32, now bool) {
	r.narrow = r.narrow[:0]
	from(s, c, i, func(p *pulse.Pulse) {
		if p.Session == session {
			r.narrow = append(r.narrow, &p.Groups[g].Request)
		}
	})
	for j := range s.Members {
		st := &c.Hosts[j].State
		if j == i || st.Peers[i].In.Session != session {
			continue
		}
		r.narrow = remembered(r.narrow, st, i, g)
	}
	if now {
		grp := &c.Hosts[i].State.Groups[g]
		r.narrow = append(r.narrow, &grp.Request, &grp.LastRequest)
		to(s, c, i, func(p *pulse.Pulse) { r.narrow = append(r.narrow, &p.Groups[g].Grant) })
	}
	r.compressNarrow()
}

// remembered adds the requests of member i for a group that another one knows of.
func remembered(to []*uint16, st *failover.State, i, g uint8) []*uint16 {
	grp := &st.Groups[g]
	to = append(to, &st.Peers[i].Claim.Groups[g].Request, &grp.Grants[i].Request, &grp.Grants[i].Untold)
	if grp.ProbeFor == i+1 {
		to = append(to, &grp.ProbeReq)
	}
	return to
}

func (r *renamer) compressNarrow() {
	var all ranks
	for _, n := range r.narrow {
		all.add(uint32(*n))
	}
	for _, n := range r.narrow {
		*n = uint16(all.of(uint32(*n)))
	}
}

// compressWide gives the values that were gathered their ranks above base; what is not above it becomes 0. Thresholds get the
// rank of the value below.
func (r *renamer) compressWide(base uint32) {
	var all ranks
	for _, n := range r.wide {
		if *n <= base {
			*n = 0
		}
		all.add(*n)
	}
	for _, n := range r.bounds {
		*n = all.of(*n)
	}
	for _, n := range r.wide {
		*n = all.of(*n)
	}
}

// sortWays brings the pulses of each way into an order of their own: any may arrive next. No two pulses of a way have session,
// sequence and link in common.
func sortWays(c *Cluster) {
	for i := range c.Ways {
		w := &c.Ways[i]
		slices.SortFunc(w.Pulses[:w.N], func(a, b Flight) int {
			return cmp.Or(cmp.Compare(a.Session, b.Session), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Link, b.Link))
		})
	}
}
