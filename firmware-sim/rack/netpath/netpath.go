// Package netpath is the network between nodes: a relay of UDP datagrams, on loopback unless it is put elsewhere.
//
// Each ordered pair of nodes has a relay port. A node sends to the port that stands for its peer; what arrives there is
// sent on to the peer from the port that stands for the node, so that each sees the other at one steady address.
//
// Left out: delay, reordering, duplication, bandwidth, and ICMP: a dead peer is plain silence, never "connection
// refused".
package netpath

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
)

// Stats counts the datagrams of one direction since New.
type Stats struct {
	Sent      uint64 // arrived from the sender
	Delivered uint64
	Lost      uint64 // cut, dropped, or refused by the kernel
}

// Net joins nodes. All methods are safe for concurrent use.
type Net struct {
	listen map[string]netip.AddrPort
	paths  map[[2]string]*path // from, to
	wg     sync.WaitGroup
}

// path carries datagrams of one direction.
type path struct {
	in  *net.UDPConn // stands for the receiver, towards the sender
	out *net.UDPConn // stands for the sender, towards the receiver
	to  netip.AddrPort

	mu    sync.Mutex
	cut   bool
	drop  float64
	rng   *rand.Rand
	stats Stats
}

// Place is where a node listens.
type Place struct {
	Node   string
	Listen netip.AddrPort
}

// New joins the nodes, at least two with different names, on loopback. The same seed gives the same sequence of drops.
func New(seed uint64, nodes ...string) (*Net, error) {
	var places []Place
	for _, node := range nodes {
		at, err := FreePort()
		if err != nil {
			return nil, err
		}
		places = append(places, Place{node, at})
	}
	return At(seed, loopback, places...)
}

// At joins nodes that listen at given places, by a relay at an address of the caller's network namespace.
func At(seed uint64, relay netip.Addr, places ...Place) (*Net, error) {
	n := &Net{listen: map[string]netip.AddrPort{}, paths: map[[2]string]*path{}}
	for _, p := range places {
		n.listen[p.Node] = p.Listen
	}
	if len(n.listen) != len(places) || len(places) < 2 {
		return nil, errors.New("netpath: needs two or more nodes with different names")
	}
	for i, from := range places {
		for j, to := range places {
			if i == j {
				continue
			}
			in, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(relay, 0)))
			if err != nil {
				return nil, errors.Join(fmt.Errorf("netpath: open relay port: %w", err), n.Close())
			}
			n.paths[[2]string{from.Node, to.Node}] = &path{in: in, rng: rand.New(rand.NewPCG(seed, uint64(i)<<32|uint64(j)))}
		}
	}
	for key, p := range n.paths {
		p.out = n.paths[[2]string{key[1], key[0]}].in
		p.to = n.listen[key[1]]
	}
	for _, p := range n.paths {
		n.wg.Go(p.relay)
	}
	return n, nil
}

// Listen is the address that a node must bind. New's ports were free when it looked, are outside the range from which the
// kernel hands out ports, and are not held: a node may bind its own again and again.
func (n *Net) Listen(node string) string {
	a, ok := n.listen[node]
	if !ok {
		panic(fmt.Sprintf("netpath: no node is called %q", node))
	}
	return a.String()
}

// Peer is the address at which node sees other.
func (n *Net) Peer(node, other string) string { return n.path(node, other).in.LocalAddr().String() }

// Cut makes datagrams of one direction vanish.
func (n *Net) Cut(from, to string) { n.path(from, to).setCut(true) }

// Mend ends a Cut.
func (n *Net) Mend(from, to string) { n.path(from, to).setCut(false) }

// Drop sets the probability, 0 to 1, with which a datagram of one direction is lost.
func (n *Net) Drop(from, to string, probability float64) {
	p := n.path(from, to)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop = probability
}

// Stats is a snapshot of one direction's counters.
func (n *Net) Stats(from, to string) Stats {
	p := n.path(from, to)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Close takes the network away and ends all goroutines.
func (n *Net) Close() error {
	var errs []error
	for _, p := range n.paths {
		errs = append(errs, p.in.Close())
	}
	n.wg.Wait()
	return errors.Join(errs...)
}

// path panics on unknown names: a fault injected nowhere would pass every test.
func (n *Net) path(from, to string) *path {
	p := n.paths[[2]string{from, to}]
	if p == nil {
		panic(fmt.Sprintf("netpath: no path leads from %q to %q", from, to))
	}
	return p
}

func (p *path) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
}

func (p *path) relay() {
	b := make([]byte, 1<<16)
	for {
		n, _, err := p.in.ReadFromUDPAddrPort(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			p.lose()
		default:
			p.carry(b[:n])
		}
	}
}

func (p *path) lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Lost++
}

func (p *path) carry(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Sent++
	if p.cut || p.drop > 0 && p.rng.Float64() < p.drop {
		p.stats.Lost++
		return
	}
	if _, err := p.out.WriteToUDPAddrPort(b, p.to); err != nil {
		p.stats.Lost++
		return
	}
	p.stats.Delivered++
}
