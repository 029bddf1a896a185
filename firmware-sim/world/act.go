package world

import (
	"fmt"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// step hands one event to the decision and carries its actions out, in order.
func (d *daemon) step(e failover.Event) {
	var before [pulse.MaxGroups]pulse.Phase
	for g := range d.cfg.G {
		before[g] = d.state.Groups[g].Phase
		d.w.pairs[before[g]][e.Kind]++
	}
	d.actions = d.state.Apply(&d.cfg, e, d.actions[:0])
	for g := range d.cfg.G {
		if after := d.state.Groups[g].Phase; after != before[g] {
			d.tell(d.w.group(g) + ": " + before[g].String() + " -> " + after.String())
		}
	}
	for i := range d.actions {
		d.act(&d.actions[i])
	}
	if d.state.FenceMe {
		d.h.begged = d.w.now
	}
	if e.Kind == failover.Kept {
		d.checkWaiting()
	}
	d.senseAgain()
	for d.queue.any() && !d.dead {
		d.step(d.queue.take())
	}
}

func (d *daemon) act(a *failover.Action) {
	switch a.Kind {
	case failover.Send:
		d.sendPulses()
	case failover.Alive:
		if d.current != nil {
			d.watch.Life(d.now(), a.Link, a.Peer, d.current)
		}
	case failover.Save:
		d.saver.put(a.Gen, d.state.Volatile())
	case failover.Keep:
		d.keeper.put(a.Gen, d.state.Durable())
	case failover.SetTimer:
		d.stopTimer(a.Timer)
		d.timers = append(d.timers, timer{a.Timer, d.now() + a.After})
	case failover.StopTimer:
		d.stopTimer(a.Timer)
	case failover.Probe, failover.Start, failover.Stop:
		d.serve(*a)
	case failover.Adopt:
		d.tell("adopts " + d.w.group(a.Group))
	case failover.Cut, failover.Secure, failover.OpenCuts, failover.Restore:
		d.checkCut(a)
		d.relays(*a)
	case failover.Reply:
		d.reply(a)
	case failover.Note:
		d.note(a)
	case failover.Renew:
		d.queue.put(failover.Event{Kind: failover.NewSession, Session: d.w.session()})
	case failover.Exit:
		d.exit, d.exited = a.Arg, true
		d.sendPulses()
	}
}

func (d *daemon) stopTimer(id failover.Timer) {
	for i := range d.timers {
		if d.timers[i].id == id {
			d.timers = append(d.timers[:i], d.timers[i+1:]...)
			return
		}
	}
}

// relays gives a relay action to the peer's power. Where there is none it has failed.
func (d *daemon) relays(a failover.Action) {
	if p := d.powers[a.Peer]; p != nil {
		p.do(a)
		return
	}
	kind := failover.FenceDone
	switch a.Kind {
	case failover.OpenCuts:
		d.queue.put(failover.Event{Kind: failover.CutsOpened, ID: a.ID, Peer: a.Peer, OK: true})
		return
	case failover.Restore:
		kind = failover.RestoreDone
	}
	d.queue.put(failover.Event{Kind: kind, ID: a.ID, Peer: a.Peer})
}

func (d *daemon) note(a *failover.Action) {
	text := a.Code.String() + ": " + a.Code.Sentence(d.w.names(), a.Peer, a.Group, a.Arg, d.state.Incident.ID)
	if a.Code == failover.NoteProvenOff {
		text += ": " + fencing.Proof(a.Arg).String()
	}
	d.tell(text)
	d.w.notes = append(d.w.notes, Note{d.w.now, d.h.name, a.Code, a.Peer, a.Group, a.Arg})
}

// sendPulses sends the claim of this turn to every peer, on every link, with the echo of that link.
func (d *daemon) sendPulses() {
	for p := range d.cfg.N {
		if p == d.cfg.Me || d.state.Peers[p].Muted {
			continue
		}
		claim := d.state.Pulse(&d.cfg, p)
		for l, link := range d.w.links {
			if link.peers(d.cfg.Me)&(1<<p) == 0 {
				continue
			}
			claim.Echo, claim.EchoAge = d.state.Peers[p].In.LinkSeq[l], 15
			if _, _, last, heard := d.watch.Path(uint8(l), p); heard && claim.Echo != 0 {
				claim.EchoAge = pulse.EchoAgeStep(uint32((d.now() - last) / time.Millisecond))
			}
			d.frame = d.speaks.say(d.keys.AppendPulse(d.frame[:0], &claim))
			d.h.send(l, p, d.frame)
		}
	}
}

// sendSides lists the keys that this member accepts.
func (d *daemon) sendSides() {
	side := pulse.Side{Kind: pulse.SideKeys, From: d.cfg.Me, Session: d.state.Session}
	for _, id := range d.keys.IDs() {
		side.Len += uint8(copy(side.Payload[side.Len:], id[:]))
	}
	for p := range d.cfg.N {
		if p == d.cfg.Me || d.state.Peers[p].Muted {
			continue
		}
		d.sideSeq++
		side.To, side.Seq, side.PeerSession = p, d.sideSeq, d.state.Peers[p].In.Session
		for l, link := range d.w.links {
			if link.peers(d.cfg.Me)&(1<<p) != 0 {
				d.h.send(l, p, d.speaks.say(d.keys.AppendSide(nil, &side)))
			}
		}
	}
}

// leave is the end of the run that the decision ordered.
func (d *daemon) leave() {
	d.saver.flush()
	d.keeper.flush()
	how := map[uint32]string{failover.ExitLeft: "left", failover.ExitQuiet: "restarts quietly", failover.ExitInMaintenance: "left in maintenance"}[d.exit]
	d.tell("daemon " + how)
	h := d.h
	h.endDaemon()
	if d.exit == failover.ExitQuiet {
		h.restartLater()
	}
	h.hasLeft()
}

// Explain says in a sentence why a member does not ask for a group, or "".
func (w *World) Explain(node string, group uint8) string {
	d := w.host(node).daemon
	if d == nil {
		return ""
	}
	code, about := d.state.Explain(&d.cfg, group)
	if code == failover.None {
		return ""
	}
	return fmt.Sprintf("%s (%s)", code.Sentence(w.names(), about, group, 0, d.state.Incident.ID), code)
}
