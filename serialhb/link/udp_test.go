package link

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/serialhb/serialhb/serialhb/pulse"
	"golang.org/x/sys/unix"
)

// freePort is a loopback address that nobody listens on for now.
func freePort(t testing.TB) string {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

func newUDP(t testing.TB, listen string, to uint8, peer string, r Sink) *UDP {
	t.Helper()
	l, err := NewUDP(UDPConfig{
		Index: 5, Name: "lan", Listen: listen, Peers: map[uint8]string{to: peer}, Keys: ring(t, "c", "key"),
		Sink: r, Clock: testClock(), ReopenEvery: 5 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestUDPBothWays(t *testing.T) {
	mustJoin(t)
	pa, pb := freePort(t), freePort(t)
	ra, rb := newRecorder(), newRecorder()
	a, b := newUDP(t, pa, 1, pb, ra), newUDP(t, pb, 0, pa, rb)
	run(t, a)
	run(t, b)
	ra.mustUp(t)
	rb.mustUp(t)
	k := ring(t, "c", "key")
	for seq := uint32(1); seq <= 50; seq++ {
		a.Send(1, pulseFrame(k, 0, 1, 7, seq))
		b.Send(0, pulseFrame(k, 1, 0, 8, seq))
		for _, r := range []*recorder{ra, rb} {
			if h := next(t, r.frames, "frame"); h.verdict != pulse.Good || h.frame.Pulse.Seq != seq || h.link != 5 {
				t.Fatalf("heard %+v", h)
			}
		}
	}
	a.SendSide(1, sideFrame(k, 1))
	if h := next(t, rb.frames, "side frame"); h.frame.Kind != pulse.FrameSide {
		t.Fatalf("heard %v", h.frame.Kind)
	}
	eventually(t, "all are counted", func() bool { c := a.Counters().Out; return c.Sent == 50 && c.SideSent == 1 })
	if c := b.Counters().In; c.Frames != 51 || c.Lost != 0 {
		t.Fatalf("%+v", c)
	}
}

func TestUDPRefusedPeerIsSilence(t *testing.T) {
	mustJoin(t)
	pa, pb := freePort(t), freePort(t)
	ra, rb := newRecorder(), newRecorder()
	a := newUDP(t, pa, 1, pb, ra)
	run(t, a)
	ra.mustUp(t)
	k := ring(t, "c", "key")
	for seq := uint32(1); seq <= 20; seq++ {
		a.Send(1, pulseFrame(k, 0, 1, 7, seq))
		eventually(t, "it is sent", func() bool { return a.Counters().Out.Sent == uint64(seq) })
	}
	// The peer comes, and the same link still reaches it and hears it.
	b := newUDP(t, pb, 0, pa, rb)
	run(t, b)
	rb.mustUp(t)
	a.Send(1, pulseFrame(k, 0, 1, 7, 21))
	b.Send(0, pulseFrame(k, 1, 0, 8, 1))
	next(t, rb.frames, "frame")
	next(t, ra.frames, "frame")
	if n := len(ra.changes); n != 0 {
		t.Fatalf("a refused peer made %d changes", n)
	}
	if c := a.Counters(); c.In.ReadErrors != 0 || c.Out.WriteErrors != 0 || c.Reopens != 0 {
		t.Fatalf("%+v", c)
	}
}

func TestUDPAddressThatComesLater(t *testing.T) {
	mustJoin(t)
	address := freePort(t)
	holder, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
	if err != nil {
		t.Fatal(err)
	}
	r := newRecorder()
	run(t, newUDP(t, address, 1, freePort(t), r))
	r.mustDown(t, "listen on "+address, "another program uses that port")
	holder.Close()
	r.mustUp(t)

	r = newRecorder()
	run(t, newUDP(t, "192.0.2.1:6940", 1, "192.0.2.2:6940", r))
	r.mustDown(t, "this host does not have that address yet")
}

func TestUDPStrangersReachTheSinkAsWhatTheyAre(t *testing.T) {
	address := freePort(t)
	r := newRecorder()
	l := newUDP(t, address, 1, freePort(t), r)
	run(t, l)
	r.mustUp(t)
	c, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, row := range []struct {
		bytes []byte
		want  pulse.Verdict
	}{
		{[]byte("x"), pulse.Short},
		{make([]byte, pulse.MaxFrame+1), pulse.Short},
		{make([]byte, 9000), pulse.Short},
		{pulseFrame(ring(t, "c", "other"), 0, 1, 7, 1), pulse.WrongKey},
		{pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1), pulse.Good}, // from a port that is no peer's: the MAC says who it is
	} {
		if _, err := c.Write(row.bytes); err != nil {
			t.Fatal(err)
		}
		if h := next(t, r.frames, "frame"); h.verdict != row.want {
			t.Fatalf("%d bytes: %v, want %v", len(row.bytes), h.verdict, row.want)
		}
	}
}

func TestUDPUnknownMemberIsCounted(t *testing.T) {
	r := newRecorder()
	l := newUDP(t, freePort(t), 1, freePort(t), r)
	run(t, l)
	r.mustUp(t)
	l.Send(2, pulseFrame(ring(t, "c", "key"), 0, 2, 7, 1))
	eventually(t, "it is counted", func() bool { return l.Counters().Out.WriteErrors == 1 })
}

func TestUDPIsFavoured(t *testing.T) {
	r := newRecorder()
	l := newUDP(t, freePort(t), 1, freePort(t), r)
	run(t, l)
	r.mustUp(t)
	fd := l.conn.Load().fd
	tos, err := unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS)
	if err != nil || tos != 0xC0 {
		t.Errorf("traffic class %#x, %v", tos, err)
	}
	priority, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PRIORITY)
	if err != nil || priority != 6 {
		t.Errorf("priority %d, %v", priority, err)
	}
}

func TestUDPRefusesWhatIsNotLiteral(t *testing.T) {
	keys, r, clock := ring(t, "c", "key"), newRecorder(), testClock()
	for _, row := range []struct{ listen, peer, says string }{
		{"localhost:6940", "127.0.0.1:6940", "not a name"},
		{"127.0.0.1:6940", "peer.example:6940", "not a name"},
		{"127.0.0.1", "127.0.0.1:6940", "192.0.2.1:6940"},
		{"127.0.0.1:0", "127.0.0.1:6940", "port 0"},
		{"127.0.0.1:6940", "[::1]:6940", "two families"},
	} {
		_, err := NewUDP(UDPConfig{Name: "lan", Listen: row.listen, Peers: map[uint8]string{1: row.peer}, Keys: keys, Sink: r, Clock: clock})
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s, %s: %v", row.listen, row.peer, err)
		}
	}
}

func TestUDPPending(t *testing.T) {
	r := newRecorder()
	block := make(chan struct{})
	sink := &blocking{recorder: r, block: block}
	address := freePort(t)
	l := newUDP(t, address, 1, freePort(t), sink)
	if l.Pending() != 0 {
		t.Fatal("bytes pend before there is a socket")
	}
	run(t, l)
	defer close(block)
	r.mustUp(t)
	c, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	frame := pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1)
	c.Write(frame) // holds the reader
	c.Write(frame) // waits in the socket
	eventually(t, "the second pends", func() bool { return l.Pending() == len(frame) })
}

// blocking is a sink that breaks its promise, to keep the reader from reading.
type blocking struct {
	*recorder
	block chan struct{}
}

func (b *blocking) Frame(link int, at time.Duration, f *pulse.Frame, v pulse.Verdict) { <-b.block }

func TestSerialPending(t *testing.T) {
	d, r := newDevice(t), newRecorder()
	block := make(chan struct{})
	c := serialConfig(t, d, &blocking{recorder: r, block: block})
	l := newSerial(t, c)
	run(t, l)
	defer close(block)
	r.mustUp(t)
	line := online(pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1))
	d.write(line)
	eventually(t, "the first is read", func() bool { return l.Counters().In.Frames == 1 })
	d.write(line)
	eventually(t, "the second pends", func() bool { return l.Pending() == len(line) })
}

// What was read in one piece and is handed on frame by frame is nowhere else any more.
func TestSerialPendingInHand(t *testing.T) {
	d, r := newDevice(t), newRecorder()
	block := make(chan struct{})
	l := newSerial(t, serialConfig(t, d, &blocking{recorder: r, block: block}))
	run(t, l)
	r.mustUp(t)
	line := online(pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1))
	d.write(slices.Concat(line, line, line))
	eventually(t, "the first is read", func() bool { return l.Counters().In.Frames == 1 })
	eventually(t, "the others pend", func() bool { return l.Pending() == 2*len(line) })
	close(block)
	eventually(t, "nothing pends", func() bool { return l.Counters().In.Frames == 3 && l.Pending() == 0 })
}

func TestUDPOverIPv6(t *testing.T) {
	mustJoin(t)
	hold, err := net.ListenPacket("udp", "[::1]:0")
	if err != nil {
		t.Skipf("this host has no IPv6 loopback: %v", err)
	}
	pa := hold.LocalAddr().String()
	other, err := net.ListenPacket("udp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	pb := other.LocalAddr().String()
	hold.Close()
	other.Close()
	ra, rb := newRecorder(), newRecorder()
	a, b := newUDP(t, pa, 1, pb, ra), newUDP(t, pb, 0, pa, rb)
	run(t, a)
	run(t, b)
	ra.mustUp(t)
	rb.mustUp(t)
	a.Send(1, pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1))
	if h := next(t, rb.frames, "frame"); h.verdict != pulse.Good {
		t.Fatalf("heard %v", h.verdict)
	}
}

func TestAddressesAsTheKernelTakesThem(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	for _, zone := range []string{"lo", strconv.Itoa(lo.Index)} {
		name, err := kernelName(netip.MustParseAddrPort("[fe80::1%" + zone + "]:6940"))
		if err != nil {
			t.Fatal(err)
		}
		raw := (*unix.RawSockaddrInet6)(unsafe.Pointer(&name[0]))
		if raw.Family != unix.AF_INET6 || raw.Scope_id != uint32(lo.Index) || raw.Addr[0] != 0xfe || raw.Addr[15] != 1 || name[2] != 6940>>8 || name[3] != 6940&0xff {
			t.Errorf("%s: % x", zone, name)
		}
	}
	if _, err := kernelName(netip.MustParseAddrPort("[fe80::1%nowhere0]:6940")); !errors.Is(err, errNoInterface) {
		t.Errorf("an interface that is not there: %v", err)
	}
	if _, err := kernelName(netip.AddrPort{}); !errors.Is(err, errNoAddress) {
		t.Errorf("no address: %v", err)
	}
}

// Whoever sends does so within a turn, which waits for nobody.
func TestSendDoesNotWaitForTheNumberOfAnInterface(t *testing.T) {
	here := netip.MustParseAddrPort(freePort(t))
	s, err := bind(here)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	asked, answer := make(chan netip.AddrPort, 10), make(chan struct{})
	s.nameOf = func(a netip.AddrPort) ([]byte, error) {
		asked <- a
		<-answer
		return kernelName(here)
	}
	sent := make(chan error, 10)
	to := netip.MustParseAddrPort("[fe80::1%eth0]:6940")
	go func() {
		for range cap(sent) {
			sent <- s.send(to, []byte("x"))
		}
	}()
	for range cap(sent) {
		if err := next(t, sent, "answer"); !errors.Is(err, errNoAddress) {
			t.Errorf("sent to a number that is not known: %v", err)
		}
	}
	if got := next(t, asked, "question"); got != to || len(asked) > 0 {
		t.Errorf("asked for %v, and %d times more at once", got, len(asked))
	}
	close(answer)
	eventually(t, "it is sent", func() bool { return s.send(to, []byte("x")) == nil })
}
