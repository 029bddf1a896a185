package segment

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Card is a machine's network card as the machine itself sees it. Its methods work in the namespace of their caller. As
// JSON it goes to the supervisor of a host.
type Card struct {
	Name string
	Own  []netip.Prefix // the machine's own addresses, which it has after every boot
}

// Up is what a boot does: the own addresses, and the card on.
func (c Card) Up() error {
	l, err := c.link()
	if err != nil {
		return err
	}
	for _, p := range c.Own {
		if err := put(l, p); err != nil {
			return err
		}
	}
	if err := netlink.LinkSetUp(l); err != nil {
		return fmt.Errorf("segment: switch on %s: %w", c.Name, err)
	}
	return nil
}

// Off is what the loss of power does: when it returns, the card has no carrier and no address, and nobody answers for
// those that it had.
func (c Card) Off() error {
	l, err := c.link()
	if err != nil {
		return err
	}
	if err := netlink.LinkSetDown(l); err != nil {
		return fmt.Errorf("segment: switch off %s: %w", c.Name, err)
	}
	all, err := netlink.AddrList(l, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("segment: list the addresses of %s: %w", c.Name, err)
	}
	for _, a := range all {
		// With the first address of a network the kernel may drop the later ones.
		if err := netlink.AddrDel(l, &a); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			return fmt.Errorf("segment: take %s off %s: %w", a.IPNet, c.Name, err)
		}
	}
	return nil
}

func (c Card) link() (netlink.Link, error) {
	l, err := netlink.LinkByName(c.Name)
	if err != nil {
		return nil, fmt.Errorf("segment: find %s: %w", c.Name, err)
	}
	return l, nil
}

func put(l netlink.Link, p netip.Prefix) error {
	a := &netlink.Addr{IPNet: ipNet(p)}
	if p.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	if err := netlink.AddrAdd(l, a); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("segment: put %s on %s: %w", p, l.Attrs().Name, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
