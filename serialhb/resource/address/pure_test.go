package address

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/ndp"
	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
)

var (
	v4    = netip.MustParseAddr("192.0.2.10")
	v6    = netip.MustParseAddr("2001:db8::10")
	alpha = MAC{2, 0, 0, 0, 0, 0xa}
	bravo = MAC{2, 0, 0, 0, 0, 0xb}
)

// The expected bytes are written down from RFC 826, 5227, 8200 and 4861.
func TestFramesOnTheWire(t *testing.T) {
	one := func(f frame, err error) []frame {
		if err != nil {
			t.Fatal(err)
		}
		return []frame{f}
	}
	many := func(f []frame, err error) []frame {
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	const (
		ip4   = "c000020a"
		ip6   = "20010db8000000000000000000000010"
		mac   = "02000000000a"
		none6 = "00000000000000000000000000000000"
		lla6  = "fe800000000000000000000000000001"
		snm6  = "ff0200000000000000000001ff000010"
		all6  = "ff020000000000000000000000000001"
	)
	for _, c := range []struct {
		what   string
		frames []frame
		to     string
		bodies []string
	}{
		{"ARP probe", one(question(v4, alpha)), "ff:ff:ff:ff:ff:ff", []string{"0001 0800 06 04 0001" + mac + "00000000 000000000000" + ip4}},
		{"ARP question of the owner", one(quietQuestion(v4, alpha, v4)), "ff:ff:ff:ff:ff:ff", []string{"0001 0800 06 04 0001" + mac + "00000000 000000000000" + ip4}},
		{"ARP announcement", many(announcement(v4, alpha, false)), "ff:ff:ff:ff:ff:ff", []string{
			"0001 0800 06 04 0001" + mac + ip4 + "000000000000" + ip4,
			"0001 0800 06 04 0002" + mac + ip4 + mac + ip4,
		}},
		{"solicitation", one(question(v6, alpha)), "33:33:ff:00:00:10", []string{"60000000 0018 3a ff" + none6 + snm6 + "8700....00000000" + ip6}},
		{"solicitation of the owner", one(quietQuestion(v6, alpha, netip.MustParseAddr("fe80::1"))), "33:33:ff:00:00:10",
			[]string{"60000000 0020 3a ff" + lla6 + snm6 + "8700....00000000" + ip6 + "0101" + mac}},
		{"advertisement", many(announcement(v6, alpha, false)), "33:33:00:00:00:01", []string{"60000000 0020 3a ff" + ip6 + all6 + "8800....20000000" + ip6 + "0201" + mac}},
		{"advertisement of a router", many(announcement(v6, alpha, true)), "33:33:00:00:00:01", []string{"60000000 0020 3a ff" + ip6 + all6 + "8800....a0000000" + ip6 + "0201" + mac}},
	} {
		if len(c.frames) != len(c.bodies) {
			t.Errorf("%s: %d frames", c.what, len(c.frames))
			continue
		}
		for i, f := range c.frames {
			want := strings.ReplaceAll(c.bodies[i], " ", "")
			got := hex.EncodeToString(f.body)
			if at := strings.Index(want, "...."); at >= 0 && len(got) == len(want) {
				got = got[:at] + "...." + got[at+4:] // the checksum
				if !checksum6(f.body) {
					t.Errorf("%s: wrong checksum", c.what)
				}
			}
			if got != want || f.to.String() != c.to {
				t.Errorf("%s to %s:\n%s, want\n%s", c.what, f.to, got, want)
			}
		}
	}
}

// checksum6 sums pseudo header and message: a right one comes to all ones.
func checksum6(b []byte) bool {
	sum := uint32(len(b)-headerLen) + 58
	for i := sourceAt; i+1 < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return sum == 0xffff
}

func TestClaimant(t *testing.T) {
	body := func(f frame, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return f.body
	}
	bodies := func(f []frame, err error) []byte { return body(f[len(f)-1], err) }
	with := func(b []byte, at int, v byte) []byte {
		b = slices.Clone(b)
		b[at] = v
		return b
	}
	arpReply, advert := bodies(announcement(v4, bravo, false)), bodies(announcement(v6, bravo, false))
	other4, other6 := netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("2001:db8:1::10")
	for _, c := range []struct {
		what string
		ip   netip.Addr
		body []byte
		want MAC // zero: no claim
	}{
		{"an ARP reply", v4, arpReply, bravo},
		{"padded", v4, append(slices.Clone(arpReply), make([]byte, 18)...), bravo},
		{"about another address", other4, arpReply, MAC{}},
		{"an ARP request by the owner", v4, body(arpFrame(1, bravo, v4, MAC{}, other4)), bravo},
		{"an ARP request for it", v4, body(arpFrame(1, bravo, other4, MAC{}, v4)), MAC{}},
		{"an ARP probe", v4, body(question(v4, bravo)), MAC{}},
		{"without a MAC inside", v4, body(arpFrame(2, MAC{}, v4, alpha, v4)), alpha},
		{"reverse ARP", v4, with(arpReply, 7, 3), MAC{}},
		{"not Ethernet", v4, with(arpReply, 1, 6), MAC{}},
		{"not IPv4", v4, with(arpReply, 2, 9), MAC{}},
		{"of other lengths", v4, with(arpReply, 5, 16), MAC{}},
		{"cut off", v4, arpReply[:20], MAC{}},
		{"nothing", v4, nil, MAC{}},

		{"an advertisement", v6, advert, bravo},
		{"of another address with the same end", other6, advert, MAC{}},
		{"forwarded", v6, with(advert, hopLimit, 254), MAC{}},
		{"not ICMP", v6, with(advert, nextHeader, 17), MAC{}},
		{"not IPv6", v6, with(advert, 0, 0x40), MAC{}},
		{"an echo", v6, with(advert, messageAt, 128), MAC{}},
		{"cut off", v6, advert[:50], MAC{}},
		{"without a MAC inside", v6, with(advert[:64], 5, 24), alpha},
		{"a solicitation by the owner", v6, body(quietQuestion(other6, bravo, v6)), bravo},
		{"a solicitation for it", v6, body(question(v6, bravo)), MAC{}},
		{"nothing", v6, nil, MAC{}},
	} {
		got, claims := claimant(c.ip, alpha, c.body)
		if claims != (c.want != MAC{}) || claims && got != c.want {
			t.Errorf("%s: %v, %v", c.what, got, claims)
		}
	}
}

// FuzzClaimant: whoever claims an address stands in the frame, or sent it, and so does the address; what follows a claim
// changes nothing; and the kernel's filter lets every claim through.
func FuzzClaimant(f *testing.F) {
	var filters []*bpf.VM
	for _, ip := range []netip.Addr{v4, v6} {
		raw, err := filter(ip)
		if err != nil {
			f.Fatal(err)
		}
		program, ok := bpf.Disassemble(raw)
		vm, err := bpf.NewVM(program)
		if err != nil || !ok {
			f.Fatal(err)
		}
		filters = append(filters, vm)
	}
	seed := func(one frame, err error) {
		if err != nil {
			f.Fatal(err)
		}
		f.Add(one.body)
	}
	near4, near6, far6 := netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("2001:db8:1::10"), netip.MustParseAddr("fe80::1")
	for _, ip := range []netip.Addr{v4, v6, near4, near6} {
		seed(question(ip, bravo))
		for _, by := range []MAC{bravo, {}} {
			all, err := announcement(ip, by, true)
			for _, one := range all {
				seed(one, err)
			}
		}
	}
	seed(arpFrame(1, bravo, near4, MAC{}, v4))
	seed(quietQuestion(far6, bravo, v6))
	seed(quietQuestion(v6, bravo, far6))
	seed(ndFrame(&ndp.NeighborAdvertisement{TargetAddress: v6}, far6, allNodes))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		for i, ip := range []netip.Addr{v4, v6} {
			by, claims := claimant(ip, alpha, body)
			if !claims {
				continue
			}
			if by == (MAC{}) || by != alpha && !bytes.Contains(body, by[:]) {
				t.Errorf("claimed by %s", by)
			}
			if !bytes.Contains(body, ip.AsSlice()) {
				t.Errorf("a claim to %s in which it does not stand", ip)
			}
			if more, claims := claimant(ip, alpha, append(body[:len(body):len(body)], 1, 2, 3)); !claims || more != by {
				t.Errorf("claimed by %s, and with three bytes more by %s (%v)", by, more, claims)
			}
			if n, err := filters[i].Run(body); err != nil || n < min(len(body), frameRoom) {
				t.Errorf("the kernel would let %d of %d bytes through: %v", n, len(body), err)
			}
		}
	})
}

// step is what happens to a window, at a time in milliseconds.
type step struct {
	at   int
	what string // ask, fail, answer, proof
	want finding
}

func TestWindow(t *testing.T) {
	asked := func(from, to int) (all []step) {
		for at := from; at <= to; at += 50 {
			all = append(all, step{at, "ask", open})
		}
		return all
	}
	for name, steps := range map[string][]step{
		"silence after the proof":         append([]step{{0, "proof", open}}, append(asked(0, 150), step{199, "", open}, step{200, "", free})...),
		"silence before the proof":        append(asked(0, 300), step{310, "", open}, step{311, "proof", free}),
		"half of it before the proof":     append(asked(0, 150), step{150, "proof", open}, step{199, "", open}, step{200, "", free}),
		"an answer after the proof":       {{0, "ask", open}, {1, "proof", open}, {2, "answer", taken}, {900, "", taken}},
		"the dying owner answers":         {{0, "ask", open}, {1, "answer", open}, {50, "ask", open}, {51, "answer", open}, {90, "proof", open}, {100, "ask", open}, {150, "ask", open}, {200, "ask", open}, {250, "ask", open}, {299, "", open}, {300, "", free}},
		"it answers on after the proof":   {{0, "ask", open}, {1, "answer", open}, {50, "proof", open}, {51, "ask", open}, {52, "answer", taken}},
		"silence before an answer":        append(asked(0, 300), step{301, "answer", open}, step{302, "proof", open}, step{303, "ask", open}, step{502, "", open}),
		"one question is no asking":       {{0, "proof", open}, {0, "ask", open}, {200, "", open}},
		"frozen between the questions":    {{0, "ask", open}, {50, "ask", open}, {9000, "proof", open}, {9000, "ask", open}, {9050, "ask", open}, {9100, "ask", open}, {9150, "ask", open}, {9199, "", open}, {9200, "", free}},
		"frozen after the questions":      append(asked(0, 150), step{351, "proof", open}),
		"questions do not get out":        {{0, "proof", open}, {0, "ask", open}, {0, "fail", open}, {150, "ask", open}, {150, "fail", open}, {1399, "", open}, {1400, "", unasked}},
		"one question does not get out":   {{0, "proof", open}, {0, "ask", open}, {50, "ask", open}, {50, "fail", open}, {100, "ask", open}, {150, "ask", open}, {200, "", open}, {200, "ask", open}, {300, "", free}},
		"the first proof counts":          {{0, "proof", open}, {1000, "proof", open}, {1400, "", unasked}},
		"nothing is known without a word": {{90000, "", open}},
	} {
		w := window{wait: 200 * time.Millisecond}
		epoch := time.Unix(1_000_000, 0)
		for i, s := range steps {
			now := epoch.Add(time.Duration(s.at) * time.Millisecond)
			switch s.what {
			case "ask":
				w.asks(now)
			case "fail":
				w.failed()
			case "answer":
				w.answered(bravo)
			case "proof":
				w.proves(now)
			}
			if got := w.finding(now); got != s.want {
				t.Errorf("%s: step %d, %s at %d ms: %d, want %d", name, i, s.what, s.at, got, s.want)
			}
			if w.held && w.by != bravo {
				t.Errorf("%s: held by %s", name, w.by)
			}
			if look := w.look(now); look <= 0 || look > w.wait {
				t.Errorf("%s: look again after %v", name, look)
			}
		}
	}
}

// Whatever the rate, a wait holds enough questions.
func TestQuestionsFitIntoTheWait(t *testing.T) {
	for _, wait := range []time.Duration{MinProbeWait, DefaultProbeWait, MaxProbeWait} {
		for _, n := range []int{0, politely - 1, politely, 1000} {
			w := window{wait: wait}
			if asked := int(wait / w.gap(n)); asked < leastAsked {
				t.Errorf("%v: question %d comes after %v", wait, n, w.gap(n))
			}
		}
	}
}

func TestSchedule(t *testing.T) {
	at := func(s schedule, n int) (all []time.Duration) {
		sum := time.Duration(0)
		for i := 1; i < n; i++ {
			pause, more := s.after(i)
			if !more {
				break
			}
			sum += pause
			all = append(all, sum)
		}
		return all
	}
	const s = time.Second
	if got := at(schedule{5, s, 60 * s}, 8); !slices.Equal(got, []time.Duration{s, 2 * s, 3 * s, 4 * s, 5 * s, 65 * s, 125 * s}) {
		t.Error(got)
	}
	if got := at(schedule{2, s, Never}, 8); !slices.Equal(got, []time.Duration{s, 2 * s}) {
		t.Error(got)
	}
}

func TestDefence(t *testing.T) {
	var d defence
	epoch := time.Unix(1_000_000, 0)
	claim := func(at time.Duration, by MAC, wantAt time.Duration, wantAlarm bool) {
		t.Helper()
		answer, alarm := d.claimed(epoch.Add(at), by)
		if answer != epoch.Add(wantAt) || alarm != wantAlarm {
			t.Errorf("at %v: answered at %v, alarm %v", at, answer.Sub(epoch), alarm)
		}
		if answer == epoch.Add(at) {
			d.answered(answer)
		}
	}
	const ms, s = time.Millisecond, time.Second
	claim(0, bravo, 0, true)                     // at once
	claim(10*ms, bravo, s, false)                // not again before a second
	claim(20*ms, alpha, s, true)                 // but somebody else is told of
	claim(30*ms, bravo, s, false)                // and the two in turn are still two
	claim(s, alpha, s, false)                    // the gap doubles
	claim(s+ms, alpha, 3*s, false)               //
	claim(3*s, alpha, 3*s, false)                //
	claim(3*s+ms, alpha, 7*s, false)             //
	claim(60*s+ms, alpha, 60*s+ms, false)        // 59.98 s after the alarm
	claim(61*s, alpha, 60*s+ms+8*s, true)        // told again after a minute
	claim(61*s+calm+1, alpha, 61*s+calm+1, true) // after a calm all begins anew
	claim(61*s+calm+ms, alpha, 62*s+calm+1, false)
	alarms := 0
	for i := range 100 {
		if _, alarm := d.claimed(epoch.Add(90*s+calm), MAC{2, 0, 0, 1, 0, byte(i)}); alarm {
			alarms++
		}
	}
	if alarms != toldMost-1 { // alpha was told of 29 s before
		t.Errorf("%d alarms about a hundred claimants", alarms)
	}
	for range 10 {
		d.answered(epoch)
	}
	if d.gap != lastGap {
		t.Errorf("the gap grew to %v", d.gap)
	}
}

func TestNews(t *testing.T) {
	well := standing{link: link{index: 2, name: "eth0", mac: alpha}, here: true}
	with := func(change func(*standing)) standing {
		s := well
		change(&s)
		return s
	}
	broken := with(func(s *standing) { s.link.trouble = "eth0 has no carrier" })
	gone := with(func(s *standing) { s.here = false })
	for _, c := range []struct {
		what     string
		old, now standing
		kinds    []Kind
		anew     bool
	}{
		{"nothing", well, well, nil, false},
		{"first look", standing{here: true}, well, nil, true},
		{"first look into trouble", standing{here: true}, broken, []Kind{LinkLost}, false},
		{"cable pulled", well, broken, []Kind{LinkLost}, false},
		{"still pulled", broken, with(func(s *standing) { s.link.trouble = "eth0 is switched off" }), nil, false},
		{"cable back", broken, well, []Kind{LinkBack}, true},
		{"cable back without the address", broken, gone, []Kind{LinkBack, Removed}, false},
		{"removed", well, gone, []Kind{Removed}, false},
		{"put back", gone, well, []Kind{Returned}, true},
		{"another MAC", well, with(func(s *standing) { s.link.mac = bravo }), nil, true},
		{"another card", well, with(func(s *standing) { s.link.index = 3 }), nil, true},
		{"routes now", well, with(func(s *standing) { s.link.router = true }), nil, false},
	} {
		events, anew := news(v4, c.old, c.now)
		var kinds []Kind
		for _, e := range events {
			kinds = append(kinds, e.Kind)
			if !strings.Contains(e.Text, "eth0") {
				t.Errorf("%s: %q", c.what, e.Text)
			}
		}
		if !slices.Equal(kinds, c.kinds) || anew != c.anew {
			t.Errorf("%s: %v, %v", c.what, kinds, anew)
		}
	}
}

// Networks that lie in one another are looked at all, in whatever order the kernel lists them.
func TestDoubtOfNestedNetworks(t *testing.T) {
	at := func(s string) place {
		p := netip.MustParsePrefix(s)
		return place{netlink.Addr{IPNet: ipNet(p), LinkIndex: 2}}
	}
	name := func(place) string { return "eth1" }
	small, large := at("10.0.1.5/24"), at("10.0.0.5/16")
	for _, all := range [][]place{{small, large}, {large, small}} {
		if d := doubt(netip.MustParsePrefix("10.0.1.10/24"), link{index: 2, name: "eth0"}, all, name); d != "" {
			t.Error(d)
		}
		if d := doubt(netip.MustParsePrefix("10.0.1.10/20"), link{index: 2, name: "eth0"}, all, name); !strings.Contains(d, "has another length") {
			t.Errorf("%q", d)
		}
	}
}
