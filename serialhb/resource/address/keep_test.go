package address

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/resource"
	"github.com/vishvananda/netlink"
)

// quick makes the slow things of a keeper as fast as they may be.
func quick(c Config) Config {
	c.ProbeWait, c.Spacing, c.Refresh, c.Announcements = MinProbeWait, MinSpacing, MinRefresh, 2
	return c
}

// seldom announces once at the start and once more, and then no more by itself.
func seldom(c Config) Config {
	c = quick(c)
	c.Announcements, c.Refresh = 1, Never
	return c
}

// settle waits until nothing but an event can make a seldom one look again.
func settle() {
	time.Sleep(5 * MinSpacing)
}

func TestAnnouncements(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		heard := p.client.hear(p.ip)
		each := 1
		if p.ip.Is4() {
			each = 2 // a request and a reply
		}
		a, _ := p.a.resource(seldom(p.cfg))
		start(t, a)
		eventually(t, "both announcements", func() bool { return heard.of(p.a.mac) == 2*each })
		time.Sleep(3 * MinSpacing)
		if n := heard.of(p.a.mac); n != 2*each {
			t.Errorf("%d announcements", n)
		}
		a.Announce() // a peer is back
		eventually(t, "both announcements again", func() bool { return heard.of(p.a.mac) == 4*each })

		stop(t, a)
		noneLeft(t)
		a.Announce()
		time.Sleep(3 * MinSpacing)
		if n := heard.of(p.a.mac); n != 4*each {
			t.Errorf("%d announcements after the stop", n)
		}
		b, _ := p.b.resource(quick(p.cfg))
		start(t, b)
		eventually(t, "a refresh", func() bool { return heard.of(p.b.mac) > 3*each })
	})
}

// A second owner that says so is told of at once, and the caches come back.
func TestSecondOwnerIsHeard(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		a, news := p.a.resource(seldom(p.cfg))
		start(t, a)
		if err := p.a.echo(p.ip); err != nil {
			t.Fatal(err)
		}
		p.client.call(p.ip)
		lie, err := announcement(p.ip, p.b.mac, false)
		if err != nil {
			t.Fatal(err)
		}
		heard := p.client.hear(p.ip)
		p.b.say(p.ip, lie...)
		if text := news.await(t, SecondOwner); !strings.Contains(text, p.b.mac.String()) {
			t.Errorf("%q", text)
		}
		eventually(t, "the answer to the lie", func() bool { return heard.of(p.a.mac) > 0 })
		eventually(t, "the client's cache", func() bool { return p.client.at(p.ip) == p.a.mac })

		// A storm is answered within bounds and is one alarm.
		before := heard.of(p.a.mac)
		for range 200 {
			p.b.say(p.ip, lie...)
		}
		eventually(t, "a late answer", func() bool { return heard.of(p.a.mac) > before })
		if n := len(news.of(SecondOwner)); n != 1 {
			t.Errorf("%d alarms", n)
		}
		if n := heard.of(p.a.mac) - before; n > 8 {
			t.Errorf("%d answers to a storm", n)
		}
		eventually(t, "the client's cache", func() bool { return p.client.at(p.ip) == p.a.mac })
	})
}

// One that only answers when asked is found by the refresh.
func TestSilentSecondOwner(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		a, news := p.a.resource(quick(p.cfg))
		start(t, a)
		p.b.add(p.cfg.Address.String())
		if text := news.await(t, SecondOwner); !strings.Contains(text, p.b.mac.String()) {
			t.Errorf("%q", text)
		}
	})
}

// Our own frames that come back, as from a loop or another card of this host, are nobody else's.
func TestOwnFramesAreNoSecondOwner(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		a, news := p.a.resource(seldom(p.cfg))
		start(t, a)
		var spare MAC
		p.a.must(func() error { // a card that comes later than the start
			attrs := netlink.NewLinkAttrs()
			attrs.Name, attrs.HardwareAddr = "eth1", []byte{2, 0, 0, 0, 9, 9}
			copy(spare[:], attrs.HardwareAddr)
			return netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs})
		})
		for _, own := range []MAC{p.a.mac, spare} {
			echo, err := announcement(p.ip, own, false)
			if err != nil {
				t.Fatal(err)
			}
			p.b.say(p.ip, echo...)
		}
		other, err := announcement(p.ip, p.b.mac, false)
		if err != nil {
			t.Fatal(err)
		}
		p.b.say(p.ip, other...)
		if text := news.await(t, SecondOwner); !strings.Contains(text, p.b.mac.String()) {
			t.Errorf("%q", text)
		}
	})
}

// Whoever may not be the owner any more neither repeats nor answers, but raises the alarm.
func TestNotRightful(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		var rightful atomic.Bool
		var asked atomic.Int32
		cfg := quick(p.cfg)
		cfg.Rightful = func() bool {
			asked.Add(1)
			return rightful.Load()
		}
		heard := p.client.hear(p.ip)
		a, news := p.a.resource(cfg)
		start(t, a)
		eventually(t, "the first announcement", func() bool { return heard.of(p.a.mac) > 0 })
		first := heard.of(p.a.mac)
		lie, err := announcement(p.ip, p.b.mac, false)
		if err != nil {
			t.Fatal(err)
		}
		p.b.say(p.ip, lie...)
		news.await(t, SecondOwner)
		eventually(t, "questions", func() bool { return asked.Load() > 5 })
		if n := heard.of(p.a.mac); n != first {
			t.Errorf("%d announcements more", n-first)
		}
		rightful.Store(true)
		eventually(t, "an announcement", func() bool { return heard.of(p.a.mac) > first })
	})
}

func TestLinkLostAndBack(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		heard := p.client.hear(p.ip)
		a, news := p.a.resource(seldom(p.cfg))
		start(t, a)
		settle()
		p.a.cut()
		if text := news.await(t, LinkLost); !strings.Contains(text, "eth0 has no carrier") {
			t.Errorf("%q", text)
		}
		expect(t, a, resource.Running) // it is still on the interface
		before := heard.of(p.a.mac)
		p.a.mend()
		news.await(t, LinkBack)
		eventually(t, "an announcement", func() bool { return heard.of(p.a.mac) > before })
		if got := append(news.of(Removed), news.of(Unannounced)...); len(got) > 0 {
			t.Errorf("%q", got)
		}
	})
}

// The interface is switched off and on: the kernel drops an IPv6 address then, which has to be told.
func TestInterfaceOffAndOn(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		heard := p.client.hear(p.ip)
		a, news := p.a.resource(seldom(p.cfg))
		start(t, a)
		eth0 := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: p.a.index}}
		p.a.must(func() error { return netlink.LinkSetDown(eth0) })
		if text := news.await(t, LinkLost); !strings.Contains(text, "ip link set eth0 up") {
			t.Errorf("%q", text)
		}
		before := heard.of(p.a.mac)
		p.a.must(func() error { return netlink.LinkSetUp(eth0) })
		news.await(t, LinkBack)
		if p.ip.Is4() {
			eventually(t, "an announcement", func() bool { return heard.of(p.a.mac) > before })
			// The socket lives on too.
			lie, err := announcement(p.ip, p.b.mac, false)
			if err != nil {
				t.Fatal(err)
			}
			p.b.say(p.ip, lie...)
			news.await(t, SecondOwner)
			return
		}
		news.await(t, Removed)
		expect(t, a, resource.Stopped)
		if n := heard.of(p.a.mac); n != before {
			t.Errorf("%d announcements of an address that is not here", n-before)
		}
	})
}

// A card that gets another MAC is announced with it.
func TestMACChanges(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		heard := p.client.hear(p.ip)
		a, _ := p.a.resource(seldom(p.cfg))
		start(t, a)
		fresh := MAC{2, 0, 0, 0, 7, 7}
		p.a.must(func() error {
			return netlink.LinkSetHardwareAddr(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: p.a.index}}, fresh[:])
		})
		eventually(t, "an announcement with the new MAC", func() bool { return heard.of(fresh) > 0 })
	})
}

func TestRemovedBySomebody(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		heard := p.client.hear(p.ip)
		a, news := p.a.resource(seldom(p.cfg))
		start(t, a)
		settle()
		eventually(t, "an announcement", func() bool { return heard.of(p.a.mac) > 0 })
		p.a.remove(p.cfg.Address.String())
		if text := news.await(t, Removed); !strings.Contains(text, "eth0") {
			t.Errorf("%q", text)
		}
		expect(t, a, resource.Stopped)
		before := heard.of(p.a.mac)
		a.Announce()
		time.Sleep(3 * MinSpacing)
		if n := heard.of(p.a.mac); n != before {
			t.Errorf("%d announcements of an address that is not here", n-before)
		}
		p.a.add(p.cfg.Address.String())
		news.await(t, Returned)
		eventually(t, "an announcement", func() bool { return heard.of(p.a.mac) > before })
		stop(t, a)
		expect(t, a, resource.Stopped)
	})
}

// While the kernel cannot be asked nobody is told of the address, and afterwards everybody is.
func TestDeaf(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		heard := p.client.hear(p.ip)
		cfg := quick(p.cfg)
		cfg.ProbeWait, cfg.Timeout = Never, time.Second
		a, news := p.a.resource(cfg)
		start(t, a)
		eventually(t, "an announcement", func() bool { return heard.of(p.a.mac) > 0 })
		a.door <- struct{}{} // the kernel is busy
		news.await(t, Deafened)
		before := heard.of(p.a.mac)
		time.Sleep(MinRefresh + 2*MinSpacing)
		if n := heard.of(p.a.mac); n != before {
			t.Errorf("%d announcements", n-before)
		}
		if state, err := a.Probe(t.Context()); state != resource.Unknown || !errors.Is(err, resource.ErrTimeout) {
			t.Errorf("%v, %v", state, err)
		}
		<-a.door
		news.await(t, Hearing)
		eventually(t, "an announcement", func() bool { return heard.of(p.a.mac) > before })
	})
}

// What another run of the daemon left is adopted; what is not there is not kept.
func TestKeepAndClose(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		first, _ := p.a.resource(seldom(p.cfg))
		if err := first.Keep(t.Context()); err == nil || !strings.Contains(err.Error(), "start it") {
			t.Errorf("kept what is not there: %v", err)
		}
		start(t, first)
		start(t, first) // changes nothing
		first.Close()
		expect(t, first, resource.Running)

		heard := p.client.hear(p.ip)
		second, news := p.a.resource(seldom(p.cfg))
		if err := second.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		eventually(t, "an announcement", func() bool { return heard.of(p.a.mac) > 0 })
		p.a.cut()
		news.await(t, LinkLost)
		second.Close()

		third, news := p.a.resource(seldom(p.cfg))
		if err := third.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "no carrier") {
			t.Errorf("started without a carrier: %v", err)
		}
		if err := third.Keep(t.Context()); err != nil {
			t.Errorf("a loose cable is no reason not to keep it: %v", err)
		}
		news.await(t, LinkLost)
		stop(t, third)
		expect(t, third, resource.Stopped)
		stop(t, third) // it is gone, which is what was asked
	})
}

// An address that somebody put there with another prefix length is adopted, not put beside itself.
func TestAdoptedAsItIs(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		p.a.add(netip.PrefixFrom(p.ip, p.ip.BitLen()).String())
		a, _ := p.a.resource(seldom(p.cfg))
		start(t, a)
		p.a.must(func() error {
			all, err := addresses(p.ip)
			if n := len(placesOf(p.ip, all)); n != 1 {
				t.Errorf("it is there %d times", n)
			}
			return err
		})
		stop(t, a)
		expect(t, a, resource.Stopped)
	})
}

func TestRefusals(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		refused := func(iface, says string) {
			t.Helper()
			cfg := p.cfg
			cfg.Interface = iface
			a, _ := p.a.resource(cfg)
			err := a.Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 250 {
				t.Errorf("%s: start: %v, want %q", iface, err, says)
			}
			if err := a.Check(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: check: %v", iface, err)
			}
			if _, err := a.BeginProbe(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: probe: %v", iface, err)
			}
			expect(t, a, resource.Stopped)
			stop(t, a)
		}
		refused("eth9", "there is no interface eth9 here")
		refused("lo", "lo is no Ethernet")
		p.a.must(func() error {
			attrs := netlink.NewLinkAttrs()
			attrs.Name = "lonely"
			return netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs})
		})
		refused("lonely", "lonely is switched off")
		p.a.cut()
		eventually(t, "loss of the carrier", func() bool {
			cfg := p.cfg
			a, _ := p.a.resource(cfg)
			return a.Check(t.Context()) != nil
		})
		refused("eth0", "eth0 has no carrier: check its cable and the switch")
	})
}

func TestIPv6SwitchedOff(t *testing.T) {
	h := newSegment(t).host()
	h.must(func() error {
		return os.WriteFile("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", []byte("1"), 0o600)
	})
	a, _ := h.resource(Config{Address: netip.MustParsePrefix("2001:db8::10/64")})
	if err := a.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "set net.ipv6.conf.eth0.disable_ipv6 to 0") {
		t.Error(err)
	}
	expect(t, a, resource.Stopped)
}

// On another interface it is neither running nor stopped; a stop takes it off there too, since this host would go on
// answering for it.
func TestOnAnotherInterface(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		p.a.must(func() error {
			attrs := netlink.NewLinkAttrs()
			attrs.Name = "other"
			if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
				return err
			}
			other, err := netlink.LinkByName("other")
			if err != nil {
				return err
			}
			return errors.Join(netlink.LinkSetUp(other), netlink.AddrAdd(other, &netlink.Addr{IPNet: ipNet(p.cfg.Address)}))
		})
		a, news := p.a.resource(p.cfg)
		const says = "it is on other instead of eth0"
		if state, err := a.Probe(t.Context()); state != resource.Unknown || err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, %v", state, err)
		}
		if err := a.Start(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
			t.Error(err)
		}
		stop(t, a)
		if text := news.await(t, Cleaned); !strings.Contains(text, "was on other") {
			t.Errorf("%q", text)
		}
		expect(t, a, resource.Stopped)
	})
}

// The kernel drops the later addresses of a network with its first one, unless told otherwise.
func TestStopSparesOthers(t *testing.T) {
	for _, promote := range []string{"0", "1"} {
		t.Run("promote_secondaries "+promote, func(t *testing.T) {
			h := newSegment(t).host()
			h.must(func() error {
				return os.WriteFile("/proc/sys/net/ipv4/conf/eth0/promote_secondaries", []byte(promote), 0o600)
			})
			a, news := h.resource(quick(Config{Address: netip.MustParsePrefix("192.0.2.10/24")}))
			start(t, a)
			others := []string{"192.0.2.1/24", "192.0.2.2/24", "198.51.100.1/24"}
			for _, other := range others {
				h.add(other)
			}
			stop(t, a)
			expect(t, a, resource.Stopped)
			h.must(func() error {
				all, err := addresses(v4)
				var got []string
				for _, p := range all {
					if p.addr.LinkIndex == h.index {
						got = append(got, p.prefix().String())
					}
				}
				for _, other := range others {
					if !strings.Contains(strings.Join(got, " "), other) {
						t.Errorf("%s is gone, there is %q", other, got)
					}
				}
				return err
			})
			if told := len(news.of(Mended)) > 0; told != (promote == "0") {
				t.Errorf("%q", news.of(Mended))
			}
		})
	}
}
