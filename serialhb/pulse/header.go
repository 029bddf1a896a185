package pulse

import "encoding/binary"

// header is the part that every frame of every version has.
type header struct {
	from, to                  uint8
	session, peerSession, seq uint32
}

func (h header) fault() string {
	switch {
	case h.from >= MaxMembers:
		return "sender is not a member index"
	case h.to >= MaxMembers:
		return "receiver is not a member index"
	case h.session == 0:
		return "session is 0"
	case h.seq == 0:
		return "sequence is 0"
	case h.seq > MaxSeq:
		return "sequence is too large"
	}
	return ""
}

// put writes all of the header but byte 1, which is the frame's own.
func (h header) put(b []byte, kind FrameKind) {
	b[0] = version<<4 | byte(kind)
	b[2] = h.from<<4 | h.to
	binary.BigEndian.PutUint32(b[3:], h.session)
	binary.BigEndian.PutUint32(b[7:], h.peerSession)
	put24(b[11:], h.seq)
}

func getHeader(b []byte) header {
	return header{
		from:        b[2] >> 4,
		to:          b[2] & 15,
		session:     binary.BigEndian.Uint32(b[3:]),
		peerSession: binary.BigEndian.Uint32(b[7:]),
		seq:         get24(b[11:]),
	}
}

func put24(b []byte, v uint32) {
	b[0], b[1], b[2] = byte(v>>16), byte(v>>8), byte(v)
}

func get24(b []byte) uint32 {
	return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
}
