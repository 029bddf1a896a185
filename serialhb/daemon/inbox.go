package daemon

import (
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Frame takes a frame from a link. It waits while another turn lasts.
func (d *Daemon) Frame(link int, at time.Duration, f *pulse.Frame, v pulse.Verdict) {
	if d.bring() {
		d.takeFrame(uint8(link), at, f, v)
		d.leave()
	}
}

// Change takes the state of a link's own device.
func (d *Daemon) Change(link int, up, lost bool, reason string) {
	if d.bring() {
		d.takeChange(uint8(link), up, lost, reason)
		d.leave()
	}
}

// Noise takes the news that a line carries bytes that make no frame.
func (d *Daemon) Noise(link int, at time.Duration) {
	if d.bring() {
		d.watch.Noise(at, uint8(link))
		d.leave()
	}
}

func (d *Daemon) takeChange(link uint8, up, lost bool, reason string) {
	l := &d.link[link]
	was := l.up
	l.up, l.lost, l.reason = up, lost, reason
	d.watch.Link(d.o.Clock(), link, up) // now: what happened before this turn's lateness must not end it
	if was == up && (up || reason == "") {
		return
	}
	info := &d.o.Links[link]
	if up {
		d.book.say("link-up", info.Name+" works", subject{})
		return
	}
	d.book.say("link-down", info.Name+" is down here: "+reason, subject{})
}

// takeFrame keeps nothing of the frame, which is the link's.
func (d *Daemon) takeFrame(link uint8, at time.Duration, f *pulse.Frame, v pulse.Verdict) {
	switch v {
	case pulse.Good:
		if f.Kind == pulse.FrameSide {
			d.takeSide(link, &f.Side)
			return
		}
		d.takePulse(link, at, &f.Pulse)
	case pulse.NewerVersion:
		if f.Kind == pulse.FramePulse && f.Pulse.To == d.o.Decision.Me {
			p := f.Pulse
			p.IntervalMS = 0 // of a newer version nothing but life is read
			d.hear(at, &p, failover.Event{Kind: failover.HeardNewer, Link: link, Pulse: &p})
		}
	case pulse.WrongKey:
		d.takeWrongKey(link, at)
	case pulse.WrongCluster:
		d.link[link].foreign++
		d.watch.Noise(at, link)
	default:
		d.watch.Noise(at, link)
	}
}

func (d *Daemon) takePulse(link uint8, at time.Duration, p *pulse.Pulse) {
	switch {
	case p.From == d.o.Decision.Me && p.Session == d.state.Session:
		d.link[link].own++
		d.link[link].back++
	case p.From == d.o.Decision.Me:
		d.link[link].twin++
	case p.From < d.o.Decision.N:
		d.hear(at, p, failover.Event{Kind: failover.Heard, Link: link, Pulse: p})
	}
}

func (d *Daemon) hear(at time.Duration, p *pulse.Pulse, e failover.Event) {
	d.current, d.heardAt = p, at
	d.step(e)
	d.current = nil
}

// wrongKeys counts frames under another key. Noise looks like one about once in 65 536 frames, so one is nothing.
type wrongKeys struct {
	since time.Duration
	run   int
}

const wrongKeyRun = 3

// takeWrongKey: on a serial line it says that someone with another key is there, which turns a fence into a question.
// On UDP anybody can send anything, so it only alarms.
func (d *Daemon) takeWrongKey(link uint8, at time.Duration) {
	w := &d.link[link].wrongKey
	if w.run == 0 || at-w.since > d.o.Decision.DoubtTime {
		w.since, w.run = at, 0
	}
	if w.run++; w.run < wrongKeyRun || !d.o.Links[link].Serial {
		return
	}
	for p := range d.o.Decision.N {
		if d.o.Links[link].Peers&(1<<p) != 0 && p != d.o.Decision.Me {
			d.step(failover.Event{Kind: failover.Doubted, Peer: p})
		}
	}
}

// takeSide reads news that decide nothing.
func (d *Daemon) takeSide(l uint8, s *pulse.Side) {
	if s.From == d.o.Decision.Me && s.Session == d.state.Session {
		d.link[l].back++
	}
	if s.From >= d.o.Decision.N || s.From == d.o.Decision.Me || s.To != d.o.Decision.Me || s.Session != d.state.Peers[s.From].In.Session {
		return
	}
	switch s.Kind {
	case pulse.SideKeys:
		ids := make([]pulse.KeyID, 0, s.Len/4)
		for i := 0; i+4 <= int(s.Len); i += 4 {
			ids = append(ids, pulse.KeyID(s.Payload[i:i+4]))
		}
		d.peerKey[s.From] = ids
	case pulse.SideDigests:
		d.badDig[s.From] = !sameDigests(s.Payload[:s.Len], d.o.Digests)
	}
}
