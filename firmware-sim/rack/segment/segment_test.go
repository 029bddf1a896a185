package segment

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// patience is how long a test waits for what must happen. It is never waited out when all is well.
const patience = 20 * time.Second

func build(t *testing.T) *Segment {
	t.Helper()
	if err := Possible(); err != nil {
		t.Skip("no network segment can be made here: ", err)
	}
	s, err := New("alpha", "bravo")
	if err != nil {
		t.Skip("no network segment can be made here: ", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		eventually(t, "no thread is left in a namespace", func() bool { return len(spoilt(t)) == 0 })
	})
	for _, node := range s.nodes {
		must(t, s.machine(node).do(s.Card(node).Up))
	}
	return s
}

// spoilt lists threads and descriptors of this process that are in, or of, another network namespace than its own.
func spoilt(t *testing.T) (found []string) {
	t.Helper()
	own, err := os.Readlink("/proc/self/ns/net")
	must(t, err)
	for _, pattern := range []string{"/proc/self/task/*/ns/net", "/proc/self/fd/*"} {
		files, err := filepath.Glob(pattern)
		must(t, err)
		for _, file := range files {
			if at, err := os.Readlink(file); err == nil && strings.HasPrefix(at, "net:") && at != own {
				found = append(found, file)
			}
		}
	}
	return found
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain: ", what)
		}
	}
}

// take puts the service's addresses on a node, in silence.
func (s *Segment) take(t *testing.T, node string) {
	t.Helper()
	m := s.machine(node)
	must(t, m.do(func() error {
		l, err := m.card.link()
		for _, p := range s.Services() {
			if err == nil {
				err = put(l, p)
			}
		}
		return err
	}))
}

// greet lets the client send something to each address of the service, for which it has to know the MAC.
func (s *Segment) greet(t *testing.T) {
	t.Helper()
	for _, to := range s.ServiceAddrs() {
		s.Enter(Client, func() {
			conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = conn.Write([]byte("?")) // whether it arrives is another matter
			conn.Close()
		})
	}
}

func (s *Segment) believes(t *testing.T) string {
	t.Helper()
	s.greet(t)
	name, err := s.Believed()
	must(t, err)
	return name
}

func (s *Segment) holds(t *testing.T, node string) bool {
	t.Helper()
	held, err := s.Holders()
	must(t, err)
	return len(held[node]) == len(s.Services())
}

// What makes the client look elsewhere is an announcement: it does not find the new owner by itself.
func TestTheClientBelievesWhatItHeard(t *testing.T) {
	s := build(t)
	s.take(t, "alpha")
	eventually(t, "the client finds alpha", func() bool { return s.believes(t) == "alpha" })
	if !s.holds(t, "alpha") || s.holds(t, "bravo") {
		t.Error("the addresses are on alpha, and the kernels say otherwise")
	}
	must(t, s.machine("alpha").do(s.Card("alpha").Off))
	if s.holds(t, "alpha") {
		t.Error("alpha has lost its power and has the addresses")
	}
	s.take(t, "bravo")
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if name := s.believes(t); name != "alpha" {
			t.Fatalf("nobody announced anything, and the client believes %q", name)
		}
	}
	must(t, s.Squat())
	if name := s.believes(t); name != "alpha" {
		t.Errorf("the stranger kept silent, and the client believes %q", name)
	}
	must(t, s.Claim())
	eventually(t, "the client believes the stranger", func() bool { return s.believes(t) == Stranger })
	must(t, s.Unsquat())
	must(t, s.Unsquat())
}

func TestACardThatComesBackKnowsOnlyItsOwn(t *testing.T) {
	s := build(t)
	s.take(t, "alpha")
	card := s.Card("alpha")
	must(t, s.machine("alpha").do(card.Off))
	must(t, s.machine("alpha").do(func() error {
		if l, err := card.link(); err != nil || l.Attrs().OperState == netlink.OperUp {
			t.Error("the card is on: ", err)
		}
		return nil
	}))
	must(t, s.machine("alpha").do(card.Up))
	if s.holds(t, "alpha") {
		t.Error("the addresses of the service have outlived a loss of power")
	}
	var all []netip.Addr
	must(t, s.machine("alpha").do(func() (err error) { all, err = onCard(); return err }))
	for _, p := range card.Own {
		if !strings.Contains(joined(all), p.Addr().String()) {
			t.Errorf("%s is missing among %v", p, all)
		}
	}
}

func joined(all []netip.Addr) (text string) {
	for _, ip := range all {
		text += ip.String() + " "
	}
	return text
}

func TestTheWitnessSeesTwoHolders(t *testing.T) {
	s := build(t)
	w, err := s.Watch()
	must(t, err)
	s.take(t, "alpha")
	must(t, s.machine("alpha").do(s.Card("alpha").Off))
	must(t, s.machine("alpha").do(s.Card("alpha").Up))
	s.take(t, "bravo")
	if found, err := w.Clashes(); err != nil || len(found) != 0 {
		t.Errorf("one after the other: %q %v", found, err)
	}
	s.take(t, "alpha")
	eventually(t, "the witness sees both", func() bool {
		found, err := w.Clashes()
		must(t, err)
		return len(found) == len(s.Services())
	})
	found, err := w.Clashes()
	if want := "the service address 192.0.2.10 was on alpha and on bravo at once"; err != nil || found[0] != want {
		t.Errorf("%q %v", found, err)
	}
	must(t, w.Close())
}

func TestTheEarHearsWhatIsAnnounced(t *testing.T) {
	s := build(t)
	e, err := s.Listen()
	must(t, err)
	s.take(t, "alpha")
	eventually(t, "the client finds alpha", func() bool { return s.believes(t) == "alpha" })
	heard, err := e.Heard()
	if err != nil || len(heard) != 0 {
		t.Errorf("alpha only answered: %v %v", heard, err)
	}
	before := mono.Now()
	must(t, s.Squat())
	must(t, s.Claim())
	eventually(t, "the stranger is heard", func() bool {
		heard, err = e.Heard()
		must(t, err)
		return len(heard) > 0
	})
	if at := heard[Stranger]; len(heard) != 1 || at < before || at > mono.Now() {
		t.Errorf("%v, begun at %v", heard, before)
	}
	must(t, e.Close())
	if _, err := e.Heard(); err != nil {
		t.Error(err)
	}
}

func TestWhatPeopleDoToACard(t *testing.T) {
	s := build(t)
	state := func() (up, carrier bool) {
		must(t, s.machine("alpha").do(func() error {
			l, err := netlink.LinkByName(CardName)
			if err == nil {
				up, carrier = l.Attrs().RawFlags&unix.IFF_UP != 0, l.Attrs().RawFlags&unix.IFF_LOWER_UP != 0
			}
			return err
		}))
		return up, carrier
	}
	s.take(t, "alpha")
	must(t, s.Unplug("alpha"))
	eventually(t, "the carrier goes", func() bool { up, carrier := state(); return up && !carrier })
	if !s.holds(t, "alpha") {
		t.Error("the addresses went with the cable")
	}
	must(t, s.Plug("alpha"))
	eventually(t, "the carrier is back", func() bool { _, carrier := state(); return carrier })
	must(t, s.Strip("alpha"))
	must(t, s.Strip("alpha"))
	if held, err := s.Holders(); err != nil || len(held) != 0 {
		t.Error(held, err)
	}
	must(t, s.SwitchOff("alpha"))
	if up, _ := state(); up {
		t.Error("the card is on")
	}
	must(t, s.SwitchOn("alpha"))
	s.take(t, "alpha")
	eventually(t, "alpha answers again", func() bool { return s.believes(t) == "alpha" })
}

// Pulses of one direction can be lost while the others arrive.
func TestPulsesGoOverTheBridge(t *testing.T) {
	s := build(t)
	paths, err := s.Paths(1)
	must(t, err)
	defer func() { must(t, paths.Close()) }()
	conns := map[string]*net.UDPConn{}
	for _, node := range s.nodes {
		at, err := netip.ParseAddrPort(paths.Listen(node))
		must(t, err)
		if !strings.HasPrefix(at.String(), "192.0.2.") {
			t.Errorf("%s listens at %s", node, at)
		}
		s.Enter(node, func() { conns[node], err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at)) })
		must(t, err)
		defer conns[node].Close()
	}
	heard := make(chan string, 1000)
	for node, conn := range conns {
		go func() {
			b := make([]byte, 16)
			for {
				if _, err := conn.Read(b); err != nil {
					return
				}
				heard <- node
			}
		}()
	}
	send := func(from, to string) {
		at, err := netip.ParseAddrPort(paths.Peer(from, to))
		must(t, err)
		_, err = conns[from].WriteToUDPAddrPort([]byte("pulse"), at)
		must(t, err)
	}
	paths.Cut("alpha", "bravo")
	for range 5 {
		send("alpha", "bravo")
		send("bravo", "alpha")
		if by := <-heard; by != "alpha" {
			t.Fatalf("%s heard what was cut", by)
		}
	}
	paths.Mend("alpha", "bravo")
	send("alpha", "bravo")
	if by := <-heard; by != "bravo" {
		t.Errorf("%s heard what was for bravo", by)
	}
}

func TestWhoMayNotHaveOne(t *testing.T) {
	if err := possible(1000); err == nil || !strings.Contains(err.Error(), "run `serialhb lab --netns` as root") {
		t.Error(err)
	}
	if _, err := New("alpha", Stranger); err == nil {
		t.Error("a node is called stranger")
	}
}
