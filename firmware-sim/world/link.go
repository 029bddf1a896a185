package world

import (
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// link is one cable between two members, or the network that all share.
type link struct {
	w       *World
	name    string
	members uint16 // bits
	serial  bool
	ways    [pulse.MaxMembers][pulse.MaxMembers]*way // by sending and receiving member; nil: it does not lead there
}

// way is one direction of a link.
type way struct {
	cut     bool
	air     Air
	held    time.Duration // what is sent now arrives so much later: a path with a long queue
	busy    bool          // a line carries one frame at a time
	waiting letter        // a pulse; the newest wins
	side    letter        // the same, and goes when no pulse waits
	decoder pulse.Decoder
	dropped int
}

// port is one host's end of a link.
type port struct {
	gone   bool      // its device vanished
	buffer []arrival // what the driver has and nobody read
	wrong  int       // frames under another key in a row
	since  time.Duration
}

func (w *World) addLinks() {
	add := func(name string, serial bool, members ...uint8) {
		l := &link{w: w, name: name, serial: serial}
		for _, a := range members {
			l.members |= 1 << a
			for _, b := range members {
				if a != b {
					l.ways[a][b] = &way{}
					if !serial {
						l.ways[a][b].air = w.c.Net
					}
				}
			}
		}
		w.links = append(w.links, l)
	}
	n := uint8(len(w.c.Nodes))
	if w.c.Baud > 0 {
		for a := range n {
			for b := a + 1; b < n; b++ {
				add("cable "+w.c.Nodes[a]+"-"+w.c.Nodes[b], true, a, b)
			}
		}
	}
	if w.c.Lan {
		var all []uint8
		for a := range n {
			all = append(all, a)
		}
		add("lan", false, all...)
	}
	if len(w.links) > pulse.MaxLinks {
		panic("world: more links than a member may have")
	}
	for _, h := range w.hosts {
		h.ports = make([]port, len(w.links))
	}
}

// peers are the members at the other ends of a link.
func (l *link) peers(me uint8) uint16 {
	if l.members&(1<<me) == 0 {
		return 0
	}
	return l.members &^ (1 << me)
}

// send puts a frame on a link. The frame is the caller's and is copied.
func (h *host) send(index int, to uint8, frame []byte) {
	l := h.w.links[index]
	way := l.ways[h.me][to]
	if way == nil || h.ports[index].gone || l.serial && h.clone {
		return
	}
	if !l.serial {
		h.datagram(index, way, to, frame)
		return
	}
	m := h.letter(pulse.AppendLine(h.w.buffer(), frame), frame)
	slot := &way.waiting
	if !m.life {
		slot = &way.side
	}
	switch {
	case !way.busy:
		h.line(index, way, to, m)
		return
	case slot.raw != nil:
		way.dropped++
	}
	*slot = m
}

// letter is what is sent, as bytes that are its own.
type letter struct {
	raw  []byte
	keys *pulse.Keyring // with which it is signed
	life bool           // it is a pulse: a side frame is no sign of life
}

func (h *host) letter(raw, frame []byte) letter {
	return letter{raw, h.daemon.keys, frame[0]&0xf == byte(pulse.FramePulse)}
}

// flight is one frame on its way. They are used again: there is one for every frame.
type flight struct {
	from *host
	link int
	way  *way
	to   uint8
	sent time.Duration
	letter

	land, cross func() // at the end of a line, and of the network
}

// flight is a letter that h sends now.
func (h *host) flight(link int, way *way, to uint8, m letter) *flight {
	var f *flight
	if last := len(h.w.flights) - 1; last >= 0 {
		f, h.w.flights = h.w.flights[last], h.w.flights[:last]
	} else {
		f = &flight{}
		f.land, f.cross = f.overLine, f.overNetwork
	}
	f.from, f.link, f.way, f.to, f.sent, f.letter = h, link, way, to, h.w.now, m
	return f
}

// over is the end of a flight.
func (f *flight) over() {
	w := f.from.w
	w.reuse(f.raw)
	f.raw = nil
	w.flights = append(w.flights, f)
}

// line paces one frame: ten bits a byte.
func (h *host) line(index int, way *way, to uint8, m letter) {
	way.busy = true
	took := time.Duration(len(m.raw)) * 10 * time.Second / time.Duration(h.w.c.Baud)
	h.w.after(took, h.flight(index, way, to, m).land)
}

func (f *flight) overLine() {
	h, way := f.from, f.way
	way.busy = false
	if !way.cut && h.powered {
		h.w.real(f.to).bytes(f)
	}
	for _, slot := range [...]*letter{&way.waiting, &way.side} {
		if next := *slot; next.raw != nil && !way.busy {
			*slot = letter{}
			h.line(f.link, way, f.to, next)
		}
	}
	f.over()
}

// bytes arrive at the end of a cable. Some may be spoilt.
func (h *host) bytes(f *flight) {
	way, line := f.way, f.raw
	if !h.up || h.ports[f.link].gone {
		return
	}
	if h.w.chance(way.air.Lose) {
		line[h.w.rng.IntN(len(line))] ^= byte(1 + h.w.rng.IntN(255))
	} else if f.life {
		h.hears(f)
	}
	for rest := line; len(rest) > 0; {
		var frame []byte
		if frame, rest = way.decoder.Next(rest); frame != nil {
			h.receive(f.link, frame)
		}
	}
}

// datagram carries one frame over the network: to every machine that has the address.
func (h *host) datagram(index int, way *way, to uint8, frame []byte) {
	if way.cut || h.w.chance(way.air.Lose) {
		return
	}
	copies := 1
	if h.w.chance(way.air.Double) {
		copies = 2
	}
	for range copies {
		f := h.flight(index, way, to, h.letter(h.w.copyOf(frame), frame))
		h.w.after(way.held+way.air.Delay+h.w.upTo(way.air.Spread), f.cross)
	}
}

func (f *flight) overNetwork() {
	for _, other := range f.from.w.hosts {
		if other.me == f.to && other.up && !other.ports[f.link].gone {
			if f.life {
				other.hears(f)
			}
			other.receive(f.link, f.raw)
		}
	}
	f.over()
}

// receive hands a frame to the daemon, or leaves it with the driver while nobody reads.
func (h *host) receive(index int, frame []byte) {
	if h.daemon == nil {
		return
	}
	a := arrival{kind: arrivedFrame, link: uint8(index), raw: h.w.copyOf(frame)}
	if h.frozen || len(h.ports[index].buffer) > 0 {
		h.ports[index].buffer = append(h.ports[index].buffer, a)
		if over := len(h.ports[index].buffer) - driverFrames; over > 0 && !h.w.links[index].serial {
			h.ports[index].buffer = h.ports[index].buffer[:driverFrames]
		} else if over > 0 {
			h.ports[index].buffer = h.ports[index].buffer[over:]
		}
		return
	}
	h.daemon.arrive(a)
}

// driverFrames is how many frames a driver keeps for a reader that is not there: about the 4 kB of a tty.
const driverFrames = 64

// readBuffer hands over what waited, a little later: a reader has to be scheduled too.
func (h *host) readBuffer(l uint8) {
	h.later(h.w.upTo(3*time.Millisecond), func() {
		buffer := h.ports[l].buffer
		h.ports[l].buffer = nil
		for _, a := range buffer {
			if h.daemon != nil {
				h.daemon.arrive(a)
			}
		}
	})
}

// pending says whether a driver has something that the daemon has not read.
func (h *host) pending() bool {
	for i := range h.ports {
		if len(h.ports[i].buffer) > 0 {
			return true
		}
	}
	return false
}
