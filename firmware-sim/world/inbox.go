package world

import (
	"slices"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// arrival is something that a link brought.
type arrival struct {
	kind arrivalKind
	link uint8
	up   bool
	raw  []byte
}

type arrivalKind uint8

const (
	arrivedFrame arrivalKind = iota
	arrivedChange
	arrivedNoise
)

// take works off one arrival, as the daemon's inbox does.
func (d *daemon) take(a arrival) {
	if d.dead {
		return
	}
	switch a.kind {
	case arrivedChange:
		d.watch.Link(d.now(), a.link, a.up)
	case arrivedNoise:
		d.watch.Noise(d.now(), a.link)
	case arrivedFrame:
		d.takeFrame(&a)
	}
}

func (d *daemon) takeFrame(a *arrival) {
	f := &d.opened
	verdict := d.keys.Open(d.speaks.hear(a.raw), f)
	d.w.reuse(a.raw)
	switch verdict {
	case pulse.Good:
		if f.Kind == pulse.FrameSide {
			d.takeSide(&f.Side)
			return
		}
		d.takePulse(a.link, &f.Pulse)
	case pulse.NewerVersion:
		if f.Kind == pulse.FramePulse && f.Pulse.To == d.cfg.Me {
			f.Pulse.IntervalMS = 0 // of a newer version nothing but life is read
			d.current = &f.Pulse
			d.step(failover.Event{Kind: failover.HeardNewer, Link: a.link, Pulse: &f.Pulse})
			d.current = nil
		}
	case pulse.WrongKey:
		d.takeWrongKey(a.link)
	default:
		d.watch.Noise(d.now(), a.link)
	}
}

func (d *daemon) takePulse(link uint8, p *pulse.Pulse) {
	if p.From == d.cfg.Me || p.From >= d.cfg.N {
		return
	}
	d.current = p
	d.step(failover.Event{Kind: failover.Heard, Link: link, Pulse: p})
	d.current = nil
}

// wrongKeyRun is how many frames under another key in a row are more than noise.
const wrongKeyRun = 3

func (d *daemon) takeWrongKey(link uint8) {
	port := &d.h.ports[link]
	if port.wrong == 0 || d.now()-port.since > d.cfg.DoubtTime {
		port.since, port.wrong = d.now(), 0
	}
	if port.wrong++; port.wrong < wrongKeyRun || !d.w.links[link].serial {
		return
	}
	for p := range d.cfg.N {
		if d.w.links[link].peers(d.cfg.Me)&(1<<p) != 0 {
			d.step(failover.Event{Kind: failover.Doubted, Peer: p})
		}
	}
}

func (d *daemon) takeSide(s *pulse.Side) {
	if s.From >= d.cfg.N || s.From == d.cfg.Me || s.To != d.cfg.Me || s.Session != d.state.Peers[s.From].In.Session || s.Kind != pulse.SideKeys {
		return
	}
	var ids []pulse.KeyID
	for i := 0; i+4 <= int(s.Len); i += 4 {
		ids = append(ids, pulse.KeyID(s.Payload[i:i+4]))
	}
	d.listed[s.From] = ids
}

// Reload reads the configuration file of a node again, as its daemon does, and says why not, or "".
func (w *World) Reload(node string) string {
	h := w.host(node)
	d := h.daemon
	if d == nil || h.frozen {
		return "no-daemon"
	}
	if h.file.core != d.cfg.Core {
		return "core"
	}
	fresh := w.keyring(h.file.keys)
	if first := fresh.IDs()[0]; first != d.keys.IDs()[0] {
		for p := range d.cfg.N {
			if p != d.cfg.Me && d.state.Peers[p].Presence == failover.Present && !slices.Contains(d.listed[p], first) {
				return "key"
			}
		}
	}
	d.cfg.Rest = h.file.rest
	d.keys = fresh
	if d.speaks != nil {
		d.speaks = newDialect(h.file.keys)
	}
	d.sideAt = d.now()
	d.tell("configuration read again")
	d.step(failover.Event{Kind: failover.Reloaded})
	d.plan()
	return ""
}

// noise is bytes on a cable that make no frame.
func (h *host) noise(link uint8, every time.Duration, until time.Duration) {
	if h.w.now >= until {
		return
	}
	if h.up && h.daemon != nil && !h.frozen {
		h.daemon.arrive(arrival{kind: arrivedNoise, link: link})
	}
	h.w.after(every, func() { h.noise(link, every, until) })
}
