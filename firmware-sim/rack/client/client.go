// Package client is a client of the lab's service: it keeps asking every node who serves, and remembers who answered
// when. It sees what a customer of the cluster sees; the board's ledger is the witness of what was.
//
// Left out: connections, retries.
package client

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// Target is a place to ask. The name that counts is the one in the answer.
type Target struct {
	Node string // that answers there; "" is whichever has the address
	Addr string
}

// Answer says that Node answered at a time. At is CLOCK_MONOTONIC, taken by the kernel when the answer arrived.
type Answer struct {
	At   time.Duration
	Node string
}

// memory is how many answers are kept: nine minutes of one node asked every two milliseconds.
const memory = 1 << 18

// window is the time within which answers of two nodes are an overlap.
const window = time.Millisecond

// Probe asks until it is closed. All methods are safe for concurrent use.
type Probe struct {
	targets []netip.AddrPort
	nodes   []string
	conn    *net.UDPConn
	done    chan struct{}
	once    sync.Once
	wg      sync.WaitGroup
	start   time.Duration

	mu       sync.Mutex
	answers  []Answer // a ring once it is full
	next     int
	overlaps []time.Duration
	err      error
}

// Start asks all targets at once every so often. Overlapping is found to within a millisecond, so every should be one
// to five milliseconds. It asks from the network namespace of the caller. All targets are of one family.
func Start(every time.Duration, targets ...Target) (*Probe, error) {
	if every <= 0 || len(targets) == 0 {
		return nil, errors.New("client: give targets and a positive interval")
	}
	p := &Probe{done: make(chan struct{}), start: mono.Now()}
	network, from := "udp4", net.IPv4(127, 0, 0, 1)
	for _, t := range targets {
		a, err := netip.ParseAddrPort(t.Addr)
		if err != nil {
			return nil, fmt.Errorf("client: address of %s: %w", t.Node, err)
		}
		if !a.Addr().IsLoopback() {
			from = nil // whichever leads there
		}
		if a.Addr().Is6() {
			network = "udp6"
		}
		p.targets = append(p.targets, a)
		p.nodes = append(p.nodes, t.Node)
	}
	conn, err := net.ListenUDP(network, &net.UDPAddr{IP: from})
	if err != nil {
		return nil, fmt.Errorf("client: open socket: %w", err)
	}
	p.conn = conn
	if err := stampArrivals(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	p.wg.Go(func() { p.ask(every) })
	p.wg.Go(p.listen)
	return p, nil
}

// Close ends the asking and returns what stopped it before, if anything did.
func (p *Probe) Close() error {
	p.once.Do(func() {
		close(p.done)
		p.fail(p.conn.Close())
	})
	p.wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *Probe) fail(err error) {
	if err == nil || errors.Is(err, net.ErrClosed) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = errors.Join(p.err, err)
}

func (p *Probe) ask(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		for _, to := range p.targets {
			if _, err := p.conn.WriteToUDPAddrPort([]byte("?"), to); err != nil {
				p.fail(err)
				return
			}
		}
		select {
		case <-tick.C:
		case <-p.done:
			return
		}
	}
}

func (p *Probe) listen() {
	b, oob := make([]byte, 512), make([]byte, 128)
	var line timeline
	for {
		n, on, _, from, err := p.conn.ReadMsgUDPAddrPort(b, oob)
		if err != nil {
			p.fail(err)
			return
		}
		stamp, err := stampOf(oob[:on])
		if err != nil {
			p.fail(err)
			return
		}
		wall, now := clocks()
		at, ok := line.place(stamp, wall, now)
		if node := p.named(string(b[:n]), from); ok && node != "" {
			p.note(Answer{at, node})
		}
	}
}

// named takes the node from "SERVICE NODE ?"; an answer from elsewhere, or of a node that is not asked there, is none.
func (p *Probe) named(text string, from netip.AddrPort) string {
	words := strings.Fields(text)
	if len(words) != 3 {
		return ""
	}
	for i, a := range p.targets {
		if a == from && (p.nodes[i] == words[1] || p.nodes[i] == "") {
			return words[1]
		}
	}
	return ""
}
