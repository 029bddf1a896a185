package world

import (
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/failover"
)

// sense is one power sense input of a member, on the output of one supply of another.
type sense struct {
	w      *World
	by     *host
	target uint8
	supply int
	kind   SenseKind
	spoil  Spoil
	told   failover.Reading // what the daemon that watches it was told last
}

// Spoil is what is wrong with a sense.
type Spoil uint8

// The faults of a sense. A wire that is broken reads on where the sense is fail-safe, and off where it is plain.
const (
	Sound Spoil = iota
	StuckOn
	StuckOff
	BrokenWire
	Unreadable
)

// read is one sample.
func (s *sense) read() fencing.SenseState {
	on := s.w.real(s.target).supplies[s.supply].on
	switch s.spoil {
	case StuckOn:
		on = true
	case StuckOff:
		on = false
	case BrokenWire:
		on = s.kind == FailSafeSense
	case Unreadable:
		return fencing.Unknown
	}
	if on {
		return fencing.On
	}
	return fencing.Off
}

// sensePeriod is how often the daemon looks at a sense outside of a fence.
const sensePeriod = 100 * time.Millisecond

// sensesMayChange has every daemon look at its senses of a member at its next look. The daemon looks all the time; here
// only the looks that find something else are worth an event.
func (w *World) sensesMayChange(target uint8) {
	for _, h := range w.hosts {
		if h.daemon != nil {
			h.daemon.watchSenses(target, w.upTo(sensePeriod))
		}
	}
}

func (d *daemon) watchSenses(target uint8, after time.Duration) {
	for i, s := range d.h.senses[target] {
		if s.kind == NoSense || !d.cfg.Members[target].Fenceable {
			continue
		}
		d.later(after, func() {
			r := map[fencing.SenseState]failover.Reading{fencing.On: failover.ReadsOn, fencing.Off: failover.ReadsOff}[s.read()]
			if r != s.told {
				s.told = r
				d.post(failover.Event{Kind: failover.SenseRead, Peer: target, Device: uint8(i), Reading: r})
			}
		})
	}
}
