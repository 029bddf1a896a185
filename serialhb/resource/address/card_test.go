package address

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mdlayher/packet"
	"github.com/serialhb/serialhb/serialhb/resource"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

func TestPortOfABridge(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		p.client.add(p.cfg.Address.String())
		serving, news := p.b.resource(seldom(p.cfg))
		serving.cfg.ProbeWait = Never
		start(t, serving)
		for _, h := range []*host{p.a, p.b} {
			h.must(func() error {
				attrs := netlink.NewLinkAttrs()
				attrs.Name = "br9"
				if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
					return err
				}
				br9, err := netlink.LinkByName("br9")
				if err != nil {
					return err
				}
				return errors.Join(netlink.LinkSetUp(br9), netlink.LinkSetMaster(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: h.index}}, br9))
			})
		}
		const says = "eth0 is a part of br9 and hears nothing for itself: configure br9"
		a, _ := p.a.resource(p.cfg)
		if err := a.Start(t.Context()); err == nil || !strings.HasSuffix(err.Error(), says) {
			t.Error(err)
		}
		expect(t, a, resource.Stopped)
		if text := news.await(t, LinkLost); !strings.HasSuffix(text, says) {
			t.Errorf("%q", text)
		}
		// The bridge itself is heard.
		p.cfg.Interface = "br9"
		b, _ := p.a.resource(p.cfg)
		var held *HeldError
		if err := b.Start(t.Context()); !errors.As(err, &held) || held.By != p.client.mac {
			t.Error(err)
		}
	})
}

func TestVanishedInterface(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		a, news := p.a.resource(seldom(p.cfg))
		start(t, a)
		settle()
		p.a.pull()
		if text := news.await(t, LinkLost); !strings.Contains(text, "there is no interface eth0 here") {
			t.Errorf("%q", text)
		}
		news.await(t, Removed)
		stop(t, a)
		expect(t, a, resource.Stopped)

		p.a.plug()
		start(t, a)
		p.a.pull()
		eventually(t, "it is missed", func() bool { return len(news.of(LinkLost)) == 2 })
		heard := p.client.hear(p.ip)
		p.a.plug()
		eventually(t, "the card is back", func() bool { return len(news.of(LinkBack)) == 1 })
		p.a.add(p.cfg.Address.String())
		eventually(t, "it is announced on the new card", func() bool { return heard.of(p.a.mac) > 0 })
		settle()
		card := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: p.a.index}}
		p.a.must(func() error { return netlink.LinkSetDown(card) })
		eventually(t, "it is off", func() bool { return len(news.of(LinkLost)) == 3 })
		p.a.must(func() error { return netlink.LinkSetName(card, "lost0") })
		eventually(t, "the new name is noticed", func() bool { return len(news.of(Removed)) == 3 })
		stop(t, a)
		expect(t, a, resource.Stopped)
	})
}

func TestOtherVLAN(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		a, news := p.a.resource(seldom(p.cfg))
		probe, err := a.BeginProbe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		say := func() {
			t.Helper()
			lie, err := announcement(p.ip, MAC{2, 0, 0, 0, 7, 7}, false)
			if err != nil {
				t.Fatal(err)
			}
			p.client.must(func() error {
				at := &net.Interface{Index: p.client.index, Name: "eth0", HardwareAddr: p.client.mac[:]}
				conn, err := packet.Listen(at, packet.Raw, protocol(p.ip), nil)
				if err != nil {
					return err
				}
				defer conn.Close()
				for _, f := range lie {
					tagged := slices.Concat(f.to[:], p.client.mac[:], []byte{0x81, 0, 0, 7, byte(protocol(p.ip) >> 8), byte(protocol(p.ip))}, f.body)
					if _, err := conn.WriteTo(tagged, &packet.Addr{HardwareAddr: f.to[:]}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		probe.Proven()
		say()
		start(t, a)
		say()
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

func TestDoubts(t *testing.T) {
	g := newSegment(t)
	h := g.host("192.0.2.1/24", "2001:db8::1/64")
	h.must(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "eth1"
		if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
			return err
		}
		eth1, err := netlink.LinkByName("eth1")
		for _, own := range []string{"198.51.100.1/24", "2001:db8:1::1/64"} {
			if err == nil {
				err = netlink.AddrAdd(eth1, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix(own))})
			}
		}
		return err
	})
	for address, says := range map[string]string{
		"192.0.2.10/24":      "",
		"192.0.2.10/32":      "",
		"2001:db8::10/64":    "",
		"203.0.113.10/24":    "", // a network of its own
		"fe80::10/128":       "",
		"192.0.2.10/16":      "192.0.2.10/16 has another length than the network 192.0.2.0/24 of eth0: write 192.0.2.10/24",
		"192.0.2.10/25":      "write 192.0.2.10/24",
		"2001:db8::10/48":    "2001:db8::10/48 has another length than the network 2001:db8::/64 of eth0: write 2001:db8::10/64",
		"198.51.100.10/24":   "198.51.100.10 lies in the network 198.51.100.0/24 of eth1 and in none of eth0: configure eth1, or correct the address",
		"2001:db8:1::10/128": "2001:db8:1::10 lies in the network 2001:db8:1::/64 of eth1",
		"203.0.113.10/32":    "203.0.113.10/32 brings no way into a network, and eth0 has none that it lies in: write it with the length of its network",
	} {
		a, _ := h.resource(Config{Address: netip.MustParsePrefix(address), ProbeWait: Never})
		for range 2 { // before it is there and while it is
			all, err := a.Doubts(t.Context())
			if err != nil || len(all) > 1 || (len(all) == 0) != (says == "") || !strings.Contains(strings.Join(all, ""), says) {
				t.Errorf("%s: %q, %v, want %q", address, all, err, says)
			}
			start(t, a)
		}
		stop(t, a)
	}
	for _, c := range []struct {
		ignore, address string
		doubts          int
	}{{"1", "192.0.2.10/32", 0}, {"2", "192.0.2.10/24", 0}, {"2", "192.0.2.10/32", 1}, {"8", "192.0.2.10/24", 1}, {"8", "2001:db8::10/64", 0}} {
		h.set("ipv4", "arp_ignore", c.ignore)
		a, _ := h.resource(Config{Address: netip.MustParsePrefix(c.address)})
		if all, err := a.Doubts(t.Context()); err != nil || len(all) != c.doubts || c.doubts > 0 && !strings.Contains(all[0], "arp_ignore is "+c.ignore) {
			t.Errorf("%s with arp_ignore %s: %q, %v", c.address, c.ignore, all, err)
		}
	}
	a, _ := h.resource(Config{Address: netip.MustParsePrefix("192.0.2.10/16"), Interface: "eth9"})
	if all, err := a.Doubts(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("that there is none is Check's to say: %q, %v", all, err)
	}
}

func TestDormant(t *testing.T) {
	h := newSegment(t).host("192.0.2.1/24")
	a, _ := h.resource(seldom(Config{Address: netip.MustParsePrefix("192.0.2.10/24")}))
	mode := func(v byte) {
		t.Helper()
		// The kernel looks at it when the carrier comes.
		h.cut()
		eventually(t, "loss of the carrier", func() bool {
			err := a.Check(t.Context())
			return err != nil && strings.Contains(err.Error(), "no carrier")
		})
		h.must(func() error {
			req := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
			msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
			msg.Index = int32(h.index)
			req.AddData(msg)
			req.AddData(nl.NewRtAttr(unix.IFLA_LINKMODE, []byte{v}))
			_, err := req.Execute(unix.NETLINK_ROUTE, 0)
			return err
		})
		h.mend()
	}
	mode(1)
	eventually(t, "it waits for its port", func() bool {
		err := a.Check(t.Context())
		return err != nil && strings.Contains(err.Error(), "eth0 has a carrier but may not send yet (dormant)")
	})
	if err := a.Start(t.Context()); err == nil {
		t.Error("started where nothing can be sent")
	}
	expect(t, a, resource.Stopped)
	mode(0)
	eventually(t, "the port is open", func() bool { return a.Check(t.Context()) == nil })
	start(t, a)
}

func TestVRF(t *testing.T) {
	h := newSegment(t).host("192.0.2.1/24")
	a, _ := h.resource(seldom(Config{Address: netip.MustParsePrefix("192.0.2.10/24")}))
	var err error
	h.enter(func() {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "red"
		if err = netlink.LinkAdd(&netlink.Vrf{LinkAttrs: attrs, Table: 10}); err != nil {
			return
		}
		red, found := netlink.LinkByName("red")
		err = errors.Join(found, netlink.LinkSetUp(red), netlink.LinkSetMaster(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: h.index}}, red))
	})
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Skip("no VRF can be made here: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	start(t, a)
}

// A cable that comes and goes is announced each time it stays, and leaves nothing behind.
func TestFlapping(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		heard := p.client.hear(p.ip)
		a, news := p.a.resource(seldom(p.cfg))
		start(t, a)
		for range 40 {
			p.a.cut()
			p.a.mend()
		}
		p.a.cut()
		eventually(t, "loss of the carrier", func() bool { return len(news.of(LinkLost)) > len(news.of(LinkBack)) })
		settle()
		before := heard.of(p.a.mac)
		p.a.mend()
		eventually(t, "an announcement", func() bool { return heard.of(p.a.mac) > before })
		eventually(t, "all is well", func() bool { return len(news.of(LinkLost)) == len(news.of(LinkBack)) })
		if got := slices.Concat(news.of(Removed), news.of(Deafened)); len(got) > 0 {
			t.Errorf("%q", got)
		}
		stop(t, a)
		expect(t, a, resource.Stopped)
	})
}

// The part of a bond is refused, and the bond is not.
func TestBond(t *testing.T) {
	h := newSegment(t).host()
	var err error
	h.enter(func() {
		bond := netlink.NewLinkBond(netlink.LinkAttrs{Name: "bond9"})
		bond.Mode, bond.Miimon = netlink.BOND_MODE_ACTIVE_BACKUP, 10
		card := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: h.index}}
		if err = netlink.LinkAdd(bond); err != nil {
			return
		}
		made, found := netlink.LinkByName("bond9")
		err = errors.Join(found, netlink.LinkSetDown(card), netlink.LinkSetMaster(card, made), netlink.LinkSetUp(made))
	})
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Skip("no bond can be made here: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	part, _ := h.resource(Config{Address: netip.MustParsePrefix("192.0.2.10/24")})
	if err := part.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "eth0 is a part of bond9") {
		t.Error(err)
	}
	whole, _ := h.resource(Config{Address: netip.MustParsePrefix("192.0.2.10/24"), Interface: "bond9"})
	eventually(t, "the bond has a carrier", func() bool { return whole.Check(t.Context()) == nil })
	start(t, whole)
}
