package segment

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mdlayher/packet"
	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Ear hears on the client's card who announces the service's addresses to everybody: gratuitous ARP and unsolicited
// neighbour advertisements. Methods are safe for concurrent use.
type Ear struct {
	s     *Segment
	conns []*packet.Conn
	wg    sync.WaitGroup

	mu     sync.Mutex
	last   map[string]map[netip.Addr]time.Duration // by machine
	err    error
	closed bool
}

// Places in an ARP packet, and in an IPv6 header and the ICMPv6 message behind it.
const (
	arpLen         = 28
	arpSender      = 14
	arpTarget      = 24
	ip6Next        = 6
	ip6Destination = 24
	icmpType       = 40
	icmpTarget     = 48
	icmpEnd        = 64
	advertisement  = 136
)

var allNodes = netip.MustParseAddr("ff02::1")

// isAdvertisement keeps what the client's own questions and answers are away from the ear.
var isAdvertisement = []bpf.Instruction{
	bpf.LoadAbsolute{Off: ip6Next, Size: 1},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_ICMPV6, SkipFalse: 3},
	bpf.LoadAbsolute{Off: icmpType, Size: 1},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: advertisement, SkipFalse: 1},
	bpf.RetConstant{Val: 512},
	bpf.RetConstant{Val: 0},
}

// Listen begins to hear.
func (s *Segment) Listen() (*Ear, error) {
	e := &Ear{s: s, last: map[string]map[netip.Addr]time.Duration{}}
	filter, err := bpf.Assemble(isAdvertisement)
	if err != nil {
		return nil, fmt.Errorf("segment: listen for announcements: %w", err)
	}
	open := func(protocol int, cfg *packet.Config, announced func([]byte) netip.Addr) error {
		var conn *packet.Conn
		err := s.machine(Client).do(func() error {
			card, err := net.InterfaceByName(CardName)
			if err == nil {
				conn, err = packet.Listen(card, packet.Datagram, protocol, cfg)
			}
			return err
		})
		if err == nil {
			e.conns = append(e.conns, conn)
			e.wg.Go(func() { e.hear(conn, announced) })
		}
		return err
	}
	if err = open(unix.ETH_P_ARP, nil, announcedByARP); err == nil && len(s.Services()) > 1 {
		err = open(unix.ETH_P_IPV6, &packet.Config{Filter: filter}, announcedByND)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("segment: listen for announcements: %w", err), e.Close())
	}
	return e, nil
}

func (e *Ear) hear(conn *packet.Conn, announced func([]byte) netip.Addr) {
	b := make([]byte, 512)
	for {
		n, from, err := conn.ReadFrom(b)
		now := mono.Now()
		if err != nil {
			e.mu.Lock()
			defer e.mu.Unlock()
			if !e.closed && e.err == nil {
				e.err = fmt.Errorf("segment: listen for announcements: %w", err)
			}
			return
		}
		at, ok := from.(*packet.Addr)
		if ip := announced(b[:n]); ok && ip.IsValid() {
			e.note(e.s.named(at.HardwareAddr), ip, now)
		}
	}
}

func (e *Ear) note(name string, ip netip.Addr, now time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.last[name] == nil {
		e.last[name] = map[netip.Addr]time.Duration{}
	}
	e.last[name][ip] = now
}

// announcedByARP is the address that a gratuitous ARP packet speaks of; the zero one if it is none.
func announcedByARP(b []byte) netip.Addr {
	if len(b) < arpLen || !slices.Equal(b[arpSender:arpSender+4], b[arpTarget:arpTarget+4]) {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(b[arpSender:]))
}

// announcedByND is the same for an advertisement that nobody asked for.
func announcedByND(b []byte) netip.Addr {
	if len(b) < icmpEnd || netip.AddrFrom16([16]byte(b[ip6Destination:])) != allNodes {
		return netip.Addr{}
	}
	return netip.AddrFrom16([16]byte(b[icmpTarget:]))
}

// Heard is when each machine last announced the service's addresses: the latest moment since which all of them were.
func (e *Ear) Heard() (map[string]time.Duration, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := map[string]time.Duration{}
	for name, last := range e.last {
		oldest := time.Duration(-1)
		for _, p := range e.s.Services() {
			at, heard := last[p.Addr()]
			if !heard {
				oldest = -1
				break
			}
			if oldest < 0 || at < oldest {
				oldest = at
			}
		}
		if oldest >= 0 {
			all[name] = oldest
		}
	}
	return all, e.err
}

// Close ends the hearing.
func (e *Ear) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	var errs []error
	for _, c := range e.conns {
		errs = append(errs, c.Close())
	}
	e.wg.Wait()
	return errors.Join(errs...)
}
