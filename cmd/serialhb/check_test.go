package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/serialhb/serialhb/serialhb/config"
)

// checkFile writes a configuration whose machine is this one, as far as the test goes.
func checkFile(t *testing.T, port string) string {
	t.Helper()
	dir := t.TempDir()
	key, file := filepath.Join(dir, "key"), filepath.Join(dir, "serialhb.toml")
	if err := config.WriteKey(key); err != nil {
		t.Fatal(err)
	}
	text := config.Example("plant-7")
	for old, new := range map[string]string{
		"/etc/serialhb/key": key, "/var/lib/serialhb": filepath.Join(dir, "state"), "/run/serialhb": filepath.Join(dir, "run"),
		"/usr/local/lib/serialhb/web": "/bin/true", "/dev/serialhb0": port,
	} {
		text = strings.ReplaceAll(text, old, new)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCheckTellsTheTimes(t *testing.T) {
	file := checkFile(t, "/dev/serialhb-none")
	h := &person{}
	expect(t, h, exitDone, "a node is silent after 1.5s without a pulse (100ms x 15), beside a noisy line after 2.25s\nto cut alpha and prove it off takes bravo at most 12.05s (1 level)\ncable alone bears about 136 bytes of noise a second; more takes a living node for dead more often than once a year\n", "", "check", "--config", file, "--node", "bravo")
	if !strings.Contains(h.out.String(), "nothing was measured on this machine: no daemon of bravo runs here; check again when it has run for a while under load\n") {
		t.Errorf("check: %s", &h.out)
	}
	h = &person{}
	expect(t, h, exitDone, "prove it off takes alpha at most", "", "check", "--config", file, "--offline")
	for _, part := range []string{"prove it off takes bravo at most", "cable alone bears", "nothing was measured: with --offline no daemon is asked"} {
		if strings.Count(h.out.String(), part) != 1 {
			t.Errorf("check --offline, %q: %s", part, &h.out)
		}
	}
	h = &person{}
	expect(t, h, exitDone, `"fences":[{"node":"bravo","target":"alpha","levels":1,"at_most_ms":12050}],"noise":[{"link":"cable","bytes_per_second":136}],"measured":null`, "", "check", "--config", file, "--node", "bravo", "--json")
}

// What the daemon has measured decides whether the detection time is sound on this machine.
func TestCheckAsksTheDaemon(t *testing.T) {
	file := checkFile(t, "/dev/serialhb-none")
	p := newPair()
	p.status.LatenessMS, p.status.StartMS, p.status.UptimeMS = 2.5, 80, 90_500
	socket, down := p.up(t)
	h := &person{}
	expect(t, h, exitDone, "measured by the daemon here, which is up for 1m30s: worst lateness 2.5 ms; its first pulse came 80 ms after its start\n", "",
		"check", "--config", file, "--node", "alpha", "--socket", socket)
	if strings.Contains(h.out.String(), "detection time of") {
		t.Errorf("all is well, and check says: %s", &h.out)
	}
	p.mu.Lock()
	p.status.LatenessMS, p.status.StartMS = 800, 1600
	p.mu.Unlock()
	h = &person{}
	expect(t, h, exitDone, "warning: timing.detect_multiplier: the detection time of 1.5s is less than twice the worst lateness", "", "check", "--config", file, "--node", "alpha", "--socket", socket)
	if !strings.Contains(h.out.String(), "less than the 1.6s that the daemon needed here") {
		t.Errorf("check: %s", &h.out)
	}
	h = &person{}
	expect(t, h, exitDone, `"worst_lateness_ms":800,"start_ms":1600`, "", "check", "--config", file, "--node", "alpha", "--socket", socket, "--json")
	down()
	expect(t, &person{}, exitDone, "nothing was measured", "", "check", "--config", file, "--node", "alpha", "--socket", socket)
}

func TestCheckRefusesWhatIsNoTerminal(t *testing.T) {
	expect(t, &person{}, exitRefused, "error: link[1].alpha: link cable: /dev/null is no terminal", "has errors", "check", "--config", checkFile(t, "/dev/null"), "--node", "alpha")
}
