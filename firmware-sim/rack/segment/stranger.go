package segment

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Squat makes the stranger put the service's addresses on its card, as somebody does by mistake. Its kernel answers who
// asks for them, and tells nobody.
func (s *Segment) Squat() error {
	return s.onStranger(func(_ *machine, l netlink.Link) error {
		for _, p := range s.Services() {
			if err := put(l, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// Claim makes the stranger's kernel announce what it has to everybody.
func (s *Segment) Claim() error {
	return s.onStranger(func(m *machine, l netlink.Link) error {
		// With these a kernel announces its addresses when its card gets a MAC, be it the same one.
		if err := set("ipv4", "arp_notify", "1"); err != nil {
			return err
		}
		if len(s.Services()) > 1 {
			if err := set("ipv6", "ndisc_notify", "1"); err != nil {
				return err
			}
		}
		if err := netlink.LinkSetHardwareAddr(l, m.mac[:]); err != nil {
			return fmt.Errorf("segment: announce the stranger: %w", err)
		}
		return nil
	})
}

// Unsquat ends Squat.
func (s *Segment) Unsquat() error {
	return s.onStranger(func(_ *machine, l netlink.Link) error {
		for _, p := range s.Services() {
			if err := netlink.AddrDel(l, &netlink.Addr{IPNet: ipNet(p)}); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
				return fmt.Errorf("segment: take %s off the stranger: %w", p, err)
			}
		}
		return nil
	})
}

func (s *Segment) onStranger(f func(m *machine, card netlink.Link) error) error {
	m := s.machine(Stranger)
	return m.do(func() error {
		l, err := m.card.link()
		if err != nil {
			return err
		}
		return f(m, l)
	})
}
