package daemon

import (
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// arrival is something that a link brought. It is a value: the link's buffers are its own.
type arrival struct {
	kind    arrivalKind
	link    uint8
	verdict pulse.Verdict
	up      bool
	lost    bool
	at      time.Duration
	reason  string
	pulse   pulse.Pulse
	side    pulse.Side
	frame   pulse.FrameKind
}

type arrivalKind uint8

const (
	arrivedFrame arrivalKind = iota
	arrivedChange
	arrivedNoise
)

// Frame takes a frame from a link. It waits only while the loop is behind by hundreds of frames: then the line may wait.
func (d *Daemon) Frame(link int, at time.Duration, f *pulse.Frame, v pulse.Verdict) {
	a := arrival{kind: arrivedFrame, link: uint8(link), at: at, verdict: v, frame: f.Kind}
	switch {
	case v != pulse.Good && v != pulse.NewerVersion:
	case f.Kind == pulse.FrameSide:
		a.side = f.Side
	default:
		a.pulse = f.Pulse
	}
	d.arrive(a)
}

// Change takes the state of a link's own device.
func (d *Daemon) Change(link int, at time.Duration, up, lost bool, reason string) {
	d.arrive(arrival{kind: arrivedChange, link: uint8(link), at: at, up: up, lost: lost, reason: reason})
}

// Noise takes the news that a line carries bytes that make no frame.
func (d *Daemon) Noise(link int, at time.Duration, bytes int) {
	d.arrive(arrival{kind: arrivedNoise, link: uint8(link), at: at})
}

func (d *Daemon) arrive(a arrival) {
	select {
	case d.in <- a:
	case <-d.restless:
	}
}

// take works off one arrival.
func (d *Daemon) take(a *arrival) {
	switch a.kind {
	case arrivedChange:
		d.takeChange(a)
	case arrivedNoise:
		d.watch.Noise(a.at, a.link)
	case arrivedFrame:
		d.takeFrame(a)
	}
}

func (d *Daemon) takeChange(a *arrival) {
	l := &d.link[a.link]
	was := l.up
	l.up, l.lost, l.reason = a.up, a.lost, a.reason
	d.watch.Link(d.o.Clock(), a.link, a.up) // now: what happened before this turn's lateness must not end it
	if was == a.up && (a.up || a.reason == "") {
		return
	}
	info := &d.o.Links[a.link]
	if a.up {
		d.book.say("link-up", info.Name+" works", subject{})
		return
	}
	d.book.say("link-down", info.Name+" is down here: "+a.reason, subject{})
}

func (d *Daemon) takeFrame(a *arrival) {
	switch a.verdict {
	case pulse.Good:
		if a.frame == pulse.FrameSide {
			d.takeSide(a.link, &a.side)
			return
		}
		d.takePulse(a)
	case pulse.NewerVersion:
		if a.frame == pulse.FramePulse && a.pulse.To == d.o.Decision.Me {
			a.pulse.IntervalMS = 0 // of a newer version nothing but life is read
			d.current, d.heardAt = &a.pulse, a.at
			d.step(failover.Event{Kind: failover.HeardNewer, Peer: a.pulse.From, Link: a.link})
			d.current = nil
		}
	case pulse.WrongKey:
		d.takeWrongKey(a)
	case pulse.WrongCluster:
		d.link[a.link].foreign++
		d.watch.Noise(a.at, a.link)
	default:
		d.watch.Noise(a.at, a.link)
	}
}

func (d *Daemon) takePulse(a *arrival) {
	p := &a.pulse
	switch {
	case p.From == d.o.Decision.Me && p.Session == d.state.Session:
		d.link[a.link].own++
		d.link[a.link].back++
		return
	case p.From == d.o.Decision.Me:
		d.link[a.link].twin++
		return
	case p.From >= d.o.Decision.N:
		return
	}
	d.current, d.heardAt = p, a.at
	d.step(failover.Event{Kind: failover.Heard, Link: a.link, Pulse: p})
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
func (d *Daemon) takeWrongKey(a *arrival) {
	w := &d.link[a.link].wrongKey
	if w.run == 0 || a.at-w.since > d.o.Decision.DoubtTime {
		w.since, w.run = a.at, 0
	}
	if w.run++; w.run < wrongKeyRun || !d.o.Links[a.link].Serial {
		return
	}
	for p := range d.o.Decision.N {
		if d.o.Links[a.link].Peers&(1<<p) != 0 && p != d.o.Decision.Me {
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
