package story

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/failover"
)

func placesFor(dir, me string) places {
	return places{
		keys: []string{filepath.Join(dir, "key")}, state: filepath.Join(dir, me, "state"), run: filepath.Join(dir, me, "run"),
		device:  map[string]string{"alpha": filepath.Join(dir, "a"), "bravo": filepath.Join(dir, "b")},
		address: map[string]string{me: "127.0.0.1:20001", others(me)[0]: "127.0.0.1:30002"},
		agent:   filepath.Join(dir, "fence_lab"), board: filepath.Join(dir, "board.sock"),
		service: []string{"/usr/bin/serialhb", ArgService, filepath.Join(dir, "service.json")},
	}
}

func TestNodesAcceptTheirConfiguration(t *testing.T) {
	shapes := map[string]func(*Settings){
		"as it is": func(*Settings) {},
		"plain":    func(s *Settings) { s.Sense = "plain" },
		"cable":    func(s *Settings) { s.Network = "off" },
		"level2":   func(s *Settings) { s.Level2 = "on" },
		"agent":    func(s *Settings) { s.Agent = "on" },
		"all":      func(s *Settings) { s.Agent, s.Level2 = "on", "on" },
		"approve":  func(s *Settings) { s.Takeover, s.Failback = "approve", "auto" },
		"slow": func(s *Settings) {
			s.Prove, s.Settle, s.ProbeWait = time.Minute, time.Minute, 10*time.Second
		},
		"quick": func(s *Settings) {
			s.Interval, s.Multiplier, s.Stretch, s.Prove, s.Settle = 10*time.Millisecond, 3, "4", 10*time.Millisecond, 5*time.Millisecond
		},
	}
	for name, shape := range shapes {
		s := Defaults()
		shape(&s)
		var rest []uint64
		for _, me := range Nodes {
			text := nodeConfig(me, s, placesFor("/tmp/lab", me))
			file, findings := config.Parse([]byte(text), me+".toml")
			c, more := file.For(me)
			for _, f := range append(findings, more...) {
				if f.Severity == config.Error {
					t.Errorf("%s: %s\n%s", name, f, text)
				}
			}
			if c == nil {
				t.Fatalf("%s: no configuration for %s", name, me)
			}
			rest = append(rest, c.RestDigest, c.CoreDigest)
			peer := 1 - c.Me
			if got, want := len(c.Levels(peer)), 1+map[string]int{"on": 1}[s.Level2]+map[string]int{"on": 1}[s.Agent]; got != want {
				t.Errorf("%s: %s has %d levels, want %d", name, me, got, want)
			}
			if levels := c.Levels(peer); (levels[len(levels)-1][0].Agent != nil) != (s.Agent == "on") {
				t.Errorf("%s: the last level of %s is %+v", name, me, levels[len(levels)-1])
			}
			if got := c.Decision.Members[peer].Senses[0].FailSafe; got != (s.Sense == "fail-safe") {
				t.Errorf("%s: fail-safe is %v", name, got)
			}
			if c.Decision.ApprovalTime != s.Approval {
				t.Errorf("%s: an approval is good for %s, want %s", name, c.Decision.ApprovalTime, s.Approval)
			}
			if got := strconv.FormatFloat(c.Timing.NoiseStretch, 'f', -1, 64); got != s.Stretch {
				t.Errorf("%s: a babbling cable stretches by %s, want %s", name, got, s.Stretch)
			}
			if c.Timing.Interval != s.Interval || int(c.Decision.MaxMoves) != s.Moves || c.Decision.Members[peer].RestoreAfter != s.Dwell {
				t.Errorf("%s: %+v", name, c.Timing)
			}
			if got, want := c.Decision.Groups[0].Failback, map[string]failover.Failback{"manual": failover.FailbackManual, "auto": failover.FailbackAuto}[s.Failback]; got != want {
				t.Errorf("%s: failback is %d, want %d", name, got, want)
			}
			if want := filepath.Join("/tmp/lab", me, "run", cluster, me+".sock"); c.Socket() != want {
				t.Errorf("the socket is %s, and is looked for at %s", c.Socket(), want)
			}
		}
		if rest[0] != rest[2] || rest[1] != rest[3] {
			t.Errorf("%s: the nodes do not agree on their configuration", name)
		}
	}
}

func TestNodesAcceptTheServiceAddresses(t *testing.T) {
	for _, me := range Nodes {
		at := placesFor("/tmp/lab", me)
		at.card, at.vips = "eth0", []string{"192.0.2.10/24", "2001:db8::10/64"}
		s := Defaults()
		s.ProbeWait = 70 * time.Millisecond
		text := nodeConfig(me, s, at)
		file, findings := config.Parse([]byte(text), me+".toml")
		c, more := file.For(me)
		for _, f := range append(findings, more...) {
			if f.Severity == config.Error {
				t.Errorf("%s\n%s", f, text)
			}
		}
		if c == nil {
			t.Fatal("no configuration for ", me)
		}
		all := c.Groups[0].Resources
		if len(all) != 3 || all[2].Kind != "exec" {
			t.Fatalf("the service is not started after its addresses: %+v", all)
		}
		for i, vip := range at.vips {
			if r := all[i]; r.Kind != "address" || r.Address.String() != vip || r.Interface != "eth0" || r.ProbeWait != s.ProbeWait {
				t.Errorf("%+v", r)
			}
		}
	}
}

func TestServiceBook(t *testing.T) {
	file := filepath.Join(t.TempDir(), "service.json")
	t.Setenv("SERIALHB_BOARD", "")
	const slow = 30 * time.Millisecond
	book := serviceBook{Board: "/b.sock", Args: map[string][]string{"alpha": {"-node", "alpha"}}, Takes: map[string]time.Duration{"start": slow}, Fails: map[string]string{"alpha": "stop"}}
	if err := book.write(file); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	argv, err := serviceArgs(file, "start", "alpha")
	if err != nil || len(argv) != 3 || argv[0] != "start" || argv[2] != "alpha" || os.Getenv("SERIALHB_BOARD") != "/b.sock" {
		t.Errorf("%q %v", argv, err)
	}
	if took := time.Since(began); took < slow {
		t.Errorf("a service that takes %s to start was started after %s", slow, took)
	}
	if argv, err := serviceArgs(file, "stop", "alpha"); err == nil {
		t.Errorf("a stop that is to fail is %q", argv)
	}
	if _, err := serviceArgs(file, "start", "charlie"); err == nil {
		t.Error("a node that does not exist has a service")
	}
	if _, err := serviceArgs(file+"x", "start", "alpha"); err == nil {
		t.Error("no book, and no error")
	}
	if got := serviceMain([]string{"start"}); got != 2 {
		t.Errorf("exit code %d", got)
	}
}
