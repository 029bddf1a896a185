package explore

import "math/bits"

// ranks is a set of numbers below [tooLarge] that says which place each has among them. 0 is always the first, and has place 0.
// The numbers of a renamed cluster are its own places, so after one more move they are still small.
type ranks [tooLarge / 64]uint64

const tooLarge = 256

func (r *ranks) add(n uint32) {
	if n >= tooLarge {
		panic("explore: a cluster with a number that large was not renamed")
	}
	r[n/64] |= 1 << (n % 64)
}

func (r *ranks) has(n uint32) bool { return n < tooLarge && r[n/64]>>(n%64)&1 != 0 }

// of is how many numbers of the set are n or below, but for 0: the place of n, or else of the next one below it.
func (r *ranks) of(n uint32) uint32 {
	n = min(n, tooLarge-1)
	place := bits.OnesCount64(r[n/64] << (63 - n%64))
	for k := range n / 64 {
		place += bits.OnesCount64(r[k])
	}
	return uint32(place) - uint32(r[0]&1)
}

// least is the smallest number above 0, or 1.
func (r *ranks) least() uint32 {
	for n := range r.each {
		return n
	}
	return 1
}

// each yields the numbers above 0, in order.
func (r *ranks) each(yield func(uint32) bool) {
	for k, set := range r {
		if k == 0 {
			set &^= 1
		}
		for ; set != 0; set &= set - 1 {
			if !yield(uint32(64*k + bits.TrailingZeros64(set))) {
				return
			}
		}
	}
}
