package explore

import (
	"encoding/binary"
	"math/bits"
)

// set is which clusters were met, by a hash of 64 bits each: that two of n differ and are taken for one has a probability
// of n²/2⁶⁵ at most, which [Result.Omitted] tells. The zero value is empty. Several may ask at once, while nobody adds.
type set struct {
	slots []uint64 // 0 is free
	used  int
}

// has says whether a hash was added.
func (s *set) has(h uint64) bool {
	return s.used > 0 && s.slots[s.slot(h)] != 0
}

// add says whether a hash is new.
func (s *set) add(h uint64) bool {
	if 4*s.used >= 3*len(s.slots) {
		s.grow()
	}
	at := s.slot(h)
	if s.slots[at] != 0 {
		return false
	}
	s.slots[at] = h
	s.used++
	return true
}

// slot is where a hash is, or would be. There is always a free one.
func (s *set) slot(h uint64) uint64 {
	mask := uint64(len(s.slots) - 1)
	at := h & mask
	for s.slots[at] != 0 && s.slots[at] != h {
		at = (at + 1) & mask
	}
	return at
}

func (s *set) grow() {
	old := s.slots
	s.slots = make([]uint64, max(1<<10, 2*len(old)))
	for _, h := range old {
		if h != 0 {
			s.slots[s.slot(h)] = h
		}
	}
}

func b2u(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// hash mixes eight bytes at a time by a wide multiplication, as wyhash does. It is never 0.
func hash(b []byte) uint64 {
	const k0, k1, k2 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3
	h := uint64(len(b)) ^ k0
	for ; len(b) >= 8; b = b[8:] {
		h = mix(h^binary.LittleEndian.Uint64(b), k1)
	}
	var tail [8]byte
	copy(tail[:], b)
	h = mix(h^binary.LittleEndian.Uint64(tail[:]), k2)
	h = mix(h, k0)
	return h | uint64(b2u(h == 0))
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo ^ a // never the same for two a that one b maps to 0
}
