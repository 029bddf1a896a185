package explore

import (
	"slices"
	"testing"
)

func TestRanks(t *testing.T) {
	var r ranks
	for _, n := range []uint32{0, 200, 3, 63, 64, 3, tooLarge - 1} {
		r.add(n)
	}
	if all := slices.Collect(r.each); !slices.Equal(all, []uint32{3, 63, 64, 200, 255}) {
		t.Errorf("above 0 there are %v", all)
	}
	for n, place := range map[uint32]uint32{0: 0, 1: 0, 3: 1, 4: 1, 62: 1, 63: 2, 64: 3, 65: 3, 199: 3, 200: 4, 254: 4, 255: 5, 1 << 20: 5} {
		if r.of(n) != place {
			t.Errorf("%d has place %d, not %d", n, r.of(n), place)
		}
	}
	for n, is := range map[uint32]bool{0: true, 1: false, 63: true, 64: true, 65: false, 255: true, 256: false, 256 + 3: false} {
		if r.has(n) != is {
			t.Errorf("has %d: %v", n, !is)
		}
	}
	without := ranks{}
	without.add(2)
	if without.of(2) != 1 || without.of(0) != 0 {
		t.Errorf("a set without 0: 2 has place %d, 0 has %d", without.of(2), without.of(0))
	}
	defer func() {
		if recover() == nil {
			t.Error("a number that cannot be kept was taken")
		}
	}()
	r.add(tooLarge)
}
