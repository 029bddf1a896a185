package address

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// patience is how long a test waits for what must happen. It is never waited out when all is well.
const patience = 20 * time.Second

// space is a network namespace without a name: it ends with its last descriptor, whatever becomes of the test.
type space struct {
	t    *testing.T
	fd   int
	jobs chan func() // for the one thread that is in it
}

func newSpace(t *testing.T) *space {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes network namespaces")
	}
	s := &space{t: t, jobs: make(chan func())}
	entered := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine, since it is spoilt for others
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			s.fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		}
		entered <- err
		for job := range s.jobs {
			job()
		}
	}()
	err := <-entered
	t.Cleanup(func() { close(s.jobs) })
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) {
		t.Skip("no network segment can be made here, this machine gives no namespaces: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(s.fd) })
	s.must(func() error {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		return netlink.LinkSetUp(lo)
	})
	return s
}

// beside gives a second thread in the namespace, so that two things can be done there at once.
func (s *space) beside() func(func()) {
	s.t.Helper()
	other := &space{t: s.t, jobs: make(chan func())}
	entered := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		entered <- unix.Setns(s.fd, unix.CLONE_NEWNET)
		for job := range other.jobs {
			job()
		}
	}()
	err := <-entered
	s.t.Cleanup(func() { close(other.jobs) })
	if err != nil {
		s.t.Fatal(err)
	}
	return other.enter
}

// enter runs f in the namespace. It is not entered from within.
func (s *space) enter(f func()) {
	done := make(chan struct{})
	s.jobs <- func() {
		defer close(done)
		f()
	}
	<-done
}

func (s *space) must(f func() error) {
	s.t.Helper()
	var err error
	s.enter(func() { err = f() })
	if err != nil {
		s.t.Fatal(err)
	}
}

// segment is an Ethernet segment: a bridge in a namespace of its own.
type segment struct {
	*space
	bridge netlink.Link
	hosts  int
}

func newSegment(t *testing.T) *segment {
	t.Helper()
	g := &segment{space: newSpace(t)}
	t.Cleanup(func() { noneLeft(t) })
	var err error
	g.enter(func() {
		if err = netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}); err == nil {
			g.bridge, err = netlink.LinkByName("br0")
		}
		if err == nil {
			err = netlink.LinkSetUp(g.bridge)
		}
	})
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Skip("no network segment can be made here, this machine has no bridges: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// host is a namespace with an interface eth0 that is plugged into a segment.
type host struct {
	*space
	segment *segment
	port    string
	mac     MAC
	index   int // of eth0
}

// host plugs in another host, with own addresses.
func (g *segment) host(own ...string) *host {
	g.t.Helper()
	g.hosts++
	h := &host{space: newSpace(g.t), segment: g, port: fmt.Sprintf("port%d", g.hosts), mac: MAC{2, 0, 0, 0, 0, byte(g.hosts)}}
	h.plug()
	for _, a := range append(own, fmt.Sprintf("fe80::%d/64", g.hosts)) {
		h.add(a)
	}
	return h
}

// plug gives the host its eth0 and a cable to the segment.
func (h *host) plug() {
	h.t.Helper()
	h.segment.must(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = h.port
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerHardwareAddr: h.mac[:], PeerNamespace: netlink.NsFd(h.fd)}); err != nil {
			return err
		}
		port, err := netlink.LinkByName(h.port)
		if err != nil {
			return err
		}
		return errors.Join(netlink.LinkSetMaster(port, h.segment.bridge), netlink.LinkSetUp(port))
	})
	h.must(func() error {
		eth0, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		h.index = eth0.Attrs().Index
		// The hosts' own addresses may be used at once; the one that is tested has to see to that itself.
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/eth0/addr_gen_mode", []byte("1"), 0o600); err != nil {
			return err
		}
		return netlink.LinkSetUp(eth0)
	})
}

// pull takes eth0 out of the host, as a driver does that is reloaded.
func (h *host) pull() {
	h.t.Helper()
	h.must(func() error { return netlink.LinkDel(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: h.index}}) })
}

// set sets a value of eth0 for a family.
func (h *host) set(family, name, value string) {
	h.t.Helper()
	h.must(func() error {
		return os.WriteFile("/proc/sys/net/"+family+"/conf/eth0/"+name, []byte(value), 0o600)
	})
}

// own are the addresses of a family on eth0, without the link-local ones.
func (h *host) own(like netip.Addr) (all []string) {
	h.t.Helper()
	h.must(func() error {
		list, err := addresses(like)
		for _, p := range list {
			if p.addr.LinkIndex == h.index && !p.ip().IsLinkLocalUnicast() {
				all = append(all, p.prefix().String())
			}
		}
		return err
	})
	return all
}

// ways counts the routes of the host that an address lies on, without those to everywhere.
func (h *host) ways(to netip.Addr) (n int) {
	h.t.Helper()
	h.must(func() error {
		all, err := netlink.RouteList(nil, family(to))
		for _, r := range all {
			if r.Dst != nil && r.Dst.Contains(to.AsSlice()) {
				if ones, _ := r.Dst.Mask.Size(); ones > 0 {
					n++
				}
			}
		}
		return err
	})
	return n
}

// add puts an address on eth0 as a person would.
func (h *host) add(prefix string) {
	h.t.Helper()
	h.must(func() error {
		a := &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix(prefix)), LinkIndex: h.index}
		if a.IP.To4() == nil {
			a.Flags = unix.IFA_F_NODAD
		}
		return netlink.AddrAdd(nil, a)
	})
}

func (h *host) remove(prefix string) {
	h.t.Helper()
	h.must(func() error {
		return netlink.AddrDel(nil, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix(prefix)), LinkIndex: h.index})
	})
}

// cut and mend are the switch's side of the cable: eth0 loses its carrier, as if the power were gone or the plug out.
func (h *host) cut() {
	h.t.Helper()
	h.segment.must(func() error { return netlink.LinkSetDown(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: h.port}}) })
}

func (h *host) mend() {
	h.t.Helper()
	h.segment.must(func() error { return netlink.LinkSetUp(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: h.port}}) })
}

// at is where the host believes an address to be, zero if it has no idea.
func (h *host) at(ip netip.Addr) (m MAC) {
	h.enter(func() { m = h.cached(ip) })
	return m
}

// cached is the same for who is in the namespace already.
func (h *host) cached(ip netip.Addr) (m MAC) {
	list, err := netlink.NeighList(h.index, family(ip))
	if err != nil {
		panic(err)
	}
	for _, n := range list {
		if found, _ := netip.AddrFromSlice(n.IP); found.Unmap() == ip && len(n.HardwareAddr) == len(m) {
			copy(m[:], n.HardwareAddr)
		}
	}
	return m
}

// say sends frames about an address.
func (h *host) say(ip netip.Addr, frames ...frame) {
	h.t.Helper()
	h.must(func() error {
		l, err := findLink("eth0")
		if err != nil {
			return err
		}
		w, err := openWire(l, ip, func(MAC) {})
		if err != nil {
			return err
		}
		defer w.Close()
		return w.send(frames...)
	})
}

// hear counts the claims to an address that reach the host.
func (h *host) hear(ip netip.Addr) *count {
	h.t.Helper()
	c := &count{}
	var w *wire
	h.must(func() error {
		l, err := findLink("eth0")
		if err != nil {
			return err
		}
		w, err = openWire(l, ip, c.add)
		return err
	})
	h.t.Cleanup(func() { _ = w.Close() })
	return c
}

type count struct {
	mu sync.Mutex
	by map[MAC]int
}

func (c *count) add(m MAC) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[MAC]int{}
	}
	c.by[m]++
}

func (c *count) of(m MAC) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[m]
}

// resource makes the tested resource on a host. Nothing of it is left when the test ends: see newSegment.
func (h *host) resource(cfg Config) (*Address, *told) {
	h.t.Helper()
	heard := &told{}
	cfg.Tell = heard.add
	if cfg.Interface == "" {
		cfg.Interface = "eth0"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = patience
	}
	a, err := New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	a.enter = h.enter
	h.t.Cleanup(a.Close)
	return a, heard
}

// told is what a resource had to tell.
type told struct {
	mu  sync.Mutex
	all []Event
}

func (l *told) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, e)
}

// of is the sentences of a kind.
func (l *told) of(k Kind) (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.all {
		if e.Kind == k {
			out = append(out, e.Text)
		}
	}
	return out
}

// await waits for the first sentence of a kind.
func (l *told) await(t *testing.T, k Kind) string {
	t.Helper()
	eventually(t, "news of "+string(k), func() bool { return len(l.of(k)) > 0 })
	return l.of(k)[0]
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// noneLeft fails if a goroutine of a keeper, a wire, a probe or a subscription goes on.
func noneLeft(t *testing.T) {
	t.Helper()
	var left string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		left = ""
		buf := make([]byte, 1<<20)
		for g := range bytes.SplitSeq(buf[:runtime.Stack(buf, true)], []byte("\n\n")) {
			text := string(g)
			for _, of := range []string{"address.(*keeper)", "address.(*DuplicateProbe).run", "address.(*events)", "netlink.addrSubscribeAt", "netlink.linkSubscribeAt"} {
				if strings.Contains(text, of) {
					left = text
				}
			}
		}
		if left == "" {
			return
		}
	}
	t.Errorf("left behind:\n%s", left)
}

// echo answers every datagram to ip with the host's MAC until the test ends.
func (h *host) echo(ip netip.Addr) error {
	var conn net.PacketConn
	var err error
	h.enter(func() { conn, err = net.ListenPacket("udp", netip.AddrPortFrom(ip, 7).String()) })
	if err != nil {
		return err
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 64)
		for {
			_, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(h.mac[:], from)
		}
	}()
	return nil
}

// call asks ip who it is, over and over, until somebody says so.
func (h *host) call(ip netip.Addr) (m MAC) {
	h.t.Helper()
	var conn net.Conn
	h.must(func() (err error) {
		conn, err = net.Dial("udp", netip.AddrPortFrom(ip, 7).String())
		return err
	})
	defer conn.Close()
	eventually(h.t, "an answer from "+ip.String(), func() bool {
		_, _ = conn.Write([]byte("?"))
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		n, _ := conn.Read(m[:])
		return n == len(m)
	})
	return m
}
