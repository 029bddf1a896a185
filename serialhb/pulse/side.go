package pulse

// SideKind is what a side frame is about.
type SideKind uint8

// The kinds of side frames. Append only: the values are on the wire.
const (
	// SideKeys: the ids of all keys that the sender accepts, one to three, four bytes each.
	SideKeys SideKind = 1 + iota
	// SideDigests: the full digests, core and then rest, eight bytes each, big endian.
	SideDigests
	// SideVitals: vital signs of the sender. The payload is not this package's business.
	SideVitals
	// SideNews: news from the sender. The payload is not this package's business.
	SideNews

	sideKindEnd
)

var sideKindNames = [sideKindEnd]string{SideKeys: "keys", SideDigests: "digests", SideVitals: "vitals", SideNews: "news"}

func (k SideKind) String() string {
	if k > 0 && k < sideKindEnd {
		return sideKindNames[k]
	}
	return "invalid"
}

const (
	keyIDSize     = 4
	maxKeys       = 3
	digestsLength = 16
)

// Side is a frame beside the pulses. It is never life and never a claim.
type Side struct {
	Kind        SideKind
	From, To    uint8
	Session     uint32           // the sender's, never 0
	PeerSession uint32           // the receiver's as last heard, 0 is none
	Seq         uint32           // 1..MaxSeq, a counter of side frames alone
	Len         uint8            // bytes of payload, 0..MaxPayload
	Payload     [MaxPayload]byte // zero after Len when it was decoded
}

func (s *Side) header() header {
	return header{from: s.From, to: s.To, session: s.Session, peerSession: s.PeerSession, seq: s.Seq}
}

// fault names the value that the wire cannot carry, or is empty.
func (s *Side) fault() string {
	if why := s.header().fault(); why != "" {
		return why
	}
	switch {
	case s.Kind == 0 || s.Kind >= sideKindEnd:
		return "side kind is unknown"
	case s.Len > MaxPayload:
		return "payload is too long"
	case s.Kind == SideKeys && (s.Len == 0 || s.Len%keyIDSize != 0 || s.Len > maxKeys*keyIDSize):
		return "payload is not one to three key ids"
	case s.Kind == SideDigests && s.Len != digestsLength:
		return "payload is not two digests"
	}
	return ""
}

// put writes the body of s, which has no fault, and says how long it is.
func (s *Side) put(b []byte) int {
	s.header().put(b, FrameSide)
	b[1] = byte(s.Kind)
	return headSize + copy(b[headSize:], s.Payload[:s.Len])
}

// get reads a body of possible length into s, which is zero.
func (s *Side) get(body []byte) {
	s.setHeader(getHeader(body))
	s.Kind = SideKind(body[1])
	s.Len = uint8(copy(s.Payload[:], body[headSize:]))
}

func (s *Side) setHeader(h header) {
	s.From, s.To, s.Session, s.PeerSession, s.Seq = h.from, h.to, h.session, h.peerSession, h.seq
}
