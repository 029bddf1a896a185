package pulse

import "encoding/binary"

// quietUnitMS is the unit in which the 12 bits of the interval count a quiet time.
const quietUnitMS = 100

func (p *Pulse) header() header {
	return header{from: p.From, to: p.To, session: p.Session, peerSession: p.PeerSession, seq: p.Seq}
}

func (p *Pulse) setHeader(h header) {
	p.From, p.To, p.Session, p.PeerSession, p.Seq = h.from, h.to, h.session, h.peerSession, h.seq
}

// fault names the value that the wire cannot carry, or is empty. Sender and receiver use the same list, so that what
// one may say is what the other believes.
func (p *Pulse) fault() string {
	if why := p.header().fault(); why != "" {
		return why
	}
	switch {
	case p.Echo > MaxSeq:
		return "echo is too large"
	case p.EchoAge > 15:
		return "echo age is not a step"
	case p.Flags.Has(Quiet) && p.IntervalMS > MaxQuietMS:
		return "quiet time is too long"
	case !p.Flags.Has(Quiet) && p.IntervalMS > MaxIntervalMS:
		return "interval is too long"
	case p.Boot >= 1<<24:
		return "boot hash is wider than 24 bits"
	case p.N > MaxGroups:
		return "there are too many groups"
	}
	for i := range p.Groups[:p.N] {
		if why := p.Groups[i].fault(); why != "" {
			return why
		}
	}
	return ""
}

func (g *GroupClaim) fault() string {
	switch {
	case g.Holds > HoldsYes:
		return "holds is none of its three values"
	case g.Phase >= phaseEnd:
		return "phase is unknown"
	case g.Wish.To > MaxMembers:
		return "wish names no member"
	case g.Wish.ID > MaxWish:
		return "wish id is too large"
	case (g.Wish.To == 0) != (g.Wish.ID == 0):
		return "wish is half a wish"
	case g.Request > MaxRequest:
		return "request is too large"
	case g.Grant > MaxRequest:
		return "grant is too large"
	case g.Term > MaxTerm:
		return "term is too large"
	}
	return ""
}

// put writes the body of p, which has no fault, and says how long it is.
func (p *Pulse) put(b []byte) int {
	p.header().put(b, FramePulse)
	b[1] = byte(p.Flags)
	put24(b[14:], p.Echo)
	interval := p.IntervalMS
	if p.Flags.Has(Quiet) {
		// Rounded up: a quiet time that is announced too short would be taken for a failure.
		interval = (interval + quietUnitMS - 1) / quietUnitMS
	}
	binary.BigEndian.PutUint16(b[17:], uint16(interval<<4)|uint16(p.EchoAge))
	put24(b[19:], p.Boot)
	b[22] = p.Health
	binary.BigEndian.PutUint16(b[23:], p.Core)
	b[25] = p.Rest
	at := pulseHead
	for i := range p.Groups[:p.N] {
		p.Groups[i].put(b[at:])
		at += groupSize
	}
	return at
}

// get reads a body of possible length into p, which is zero.
func (p *Pulse) get(body []byte) {
	p.setHeader(getHeader(body))
	p.Echo = get24(body[14:])
	p.Flags = Flags(body[1])
	timing := binary.BigEndian.Uint16(body[17:])
	p.EchoAge = uint8(timing & 15)
	p.IntervalMS = uint32(timing >> 4)
	if p.Flags.Has(Quiet) {
		p.IntervalMS *= quietUnitMS
	}
	p.Boot = get24(body[19:])
	p.Health = body[22]
	p.Core = binary.BigEndian.Uint16(body[23:])
	p.Rest = body[25]
	p.N = uint8((len(body) - pulseHead) / groupSize)
	for i := range p.Groups[:p.N] {
		p.Groups[i].get(body[pulseHead+i*groupSize:])
	}
}

func (g *GroupClaim) put(b []byte) {
	put24(b, uint32(g.Holds)<<22|uint32(g.Phase)<<18|uint32(g.Wish.To)<<15|uint32(g.Wish.ID)<<12|uint32(g.Request)<<2|uint32(g.Grant)>>8)
	b[3] = byte(g.Grant)
	put24(b[4:], g.Term)
}

func (g *GroupClaim) get(b []byte) {
	top := get24(b)
	g.Holds = Holds(top >> 22)
	g.Phase = Phase(top >> 18 & 15)
	g.Wish = Wish{To: uint8(top >> 15 & 7), ID: uint8(top >> 12 & 7)}
	g.Request = uint16(top >> 2 & MaxRequest)
	g.Grant = uint16(top&3)<<8 | uint16(b[3])
	g.Term = get24(b[4:])
}
