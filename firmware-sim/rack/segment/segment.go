// Package segment is an Ethernet segment on this machine: a bridge and the nodes, a client and a stranger around it, each
// in a network namespace of its own, with real addresses, real neighbour tables and real ARP. It needs root.
//
// The namespaces have no names. Each is held by one thread of this process and by the processes that were started in
// it, so nothing is left when they end, however they end, and the machine's own network is never touched.
//
// The bridge is all that joins them, with the networks 192.0.2.0/24 and 2001:db8::/64. The nodes' pulses go over it to a
// relay at the bridge's own address, which can lose those of one direction ([Segment.Paths]). ARP, neighbour discovery and
// the service go straight from card to card. A kernel without IPv6 gets a segment without it.
//
// Left out: more than one switch, what a switch forgets or learns late, spanning tree, VLANs, bonds, routers, delay
// and loss on the wire, and a cut of the network for anything but the pulses: nodes that do not hear each other's pulses
// still hear each other's ARP.
package segment

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/serialhb/serialhb/firmware-sim/rack/netpath"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The machines beside the nodes.
const (
	Client   = "client"
	Stranger = "stranger"
)

// CardName is the interface of every machine.
const CardName = "eth0"

// pulsePort is where the nodes listen for pulses, servicePort where the service does.
const (
	pulsePort   = 6940
	servicePort = 7000
)

// Host parts of the addresses. The nodes have 1, 2 and so on.
const (
	hostService  = 10
	hostClient   = 100
	hostStranger = 200
	hostSwitch   = 250
)

// Segment is the bridge and what is plugged into it. Its methods are safe for concurrent use, Close is the last.
type Segment struct {
	nodes    []string
	hub      *space
	machines map[string]*machine
}

// machine is a namespace with a card.
type machine struct {
	*space
	mac  [6]byte
	card Card
	port string // of the bridge
}

// New plugs in the nodes, at most nine, a client and a stranger. The nodes' cards are off; see [Segment.Card].
func New(nodes ...string) (*Segment, error) {
	if len(nodes) >= hostService || slices.Contains(nodes, Client) || slices.Contains(nodes, Stranger) {
		return nil, errors.New("segment: give up to nine nodes, none of them called client or stranger")
	}
	s := &Segment{nodes: slices.Clone(nodes), machines: map[string]*machine{}}
	err := s.build()
	for _, m := range s.machines {
		err = errors.Join(err, m.forget())
	}
	if s.hub != nil {
		err = errors.Join(err, s.hub.forget())
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Segment) build() (err error) {
	if s.hub, err = newSpace(); err != nil {
		return err
	}
	if err := s.hub.do(addBridge); err != nil {
		return err
	}
	for i, name := range s.nodes {
		if err := s.plug(name, byte(i+1)); err != nil {
			return err
		}
	}
	for name, host := range map[string]byte{Client: hostClient, Stranger: hostStranger} {
		if err := s.plug(name, host); err != nil {
			return err
		}
		if err := s.machines[name].do(s.machines[name].card.Up); err != nil {
			return err
		}
	}
	return nil
}

const bridgeName = "br0"

func addBridge() error {
	snoop := false
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridgeName}, MulticastSnooping: &snoop}); err != nil {
		return fmt.Errorf("segment: make a bridge: %w: this kernel may have none (CONFIG_BRIDGE), `serialhb lab` without --netns needs none", err)
	}
	card := Card{Name: bridgeName, Own: own(hostSwitch)}
	return card.Up()
}

// own are the addresses of a machine. The IPv6 one is written like the IPv4 one: 192.0.2.10 and 2001:db8::10.
func own(host byte) []netip.Prefix {
	all := []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, host}), 24)}
	if _, err := os.Stat("/proc/sys/net/ipv6"); err == nil {
		all = append(all, netip.MustParsePrefix(fmt.Sprintf("2001:db8::%d/64", host)))
	}
	return all
}

// plug joins a new machine to the bridge by a cable of its own.
func (s *Segment) plug(name string, host byte) error {
	sp, err := newSpace()
	if err != nil {
		return err
	}
	m := &machine{space: sp, mac: [6]byte{2, 0, 0, 0, 0, host}, card: Card{Name: CardName, Own: own(host)}, port: fmt.Sprintf("port%d", host)}
	s.machines[name] = m
	err = s.hub.do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = m.port
		veth := &netlink.Veth{LinkAttrs: attrs, PeerName: CardName, PeerHardwareAddr: m.mac[:], PeerNamespace: netlink.NsFd(m.fd)}
		if err := netlink.LinkAdd(veth); err != nil {
			return fmt.Errorf("segment: plug in %s: %w: this kernel may have no virtual cables (CONFIG_VETH)", name, err)
		}
		port, err := netlink.LinkByName(attrs.Name)
		if err != nil {
			return fmt.Errorf("segment: plug in %s: %w", name, err)
		}
		bridge, err := netlink.LinkByName(bridgeName)
		if err == nil {
			err = errors.Join(netlink.LinkSetMaster(port, bridge), netlink.LinkSetUp(port))
		}
		if err != nil {
			return fmt.Errorf("segment: plug in %s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return m.do(func() error {
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(lo)
		}
		if err != nil {
			return fmt.Errorf("segment: switch on lo of %s: %w", name, err)
		}
		// The machines' own IPv6 addresses may be used as soon as the card is on. The service's has to see to that itself.
		if len(m.card.Own) > 1 {
			return set("ipv6", "accept_dad", "0")
		}
		return nil
	})
}

// set sets a value of the card for a family.
func set(family, name, value string) error {
	if err := os.WriteFile("/proc/sys/net/"+family+"/conf/"+CardName+"/"+name, []byte(value), 0o600); err != nil {
		return fmt.Errorf("segment: set %s of a card: %w", name, err)
	}
	return nil
}

// Close unplugs everything. Namespaces in which processes still live end with those.
func (s *Segment) Close() error {
	var errs []error
	for _, m := range s.machines {
		errs = append(errs, m.close())
	}
	if s.hub != nil {
		errs = append(errs, s.hub.close())
	}
	s.machines, s.hub = map[string]*machine{}, nil
	return errors.Join(errs...)
}

// Enter runs f on a thread of a machine's namespace. A process that f starts lives there; a socket that f opens belongs
// there, whoever uses it. f must not block for long, and must not call the Segment. Unknown names panic.
func (s *Segment) Enter(name string, f func()) { s.machine(name).enter(f) }

func (s *Segment) machine(name string) *machine {
	m := s.machines[name]
	if m == nil {
		panic(fmt.Sprintf("segment: no machine is called %q", name))
	}
	return m
}

// Card is the card of a machine, for whoever switches it on and off from within its namespace.
func (s *Segment) Card(name string) Card { return s.machine(name).card }

// Services are the service's addresses, each with the length of its network: IPv4, and IPv6 if this kernel has it.
func (s *Segment) Services() []netip.Prefix { return own(hostService) }

// ServiceAddrs are where the service answers on whichever node has its addresses.
func (s *Segment) ServiceAddrs() (all []netip.AddrPort) {
	for _, p := range s.Services() {
		all = append(all, netip.AddrPortFrom(p.Addr(), servicePort))
	}
	return all
}

// Paths joins the nodes' pulses by a relay at the bridge's address. The same seed gives the same sequence of drops.
func (s *Segment) Paths(seed uint64) (paths *netpath.Net, err error) {
	var places []netpath.Place
	for _, node := range s.nodes {
		places = append(places, netpath.Place{Node: node, Listen: netip.AddrPortFrom(s.machine(node).card.Own[0].Addr(), pulsePort)})
	}
	s.hub.enter(func() { paths, err = netpath.At(seed, own(hostSwitch)[0].Addr(), places...) })
	return paths, err
}

// named finds the machine with a MAC address; "" is none.
func (s *Segment) named(mac net.HardwareAddr) string {
	for name, m := range s.machines {
		if slices.Equal(m.mac[:], mac) {
			return name
		}
	}
	return ""
}

// Possible says in one sentence why no segment can be made here, as far as that can be known without making one.
func Possible() error { return possible(os.Geteuid()) }

func possible(uid int) error {
	if uid != 0 {
		return errors.New("network namespaces are for root: run `serialhb lab --netns` as root, or `serialhb lab` without it")
	}
	if _, err := os.Stat("/proc/self/ns/net"); errors.Is(err, unix.ENOENT) {
		return errors.New("this kernel has no network namespaces (CONFIG_NET_NS): run `serialhb lab` without --netns")
	}
	return nil
}
