package address

import (
	"net"
	"net/netip"
	"testing"
)

// The kernel's own word, for addresses that every machine has.
func TestWayTo(t *testing.T) {
	if w, err := WayTo(netip.MustParseAddr("127.0.0.1")); err != nil || w != (Way{Interface: "lo", Here: true}) {
		t.Errorf("%+v, %v", w, err)
	}
	cards, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, card := range cards {
		all, err := card.Addrs()
		if err != nil || card.Flags&net.FlagUp == 0 || card.Flags&net.FlagLoopback != 0 {
			continue
		}
		for _, a := range all {
			own, err := netip.ParsePrefix(a.String())
			if err != nil || !own.Addr().Is4() || own.Bits() > 29 {
				continue
			}
			other := own.Masked().Addr().Next().Next().Next().Next()
			if other == own.Addr() {
				other = other.Next()
			}
			if w, err := WayTo(own.Addr()); err != nil || !w.Here {
				t.Errorf("own address: %+v, %v", w, err)
			}
			if w, err := WayTo(other); err != nil || w.Here || w.Interface != card.Name || w.Via.IsValid() {
				t.Errorf("a neighbour of %s: %+v, %v", own, w, err)
			}
		}
	}
	if w, err := WayTo(netip.MustParseAddr("255.255.255.255")); err == nil && w.Here {
		t.Errorf("%+v", w)
	}
}
