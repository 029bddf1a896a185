package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// The kinds of resources.
const (
	execKind    = "exec"
	addressKind = "address"
)

// The defaults and limits of an address; those of the package resource/address are the same.
const (
	defaultProbeWait      = 200 * time.Millisecond
	minProbeWait          = 20 * time.Millisecond
	maxProbeWait          = 10 * time.Second
	defaultAnnouncements  = 5
	maxAnnouncements      = 100
	defaultSpacing        = time.Second
	minSpacing            = 100 * time.Millisecond
	defaultRefresh        = time.Minute
	minRefresh            = time.Second
	defaultAddressTimeout = 10 * time.Second
	// verdictGrace is what a probe may take beyond twice its wait.
	verdictGrace = time.Second
	// maxInterface is the longest name of a network interface, in bytes.
	maxInterface = 15
)

func (r *rawResource) addressKeys() []place {
	return []place{r.Address.place, r.Interface.place, r.ProbeWait.place, r.Announcements.place, r.Spacing.place, r.Refresh.place, r.Timeout.place}
}

func (r *rawResource) execKeys() []place {
	return []place{r.Start.place, r.Stop.place, r.Status.place, r.StartTimeout.place, r.StopTimeout.place, r.StatusTimeout.place}
}

// addressOf reads a resource of kind address. Its name may be left out: then it is the address.
func (c *check) addressOf(r *rawResource, names map[string]bool) Resource {
	c.foreign(r.execKeys(), "kind", execKind, addressKind)
	a := Resource{
		Kind: addressKind, Name: r.Name.v, at: r.place, Address: c.prefix(r.Address), interfaces: c.interfaces(r.Interface),
		ProbeWait:     c.orNever(r.ProbeWait, defaultProbeWait, minProbeWait, maxProbeWait),
		Announcements: c.within(r.Announcements, defaultAnnouncements, 1, maxAnnouncements),
		Spacing:       c.between(r.Spacing, defaultSpacing, minSpacing, day),
		Refresh:       c.orNever(r.Refresh, defaultRefresh, minRefresh, day),
	}
	least := time.Millisecond
	if a.ProbeWait > 0 {
		least = 2*a.ProbeWait + verdictGrace // a verdict has to fit in
	}
	a.Timeout = c.between(r.Timeout, max(defaultAddressTimeout, least), least, day)
	switch {
	case r.Name.given:
		c.named(r.Name, "address", names)
	case a.Address.IsValid():
		a.Name = a.Address.Addr().String()
	}
	if r.Address.set && a.Address.IsValid() {
		c.alone(r.Address, a.Address.Addr())
	}
	return a
}

// orNever is between for a time that may also be 0, which is never.
func (c *check) orNever(s span, usual, low, high time.Duration) time.Duration {
	if s.set && s.v == 0 {
		return 0
	}
	return c.between(s, usual, low, high)
}

func (c *check) prefix(t text) netip.Prefix {
	if !t.given {
		c.bad(t.place, `write address = "192.0.2.10/24", with the length of its network`, "address is missing")
	}
	if !t.set {
		return netip.Prefix{}
	}
	p, err := netip.ParsePrefix(t.v)
	wrong, fix := "", `write it like address = "192.0.2.10/24" or address = "2001:db8::10/64"`
	ip := p.Addr()
	switch {
	case err != nil:
		wrong = "is no address with the length of its network"
	case ip.Is4In6():
		wrong = "is an IPv4 address in the form of an IPv6 one"
	case ip.IsUnspecified(), ip.IsMulticast(), ip.IsLoopback(), ip == everybody, ip.Is4() && ip.As4()[0] == 0:
		wrong = "belongs to no single host"
	case p.Bits() == 0:
		wrong, fix = "would take in every address there is", "correct the length of its network"
	case ip.Is4() && p.Bits() < 31 && (ip == p.Masked().Addr() || ip == broadcast(p)):
		wrong, fix = "is the network or the broadcast address of "+p.Masked().String(), "write another address, or correct the length of its network"
	}
	if wrong != "" {
		c.bad(t.place, fix, "address = %q %s", t.v, wrong)
		return netip.Prefix{}
	}
	return p
}

// everybody is the broadcast address of any network.
var everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// broadcast is the last address of an IPv4 network.
func broadcast(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}

// alone refuses an address that has to stay where it is, or moves with another resource already.
func (c *check) alone(t text, ip netip.Addr) {
	for i := range c.raw.Link {
		for _, name := range slices.Sorted(maps.Keys(c.raw.Link[i].Ends)) {
			end := c.raw.Link[i].Ends[name]
			if a, err := netip.ParseAddrPort(end.v); err == nil && a.Addr().Unmap() == ip {
				c.bad(t.place, "give the group an address of its own", "address = %q is the address of %s on a link (line %d), which must not move", t.v, name, end.line)
			}
		}
	}
	if other, twice := c.moving[ip]; twice {
		c.bad(t.place, "remove one of the two", "address = %q stands in another resource already (line %d)", t.v, other.line)
		return
	}
	if c.moving == nil {
		c.moving = map[netip.Addr]place{}
	}
	c.moving[ip] = t.place
}

// interfaces gives each node the interface on which it puts the address. Every node has to know it, for each has to be
// able to say that the address is not there.
func (c *check) interfaces(w cards) map[int]text {
	all := map[int]text{}
	if !w.given {
		c.bad(w.place, fmt.Sprintf("write interface = \"eth0\", or a table by node: { %s = \"eth0\" }", c.first()), "interface is missing: it says where the address is put")
	}
	if !w.set {
		return all
	}
	for n, node := range c.model.nodes {
		t, ok := text{place: w.place, v: w.all}, true
		if w.by != nil {
			t, ok = w.by[node.Name]
		} else {
			t.set = true
		}
		switch {
		case !ok:
			c.bad(w.place, fmt.Sprintf("write %s = \"eth0\" into it", node.Name), "interface gives no name for %s", node.Name)
		case t.set && !isInterface(t.v):
			if n == 0 || w.by != nil {
				c.bad(t.place, `write the interface itself, without a label, such as "eth0" or "bond0.7"`, "%s = %q is no name of a network interface", t.name(), t.v)
			}
		case t.set:
			all[n] = t
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.by)) {
		if !slices.Contains(c.names(), name) {
			c.bad(w.by[name].place, "use "+orList(c.names()), "interface names %q, which is no node", name)
		}
	}
	return all
}

func isInterface(s string) bool {
	return s != "" && len(s) <= maxInterface && s != "." && s != ".." && !strings.ContainsAny(s, "/: \t\n\x00")
}

// first is the name of the first node, for examples.
func (c *check) first() string {
	if len(c.model.nodes) == 0 {
		return "NODE"
	}
	return c.model.nodes[0].Name
}

// groupsOf are the groups as one node has them.
func (m *model) groupsOf(me int) []Group {
	all := slices.Clone(m.groups)
	for i := range all {
		all[i].Resources = slices.Clone(all[i].Resources)
		for j := range all[i].Resources {
			r := &all[i].Resources[j]
			r.Interface, r.interfaces = r.interfaces[me].v, nil
		}
	}
	return all
}
