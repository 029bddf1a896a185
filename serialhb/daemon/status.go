package daemon

import (
	"fmt"
	"maps"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// status is a snapshot for people. It needs the turn and touches no device.
func (d *Daemon) status() control.Status {
	now, s := d.o.Clock(), &d.state
	out := control.Status{
		Cluster: d.o.Cluster, Node: d.o.Node, Version: d.o.Version, Taken: time.Now(),
		Armed: s.Armed, Maintenance: s.Maintenance, Standby: s.Standby, LockedOut: s.Locked,
		Leaving: s.Leaving != failover.Staying, FenceMe: s.FenceMe,
		Moves: int(s.Moves), MaxMoves: int(d.o.Decision.MaxMoves), Fences: int(s.Fences), MaxFences: int(d.o.Decision.MaxFences),
		Session: fmt.Sprintf("%08x", s.Session), Boot: d.o.BootID, UptimeMS: int64((now - d.started) / time.Millisecond),
		LatenessMS: ms(d.late), Links: []control.Link{},
	}
	for p := range d.o.Decision.N {
		out.Members = append(out.Members, d.memberStatus(p, now))
	}
	for l := range d.o.Links {
		for p := range d.o.Decision.N {
			if p != d.o.Decision.Me && d.o.Links[l].Peers&(1<<p) != 0 {
				out.Links = append(out.Links, d.linkStatus(uint8(l), p, now))
			}
		}
	}
	for g := range d.o.Decision.G {
		out.Groups = append(out.Groups, d.groupStatus(g))
	}
	if s.Incident.Open {
		out.Incident = d.incidentStatus()
	}
	out.Alarms = d.alarmsNow(now, out.Taken)
	out.Headline = control.Headline(out)
	return out
}

func ms(t time.Duration) float64 { return float64(t.Microseconds()) / 1000 }

func age(now, last time.Duration, heard bool) float64 {
	if !heard {
		return -1
	}
	return ms(now - last)
}

func (d *Daemon) memberStatus(p uint8, now time.Duration) control.Member {
	if p == d.o.Decision.Me {
		return control.Member{Name: d.member(p), Me: true, Presence: "me", Armed: d.state.Armed, DigestsOK: true, LastLife: -1, Senses: []control.Sense{}}
	}
	peer := &d.state.Peers[p]
	last, heard := d.watch.LastLife(p)
	m := control.Member{
		Name: d.member(p), Presence: peer.Presence.String(), Seen: peer.Seen, Armed: peer.Claim.Flags.Has(pulse.Armed),
		Mode: modeWord(peer.Claim.Flags), Fence: peer.Fence.Phase.String(), CutOpen: peer.Fence.Open,
		DetectMS: ms(d.watch.Window(p)), LastLife: age(now, last, heard), Senses: []control.Sense{},
		DigestsOK: !peer.Claim.Valid || peer.Claim.Core == d.o.Decision.Core && peer.Claim.Rest == d.o.Decision.Rest && !d.badDig[p],
	}
	if d.state.Away(&d.o.Decision, p) {
		m.Presence = "withdrawn"
	}
	if peer.Proof != 0 {
		m.Proof = peer.Proof.String()
	}
	if why := d.state.ExplainFence(&d.o.Decision, p); why != failover.None {
		m.WhyNot = why.Sentence(d.o.Names, p, 0, 0, d.state.Incident.ID)
	} else if m.WhyNot = d.cannotFence(p); m.WhyNot == "" {
		m.CanFence = true
	}
	for _, w := range d.senses {
		if w.peer == p {
			sense := peer.Senses[w.device]
			m.Senses = append(m.Senses, control.Sense{Name: w.sense.Name(), Reading: readingWord(sense.Reading), FailSafe: w.sense.FailSafe(), Broken: sense.Broken})
		}
	}
	return m
}

func modeWord(f pulse.Flags) string {
	switch {
	case f.Has(pulse.Leaving):
		return "leaving"
	case f.Has(pulse.Maintenance):
		return "maintenance"
	case f.Has(pulse.Standby):
		return "standby"
	}
	return ""
}

func (d *Daemon) linkStatus(l, p uint8, now time.Duration) control.Link {
	info, state := &d.o.Links[l], &d.link[l]
	receives, sends, last, heard := d.watch.Path(l, p)
	counters := map[string]uint64{"own_frames": state.back}
	maps.Copy(counters, info.Link.Counters())
	noise, lost := state.rates.until(seenOn(now, counters))
	return control.Link{
		Name: info.Name, Kind: info.Kind, Peer: d.member(p), Device: info.Device, Up: state.up, Reason: state.reason,
		Receives: receives.String(), Sends: sends.String(), AgeMS: age(now, last, heard),
		Noisy: d.watch.Babbles(now, l, p), NoisePerS: noise, Lost: lost, Counters: counters,
	}
}

func (d *Daemon) groupStatus(g uint8) control.Group {
	grp := &d.state.Groups[g]
	out := control.Group{
		Name: d.group(g), Owner: d.groupOwner(g), Phase: grp.Phase.String(), Holds: grp.Holds.String(), Term: grp.MaxTerm,
		Prefer: d.o.Prefer[g], Failback: d.o.Failback[g], Frozen: grp.Frozen, Resources: d.o.Services[g].Names(), Cause: d.cause(g),
	}
	switch owner := d.state.Owner(&d.o.Decision, g); owner {
	case failover.NoPeer:
	case d.o.Decision.Me:
		out.OwnerPhase = out.Phase
	default:
		out.OwnerPhase = d.state.Peers[owner].Claim.Groups[g].Phase.String()
	}
	for p := range d.o.Decision.N {
		if p != d.o.Decision.Me && d.state.Peers[p].Presence == failover.Present && d.state.Peers[p].In.Claimed {
			if out.Peers == nil {
				out.Peers = map[string]string{}
			}
			out.Peers[d.member(p)] = d.state.Peers[p].Claim.Groups[g].Phase.String()
		}
	}
	if grp.Holds != pulse.HoldsYes {
		why, peer := d.state.Explain(&d.o.Decision, g)
		if why != failover.None {
			out.Code = why.String()
			out.Why = why.Sentence(d.o.Names, peer, g, 0, d.state.Incident.ID)
		}
	}
	return out
}

// askWords says why a person is asked.
var askWords = []struct {
	bit  uint16
	text string
}{
	{failover.AskMode, "the configuration says takeover = \"approve\""},
	{failover.AskDoubt, "someone keeps sending in the silent node's name and does not hear this node: it may be alive and deaf"},
	{failover.AskWrongKey, "someone with another key is on the silent node's cable"},
	{failover.AskTwin, "two daemons bear the silent node's name"},
	{failover.AskMaintenance, "the silent node had announced maintenance"},
	{failover.AskOneByOne, "the links were lost one after the other, which looks like cabling"},
	{failover.AskLate, "this node was armed, cleared or taken out of maintenance only after the incident began"},
	{failover.AskAgain, "a service was taken from that node in this incident already"},
}

func (d *Daemon) incidentStatus() *control.Incident {
	inc := &d.state.Incident
	q := inc.Question
	out := &control.Incident{ID: inc.ID, Open: true, Approved: q.Approved || q.Used, Denied: q.Denied}
	for g := range d.o.Decision.G {
		out.Asks = out.Asks || d.state.Groups[g].Phase == pulse.AwaitingApproval
	}
	for _, w := range askWords {
		if out.Asks && q.Why&w.bit != 0 {
			out.Question = append(out.Question, w.text)
		}
	}
	return out
}

// why says what stands in the way now. The record of the incident is for the asker to add: no turn waits for it.
func (d *Daemon) why(number uint32) control.Why {
	if number == 0 {
		number = d.state.Incident.ID
	}
	out := control.Why{Incident: number, Open: d.state.Incident.Open && d.state.Incident.ID == number}
	for g := range d.o.Decision.G {
		st := d.groupStatus(g)
		switch {
		case d.state.Groups[g].Phase == pulse.AwaitingApproval:
			out.Now = append(out.Now, fmt.Sprintf("%s waits for a person: `serialhb approve %d` or `serialhb deny %d`", st.Name, d.state.Incident.ID, d.state.Incident.ID))
		case st.Owner != "":
			out.Now = append(out.Now, fmt.Sprintf("%s is with %s", st.Name, st.Owner))
		case st.Why != "":
			out.Now = append(out.Now, fmt.Sprintf("%s is down: %s", st.Name, st.Why))
		default:
			out.Now = append(out.Now, fmt.Sprintf("%s is %s here", st.Name, st.Phase))
		}
		if st.Cause != "" {
			out.Now = append(out.Now, fmt.Sprintf("%s failed for this cause: %s", st.Name, st.Cause))
		}
	}
	return out
}
