package config

import (
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

const (
	defaultBaud = 115200
	minBaud     = 1200
	maxBaud     = 4_000_000
)

// bauds are the rates that ports commonly have, to name one that would do.
var bauds = []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1_500_000, 3_000_000, 4_000_000}

// isLinkWord says whether a key of [[link]] is a word of ours and not a node.
func isLinkWord(s string) bool { return s == "name" || s == "kind" || s == "baud" }

func (c *check) links() {
	all := c.raw.Link
	if len(all) > pulse.MaxLinks {
		c.bad(all[pulse.MaxLinks].place, "remove the others", "there are %d links, and %d is the most", len(all), pulse.MaxLinks)
	}
	taken := map[string]bool{}
	used := map[string]text{} // by node and device or address
	for i := range all {
		r := &all[i]
		c.named(r.Name, "cable", taken)
		l := linkModel{name: r.Name.v, ends: map[int]string{}, at: r.place}
		l.kind = demand(c, r.Kind, "a link is a serial cable or UDP", option[LinkKind]{"serial", Serial}, option[LinkKind]{"udp", UDP})
		ends := c.ends(r)
		l.places = ends
		switch LinkKind(r.Kind.v) {
		case Serial:
			c.serial(r, &l, ends)
		case UDP:
			c.udp(r, &l, ends)
		default: // told above; it still joins its nodes
			for n := range ends {
				l.ends[n] = ""
			}
		}
		for _, n := range slices.Sorted(maps.Keys(ends)) {
			key := fmt.Sprint(n, " ", l.ends[n])
			if other, twice := used[key]; twice && l.ends[n] != "" {
				c.bad(ends[n].place, "give each link its own", "%s = %q stands in another link too (line %d)", ends[n].name(), ends[n].v, other.line)
			}
			used[key] = ends[n]
		}
		c.model.links = append(c.model.links, l)
	}
	c.pairs()
}

// ends gives what stands under the names of nodes.
func (c *check) ends(r *rawLink) map[int]text {
	ends := map[int]text{}
	for _, key := range slices.Sorted(maps.Keys(r.Ends)) {
		t := r.Ends[key]
		known := slices.Index(c.names(), key)
		switch {
		case known < 0:
			c.bad(t.place, "use name, kind, baud, or a node: "+orList(c.names()), "there is no key %q here, and no such node", key)
		case t.set:
			ends[known] = t
		}
	}
	return ends
}

func (c *check) serial(r *rawLink, l *linkModel, ends map[int]text) {
	l.baud = c.within(r.Baud, defaultBaud, minBaud, maxBaud)
	if len(ends) != 2 {
		c.bad(r.place, `write the device of each of its two nodes, such as `+c.example("/dev/serialhb0"), "a serial cable joins two nodes, and this link names %d", len(ends))
	}
	for n, t := range ends {
		l.ends[n] = c.path(t, "")
		for _, unstable := range []string{"/dev/ttyUSB", "/dev/ttyACM"} {
			if strings.HasPrefix(l.ends[n], unstable) {
				c.warn(t.place, "use its name below /dev/serial/by-path, or a name that a udev rule gives", "%s = %q is another port after an adapter was plugged in again", t.name(), t.v)
			}
		}
	}
	c.load(r, l)
}

// The share of a serial line that may be used, in percent, and the least that side frames need, in bytes per second: one
// frame of digests every ten seconds.
const (
	maxLoad  = 40
	sideMost = 10
	sideMin  = 5
)

// load refuses a line that would be too full. A character takes ten bits on it.
func (c *check) load(r *rawLink, l *linkModel) {
	frame := int64(pulse.LineBytes(len(c.model.groups)))
	interval := c.model.timing.Interval
	full := int64(l.baud) / 10
	most := full * maxLoad / 100
	pulses := (frame*int64(time.Second) + int64(interval) - 1) / int64(interval)
	if pulses+sideMin <= most {
		l.side = int(min(most-pulses, full*sideMost/100))
		return
	}
	at := c.raw.Timing.Interval.place
	if r.Baud.set || !at.set {
		at = r.Baud.place
	}
	slowest := (frame*1000 + most - sideMin - 1) / (most - sideMin)
	fix := ""
	if slowest <= pulse.MaxIntervalMS {
		fix = fmt.Sprintf(`write interval = "%dms" or more`, slowest)
	}
	for _, b := range bauds {
		if pulses+sideMin <= int64(b)/10*maxLoad/100 {
			if fix != "" {
				fix += ", or "
			}
			fix += fmt.Sprintf("write baud = %d", b)
			break
		}
	}
	if fix == "" {
		fix = "use fewer groups"
	}
	c.bad(at, fix, "pulses of %d bytes every %v and side frames take %.1f %% of a line of %d baud, and %d %% is the most",
		frame, interval, float64(pulses+sideMin)*100/float64(full), l.baud, maxLoad)
}

func (c *check) udp(r *rawLink, l *linkModel, ends map[int]text) {
	if r.Baud.given {
		c.bad(r.Baud.place, "remove it", "baud has no meaning for UDP")
	}
	if len(ends) < 2 {
		c.bad(r.place, "write the address of each of its nodes, such as "+c.example("192.0.2.1:6940"), "a UDP link joins two nodes or more, and this one names %d", len(ends))
	}
	var first netip.AddrPort
	taken := map[netip.AddrPort]bool{}
	for _, n := range slices.Sorted(maps.Keys(ends)) {
		t := ends[n]
		a, ok := c.address(t)
		if !ok {
			continue
		}
		switch {
		case taken[a]:
			c.bad(t.place, "write the address of this node", "%s = %q is the address of another node too", t.name(), t.v)
		case first.IsValid() && a.Addr().Is4() != first.Addr().Is4():
			c.bad(t.place, "use IPv4 for all nodes of the link, or IPv6 for all", "%s = %q and %q are of two families", t.name(), t.v, first.String())
		}
		if !first.IsValid() {
			first = a
		}
		taken[a] = true
		l.ends[n] = a.String()
	}
}

// address reads a literal address: a name would let DNS delay a pulse.
func (c *check) address(t text) (netip.AddrPort, bool) {
	a, err := netip.ParseAddrPort(t.v)
	wrong := ""
	switch {
	case err != nil:
		wrong = "is no literal IP:port"
	case a.Port() == 0:
		wrong = "has port 0"
	case a.Addr().Zone() != "":
		wrong = "has a zone, which means another interface on another host"
	case a.Addr().IsUnspecified():
		wrong = "is the address of no host, so the others could not send to it"
	case a.Addr().IsMulticast():
		wrong = "is a multicast address"
	}
	if wrong != "" {
		c.bad(t.place, fmt.Sprintf(`write it like %s = "192.0.2.1:6940" or %s = "[2001:db8::1]:6940"`, t.name(), t.name()), "%s = %q %s", t.name(), t.v, wrong)
		return a, false
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), true
}

func (c *check) example(end string) string {
	if len(c.model.nodes) == 0 {
		return fmt.Sprintf("NODE = %q", end)
	}
	return fmt.Sprintf("%s = %q", c.model.nodes[0].Name, end)
}

// pairs looks at the links between each two nodes. One kind alone is one common cause away from silence.
func (c *check) pairs() {
	for a := range c.model.nodes {
		for b := a + 1; b < len(c.model.nodes); b++ {
			kinds, last := map[LinkKind]int{}, place{}
			for i := range c.model.links {
				l := &c.model.links[i]
				_, one := l.ends[a]
				_, other := l.ends[b]
				if one && other {
					kinds[l.kind]++
					last = l.at
				}
			}
			pair := c.model.nodes[a].Name + " and " + c.model.nodes[b].Name
			switch {
			case kinds[Serial]+kinds[UDP] == 0:
				c.bad(c.raw.Node[b].place, "add a [[link]] with a key for each of the two", "no link joins %s, so neither could ever hear the other", pair)
			case kinds[Serial]+kinds[UDP] == 1:
				c.warn(last, "add a second [[link]] of the other kind", "this is the only link between %s, so one fault of it is silence", pair)
			case kinds[Serial] == 0:
				c.warn(last, `add a [[link]] with kind = "serial"`, "no serial cable joins %s, so one fault of the network is silence", pair)
			case kinds[UDP] == 0:
				c.warn(last, `add a [[link]] with kind = "udp"`, "no network link joins %s, so one fault of the serial ports is silence", pair)
			}
		}
	}
}

// portOf is the serial port of a modem line such as /dev/ttyS1/rts.
func portOf(name string) string { return filepath.Dir(filepath.Clean(name)) }
