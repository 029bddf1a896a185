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
	again  bool             // it is about to be read again
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
	Floating // now on, now nothing, and where there is no power sometimes off
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
	case Floating:
		switch s.w.rng.IntN(3) {
		case 0:
			return fencing.Unknown
		case 1:
			on = true
		}
	}
	if on {
		return fencing.On
	}
	return fencing.Off
}

// sensePeriod is how often the daemon reads a sense outside of a fence.
const sensePeriod = 200 * time.Millisecond

// sensesMayChange has every daemon read its senses of a member at its next look. The daemon reads all the time and tells
// every reading; here only those that can mean something are worth an event: what changed, and what the decision waits
// for.
func (w *World) sensesMayChange(target uint8) {
	for _, h := range w.hosts {
		if h.daemon != nil {
			h.daemon.readSenses(target, w.upTo(sensePeriod))
		}
	}
}

func (d *daemon) readSenses(target uint8, after time.Duration) {
	for i, s := range d.h.senses[target] {
		if s.kind != NoSense && d.cfg.Members[target].Fenceable {
			d.later(after, func() { d.readSense(s, target, uint8(i)) })
		}
	}
}

var readings = [...]failover.Reading{fencing.Unknown: failover.NotRead, fencing.On: failover.ReadsOn, fencing.Off: failover.ReadsOff}

func (d *daemon) readSense(s *sense, target, index uint8) {
	r := readings[s.read()]
	if r == s.told && !d.waitsForSense(target, index) {
		return
	}
	s.told = r
	d.post(failover.Event{Kind: failover.SenseRead, Peer: target, Device: index, Reading: r})
}

// waitsForSense says whether a reading that is no news means something to the decision all the same.
func (d *daemon) waitsForSense(target, index uint8) bool {
	peer := &d.state.Peers[target]
	return peer.Senses[index].Suspect > 0 || peer.Withdrawn
}

// senseAgain keeps reading while the decision waits for a reading.
func (d *daemon) senseAgain() {
	for p := range d.cfg.N {
		for i, s := range d.h.senses[p] {
			if s.again || s.spoil != Floating && !d.waitsForSense(p, uint8(i)) {
				continue
			}
			s.again = true
			d.later(sensePeriod, func() {
				s.again = false
				d.readSense(s, p, uint8(i))
			})
		}
	}
}
