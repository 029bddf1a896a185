package explore

import "github.com/serialhb/serialhb/serialhb/pulse"

// farTerm is the distance between two terms from which on it is of no account.
const farTerm = 3

// gatherTerms gives all terms of a group.
func (r *renamer) gatherTerms(s *Scope, c *Cluster, g uint8) {
	r.wide = r.wide[:0]
	for i := range s.Members {
		h := &c.Hosts[i]
		r.wide = append(r.wide, &h.State.Groups[g].OwnTerm, &h.State.Groups[g].MaxTerm,
			&h.Run.Groups[g].OwnTerm, &h.Run.Groups[g].MaxTerm, &h.NextRun.Groups[g].OwnTerm, &h.NextRun.Groups[g].MaxTerm,
			&h.Disk.Groups[g].OwnTerm, &h.Disk.Groups[g].MaxTerm, &h.NextDisk.Groups[g].OwnTerm, &h.NextDisk.Groups[g].MaxTerm)
		for p := range s.Members {
			r.wide = append(r.wide, &h.State.Peers[p].Claim.Groups[g].Term)
		}
		from(s, c, i, func(p *pulse.Pulse) { r.wide = append(r.wide, &p.Groups[g].Term) })
	}
}

func (r *renamer) terms(s *Scope, c *Cluster, g uint8) {
	r.gatherTerms(s, c, g)
	var all ranks
	for _, n := range r.wide {
		all.add(*n)
	}
	var names [tooLarge]uint8
	last, name := uint32(0), uint8(0)
	if !guessesFirst(s, c, g) {
		last = all.least() - 1 // how many there were before counts for nobody
	}
	for n := range all.each {
		name += uint8(min(n-last, farTerm))
		names[n], last = name, n
	}
	for _, n := range r.wide {
		*n = uint32(names[*n])
	}
}

// guessesFirst says whether a member could take a group for the first one that ever did, now or when it was dark once more.
func guessesFirst(s *Scope, c *Cluster, g uint8) bool {
	for i := range s.Members {
		h := &c.Hosts[i]
		if h.Disk.Groups[g].MaxTerm == 0 || h.Daemon && h.State.Groups[g].MaxTerm == 0 {
			return true
		}
	}
	return false
}
