package explore

import (
	"fmt"
	"slices"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Sightings counts what members told people, by [failover.Code]: a scope in which nothing ever happened proves nothing.
type Sightings [256]uint64

func (s *Sightings) add(o *Sightings) {
	for i, n := range o {
		s[i] += n
	}
}

// demand is what must be so of one step of a member: what it believed before, what came, what it wants done.
func (p *player) demand(i uint8, before *failover.State, e *failover.Event) {
	h := &p.c.Hosts[i]
	for k := range p.out {
		a := &p.out[k]
		switch a.Kind {
		case failover.Note:
			p.saw[a.Code]++
			p.told(i, before, e, a)
		case failover.Start:
			grp := &h.State.Groups[a.Group]
			switch {
			case grp.Holds != pulse.HoldsYes:
				p.fail("%s starts %s, which it does not hold", memberName(i), groupName(a.Group))
			case !h.OfBoot || !h.Run.Groups[a.Group].Held:
				p.fail("%s starts %s before it is written that it holds it", memberName(i), groupName(a.Group))
			}
		case failover.Adopt:
			p.adopted(i, a.Group)
		case failover.Cut, failover.Secure, failover.OpenCuts, failover.Restore:
			p.coil(i, before, a)
		}
		if e.Kind == failover.Started {
			p.onlyLooks(i, a)
		}
	}
	p.leaves(i)
	p.standing(i, before)
	if e.Kind == failover.Heard {
		p.heard(i, e.Pulse, before)
	}
}

// standing: a permit without a grant lasts as long as what it rests on (rule 5).
func (p *player) standing(i uint8, before *failover.State) {
	st := &p.c.Hosts[i].State
	for q := range p.s.Members {
		peer := &st.Peers[q]
		back := peer.Presence == failover.Present && peer.Claim.Valid && peer.Claim.Echo > peer.LeftSeq && !peer.Claim.Flags.Has(pulse.Leaving)
		for g := range p.s.Groups {
			switch permit := st.Groups[g].Permits[q]; {
			case permit == failover.ProvenOff && peer.Proof == 0:
				p.fail("%s keeps the permit to do without %s, of which no proof is left", memberName(i), memberName(q))
			case permit == failover.LeftIt && back && p.cfg[i].Core == p.cfg[q].Core:
				p.fail("%s keeps the permit that %s left, which is back", memberName(i), memberName(q))
			}
			if peer.In.Session != before.Peers[q].In.Session && st.Groups[g].Grants[q].Request != 0 {
				p.fail("%s grants a session of %s what an earlier one asked for", memberName(i), memberName(q))
			}
		}
	}
}

// heard: what arrives is life, and never news from before (rules 1, 2 and 6 of the protocol). Of who is proven off it says that the
// proof lied, if it answers what was sent after (rule 6).
func (p *player) heard(i uint8, said *pulse.Pulse, before *failover.State) {
	q := said.From
	was, is := &before.Peers[q], &p.c.Hosts[i].State.Peers[q]
	claims := said.Session == was.In.Session && said.PeerSession == before.Session && said.Seq > slices.Max(was.In.LinkSeq[:]) && said.Seq > was.In.ClaimSeq
	switch {
	case claims && was.Proof != 0 && said.Boot == was.ProofBoot && said.Echo > was.ProofSeq && is.Proof != 0:
		p.fail("%s hears that %s is not off, and keeps the proof that it is", memberName(i), memberName(q))
	case was.Presence == failover.Present && is.Presence == failover.Silent:
		p.fail("%s hears %s, and calls it silent", memberName(i), memberName(q))
	case was.In.Session == is.In.Session && is.In.ClaimSeq < was.In.ClaimSeq:
		p.fail("%s believes what %s said before what it believes already", memberName(i), memberName(q))
	}
}

// told is what must be so when a member says so.
func (p *player) told(i uint8, before *failover.State, e *failover.Event, a *failover.Action) {
	was, is := &before.Groups[a.Group], &p.c.Hosts[i].State.Groups[a.Group]
	switch a.Code {
	case failover.NoteUnsettled:
		p.fail("the rules of %s do not come to rest", memberName(i))
	case failover.NoteOwns:
		p.unanimity(i, a.Group, before, e)
	case failover.NoteGaveWay:
		if is.Request != 0 && is.Request == was.Request {
			p.fail("%s gives way for %s, and keeps its request", memberName(i), groupName(a.Group))
		}
	case failover.NoteGranted:
		switch {
		case is.Permits[a.Peer] != failover.NoPermit:
			p.fail("%s grants %s to %s, and keeps a permit to do without it", memberName(i), groupName(a.Group), memberName(a.Peer))
		case e.Kind != failover.Probed || e.Found != failover.FoundStopped:
			p.fail("%s grants %s, and did not find it stopped", memberName(i), groupName(a.Group))
		}
	case failover.NoteReleasing:
		if p.c.Words == 0 && p.s.Failback != failover.FailbackAuto {
			p.fail("%s releases %s, and nobody asked for that", memberName(i), groupName(a.Group))
		}
	case failover.NoteContradiction:
		p.contradicted(i, a.Peer, a.Group, was)
	}
}

// contradicted: a group that rests on a proof that lied does not go on (rule 6). One that cannot be stopped asks to be cut.
func (p *player) contradicted(i, q, g uint8, was *failover.Group) {
	is := &p.c.Hosts[i].State.Groups[g]
	if was.Permits[q] == failover.ProvenOff && was.Holds == pulse.HoldsYes && was.Phase != pulse.Failed && !is.Accused {
		p.fail("%s goes on with %s, although %s is not off", memberName(i), groupName(g), memberName(q))
	}
}

// adopted: what runs is taken over as one's own by a record of this boot, or as it would be started (rule 4).
func (p *player) adopted(i, g uint8) {
	h := &p.c.Hosts[i]
	for k := range p.out {
		if a := &p.out[k]; a.Kind == failover.Note && a.Code == failover.NoteOwns && a.Group == g {
			return
		}
	}
	if file := &h.Run.Groups[g]; !h.OfBoot || !file.Held || file.Stopping || file.Failed || file.Accused || file.Stuck {
		p.fail("%s adopts %s, and no record of this boot says that it held it and meant to go on", memberName(i), groupName(g))
	}
}

// leaves: who says goodbye has nothing left by which it could do without the others when it comes back (rule 7).
func (p *player) leaves(i uint8) {
	st := &p.c.Hosts[i].State
	if st.Leaving != failover.LeaveSaving && st.Leaving != failover.LeaveSaying {
		return
	}
	for g := range p.s.Groups {
		for q := range p.s.Members {
			if st.Groups[g].Permits[q] != failover.NoPermit {
				p.fail("%s leaves, and keeps a permit to do without %s", memberName(i), memberName(q))
			}
		}
	}
}

// said is what must be so of a pulse: what it grants or gives up is written, or a crash could forget it (rules 7, 16, 17).
func (p *player) said(i uint8, said *pulse.Pulse) {
	h, to := &p.c.Hosts[i], &p.c.Hosts[said.To]
	if h.Disk.Withdrawn[said.To] && !h.State.Peers[said.To].Withdrawn {
		p.fail("%s speaks to %s before it is written that it is not away", memberName(i), memberName(said.To))
	}
	if !h.OfBoot {
		return
	}
	counts := to.Daemon && said.PeerSession == to.State.Session // else a grant is of somebody who is gone
	for g := range p.s.Groups {
		file, claim, own := &h.Run.Groups[g], &said.Groups[g], &h.State.Groups[g]
		granted := claim.Grant != 0 && counts
		switch {
		case granted && file.Permits[said.To] != failover.NoPermit && own.Permits[said.To] == failover.NoPermit: // else it came later
			p.fail("%s grants %s before it is written that it has no permit to do without %s", memberName(i), groupName(g), memberName(said.To))
		case granted && file.Held:
			p.fail("%s grants %s before it is written that it does not hold it", memberName(i), groupName(g))
		case said.Flags.Has(pulse.Leaving) && (file.Held || file.Permits != [failover.MaxMembers]failover.Permit{}):
			p.fail("%s says goodbye before it is written that it has nothing left of %s", memberName(i), groupName(g))
		}
	}
}

// onlyLooks: the start of a daemon moves nothing.
func (p *player) onlyLooks(i uint8, a *failover.Action) {
	switch a.Kind {
	case failover.Start, failover.Stop, failover.Adopt, failover.Cut, failover.Secure, failover.OpenCuts, failover.Restore:
		p.fail("%s starts its daemon, and that moves something: %s", memberName(i), a.Kind)
	}
}

// coil is what has to be so before a relay is driven (rules 5, 8 to 12, 16, 17).
func (p *player) coil(i uint8, before *failover.State, a *failover.Action) {
	h := &p.c.Hosts[i]
	s, peer := &h.State, &h.State.Peers[a.Peer]
	who, whom := memberName(i), memberName(a.Peer)
	if !s.Armed {
		p.fail("%s drives a coil towards %s and is disarmed", who, whom)
	}
	if a.Kind == failover.Restore {
		return
	}
	file := &h.Run.Peers[a.Peer]
	if !h.OfBoot || !file.Open {
		p.fail("%s drives a coil towards %s before it is written that the cut may be open", who, whom)
	}
	if a.Kind == failover.OpenCuts && peer.Presence == failover.Present {
		p.fail("%s opens the cuts of %s on a person's word that it is off, and hears it", who, whom)
	}
	if a.Kind == failover.OpenCuts || a.Code == failover.CodePerson {
		return // on a person's word
	}
	sense := &peer.Senses[0]
	asks := peer.Claim.Valid && peer.Claim.Core == p.cfg[i].Core && peer.Claim.Flags.Has(pulse.FenceMe)
	question := &s.Incident.Question
	switch {
	case a.Kind == failover.Cut && p.s.Budget && !file.Counted:
		p.fail("%s cuts %s before it is written that this is counted", who, whom)
	case a.Kind == failover.Secure && !(p.s.Senses && sense.Reading == failover.ReadsOff && !sense.Broken):
		p.fail("%s secures %s, and no sense says that it is off", who, whom)
	case a.Kind == failover.Cut && peer.Presence == failover.Unjudged:
		p.fail("%s cuts %s before it has listened for it", who, whom)
	case a.Code == failover.CodeSilent && p.s.Split != failover.OwnerSurvives && peer.Fence.Groups == 0:
		p.fail("%s cuts %s and gains nothing", who, whom)
	case peer.Presence == failover.Present && !asks:
		p.fail("%s cuts %s and hears it", who, whom)
	case a.Kind == failover.Cut && !peer.Seen:
		p.fail("%s cuts %s and never saw it since its own host booted", who, whom)
	case a.Kind == failover.Cut && p.cfg[i].Core != p.cfg[a.Peer].Core:
		p.fail("%s cuts %s, which has other groups", who, whom)
	case s.Maintenance:
		p.fail("%s cuts %s in maintenance", who, whom)
	case s.Locked && before.Locked: // else this coil came first, and spent the budget
		p.fail("%s cuts %s and is locked out", who, whom)
	case s.Deaf:
		p.fail("%s cuts %s and is deaf", who, whom)
	}
	if why := p.asks(i, a); why != "" && !(question.Used && question.Covers&(1<<a.Peer) != 0) {
		p.fail("%s cuts %s, and nobody approved, although %s", who, whom, why)
	}
}

// asks says why a person has to approve before a coil, or "" (rule 12).
func (p *player) asks(i uint8, a *failover.Action) string {
	s := &p.c.Hosts[i].State
	peer := &s.Peers[a.Peer]
	switch {
	case p.s.Takeover == failover.Approve:
		return "people decide"
	case s.Incident.Late && !s.Incident.Question.Used:
		return "it was armed, cleared or taken out of maintenance only after all began"
	case a.Code == failover.CodeFenceMe:
		return ""
	case peer.Doubt != 0:
		return "there are signs that it lives"
	case peer.OneByOne && p.s.LastLink == failover.AskOnLastLink:
		return "its links were lost one after the other"
	}
	return ""
}

// unanimity: whoever comes to hold a group had a permit of every other member before, or what just came is one.
func (p *player) unanimity(i, g uint8, before *failover.State, e *failover.Event) {
	asked := &before.Groups[g]
	for q := range p.s.Members {
		if q == i || asked.Permits[q] != failover.NoPermit || before.Away(&p.cfg[i], q) {
			continue
		}
		permit := false
		switch e.Kind {
		case failover.Heard:
			said := &e.Pulse.Groups[g]
			toMe := e.Pulse.From == q && e.Pulse.PeerSession == before.Session
			bye := e.Pulse.Flags.Has(pulse.Leaving) && said.Holds == pulse.HoldsNo
			permit = toMe && p.cfg[i].Core == p.cfg[q].Core && (bye || asked.Request != 0 && said.Grant == asked.Request)
		case failover.FenceDone:
			permit = e.Peer == q && e.OK && before.Peers[q].Fence.Groups&(1<<g) != 0
		case failover.CutsOpened:
			permit = e.Peer == q && before.Peers[q].Fence.Groups&(1<<g) != 0
		case failover.Commanded:
			permit = e.Command.Kind == failover.CmdWithdraw && e.Command.Peer == q
		case failover.SenseRead, failover.WentSilent:
			permit = e.Peer == q && before.Peers[q].Withdrawn // an old word, and what it waited for beside it
		}
		if !permit {
			p.fail("%s comes to hold %s without a permit of %s", memberName(i), groupName(g), memberName(q))
		}
	}
}

func (p *player) fail(format string, a ...any) {
	if p.bad == "" {
		p.bad = fmt.Sprintf(format, a...)
	}
}
