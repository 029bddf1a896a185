package address

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// Doubts are what [Address.Check] accepts and few people mean, each in one sentence that says what to do: an interface or
// a length that does not fit the networks of this host. It changes nothing and sends nothing.
func (a *Address) Doubts(ctx context.Context) ([]string, error) {
	ctx, cancel := a.limit(ctx)
	defer cancel()
	doubts, err := ask(ctx, a, func() (doubts []string, err error) {
		l, err := findLink(a.cfg.Interface)
		if err != nil || l.index == 0 {
			return nil, err
		}
		all, err := addresses(a.ip)
		if err != nil {
			return nil, err
		}
		for _, text := range []string{doubt(a.cfg.Address, l, all, place.link), silent(a.cfg.Address, l.name)} {
			if text != "" {
				doubts = append(doubts, text)
			}
		}
		return doubts, nil
	})
	if err != nil {
		return nil, fmt.Errorf("address: check %s: %w", a.ip, err)
	}
	return doubts, nil
}

// silent says that the kernel would answer nobody who asks for the address. Of the two settings the higher one holds.
func silent(address netip.Prefix, name string) string {
	if !address.Addr().Is4() {
		return ""
	}
	ignore := 0
	for _, of := range []string{"all", name} {
		text, err := os.ReadFile("/proc/sys/net/ipv4/conf/" + of + "/arp_ignore")
		if n, bad := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && bad == nil {
			ignore = max(ignore, n)
		}
	}
	const always, otherNetwork = 8, 2
	if ignore == always || ignore == otherNetwork && address.IsSingleIP() {
		return fmt.Sprintf("the kernel tells nobody who asks where %s is, for arp_ignore is %d: set net.ipv4.conf.all.arp_ignore and net.ipv4.conf.%s.arp_ignore to 1 at most", address, ignore, name)
	}
	return ""
}

// doubt compares an address with those of the host that stay where they are; "" is none.
func doubt(address netip.Prefix, l link, all []place, name func(place) string) string {
	ip := address.Addr()
	var elsewhere, length *place
	for _, p := range all {
		moves := strings.HasSuffix(p.addr.Label, labelEnd) || ip.Is6() && p.addr.PreferedLft == 0
		if moves || p.ip() == ip || p.prefix().IsSingleIP() || !p.prefix().Contains(ip) {
			continue
		}
		switch {
		case p.addr.LinkIndex != l.index:
			elsewhere = &p
		case p.prefix().Bits() == address.Bits() || address.IsSingleIP():
			return ""
		default:
			length = &p
		}
	}
	switch {
	case length != nil:
		return fmt.Sprintf("%s has another length than the network %s of %s: write %s", address, length.prefix().Masked(), l.name, netip.PrefixFrom(ip, length.prefix().Bits()))
	case elsewhere != nil:
		return fmt.Sprintf("%s lies in the network %s of %s and in none of %s: configure %s, or correct the address", ip, elsewhere.prefix().Masked(), name(*elsewhere), l.name, name(*elsewhere))
	case address.IsSingleIP() && !ip.IsLinkLocalUnicast():
		return fmt.Sprintf("%s brings no way into a network, and %s has none that it lies in: write it with the length of its network", address, l.name)
	}
	return ""
}
