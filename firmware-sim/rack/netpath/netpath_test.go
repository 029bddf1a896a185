package netpath

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

const patience = 10 * time.Second

func join(t *testing.T, nodes ...string) (*Net, map[string]*net.UDPConn) {
	t.Helper()
	n, err := New(7, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	conns := map[string]*net.UDPConn{}
	for _, node := range nodes {
		a, err := net.ResolveUDPAddr("udp4", n.Listen(node))
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.ListenUDP("udp4", a)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		conns[node] = c
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n, conns
}

func send(t *testing.T, n *Net, conns map[string]*net.UDPConn, from, to, text string) {
	t.Helper()
	a, err := net.ResolveUDPAddr("udp4", n.Peer(from, to))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conns[from].WriteToUDP([]byte(text), a); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, n *Net, conns map[string]*net.UDPConn, at, from, text string) {
	t.Helper()
	b := make([]byte, 100)
	if err := conns[at].SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	m, addr, err := conns[at].ReadFromUDP(b)
	if err != nil {
		t.Fatalf("%s waits for %q: %v", at, text, err)
	}
	if string(b[:m]) != text || addr.String() != n.Peer(at, from) {
		t.Errorf("%s got %q from %s, want %q from %s", at, b[:m], addr, text, n.Peer(at, from))
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestEachSeesTheOtherAtItsPeerAddress(t *testing.T) {
	n, conns := join(t, "alpha", "bravo", "charlie")
	for _, from := range []string{"alpha", "bravo", "charlie"} {
		for _, to := range []string{"alpha", "bravo", "charlie"} {
			if from != to {
				send(t, n, conns, from, to, from+">"+to)
				expect(t, n, conns, to, from, from+">"+to)
			}
		}
	}
}

func TestOneWayCut(t *testing.T) {
	n, conns := join(t, "alpha", "bravo")
	n.Cut("alpha", "bravo")
	send(t, n, conns, "alpha", "bravo", "lost")
	await(t, "the datagram is counted as lost", func() bool { return n.Stats("alpha", "bravo").Lost == 1 })
	send(t, n, conns, "bravo", "alpha", "heard")
	expect(t, n, conns, "alpha", "bravo", "heard")
	n.Mend("alpha", "bravo")
	send(t, n, conns, "alpha", "bravo", "again")
	expect(t, n, conns, "bravo", "alpha", "again")
}

func TestDropRate(t *testing.T) {
	n, conns := join(t, "alpha", "bravo")
	n.Drop("alpha", "bravo", 0.5)
	for i := range 200 {
		send(t, n, conns, "alpha", "bravo", "x")
		await(t, "the relay took it", func() bool { return n.Stats("alpha", "bravo").Sent == uint64(i+1) })
	}
	await(t, "all are accounted for", func() bool {
		s := n.Stats("alpha", "bravo")
		return s.Lost+s.Delivered == 200
	})
	if s := n.Stats("alpha", "bravo"); s.Lost < 60 || s.Lost > 140 {
		t.Errorf("%d of 200 lost at a rate of one half", s.Lost)
	}
}

func TestADeadPeerIsSilence(t *testing.T) {
	n, conns := join(t, "alpha", "bravo")
	conns["bravo"].Close()
	for i := range 3 {
		send(t, n, conns, "alpha", "bravo", "anybody?") // an ICMP answer would fail the second one
		await(t, "the relay took it", func() bool { return n.Stats("alpha", "bravo").Sent == uint64(i+1) })
	}
}

func TestRefusals(t *testing.T) {
	for _, nodes := range [][]string{nil, {"alpha"}, {"alpha", "alpha"}} {
		if n, err := New(1, nodes...); err == nil {
			n.Close()
			t.Errorf("a network of %q was built", nodes)
		}
	}
}

// A port waits unbound for a node that is off; nobody else may be given it meanwhile.
func TestPortsAreGivenOnce(t *testing.T) {
	seen := map[netip.AddrPort]bool{}
	for range 2000 {
		at, err := FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if seen[at] || !at.Addr().IsLoopback() || at.Addr() != loopback {
			t.Fatalf("%s is given twice, or is not of this process's address %s", at, loopback)
		}
		seen[at] = true
	}
}
