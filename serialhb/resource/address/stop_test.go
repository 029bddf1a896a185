package address

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/serialhb/serialhb/serialhb/resource"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestStopThatDoesNotHelp(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		a, _ := p.a.resource(seldom(p.cfg))
		start(t, a)
		var enough atomic.Bool
		var wg sync.WaitGroup
		for range 2 {
			enter := p.a.beside()
			wg.Go(func() {
				enter(func() {
					to := &netlink.Addr{IPNet: ipNet(p.cfg.Address), LinkIndex: p.a.index, Flags: unix.IFA_F_NODAD}
					for !enough.Load() {
						_ = netlink.AddrAdd(nil, to) // mostly it is there already
					}
				})
			})
		}
		eventually(t, "a stop that says so", func() bool {
			err := a.Stop(t.Context())
			return err != nil && strings.HasSuffix(err.Error(), "it is still on eth0: find out who puts it there")
		})
		enough.Store(true)
		wg.Wait()
		stop(t, a)
		expect(t, a, resource.Stopped)
	})
}

// If the kernel cannot be listened to any more, as after more news than its socket holds, it is begun anew, and what was

// missed is found.

func TestStopTakesWhatIsThere(t *testing.T) {
	for _, how := range [][]string{{"192.0.2.10/24 192.0.2.99/32"}, {"192.0.2.10/24", "192.0.2.10/25", "192.0.2.10/32"}} {
		h := newSegment(t).host("198.51.100.1/24")
		h.must(func() error {
			for _, text := range how {
				own, peer, pointed := strings.Cut(text, " ")
				a := &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix(own)), LinkIndex: h.index}
				if pointed {
					a.Peer = ipNet(netip.MustParsePrefix(peer))
				}
				if err := netlink.AddrAdd(nil, a); err != nil {
					return err
				}
			}
			return netlink.LinkSetDown(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: h.index}})
		})
		a, _ := h.resource(Config{Address: netip.MustParsePrefix("192.0.2.10/24")})
		expect(t, a, resource.Running)
		stop(t, a)
		expect(t, a, resource.Stopped)
		if left := h.own(v4); len(left) != 1 {
			t.Errorf("%q: left %q", how, left)
		}
	}
}

// A card that waits for its port to be opened (802.1X) has a carrier, and may not send yet.

// In a VRF a card hears for itself as ever.

func TestCloseWaits(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		var all []*Address
		for range 5 {
			a, _ := p.a.resource(seldom(Config{Address: p.cfg.Address}))
			a.cfg.ProbeWait = Never
			start(t, a)
			all = append(all, a)
		}
		for _, a := range all {
			k := a.keeper
			w := k.wire
			a.Close()
			select {
			case <-w.done:
			default:
				t.Error("its wire is still open")
			}
		}
	})
}

func TestStopThatCannotLook(t *testing.T) {
	h := newSegment(t).host()
	a, _ := h.resource(seldom(Config{Address: netip.MustParsePrefix("192.0.2.10/24")}))
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	none := unix.Rlimit{Cur: 3, Max: was.Max} // less than are open
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	err := a.Stop(t.Context())
	state, unknown := a.Probe(t.Context())
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, unix.EMFILE) || !strings.HasPrefix(err.Error(), "address: stop 192.0.2.10: list the addresses: ") {
		t.Error(err)
	}
	if state != resource.Unknown || !errors.Is(unknown, unix.EMFILE) {
		t.Errorf("%v, %v", state, unknown)
	}
	stop(t, a)
}
