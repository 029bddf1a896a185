package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

const three = `
[cluster]
name = "plant-7"
key_files = ["/etc/serialhb/new", "/etc/serialhb/old"]
takeover = "approve"
on_last_link = "ask"
split = "owner-survives"
fence_when_deaf = true
withdraw_survives_reboot = true
[timing]
interval = "0.2s"
detect_multiplier = 10
late_multiplier = 3
noise_stretch = 2.5
start_window = "5s"
fence_delay = "7s"
move_timeout = "8s"
backoff = "1s"
approval_timeout = "6m"
doubt_timeout = "9s"
fence_retries = 2
fence_retry = "11s"
wait_to_restore = "12m"
farewell = "13s"
quiet = "14s"
health_every = "15m"
[limits]
window = "2h"
moves = 4
fences = 5
[log]
level = "debug"
format = "console"
[[node]]
name = "alpha"
[[node]]
name = "bravo"
[[node]]
name = "spare"
[[link]]
name = "cable"
kind = "serial"
baud = 38400
alpha = "/dev/serialhb0"
bravo = "/dev/serialhb1"
[[link]]
name = "lan"
kind = "udp"
alpha = "192.0.2.1:6940"
bravo = "192.0.2.2:6940"
spare = "192.0.2.3:6940"
[[fence]]
target = "alpha"
level = 2
device = "relay"
line = "sim:PDU"
cut = "release"
line_keeps_state = true
proof = "assumed"
hold_off = "4s"
dwell = "20s"
[[fence]]
target = "alpha"
device = "relay"
by = ["bravo"]
line = "cdev:board/A1"
cut = "energise"
energised_by = "low"
sense = "cdev:board/S1"
sense_off = "low"
sense_bias = "up"
sense_side = "feed"
fail_safe = true
settle = "30ms"
sample = "5ms"
window = "1s"
hold_up = "1500ms"
hold_up_measured = true
verify_timeout = "10s"
dwell = "20s"
[[fence]]
target = "alpha"
by = ["bravo"]
device = "relay"
line = { bravo = "periph:GPIO5" }
accept_doubtful_lines = true
cut = "energise"
sense = "sim:S2"
sense_off = "high"
sense_side = "dc"
mirror = "sim:M2"
mirror_open = "high"
mirror_bias = "down"
dwell = "20s"
[[fence]]
target = "bravo"
device = "relay"
line = { alpha = "sim:B1", spare = "sim:B2" }
cut = "energise"
proof = "assumed"
mode = "off"
[[fence]]
target = "spare"
device = "relay"
line = "sim:C"
cut = "energise"
proof = "assumed"
[[group]]
name = "web"
prefer = ["bravo", "alpha"]
failback = "auto"
[[group.resource]]
kind = "exec"
name = "address"
start = ["/bin/a", "up"]
stop = ["/bin/a", "down"]
status = ["/bin/a"]
start_timeout = "1m"
stop_timeout = "2m"
status_timeout = "3s"
[[group.resource]]
kind = "exec"
name = "server"
start = ["/bin/b"]
stop = ["/bin/b"]
status = ["/bin/b"]
[[group]]
name = "db"
[[group.resource]]
kind = "exec"
name = "server"
start = ["/bin/c"]
stop = ["/bin/c"]
status = ["/bin/c"]
`

// TestEveryValueArrives: each key of the file, seen by bravo, with a value that is not its default.
func TestEveryValueArrives(t *testing.T) {
	c := mustFor(t, three, "bravo")
	if c.Me != 1 || c.Node() != "bravo" || c.Cluster != "plant-7" || !reflect.DeepEqual(c.Nodes, []Node{{"alpha"}, {"bravo"}, {"spare"}}) {
		t.Errorf("%d of %v in %s", c.Me, c.Nodes, c.Cluster)
	}
	if !reflect.DeepEqual(c.KeyFiles, []string{"/etc/serialhb/new", "/etc/serialhb/old"}) {
		t.Error(c.KeyFiles)
	}
	if c.Socket() != "/run/serialhb/plant-7/bravo.sock" || c.NodeRunDir() != "/run/serialhb/plant-7/bravo" || c.NodeStateDir() != "/var/lib/serialhb/plant-7/bravo" {
		t.Error(c.Socket(), c.NodeRunDir(), c.NodeStateDir())
	}
	const s, ms, m = time.Second, time.Millisecond, time.Minute
	want := Timing{200 * ms, 10, 3, 2 * s, 600 * ms, 2.5, 5 * s, 7 * s, 8 * s, s, 6 * m, 9 * s, 2, 11 * s, 12 * m, 13 * s, 14 * s, 15 * m}
	if c.Timing != want {
		t.Errorf("\n got %+v\nwant %+v", c.Timing, want)
	}
	if c.Limits != (Limits{2 * time.Hour, 4, 5}) || c.Log != (Log{"debug", "console"}) {
		t.Error(c.Limits, c.Log)
	}

	d := failover.Config{
		Me: 1, N: 3, G: 2, Core: uint16(c.CoreDigest >> 48), Rest: uint8(c.RestDigest >> 56), IntervalMS: 200, QuietMS: 14000,
		Takeover: failover.Approve, OnLastLink: failover.AskOnLastLink, Split: failover.OwnerSurvives,
		DetectTime: 2 * s, FenceDelay: 7 * s, MoveTime: 8 * s, Backoff: s, ApprovalTime: 6 * m, DoubtTime: 9 * s,
		FenceRetries: 2, FenceRetryTime: 11 * s, Window: 2 * time.Hour, MaxMoves: 4, MaxFences: 5, RestoreTime: 12 * m, FarewellTime: 13 * s,
		FenceWhenDeaf: true, WithdrawSurvivesReboot: true,
	}
	d.Members[0] = failover.MemberConfig{Fenceable: true, RestoreAfter: 20 * s}
	d.Members[0].Senses[0] = failover.SenseConfig{Present: true, FailSafe: true}
	d.Members[0].Senses[1] = failover.SenseConfig{Present: true}
	d.Members[2] = failover.MemberConfig{Fenceable: true, RestoreAfter: 10 * s}
	for g := range d.Groups {
		d.Groups[g].Rank = [pulse.MaxMembers]uint8{255, 255, 255, 255}
	}
	d.Groups[0] = failover.GroupConfig{Rank: [4]uint8{1, 0, 255, 255}, Failback: failover.FailbackAuto}
	d.Groups[1].Rank = [4]uint8{0, 1, 2, 255}
	if c.Decision != d {
		t.Errorf("\n got %+v\nwant %+v", c.Decision, d)
	}
	if c.Takeover != d.Takeover || c.OnLastLink != d.OnLastLink || c.Split != d.Split || !c.FenceWhenDeaf || !c.WithdrawSurvivesReboot {
		t.Error("config and decision differ")
	}
	if spare := mustFor(t, three, "spare").Decision; spare.Members[0].Senses != ([8]failover.SenseConfig{}) || spare.Members[1].RestoreAfter != 0 || !spare.Members[1].Fenceable || spare.Members[2].Fenceable {
		t.Errorf("the spare decides with %+v", spare.Members)
	}
}

func TestLinksOfANode(t *testing.T) {
	c := mustFor(t, three, "bravo")
	want := []Link{
		{Index: 0, Name: "cable", Kind: Serial, Baud: 38400, Device: "/dev/serialhb1", Peers: map[uint8]string{0: "/dev/serialhb0"}, SideBytesPerSecond: 384},
		{Index: 1, Name: "lan", Kind: UDP, Listen: "192.0.2.2:6940", Peers: map[uint8]string{0: "192.0.2.1:6940", 2: "192.0.2.3:6940"}},
	}
	for i := range c.Links {
		c.Links[i].at = place{}
	}
	if !reflect.DeepEqual(c.Links, want) {
		t.Errorf("\n got %+v\nwant %+v", c.Links, want)
	}
	if spare := mustFor(t, three, "spare").Links; len(spare) != 1 || spare[0].Index != 1 || spare[0].Listen != "192.0.2.3:6940" {
		t.Errorf("%+v", spare)
	}
}

func TestFencesOfANode(t *testing.T) {
	c := mustFor(t, three, "bravo")
	levels := c.Levels(0)
	if len(levels) != 2 || len(levels[0]) != 2 || len(levels[1]) != 1 || len(c.Levels(1)) != 0 || len(c.Levels(2)) != 1 {
		t.Fatalf("%+v", levels)
	}
	a, b, pdu := levels[0][0], levels[0][1], levels[1][0]
	if a.Sense != 0 || b.Sense != 1 || pdu.Sense != -1 || a.Name == b.Name || a.Level != 1 || pdu.Level != 2 {
		t.Errorf("senses %d %d %d, names %s %s", a.Sense, b.Sense, pdu.Sense, a.Name, b.Name)
	}
	if want := (fencing.Wiring{Coil: gpio.Line{Backend: "cdev", Name: "board/A1"}, Sense: gpio.Line{Backend: "cdev", Name: "board/S1"}, SenseBias: gpio.Up}); a.Wiring != want {
		t.Errorf("%+v", a.Wiring)
	}
	const s, ms = time.Second, time.Millisecond
	if want := (fencing.RelayConfig{Name: a.Name, Cut: fencing.Energise, CoilLow: true, FailSafe: true, SenseSide: fencing.FeedSide, HoldUpMeasured: true,
		Settle: 30 * ms, Sample: 5 * ms, Window: s, HoldUp: 1500 * ms, Verify: 10 * s}); a.Relay != want {
		t.Errorf("\n got %+v\nwant %+v", a.Relay, want)
	}
	if b.Wiring.Coil.String() != "periph:GPIO5" || b.Wiring.Mirror.String() != "sim:M2" || b.Wiring.MirrorBias != gpio.Down || !b.Relay.SenseOff || !b.Relay.MirrorOpen || b.Relay.SenseSide != fencing.DC {
		t.Errorf("%+v %+v", b.Wiring, b.Relay)
	}
	if pdu.Relay.Cut != fencing.Release || !pdu.Relay.AllowAssumed || pdu.Plan.HoldOff != 4*s || pdu.Plan.HasSense {
		t.Errorf("%+v", pdu)
	}
	if want := map[gpio.Line]bool{b.Wiring.Coil: true, b.Wiring.Sense: true, b.Wiring.Mirror: true}; !reflect.DeepEqual(c.AcceptedLines(), want) {
		t.Error(c.AcceptedLines())
	}
	if got, want := c.FenceTime(0), max(a.Plan.Verify, b.Plan.Verify)+pdu.Plan.Verify+2*levelGrace; got != want || got < 10*s {
		t.Errorf("a fence of alpha may take %v, not %v", got, want)
	}
	if spare := mustFor(t, three, "spare").Levels(1); len(spare) != 1 || spare[0][0].Wiring.Coil.String() != "sim:B2" {
		t.Errorf("%+v", spare)
	}
}

// Every device that the file allows is one that fencing makes, with the same times.
func TestFencingTakesEveryDevice(t *testing.T) {
	for _, text := range []string{three, whole(), Example("p")} {
		f, _ := Parse([]byte(text), "")
		for _, n := range f.Nodes {
			for _, fence := range mustFor(t, text, n).Fences {
				lines := fencing.Lines{Coil: noLine{}}
				if fence.Wiring.Sense != (gpio.Line{}) {
					lines.Sense = noLine{}
				}
				if fence.Wiring.Mirror != (gpio.Line{}) {
					lines.Mirror = noLine{}
				}
				r, err := fencing.NewRelay(fence.Relay, lines)
				if err != nil || r.Plan() != fence.Plan {
					t.Errorf("%s: %v", fence.Name, err)
				}
			}
		}
	}
}

func TestDefaults(t *testing.T) {
	c := mustFor(t, whole(), "alpha")
	const s, ms, m = time.Second, time.Millisecond, time.Minute
	want := Timing{100 * ms, 15, 5, 1500 * ms, 500 * ms, 1.5, 3 * s, 2050 * ms, 10 * s, 2 * s, 5 * m, 3 * s, 3, 10 * s, 5 * m, 7500 * ms, 30 * s, 5 * m}
	if c.Timing != want {
		t.Errorf("\n got %+v\nwant %+v", c.Timing, want)
	}
	// The slowest timing that the file allows stays in its bounds.
	slow := mustFor(t, "[timing]\ninterval = '4095ms'\ndetect_multiplier = 255\n"+whole(), "alpha").Timing
	if slow.Quiet != time.Minute || slow.MoveTimeout != 4*4095*ms || slow.FenceDelay < slow.Detection || slow.StartWindow != 2*slow.Detection {
		t.Errorf("%+v", slow)
	}
	if fast := mustFor(t, "[timing]\ninterval = '20ms'\n"+whole(), "alpha").Timing; fast.Farewell != 2*s || fast.Quiet != 30*s {
		t.Errorf("%+v", fast)
	}
	if c.Decision.Members[1].RestoreAfter != 10*s || c.Limits != (Limits{time.Hour, 3, 3}) {
		t.Errorf("%+v", c)
	}
}

// A serial line: one group every 10 ms at 115200 baud is the most, and what a refusal proposes works.
func TestLoadOfASerialLine(t *testing.T) {
	file := func(interval string, baud, groups int) string {
		text := fmt.Sprintf("[timing]\ninterval = %q\n", interval) + complete("", "cluster", "node", "fence")
		text += strings.Replace(sections["link"], "kind = 'serial'", fmt.Sprintf("kind = 'serial'\nbaud = %d", baud), 1)
		for i := range groups {
			text += strings.ReplaceAll(sections["group"], "web", fmt.Sprint("g", i))
		}
		return text
	}
	for _, c := range []struct {
		interval     string
		baud, groups int
		side         int
		proposal     []string // interval, baud
	}{
		{"10ms", 115200, 1, 8, nil},
		{"9ms", 115200, 1, 0, []string{"10ms", "230400"}},
		{"10ms", 115200, 2, 0, []string{"12ms", "230400"}},
		{"100ms", 115200, 1, 1152, nil},
		{"100ms", 9600, 1, 0, []string{"122ms", "19200"}},
		{"122ms", 9600, 1, 6, nil},
		{"1ms", 115200, 16, 0, []string{"33ms", "4000000"}},
		{"1s", 1200, 16, 0, []string{"3512ms", "4800"}},
	} {
		text := file(c.interval, c.baud, c.groups)
		f, found := Parse([]byte(text), "")
		if HasErrors(found) != (c.proposal != nil) {
			t.Errorf("%+v: %v", c, found)
			continue
		}
		if c.proposal == nil {
			l := mustFor(t, text, "alpha").Links[0]
			total := float64(pulse.LineBytes(c.groups))/mustFor(t, text, "alpha").Timing.Interval.Seconds() + float64(l.SideBytesPerSecond)
			if l.SideBytesPerSecond != c.side || total > float64(c.baud)/10*0.4 {
				t.Errorf("%+v: %d bytes of side frames a second, %v in all", c, l.SideBytesPerSecond, total)
			}
			continue
		}
		if cfg, _ := f.For("alpha"); cfg != nil {
			t.Errorf("%+v: For goes on", c)
		}
		if want := fmt.Sprintf("write interval = %q or more, or write baud = %s", c.proposal[0], c.proposal[1]); found[0].Fix != want {
			t.Errorf("%+v: %q", c, found[0].Fix)
		}
		for _, better := range []string{file(c.proposal[0], c.baud, c.groups), strings.Replace(text, fmt.Sprint("baud = ", c.baud), "baud = "+c.proposal[1], 1)} {
			if _, found := Parse([]byte(better), ""); HasErrors(found) {
				t.Errorf("%+v: the proposal does not work: %v", c, found)
			}
		}
		d, err := time.ParseDuration(c.proposal[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, found := Parse([]byte(file((d-time.Millisecond).String(), c.baud, c.groups)), ""); !HasErrors(found) {
			t.Errorf("%+v: a shorter interval would do", c)
		}
	}
}

// The last fix of a line that no rate helps names the groups.
func TestLoadThatNothingHelps(t *testing.T) {
	c := &check{raw: &rawFile{}}
	c.model.timing.Interval = time.Millisecond
	c.model.groups = make([]Group, 300)
	c.load(&rawLink{}, &linkModel{baud: 1200})
	if len(c.findings) != 1 || c.findings[0].Fix != "use fewer groups" {
		t.Error(c.findings)
	}
}
