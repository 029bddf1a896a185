package failover

import "github.com/serialhb/serialhb/serialhb/pulse"

// Pulse builds the claim of this turn towards a peer. The echo is of a link, and the caller's to fill in.
func (s *State) Pulse(c *Config, to uint8) pulse.Pulse {
	p := pulse.Pulse{
		Flags: s.flags(c), From: c.Me, To: to,
		Session: s.Session, PeerSession: s.Peers[to].In.Session, Seq: s.Seq,
		IntervalMS: c.IntervalMS, Boot: c.Boot, Health: 255, Core: c.Core, Rest: c.Rest, N: c.G,
	}
	if p.Flags.Has(pulse.Quiet) {
		p.IntervalMS = c.QuietMS
	}
	for g := range c.G {
		p.Groups[g] = s.groupClaim(c, g, to)
	}
	return p
}

func (s *State) groupClaim(c *Config, g, to uint8) pulse.GroupClaim {
	grp := &s.Groups[g]
	claim := pulse.GroupClaim{Holds: grp.Holds, Phase: grp.Phase, Request: grp.Request, Term: grp.OwnTerm, Wish: grp.Announced}
	if grp.Request != 0 {
		claim.Wish = grp.Wish
	}
	if grant := grp.Grants[to]; grant.Request != 0 && s.SavedGen >= grant.Gen {
		claim.Grant = grant.Request
	}
	if s.Leaving >= LeaveSaving {
		claim.Phase, claim.Request = pulse.Ineligible, 0
	}
	return claim
}

func (s *State) flags(c *Config) pulse.Flags {
	var f pulse.Flags
	for _, b := range [...]struct {
		on   bool
		flag pulse.Flags
	}{
		{s.Leaving == LeaveSaying || s.Leaving == LeaveDone, pulse.Leaving},
		{s.Leaving == QuietSaying || s.Leaving == QuietDone, pulse.Quiet},
		{s.FenceMe, pulse.FenceMe},
		{s.Armed, pulse.Armed},
		{s.Maintenance, pulse.Maintenance},
		{s.Standby, pulse.Standby},
		{s.Locked, pulse.CannotFence},
	} {
		if b.on {
			f |= b.flag
		}
	}
	return f
}
