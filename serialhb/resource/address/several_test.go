package address

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/resource"
	"github.com/vishvananda/netlink"
)

// The port of a bridge hears nothing for itself: the silence there is no answer, and the bridge is named.

// Two groups have addresses in one network in which the host has none. If the first of them goes, the kernel drops the

// other one, which is put back; if that goes at the same moment, it must not come back.

func TestTwoGroupsStopAtOnce(t *testing.T) {
	h := newSegment(t).host()
	h.set("ipv4", "promote_secondaries", "0")
	first, _ := h.resource(seldom(Config{Address: netip.MustParsePrefix("192.0.2.10/24")}))
	second, _ := h.resource(seldom(Config{Address: netip.MustParsePrefix("192.0.2.11/24")}))
	first.cfg.ProbeWait, second.cfg.ProbeWait = Never, Never
	second.enter = h.beside()
	rounds := 200
	if testing.Short() {
		rounds = 50
	}
	for range rounds {
		h.add("192.0.2.10/24")
		h.add("192.0.2.11/24")
		var wg sync.WaitGroup
		for _, a := range []*Address{first, second} {
			wg.Go(func() { stop(t, a) })
		}
		wg.Wait()
		if left := h.own(v4); len(left) != 0 {
			t.Fatalf("stopped, and there is %q", left)
		}
	}
}

// Nor is the other one missed for the moment: whoever probed it then would take it for stopped.

func TestNeighbourIsNotMissed(t *testing.T) {
	h := newSegment(t).host()
	h.set("ipv4", "promote_secondaries", "0")
	first, _ := h.resource(seldom(Config{Address: netip.MustParsePrefix("192.0.2.10/24")}))
	second, news := h.resource(seldom(Config{Address: netip.MustParsePrefix("192.0.2.11/24")}))
	second.enter = h.beside()
	rounds := 200
	if testing.Short() {
		rounds = 50
	}
	for range rounds {
		h.add("192.0.2.10/24")
		h.add("192.0.2.11/24")
		if err := second.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
		stopped := make(chan error, 1)
		go func() { stopped <- first.Stop(t.Context()) }()
		for ended := false; !ended; {
			expect(t, second, resource.Running)
			select {
			case err := <-stopped:
				if ended = true; err != nil {
					t.Fatal(err)
				}
			default:
			}
		}
		stop(t, second)
	}
	if got := news.of(Removed); len(got) > 0 {
		t.Errorf("%q", got)
	}
}

// The address of another group keeps its way into the network when the first of them goes.

func TestOtherGroupKeepsItsWay(t *testing.T) {
	for _, fam := range families {
		for _, c := range []struct {
			promote string
			longer  int // by so much than the first one's
		}{{"0", 0}, {"1", 0}, {"1", 1}} {
			t.Run(fmt.Sprintf("%s promote_secondaries %s longer %d", fam.name, c.promote, c.longer), func(t *testing.T) {
				g := newSegment(t)
				h, client := g.host(), g.host(fam.own[2])
				h.set("ipv4", "promote_secondaries", c.promote)
				other := netip.PrefixFrom(fam.address.Addr().Next(), fam.address.Bits()+c.longer)
				first, _ := h.resource(seldom(Config{Address: fam.address}))
				second, _ := h.resource(seldom(Config{Address: other}))
				start(t, first)
				start(t, second)
				if err := h.echo(other.Addr()); err != nil {
					t.Fatal(err)
				}
				stop(t, first)
				if m := client.call(other.Addr()); m != h.mac {
					t.Errorf("%s answers", m)
				}
				stop(t, second)
				expect(t, second, resource.Stopped)
				if n := h.ways(other.Addr()); n != 0 {
					t.Errorf("%d ways into the network are left", n)
				}
			})
		}
	}
}

// A card that vanishes takes the address with it, which is what a stop wants. What comes in its place may have another

// index, and is watched by that.

// Whoever puts the address back while it is taken off makes the stop fail: it is verified, not believed.

func TestLostNews(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		a, news := p.a.resource(seldom(p.cfg))
		start(t, a)
		settle()
		for round := 1; round < 4; round++ {
			was := a.keeper.events
			was.end()
			p.a.remove(p.cfg.Address.String())
			eventually(t, "that it went", func() bool { return len(news.of(Removed)) == round })
			p.a.add(p.cfg.Address.String())
			eventually(t, "that it is back", func() bool { return len(news.of(Returned)) == round })
		}
		if got := news.of(Deafened); len(got) > 0 {
			t.Errorf("%q", got)
		}
	})
}

// A group may have many addresses: they are asked for at one time, and stay together.

func TestManyInAGroup(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		const many = 20
		var all []resource.Resource
		var addresses []*Address
		ip := p.ip
		for range many {
			a, _ := p.b.resource(Config{Address: netip.PrefixFrom(ip, p.cfg.Address.Bits())})
			all, addresses = append(all, a), append(addresses, a)
			ip = ip.Next()
		}
		g, err := resource.NewGroup("web", all, nil)
		if err != nil {
			t.Fatal(err)
		}
		had := len(p.b.own(p.ip))
		began := time.Now()
		for _, a := range addresses {
			a.Prepare(t.Context())
		}
		if err := g.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		started := time.Since(began)
		if n := len(p.b.own(p.ip)) - had; n != many {
			t.Errorf("%d addresses", n)
		}
		if state, err := g.Probe(t.Context()); state != resource.Running || err != nil {
			t.Error(state, err)
		}
		if started > many*DefaultProbeWait/2 {
			t.Errorf("one after the other was asked for: %v", started)
		}
		began = time.Now()
		if err := g.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d addresses: start %v with the probe, stop %v", many, started, time.Since(began))
		if n := len(p.b.own(p.ip)); n != had {
			t.Errorf("%d are left", n-had)
		}

		// One that is held keeps the group from starting, and the caller's stop leaves none.
		held := ip.Prev()
		p.client.add(netip.PrefixFrom(held, p.cfg.Address.Bits()).String())
		if err := g.Start(t.Context()); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%s did not start", held)) {
			t.Error(err)
		}
		if n := len(p.b.own(p.ip)); n != had+many-1 {
			t.Errorf("%d before the one that is held", n-had)
		}
		if err := g.Stop(t.Context()); err != nil || len(p.b.own(p.ip)) != had {
			t.Error(err, p.b.own(p.ip))
		}
	})
}

// A claim that nobody by right could answer is answered once somebody may, though nothing else happens.

func TestClaimIsAnsweredLater(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		var rightful atomic.Bool
		cfg := seldom(p.cfg)
		cfg.Rightful = rightful.Load
		rightful.Store(true)
		heard := p.client.hear(p.ip)
		a, news := p.a.resource(cfg)
		start(t, a)
		settle()
		eventually(t, "the announcements", func() bool { return heard.of(p.a.mac) >= 2 })
		before := heard.of(p.a.mac)
		rightful.Store(false)
		lie, err := announcement(p.ip, p.b.mac, false)
		if err != nil {
			t.Fatal(err)
		}
		p.b.say(p.ip, lie...)
		news.await(t, SecondOwner)
		settle()
		if n := heard.of(p.a.mac); n != before {
			t.Errorf("%d announcements more", n-before)
		}
		rightful.Store(true)
		eventually(t, "the answer", func() bool { return heard.of(p.a.mac) > before })
	})
}

// Frames of another VLAN on the same cable are about another network.

// However it was put there, a stop takes it off: with a peer, twice with two lengths, on a card that is off.

// What is here already is adopted, whoever else answers for it: that is for the keeper to hear and a person to end.

func TestAdoptedThoughSomebodyAnswers(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		p.client.add(p.cfg.Address.String())
		p.a.add(p.cfg.Address.String())
		a, news := p.a.resource(quick(p.cfg))
		start(t, a)
		if text := news.await(t, SecondOwner); !strings.Contains(text, p.client.mac.String()) {
			t.Errorf("%q", text)
		}
	})
}

// An IPv6 address that somebody put there by hand, so that the kernel asks for duplicates itself, is not in use yet, or

// never will be.

func TestKernelAsksItself(t *testing.T) {
	g := newSegment(t)
	h, other := g.host(), g.host("2001:db8::10/64")
	h.set("ipv6", "dad_transmits", "2")
	h.must(func() error {
		return netlink.AddrAdd(nil, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("2001:db8::11/64")), LinkIndex: h.index})
	})
	unknown := func(a *Address, says string) func() bool {
		return func() bool {
			state, err := a.Probe(t.Context())
			return state == resource.Unknown && err != nil && strings.Contains(err.Error(), says)
		}
	}
	free, _ := h.resource(seldom(Config{Address: netip.MustParsePrefix("2001:db8::11/64")}))
	eventually(t, "it is looked for", unknown(free, "made the kernel look for duplicates first: wait for that, or take it off there"))
	eventually(t, "it is found free", func() bool {
		state, err := free.Probe(t.Context())
		return state == resource.Running && err == nil
	})
	h.must(func() error {
		return netlink.AddrAdd(nil, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("2001:db8::10/64")), LinkIndex: h.index})
	})
	held, _ := h.resource(seldom(Config{Address: netip.MustParsePrefix("2001:db8::10/64")}))
	eventually(t, "the kernel finds the duplicate", unknown(held, "the kernel found a duplicate and does not use it: take it off there and find the other machine"))
	if err := held.Start(t.Context()); err == nil {
		t.Error("started what the kernel does not use")
	}
	stop(t, held)
	expect(t, held, resource.Stopped)
	other.remove("2001:db8::10/64")
	start(t, held)
}

// A router stays one to its neighbours, or they would drop their default route.

func TestRouterStaysOne(t *testing.T) {
	g := newSegment(t)
	h, client := g.host("2001:db8::1/64"), g.host("2001:db8::3/64")
	h.set("ipv6", "forwarding", "1")
	heard := client.hear(v6)
	a, _ := h.resource(seldom(Config{Address: netip.PrefixFrom(v6, 64)}))
	start(t, a)
	if err := h.echo(v6); err != nil {
		t.Fatal(err)
	}
	client.call(v6)
	before := heard.of(h.mac)
	a.Announce()
	eventually(t, "an announcement", func() bool { return heard.of(h.mac) > before })
	client.must(func() error {
		list, err := netlink.NeighList(client.index, netlink.FAMILY_V6)
		for _, n := range list {
			if found, _ := netip.AddrFromSlice(n.IP); found == v6 && n.Flags&netlink.NTF_ROUTER == 0 {
				t.Error("the client takes it for no router any more")
			}
		}
		return err
	})
}

// Once Close has returned nothing of it is left.

// A stop that cannot look says so, whatever is there: it has no descriptors left to ask the kernel with.
