package address

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/resource"
	"golang.org/x/sys/unix"
)

// families are what every test on a segment is run for.
var families = []struct {
	name    string
	address netip.Prefix
	own     [3]string // of hosts in the same network
}{
	{name: "IPv4", address: netip.MustParsePrefix("192.0.2.10/24"), own: [3]string{"192.0.2.1/24", "192.0.2.2/24", "192.0.2.3/24"}},
	{name: "IPv6", address: netip.MustParsePrefix("2001:db8::10/64"), own: [3]string{"2001:db8::1/64", "2001:db8::2/64", "2001:db8::3/64"}},
}

// pair is two servers and a client on a segment.
type pair struct {
	a, b, client *host
	ip           netip.Addr
	cfg          Config
}

func eachFamily(t *testing.T, f func(t *testing.T, p pair)) {
	for _, fam := range families {
		t.Run(fam.name, func(t *testing.T) {
			g := newSegment(t)
			f(t, pair{a: g.host(fam.own[0]), b: g.host(fam.own[1]), client: g.host(fam.own[2]), ip: fam.address.Addr(), cfg: Config{Address: fam.address}})
		})
	}
}

func start(t *testing.T, a *Address) {
	t.Helper()
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func stop(t *testing.T, a *Address) {
	t.Helper()
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, a *Address, want resource.State) {
	t.Helper()
	if got, err := a.Probe(t.Context()); got != want || err != nil {
		t.Fatalf("%v, %v; want %v", got, err, want)
	}
}

// The whole way: the owner serves, dies, the standby has probed since the coil, and the client's cache moves. The
// measured times are those from the call of Start.
func TestTakeover(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		owner, _ := p.a.resource(p.cfg)
		standby, _ := p.b.resource(p.cfg)
		expect(t, standby, resource.Stopped)
		start(t, owner)
		expect(t, owner, resource.Running)
		if err := p.a.echo(p.ip); err != nil {
			t.Fatal("the address cannot be used right after the start: ", err)
		}
		if m := p.client.call(p.ip); m != p.a.mac {
			t.Fatalf("%s answers", m)
		}

		rounds := 5
		if testing.Short() {
			rounds = 2
		}
		var caches, starts []time.Duration
		from, to, fromHost, toHost := owner, standby, p.a, p.b
		for round := range rounds {
			eventually(t, "the client's cache", func() bool {
				return p.client.at(p.ip) == fromHost.mac
			})
			probe, err := to.BeginProbe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "the owner's answer to the probe", func() bool { return probe.answers() > 0 })
			fromHost.cut()
			eventually(t, "silence", func() bool { return probe.silence() >= DefaultProbeWait })
			probe.Proven()

			moved := make(chan time.Time, 1)
			go p.client.enter(func() {
				for end := time.Now().Add(patience); time.Now().Before(end) && p.client.cached(p.ip) != toHost.mac; {
					time.Sleep(100 * time.Microsecond)
				}
				moved <- time.Now()
			})
			began := time.Now()
			start(t, to)
			starts = append(starts, time.Since(began))
			caches = append(caches, (<-moved).Sub(began))
			if m := p.client.at(p.ip); m != toHost.mac {
				t.Fatalf("round %d: the client believes %s", round, m)
			}
			if round == 0 {
				if err := p.b.echo(p.ip); err != nil {
					t.Fatal(err)
				}
				if m := p.client.call(p.ip); m != p.b.mac {
					t.Fatalf("%s answers", m)
				}
			}
			stop(t, from) // what a boot does
			expect(t, from, resource.Stopped)
			fromHost.mend()
			eventually(t, "carrier", func() bool { return from.Check(t.Context()) == nil })
			from, to, fromHost, toHost = to, from, toHost, fromHost
		}
		slices.Sort(caches)
		slices.Sort(starts)
		t.Logf("client's cache moved %v after the call of Start (median of %d; %v to %v); Start took %v", caches[rounds/2], rounds, caches[0], caches[rounds-1], starts[rounds/2])
	})
}

func (p *DuplicateProbe) answers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.window.heard
}

func (p *DuplicateProbe) silence() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.window.asked == 0 {
		return 0
	}
	return time.Since(p.window.since)
}

// A machine that nobody fenced has the address: nothing is taken from it, and it is named.
func TestHeldByAnother(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		p.client.add(p.cfg.Address.String())
		a, _ := p.a.resource(p.cfg)
		err := a.Start(t.Context())
		var held *HeldError
		if !errors.As(err, &held) || held.By != p.client.mac {
			t.Fatal(err)
		}
		want := "address: start " + p.ip.String() + ": it is held by " + p.client.mac.String() + " on eth0: find that machine and take the address from it, or configure another"
		if err.Error() != want {
			t.Errorf("%q", err)
		}
		expect(t, a, resource.Stopped)

		// A probe that is asked for says the same, and the next start after the duplicate went succeeds.
		probe, err := a.BeginProbe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		probe.Proven()
		if err := probe.Verdict(t.Context()); !errors.As(err, &held) || !strings.Contains(err.Error(), p.ip.String()) {
			t.Error(err)
		}
		p.client.remove(p.cfg.Address.String())
		probe.Close()
		if err := probe.Verdict(t.Context()); !errors.Is(err, ErrEnded) {
			t.Error(err)
		}
		start(t, a)
	})
}

// The owner answers until it is off. If the proof lied it goes on, and then nothing is started.
func TestAnswersCountFromTheProofOn(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		p.a.add(p.cfg.Address.String())
		b, _ := p.b.resource(p.cfg)
		for _, dies := range []bool{false, true} {
			probe, err := b.BeginProbe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "answers before the proof", func() bool { return probe.answers() > 2 })
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			if err := probe.Verdict(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a verdict without a proof: %v", err)
			}
			cancel()
			if dies {
				p.a.cut()
			}
			err = b.Start(t.Context())
			var held *HeldError
			if dies && err != nil || !dies && (!errors.As(err, &held) || held.By != p.a.mac) {
				t.Fatalf("dies %v: %v", dies, err)
			}
		}
		expect(t, b, resource.Running)
	})
}

// What the dying owner said and nobody has read yet is from before the proof all the same.
func TestUnreadAnswersAreFromBeforeTheProof(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		p.a.add(p.cfg.Address.String())
		b, _ := p.b.resource(p.cfg)
		probe, err := b.BeginProbe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "an answer", func() bool { return probe.answers() > 0 })
		probe.wire.mu.Lock() // the reader is late
		time.Sleep(DefaultProbeWait)
		p.a.cut()
		told := make(chan struct{})
		go func() {
			probe.Proven()
			close(told)
		}()
		time.Sleep(DefaultProbeWait / 4)
		probe.wire.mu.Unlock()
		<-told
		if err := probe.Verdict(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Nobody answers on a loose cable, which says nothing.
func TestSilenceWithoutCarrierIsNoVerdict(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		b, _ := p.b.resource(p.cfg)
		probe, err := b.BeginProbe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.b.cut()
		eventually(t, "loss of the carrier", func() bool { return b.Check(t.Context()) != nil })
		eventually(t, "silence", func() bool { return probe.silence() >= DefaultProbeWait })
		probe.Proven()
		if err := probe.Verdict(t.Context()); err == nil || !strings.Contains(err.Error(), "no carrier") {
			t.Error(err)
		}
	})
}

// A group asks for all its addresses at one time, and a probe that goes on already is not begun anew.
func TestPrepared(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		b, _ := p.b.resource(p.cfg)
		ctx, cancel := context.WithCancel(t.Context())
		b.Prepare(ctx)
		stale := b.begun
		b.Prepare(ctx)
		if stale == nil || b.begun != stale {
			t.Fatal("it is asked twice")
		}
		eventually(t, "a verdict without a wait", func() bool {
			stale.mu.Lock()
			defer stale.mu.Unlock()
			return stale.window.finding(time.Now()) == free
		})
		cancel()
		<-stale.done
		p.client.add(p.cfg.Address.String())
		b.Prepare(t.Context())
		if b.begun == stale {
			t.Error("it relies on a probe that has ended")
		}
		var held *HeldError
		if err := b.Start(t.Context()); !errors.As(err, &held) || held.By != p.client.mac {
			t.Fatal(err)
		}
	})
}

// A probe whose context ended long ago is no evidence: Start makes its own.
func TestStaleProbeIsNoEvidence(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		b, _ := p.b.resource(p.cfg)
		ctx, cancel := context.WithCancel(t.Context())
		probe, err := b.BeginProbe(ctx)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "silence", func() bool { return probe.silence() >= DefaultProbeWait })
		cancel()
		<-probe.done
		p.a.add(p.cfg.Address.String())
		var held *HeldError
		if err := b.Start(t.Context()); !errors.As(err, &held) {
			t.Fatal(err)
		}
	})
}

// Frames of this host that come back, as from a loop in the cabling, are no other machine's.
func TestOwnFramesAreNoDuplicate(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		a, _ := p.a.resource(p.cfg)
		probe, err := a.BeginProbe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		probe.Proven()
		for _, by := range []MAC{p.a.mac, p.b.mac} {
			loop, err := announcement(p.ip, by, false)
			if err != nil {
				t.Fatal(err)
			}
			p.client.say(p.ip, loop...)
		}
		var held *HeldError
		if err := probe.Verdict(t.Context()); !errors.As(err, &held) || held.By != p.b.mac {
			t.Error(err)
		}
	})
}

// An answer that nobody has read yet when the silence is over is heard before the verdict.
func TestUnreadAnswerBeforeTheVerdict(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		p.client.add(p.cfg.Address.String())
		a, _ := p.a.resource(p.cfg)
		probe, err := a.BeginProbe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := probe.wire.conn.SetReadDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		<-probe.wire.done // the reader is gone
		probe.Proven()
		var held *HeldError
		if err := probe.Verdict(t.Context()); !errors.As(err, &held) || held.By != p.client.mac {
			t.Error(err)
		}
	})
}

// The wait is as long as configured.
func TestConfiguredWait(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		p.cfg.ProbeWait = 3 * DefaultProbeWait
		a, _ := p.a.resource(p.cfg)
		began := time.Now()
		start(t, a)
		if took := time.Since(began); took < p.cfg.ProbeWait {
			t.Errorf("asked for %v", took)
		}
	})
}

func TestNeverAsked(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		p.client.add(p.cfg.Address.String())
		p.cfg.ProbeWait = Never
		a, _ := p.a.resource(p.cfg)
		probe, err := a.BeginProbe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		probe.Proven()
		if err := probe.Verdict(t.Context()); err != nil {
			t.Fatal(err)
		}
		start(t, a)
		expect(t, a, resource.Running)
	})
}

// What is on the interface is what was configured, with a person's hint, and it neither brings a second way into the
// network nor becomes the source of what the host sends itself.
func TestHowItIsPut(t *testing.T) {
	eachFamily(t, func(t *testing.T, p pair) {
		before := p.a.ways(p.ip)
		p.cfg.Address = netip.PrefixFrom(p.ip, p.cfg.Address.Bits()+1) // not the same network as the host's own
		a, _ := p.a.resource(p.cfg)
		start(t, a)
		if n := p.a.ways(p.ip); n != before {
			t.Errorf("%d routes to it, %d before", n, before)
		}
		p.a.must(func() error {
			all, err := addresses(p.ip)
			if err != nil {
				return err
			}
			at := placesOf(p.ip, all)
			if len(at) != 1 || at[0].prefix() != p.cfg.Address {
				t.Fatalf("%+v", at)
			}
			got := at[0].addr
			if p.ip.Is4() && got.Label != "eth0:shb" {
				t.Errorf("label %q", got.Label)
			}
			if p.ip.Is6() && (got.PreferedLft != 0 || got.Flags&unix.IFA_F_PERMANENT == 0 || got.Flags&unix.IFA_F_NODAD == 0) {
				t.Errorf("flags %x, preferred %d", got.Flags, got.PreferedLft)
			}
			conn, err := net.Dial("udp", netip.AddrPortFrom(netip.MustParsePrefix(families[map[bool]int{true: 0, false: 1}[p.ip.Is4()]].own[2]).Addr(), 7).String())
			if err != nil {
				return err
			}
			defer conn.Close()
			if from := netip.MustParseAddrPort(conn.LocalAddr().String()).Addr(); from == p.ip {
				t.Errorf("the host sends from %s by itself", from)
			}
			return nil
		})
	})
}

// An interface without any address of that network gets its way into it with the address.
func TestFirstOfItsNetwork(t *testing.T) {
	for _, fam := range families {
		t.Run(fam.name, func(t *testing.T) {
			g := newSegment(t)
			h, client := g.host(), g.host(fam.own[2])
			a, _ := h.resource(Config{Address: fam.address})
			start(t, a)
			if err := h.echo(fam.address.Addr()); err != nil {
				t.Fatal(err)
			}
			if m := client.call(fam.address.Addr()); m != h.mac {
				t.Errorf("%s answers", m)
			}
		})
	}
}
