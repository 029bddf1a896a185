package explore

import (
	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// player carries moves out, and holds what happens against the demands.
type player struct {
	s   *Scope
	cfg [maxMembers]failover.Config
	out []failover.Action

	c      *Cluster
	move   Move
	bad    string
	saw    Sightings
	writes int    // answered within this move, one in the other
	fresh  uint32 // the session or boot that begins
}

func newPlayer(s *Scope) *player {
	p := &player{s: s, fresh: fresh}
	for i := range s.Members {
		p.cfg[i] = s.config(i)
	}
	return p
}

// play carries a move out on a cluster, in place, and says what is wrong with what happened, or "".
func (p *player) play(c *Cluster, m Move) string {
	p.c, p.move, p.bad, p.writes = c, m, "", 0
	h := &c.Hosts[m.I]
	switch m.Kind {
	case Lit:
		h.Powered, h.Boot = true, p.fresh
	case Dark:
		c.Crashes++
		p.dark(m.I)
	case Begins:
		p.begin(m.I)
	case Wiped:
		c.Faults++
		h.OfBoot, h.Run = false, failover.Volatile{}
	case Vanishes:
		c.Faults++
		h.Runs &^= bit(m.G)
	case Killed:
		c.Crashes++
		p.kill(m.I, m.Arg)
	case Acts:
		c.Hosts[m.P].Cut |= bit(m.I)
		p.dark(m.P)
	default:
		p.happen(m)
	}
	if p.bad == "" {
		p.bad = p.truth()
	}
	c.Lied = c.Lied && !p.healed()
	return p.bad
}

// fresh is later than all sessions and boots that are named. See rename.
const fresh = 200

func (p *player) begin(i uint8) {
	h := &p.c.Hosts[i]
	h.Daemon = true
	p.cfg[i].Boot = h.Boot
	h.State = failover.New(&p.cfg[i], p.fresh, h.Run, h.Disk, h.OfBoot)
	p.step(i, failover.Event{Kind: failover.Started})
}

// dark takes the power of a host: what runs there ends, and the run directory with it.
func (p *player) dark(i uint8) {
	h := &p.c.Hosts[i]
	if !h.Powered {
		return
	}
	p.kill(i, 0)
	h.Powered, h.Boot, h.Runs, h.OfBoot = false, 0, 0, false
	if !p.s.Stays {
		h.Run = failover.Volatile{}
	}
}

// kill ends a daemon. Its relays are released; that they may stay as they are is as if nobody switched their target on.
func (p *player) kill(i, wrote uint8) {
	h := &p.c.Hosts[i]
	h.wrote(wrote&wroteRun != 0)
	h.kept(wrote&wroteDisk != 0)
	h.Daemon, h.State = false, failover.State{}
	for t := range p.c.Hosts {
		p.c.Hosts[t].Cut &^= bit(i)
	}
}

// wrote ends what was being written to the run directory, and gives its generation.
func (h *Host) wrote(ok bool) uint32 {
	gen := h.SavedAs
	if ok {
		h.Run, h.OfBoot = h.NextRun, true
	}
	h.Saving, h.SavedAs, h.NextRun = false, 0, failover.Volatile{}
	return gen
}

// kept is the same of the state directory.
func (h *Host) kept(ok bool) uint32 {
	gen := h.KeptAs
	if ok {
		h.Disk = h.NextDisk
	}
	h.Keeping, h.KeptAs, h.NextDisk = false, 0, failover.Durable{}
	return gen
}

// happen is what comes to a running daemon as an event.
func (p *player) happen(m Move) {
	c, h := p.c, &p.c.Hosts[m.I]
	e := failover.Event{Peer: m.P, Group: m.G, OK: m.Arg == Well}
	if m.Kind >= Probed && m.Kind <= Keeps && m.Arg == Badly {
		c.Faults++
	}
	switch m.Kind {
	case Beats:
		e.Kind = failover.Beat
	case Hears, HearsAgain:
		w := &c.Ways[way(m.P, m.I)]
		heard := w.Pulses[m.Arg]
		if m.Kind == Hears {
			w.drop(m.Arg)
		}
		e.Kind, e.Pulse, e.Link = failover.Heard, &heard.Pulse, heard.Link
	case Silent, Fades:
		e.Kind, e.OneByOne = failover.WentSilent, m.Kind == Fades
	case Doubts:
		e.Kind = failover.Doubted
	case Fires:
		e.Kind, e.Timer = failover.TimerFired, failover.Timer{Kind: failover.TimerKind(m.Arg), Index: m.P}
	case Probed:
		e.Kind, e.ID = failover.Probed, h.State.Groups[m.G].Doing
		switch {
		case m.Arg == Badly:
		case h.runs(m.G):
			e.Found = failover.FoundRunning
		default:
			e.Found = failover.FoundStopped
		}
	case Started:
		e.Kind, e.ID = failover.StartDone, h.State.Groups[m.G].Doing
	case Stopped:
		e.Kind, e.ID = failover.StopDone, h.State.Groups[m.G].Doing
		if m.Arg == Well {
			h.Runs &^= bit(m.G)
		}
	case Dies:
		c.Faults++
		e.Kind = failover.ServiceFailed
	case Proves:
		e.Kind, e.ID = failover.FenceDone, h.State.Peers[m.P].Fence.ID
		if e.OK = m.Arg != Badly; e.OK {
			e.Proof = fencing.FailSafe
		}
	case Opens:
		e.Kind, e.ID = failover.CutsOpened, h.State.Peers[m.P].Fence.ID
		e.OK = m.Arg != Badly
	case Gives:
		e.Kind, e.ID = failover.RestoreDone, h.State.Peers[m.P].Fence.Giving
		if e.OK {
			c.Hosts[m.P].Cut &^= bit(m.I)
		}
	case Writes:
		e.Kind, e.Gen = failover.Saved, h.wrote(e.OK)
	case Keeps:
		e.Kind, e.Gen = failover.Kept, h.kept(e.OK)
	case Senses:
		e.Kind, e.Reading = failover.SenseRead, reading(&c.Hosts[m.P])
	case Deaf:
		e.Kind = failover.WentDeaf
	case Listens:
		e.Kind = failover.HearsAgain
	case Asks:
		c.Words++
		e.Kind = failover.Commanded
		e.Command = failover.Command{Kind: failover.CommandKind(m.Arg), Group: m.G, Peer: m.P, Incident: h.State.Incident.ID}
	case Overdue, OverdueCut:
		e = h.overdue(m)
	default:
		panic("explore: no such move")
	}
	if m.Kind == Proves && m.Arg == Lying || m.Kind == Opens && c.Hosts[m.P].Powered {
		c.Lies++
		c.Lied = true
	}
	p.step(m.I, e)
}

// overdue is the end of what was given up: nobody waits for its id. It is of the sort of what is under way.
func (h *Host) overdue(m Move) failover.Event {
	e := failover.Event{Peer: m.P, Group: m.G, ID: h.State.NextID + 1, OK: m.Arg == Well}
	if m.Kind == OverdueCut {
		e.Kind, e.Proof = failover.FenceDone, fencing.FailSafe
		if h.State.Peers[m.P].Fence.Phase == failover.FenceOpening {
			e.Kind = failover.CutsOpened
		}
		return e
	}
	switch h.State.Groups[m.G].Phase {
	case pulse.Starting:
		e.Kind = failover.StartDone
	case pulse.Stopping:
		e.Kind = failover.StopDone
	default:
		e.Kind = failover.Probed
		if e.OK {
			e.Found = failover.FoundStopped
		}
	}
	return e
}

// step takes an event to a member, and carries out what it wants done.
func (p *player) step(i uint8, e failover.Event) {
	h := &p.c.Hosts[i]
	p.cfg[i].Boot = h.Boot
	before := h.State
	p.out = h.State.Apply(&p.cfg[i], e, p.out[:0])
	p.demand(i, &before, &e)
	saves, keeps := false, false
	for _, a := range p.out {
		switch a.Kind {
		case failover.Send:
			p.send(i)
		case failover.Start:
			h.Runs |= bit(a.Group) // the worst moment: it runs from the request on
		case failover.Save:
			h.Saving, h.SavedAs, h.NextRun = true, a.Gen, h.State.Volatile()
			saves = true
		case failover.Keep:
			h.Keeping, h.KeptAs, h.NextDisk = true, a.Gen, h.State.Durable()
			keeps = true
		case failover.Exit:
			p.kill(i, 0)
			return
		case failover.Renew:
			panic("explore: a session ran out of numbers")
		}
	}
	if p.writes == manyWrites {
		p.fail("%s writes without an end", memberName(i))
		return
	}
	p.writes++
	if keeps && !p.s.SlowDisk {
		p.happen(Move{Kind: Keeps, I: i})
	}
	if saves && !p.s.SlowRun && h.Saving {
		p.happen(Move{Kind: Writes, I: i})
	}
	p.writes--
}

// manyWrites is more than one event leads to, one after the other.
const manyWrites = 20

// send puts a pulse on every way that starts here. One that is full loses a pulse to it.
func (p *player) send(i uint8) {
	h := &p.c.Hosts[i]
	for to := range p.s.Members {
		if to == i || h.State.Peers[to].Muted {
			continue
		}
		said := h.State.Pulse(&p.cfg[i], to)
		p.said(i, &said)
		said.IntervalMS, said.Health = 0, 0 // nothing is decided on them
		w := &p.c.Ways[way(i, to)]
		for link := range p.s.links() {
			if p.s.OneWay && link != i {
				continue
			}
			said.Echo = h.State.Peers[to].In.LinkSeq[link]
			if w.N == p.s.Wire {
				w.drop(p.move.Arg)
			}
			w.Pulses[w.N] = Flight{Link: link, Pulse: said}
			w.N++
		}
	}
}
