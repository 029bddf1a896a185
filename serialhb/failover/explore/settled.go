package explore

import (
	"slices"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// start gives where a scope begins, and the moves that lead there from a cluster in which nothing has power.
func (s *Scope) start() (Cluster, []Move) {
	c := beginning(s)
	if s.Settled {
		return s.settle(&c)
	}
	return c, nil
}

// settle lets a cluster come up as it does when nothing goes wrong and no timer fires: what was begun ends, everybody says a
// pulse, everybody hears it, until each group runs where it is at home and everybody knows.
func (s *Scope) settle(c *Cluster) (Cluster, []Move) {
	who, names := newPlayer(s), renamer{}
	var way []Move
	all := func(usual func(Move) bool) {
		for {
			can := s.moves(c, nil)
			k := slices.IndexFunc(can, usual)
			if k < 0 {
				return
			}
			if bad := who.play(c, can[k]); bad != "" {
				panic("explore: " + bad + " after " + can[k].String())
			}
			names.rename(s, c)
			way = append(way, can[k])
		}
	}
	for round := 0; !s.settled(c); round++ {
		if round == 50 {
			panic("explore: the members of " + s.Name + " do not come up by themselves")
		}
		all(func(m Move) bool {
			return m.Kind == Lit || m.Kind == Begins || m.Kind >= Probed && m.Kind <= Senses && m.Kind != Dies && m.Arg == Well
		})
		said := uint8(0)
		all(func(m Move) bool {
			if m.Kind != Beats || said&bit(m.I) != 0 {
				return false
			}
			said |= bit(m.I)
			return true
		})
		all(func(m Move) bool { return m.Kind == Hears && m.Arg == 0 })
	}
	return *c, way
}

func (s *Scope) settled(c *Cluster) bool {
	for g := range s.Groups {
		home := g % s.Members
		for i := range s.Members {
			h := &c.Hosts[i]
			if !h.Daemon || h.Saving || h.Keeping || i == home && h.State.Groups[g].Phase != pulse.Active {
				return false
			}
			for p := range s.Members {
				peer := &h.State.Peers[p]
				if p == i {
					continue
				}
				if peer.Presence != failover.Present || !peer.Claim.Valid || p == home && peer.Claim.Groups[g].Phase != pulse.Active {
					return false
				}
			}
		}
	}
	return true
}
