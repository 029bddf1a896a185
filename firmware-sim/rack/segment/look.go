package segment

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Holders says which of the service's addresses each node has on a card that is on, by its kernel. Nodes without any are
// left out. If one address is listed twice, both nodes had it at the same moment: they are asked twice, in turn.
func (s *Segment) Holders() (map[string][]netip.Addr, error) {
	held, err := s.having(s.nodes)
	if err != nil || len(held) < 2 {
		return held, err
	}
	again, err := s.having(s.nodes)
	for node := range held {
		held[node] = slices.DeleteFunc(held[node], func(ip netip.Addr) bool { return !slices.Contains(again[node], ip) })
		if len(held[node]) == 0 {
			delete(held, node)
		}
	}
	return held, err
}

func (s *Segment) having(nodes []string) (map[string][]netip.Addr, error) {
	held := map[string][]netip.Addr{}
	for _, node := range nodes {
		var all []netip.Addr
		err := s.machine(node).do(func() (err error) {
			all, err = onCard()
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("segment: ask the kernel of %s for its addresses: %w", node, err)
		}
		for _, p := range s.Services() {
			if slices.Contains(all, p.Addr()) {
				held[node] = append(held[node], p.Addr())
			}
		}
	}
	return held, nil
}

// dumpTries is how often a list is asked for that changes while it is read.
const dumpTries = 10

func onCard() (all []netip.Addr, err error) {
	l, err := netlink.LinkByName(CardName)
	if err != nil || l.Attrs().RawFlags&unix.IFF_UP == 0 {
		return nil, err
	}
	list, err := netlink.AddrList(l, netlink.FAMILY_ALL)
	for range dumpTries {
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
		list, err = netlink.AddrList(l, netlink.FAMILY_ALL)
	}
	for _, a := range list {
		ip, _ := netip.AddrFromSlice(a.IP)
		all = append(all, ip.Unmap())
	}
	return all, err
}

// Believed is the machine that the client takes to have the service's addresses, by its neighbour table; "" if it has no
// idea of any, and in words if it is not the same for all. Nobody ever writes that table but the client's kernel.
func (s *Segment) Believed() (string, error) {
	var names, each []string
	for _, p := range s.Services() {
		name, err := s.believed(p.Addr())
		if err != nil {
			return "", fmt.Errorf("segment: ask the client's kernel for its neighbours: %w", err)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if name == "" {
			name = "nobody"
		}
		each = append(each, fmt.Sprintf("%s (%s)", name, p.Addr()))
	}
	if len(names) == 1 {
		return names[0], nil
	}
	return strings.Join(each, " and "), nil
}

func (s *Segment) believed(ip netip.Addr) (name string, err error) {
	family := netlink.FAMILY_V4
	if ip.Is6() {
		family = netlink.FAMILY_V6
	}
	err = s.machine(Client).do(func() error {
		l, err := netlink.LinkByName(CardName)
		if err != nil {
			return err
		}
		all, err := netlink.NeighList(l.Attrs().Index, family)
		for _, n := range all {
			found, _ := netip.AddrFromSlice(n.IP)
			if found.Unmap() == ip && n.State&(netlink.NUD_INCOMPLETE|netlink.NUD_FAILED) == 0 {
				name = s.named(n.HardwareAddr)
			}
		}
		return err
	})
	return name, err
}

// MAC is the Ethernet address of a machine's card, as an alarm writes it.
func (s *Segment) MAC(name string) string {
	m := s.machine(name).mac
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}
