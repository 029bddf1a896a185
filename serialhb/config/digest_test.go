package config

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// shuffled writes the tables of a file in another order, their keys too, with comments and other quotes.
func shuffled(text string, r *rand.Rand) string {
	var blocks [][]string
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if strings.HasPrefix(line, "[") {
			blocks = append(blocks, nil)
		}
		last := len(blocks) - 1
		blocks[last] = append(blocks[last], line)
	}
	order := map[string]int{"[[node]]": 1, "[[group]]": 1, "[[group.resource]]": 1} // these keep theirs
	var kept, free [][]string
	for _, b := range blocks {
		keys := b[1:]
		r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		if order[b[0]] > 0 {
			kept = append(kept, b)
		} else {
			free = append(free, b)
		}
	}
	r.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	var b strings.Builder
	for _, block := range append(free, kept...) {
		fmt.Fprintf(&b, "\n# %d\n%s\n", r.Uint32(), strings.Join(block, " # so\n\n"))
	}
	return b.String()
}

func TestDigestsAreOfValues(t *testing.T) {
	want := mustFor(t, three, "bravo")
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		text := shuffled(three, r)
		got := mustFor(t, text, "alpha")
		if got.CoreDigest != want.CoreDigest || got.RestDigest != want.RestDigest {
			t.Fatalf("another order has other digests:\n%s", text)
		}
	}
	same := []string{
		`interval = "0.2s"`, `interval = "200ms"`,
		`interval = "0.2s"`, `interval = '200000us'`,
		`wait_to_restore = "12m"`, `wait_to_restore = "720s"`,
		`hold_up = "1500ms"`, `"hold_up" = "1.5s"`,
		`moves = 4`, `moves = 0x4`,
		`noise_stretch = 2.5`, `noise_stretch = 25e-1`,
		`mode = "off"`, "mode = \"off\"\nlevel = 1",
		`line = "sim:C"`, `line = "sim:OTHER"`,
		`line = { alpha = "sim:B1", spare = "sim:B2" }`, `line = "sim:ONE"`,
		`alpha = "/dev/serialhb0"`, `alpha = "/dev/ttyS5"`,
		`spare = "192.0.2.3:6940"`, `spare = "192.0.2.99:1"`,
		`energised_by = "low"`, `energised_by = "high"`,
		`key_files = ["/etc/serialhb/new", "/etc/serialhb/old"]`, `key_file = "/k"`,
		`level = "debug"`, `level = "warn"`,
		`[cluster]`, "[cluster]\nstate_dir = '/s'\nrun_dir = '/r'",
		`status_timeout = "3s"`, `status_timeout = "3000ms"`,
		`start = ["/bin/a", "up"]`, "start = [ # list\n '/bin/a',\n 'up', ]",
	}
	for i := 0; i < len(same); i += 2 {
		got := mustFor(t, replaced(t, same[i], same[i+1]), "bravo")
		if got.CoreDigest != want.CoreDigest || got.RestDigest != want.RestDigest {
			t.Errorf("%s and %s have different digests", same[i], same[i+1])
		}
	}
}

func replaced(t *testing.T, old, with string) string {
	t.Helper()
	text := strings.Replace(three, old, with, 1)
	if text == three {
		t.Fatalf("%s does not stand in the file", old)
	}
	return text
}

func TestDigestsDiffer(t *testing.T) {
	want := mustFor(t, three, "bravo")
	core := map[string]string{
		`name = "plant-7"`:                "name = 'plant-8'",
		`name = "web"`:                    "name = 'www'",
		"[[node]]\nname = \"alpha\"\n":    "[[node]]\nname = \"bravo\"\n[[node]]\nname = \"alpha\"\n",
		"[[group]]\nname = \"db\"":        "[[group]]\nname = \"dc\"",
		"[[node]]\nname = \"spare\"\n[[l": "[[node]]\nname = \"spare\"\n[[node]]\nname = \"x\"\n[[l",
	}
	for old, with := range core {
		text := replaced(t, old, with)
		if strings.Contains(with, "bravo") {
			text = strings.Replace(text, "name = \"alpha\"\n[[node]]\nname = \"bravo\"\n", "name = \"alpha\"\n", 1)
		}
		if strings.Contains(with, `"x"`) {
			text = strings.Replace(text, "spare = \"192", "x = \"192.0.2.77:1\"\nspare = \"192", 1)
			text = strings.Replace(text, "line = { alpha = \"sim:B1\",", "line = { x = 'sim:X', alpha = \"sim:B1\",", 1)
			text += relayFor("x")
		}
		if got := mustFor(t, text, "bravo"); got.CoreDigest == want.CoreDigest || got.Decision.Core == want.Decision.Core {
			t.Errorf("%s does not change the core digest", with)
		}
	}
	rest := map[string]string{
		`takeover = "approve"`: `takeover = "auto"`, `on_last_link = "ask"`: "", `split = "owner-survives"`: "",
		`fence_when_deaf = true`: "", `withdraw_survives_reboot = true`: "",
		`interval = "0.2s"`: `interval = "201ms"`, `detect_multiplier = 10`: `detect_multiplier = 9`, `late_multiplier = 3`: `late_multiplier = 2`, `noise_stretch = 2.5`: `noise_stretch = 2.51`,
		`start_window = "5s"`: `start_window = "6s"`, `fence_delay = "7s"`: "", `move_timeout = "8s"`: "", `backoff = "1s"`: "",
		`approval_timeout = "6m"`: "", `doubt_timeout = "9s"`: "", `fence_retries = 2`: "", `fence_retry = "11s"`: "",
		`wait_to_restore = "12m"`: "", `farewell = "13s"`: "", `quiet = "14s"`: "", `window = "2h"`: "", `moves = 4`: "", `fences = 5`: "",
		`name = "cable"`: `name = "wire"`, `baud = 38400`: "", `level = 2`: "level = 3",
		"proof = \"assumed\"\nhold_off": "proof = \"assumed\"\nsettle = '60ms'\nhold_off", `hold_off = "4s"`: "",
		`by = ["bravo"]`: "", `fail_safe = true`: "", `settle = "30ms"`: "", `sample = "5ms"`: "", `window = "1s"`: "",
		`hold_up = "1500ms"`: "hold_up = '1400ms'", `verify_timeout = "10s"`: "", `mode = "off"`: "",
		"sense_side = \"dc\"": "sense_side = \"feed\"", `prefer = ["bravo", "alpha"]`: `prefer = ["alpha", "bravo"]`,
		`failback = "auto"`: "", `name = "address"`: `name = "addr"`, `start = ["/bin/a", "up"]`: `start = ["/bin/a up"]`,
		`stop = ["/bin/a", "down"]`: `stop = ["/bin/a"]`, `status = ["/bin/a"]`: `status = ["/bin/d"]`, `start_timeout = "1m"`: "start_timeout = '61s'",
		`stop_timeout = "2m"`: "", `status_timeout = "3s"`: "",
	}
	for old, with := range rest {
		text := replaced(t, old, with)
		if old == `by = ["bravo"]` {
			text = strings.Replace(text, "cdev:board/A1", "sim:A1", 1)
		}
		if got := mustFor(t, text, "bravo"); got.RestDigest == want.RestDigest || got.CoreDigest != want.CoreDigest {
			t.Errorf("%s for %s: the digests are %x %x", with, old, got.CoreDigest, got.RestDigest)
		}
	}
	dwell := mustFor(t, strings.ReplaceAll(three, `dwell = "20s"`, `dwell = "21s"`), "bravo")
	if dwell.RestDigest == want.RestDigest {
		t.Error("the dwell does not change the rest digest")
	}
}

// The digests of one file are part of the protocol: an upgrade may not change them.
func TestDigestsStayOverVersions(t *testing.T) {
	c := mustFor(t, whole(), "alpha")
	if c.CoreDigest != 0x278ba0bf0d674907 || c.RestDigest != 0xed9dad055f1512ae {
		t.Errorf("%#x, %#x", c.CoreDigest, c.RestDigest)
	}
}
