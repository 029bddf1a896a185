package segment

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// This file is what people do to a machine's card while the machine runs.

// SwitchOff has somebody switch a machine's card off, as `ip link set eth0 down` does. The kernel keeps its IPv4 addresses
// and drops those of IPv6.
func (s *Segment) SwitchOff(name string) error {
	return s.onCard(name, func(l netlink.Link) error {
		if err := netlink.LinkSetDown(l); err != nil {
			return fmt.Errorf("segment: switch off the card of %s: %w", name, err)
		}
		return nil
	})
}

// SwitchOn switches it on again, with the machine's own addresses.
func (s *Segment) SwitchOn(name string) error {
	m := s.machine(name)
	return m.do(m.card.Up)
}

// Unplug pulls a machine's cable: its card is on and has no carrier.
func (s *Segment) Unplug(name string) error { return s.onPort(name, netlink.LinkSetDown) }

// Plug puts it in again.
func (s *Segment) Plug(name string) error { return s.onPort(name, netlink.LinkSetUp) }

func (s *Segment) onPort(name string, act func(netlink.Link) error) error {
	port := s.machine(name).port
	return s.hub.do(func() error {
		l, err := netlink.LinkByName(port)
		if err == nil {
			err = act(l)
		}
		if err != nil {
			return fmt.Errorf("segment: the cable of %s: %w", name, err)
		}
		return nil
	})
}

// Strip has somebody take the service's addresses off a machine's card.
func (s *Segment) Strip(name string) error {
	return s.onCard(name, func(l netlink.Link) error {
		for _, p := range s.Services() {
			if err := netlink.AddrDel(l, &netlink.Addr{IPNet: ipNet(p)}); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
				return fmt.Errorf("segment: take %s off %s: %w", p, name, err)
			}
		}
		return nil
	})
}

func (s *Segment) onCard(name string, f func(netlink.Link) error) error {
	m := s.machine(name)
	return m.do(func() error {
		l, err := m.card.link()
		if err != nil {
			return err
		}
		return f(l)
	})
}
