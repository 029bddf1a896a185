package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// UDPConfig says what a UDP link is. Addresses are literal: a name would let DNS delay a pulse.
type UDPConfig struct {
	Index  int    // names the link to the sink
	Name   string // for people
	Listen string // IP:port of this host
	Peers  map[uint8]string
	Keys   *pulse.Keyring
	Sink   Sink
	Clock  Clock
	// ReopenEvery is how often an address that cannot be had is tried; 0 is 250 ms.
	ReopenEvery time.Duration
	// SideBytesPerSecond is the budget of side frames with their IP and UDP headers; 0 is 12500, a tenth of 1 Mbit/s.
	SideBytesPerSecond int
}

const (
	udpSideRate = 12500
	udpOverhead = 48 // IPv6 and UDP headers
	// udpStale is how old a pulse may be that the socket did not take.
	udpStale = 250 * time.Millisecond
	// readFailures is how many reads may fail in a row before the socket is made anew.
	readFailures = 10
)

// UDP is a link over UDP. The socket is never connected, so a host that refuses is as silent as one that is off. Where a
// datagram came from is not looked at: only its MAC says who sent it.
type UDP struct {
	cfg    UDPConfig
	listen netip.AddrPort
	peers  [pulse.MaxMembers]netip.AddrPort
	recv   *Receiver
	sending
	conn    atomic.Pointer[socket] // nil is none
	reopens atomic.Uint64
	// One byte more than a frame has, so that a longer datagram is seen to be too long.
	buf [pulse.MaxFrame + 1]byte
}

var _ Link = (*UDP)(nil)

// NewUDP makes a UDP link. It opens nothing before [UDP.Run]. It refuses addresses that are not literal, or not all of
// one family, and a configuration without keys, sink or clock.
func NewUDP(c UDPConfig) (*UDP, error) {
	if c.Keys == nil || c.Sink == nil || c.Clock == nil {
		return nil, fmt.Errorf("link: make udp link %q: keys, sink and clock are all needed", c.Name)
	}
	if c.ReopenEvery <= 0 {
		c.ReopenEvery = defaultReopen
	}
	if c.SideBytesPerSecond <= 0 {
		c.SideBytesPerSecond = udpSideRate
	}
	l := &UDP{
		cfg:     c,
		recv:    NewReceiver(c.Index, c.Keys, c.Sink),
		sending: sending{out: newOutbox(c.SideBytesPerSecond, udpOverhead, udpStale), clock: c.Clock},
	}
	var err error
	if l.listen, err = literal(c.Listen); err != nil {
		return nil, fmt.Errorf("link: make udp link %q: listen address: %w", c.Name, err)
	}
	for member, address := range c.Peers {
		if member >= pulse.MaxMembers {
			return nil, fmt.Errorf("link: make udp link %q: member %d; there are %d at most", c.Name, member, pulse.MaxMembers)
		}
		a, err := literal(address)
		if err != nil {
			return nil, fmt.Errorf("link: make udp link %q: peer address: %w", c.Name, err)
		}
		if a.Addr().Is4() != l.listen.Addr().Is4() {
			return nil, fmt.Errorf("link: make udp link %q: %s and %s are of two families; use IPv4 or IPv6 on both ends", c.Name, c.Listen, address)
		}
		l.peers[member] = a
	}
	return l, nil
}

func literal(address string) (netip.AddrPort, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return a, fmt.Errorf("%q is not of the form 192.0.2.1:6940; give the IP address itself, not a name", address)
	}
	if a.Port() == 0 {
		return a, fmt.Errorf("%q has port 0; give the port that the other end uses", address)
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), nil
}

// Name is the link's name.
func (l *UDP) Name() string { return l.cfg.Name }

// SetKeys implements [Link].
func (l *UDP) SetKeys(k *pulse.Keyring) { l.recv.SetKeys(k) }

// Counters implements [Link].
func (l *UDP) Counters() Counters {
	return Counters{Out: l.out.tally.snapshot(), In: l.recv.Counters(), Reopens: l.reopens.Load()}
}

// Pending implements [Link]. It is the length of the first datagram that waits.
func (l *UDP) Pending() int {
	if s := l.conn.Load(); s != nil {
		return s.pending()
	}
	return 0
}

// Run implements [Link].
func (l *UDP) Run(ctx context.Context) error {
	opened := false
	for ctx.Err() == nil {
		s, err := bind(l.listen)
		if err == nil {
			if opened {
				l.reopens.Add(1)
			}
			opened = true
			err = l.serve(ctx, s)
		}
		if ctx.Err() != nil {
			break
		}
		l.recv.Change(l.cfg.Clock(), Status{Reason: err.Error(), DeviceLost: true})
		pause(ctx, l.cfg.ReopenEvery)
	}
	return nil
}

// serve works on one socket until ctx is done or the socket fails.
func (l *UDP) serve(ctx context.Context, s *socket) error {
	l.out.dropPulses()
	for _, peer := range l.peers {
		s.learn(peer)
	}
	l.conn.Store(s)
	out := newPump(l.sender(s), func(error) {}) // the reader sees the same end
	l.pump.Store(out)
	l.recv.Change(l.cfg.Clock(), Status{Up: true}) // whoever hears it may send
	out.push()
	stop := context.AfterFunc(ctx, s.wake)
	err := l.read(ctx, s)
	stop()
	l.pump.Store(nil)
	l.conn.Store(nil)
	out.end()
	return errors.Join(err, s.close())
}

func (l *UDP) read(ctx context.Context, s *socket) error {
	failures := 0
	for {
		n, err := s.read(l.buf[:])
		at := l.cfg.Clock()
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			failures = 0
			l.recv.Bytes(n)
			l.recv.Frame(at, l.buf[:n])
			continue
		}
		l.recv.tally.errors.Add(1)
		if failures++; failures > readFailures {
			return fmt.Errorf("link: read from %s: %w; look at the network interface", l.listen, err)
		}
		pause(ctx, 10*time.Millisecond)
	}
}

// sender is the step of a [pump]. An error of sending is silence, which the other end notices: no route, no neighbour
// and a full queue all look alike from there. It is counted.
func (l *UDP) sender(s *socket) func() (time.Duration, error) {
	var buf [pulse.MaxFrame]byte
	return func() (time.Duration, error) {
		now := l.cfg.Clock()
		frame, to, kind := l.out.take(now, buf[:])
		if frame == nil {
			return l.out.due(now), nil
		}
		err := s.send(l.peers[to], frame)
		switch {
		case err == nil:
			l.out.count(kind, len(frame))
		case errors.Is(err, net.ErrClosed):
			return 0, err
		default:
			l.out.tally.errors.Add(1)
		}
		return 0, nil
	}
}
