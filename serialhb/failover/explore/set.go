package explore

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

// set is which clusters were met, by a hash of 64 bits each: that two of n differ and are taken for one has a probability
// of n²/2⁶⁵ at most, which [Result.Omitted] tells. It takes additions from several goroutines at once; it may only grow
// between them.
type set struct {
	slots []uint64 // 0 is free
	used  atomic.Uint64
}

func newSet(slots int) *set { return &set{slots: make([]uint64, slots)} }

// add says whether a hash is new. It panics when nothing is free.
func (s *set) add(h uint64) bool {
	h |= b2u(h == 0)
	mask := uint64(len(s.slots) - 1)
	for at, tried := h&mask, 0; tried < len(s.slots); at, tried = (at+1)&mask, tried+1 {
		switch was := atomic.LoadUint64(&s.slots[at]); {
		case was == h:
			return false
		case was == 0:
			if atomic.CompareAndSwapUint64(&s.slots[at], 0, h) {
				s.used.Add(1)
				return true
			}
			if atomic.LoadUint64(&s.slots[at]) == h {
				return false
			}
		}
	}
	panic("explore: the set is full")
}

// grow doubles it until there is room for so many more.
func (s *set) grow(more uint64) {
	size := uint64(len(s.slots))
	for (s.used.Load()+more)*4 > size*3 {
		size *= 2
	}
	if size == uint64(len(s.slots)) {
		return
	}
	old := s.slots
	s.slots = make([]uint64, size)
	s.used.Store(0)
	for _, h := range old {
		if h != 0 {
			s.add(h)
		}
	}
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// hash mixes eight bytes at a time by a wide multiplication, as wyhash does.
func hash(b []byte) uint64 {
	const k0, k1, k2 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3
	h := uint64(len(b)) ^ k0
	for ; len(b) >= 8; b = b[8:] {
		h = mix(h^binary.LittleEndian.Uint64(b), k1)
	}
	var tail [8]byte
	copy(tail[:], b)
	h = mix(h^binary.LittleEndian.Uint64(tail[:]), k2)
	return mix(h, k0)
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo ^ a // never the same for two a that one b maps to 0
}
