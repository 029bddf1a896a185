package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/serialhb/serialhb/fencing"
)

func TestExampleHasNothingToComplainAbout(t *testing.T) {
	for _, nodes := range [][]string{nil, {"alpha"}, {"bravo"}, {"north", "south"}, {"a-1", "b_2", "c"}, {"a", "b", "c", "d"}} {
		text := Example("plant-7", nodes...)
		f, found := Parse([]byte(text), "example")
		if len(found) > 0 {
			t.Fatalf("nodes %v: %v\n%s", nodes, found, text)
		}
		if len(f.Nodes) < 2 || f.Cluster != "plant-7" {
			t.Errorf("nodes %v: cluster %q has nodes %v", nodes, f.Cluster, f.Nodes)
		}
		for _, n := range f.Nodes {
			c, found := f.For(n)
			if len(found) > 0 || c.Node() != n {
				t.Errorf("node %s: %v", n, found)
			}
		}
	}
}

// A value that is shown as a default has to be the default: without that line the digests and the decision stay.
func TestExampleShowsTheDefaults(t *testing.T) {
	text := Example("plant-7")
	want := mustFor(t, text, "alpha")
	defaults := []string{
		"takeover", "state_dir", "run_dir", "on_last_link", "split", "interval", "detect_multiplier", "window", "moves", "fences",
		"level ", "format", "baud", "sense_bias", "hold_up", "mode", "dwell", "prefer", "start_timeout", "stop_timeout", "status_timeout",
	}
	for _, key := range defaults {
		var kept []string
		for _, line := range strings.Split(text, "\n") {
			if !strings.HasPrefix(line, key) {
				kept = append(kept, line)
			}
		}
		without := strings.Join(kept, "\n")
		if without == text {
			t.Fatalf("%s does not stand in the example", key)
		}
		got := mustFor(t, without, "alpha")
		got.lines, want.lines = configLines{}, configLines{}
		if got.Decision != want.Decision || got.RestDigest != want.RestDigest || got.Log != want.Log || got.StateDir != want.StateDir || got.RunDir != want.RunDir {
			t.Errorf("%s is shown with another value than its default", key)
		}
	}
	for _, commented := range []string{"late_multiplier", "noise_stretch", "start_window", "move_timeout", "quiet", "health_every"} {
		set := strings.Replace(text, "# "+commented, commented, 1)
		if set == text {
			t.Fatalf("%s does not stand in the example", commented)
		}
		if got := mustFor(t, set, "alpha"); got.RestDigest != want.RestDigest {
			t.Errorf("%s is shown with another value than its default", commented)
		}
	}
}

// What the example only shows works as well, and says the defaults.
func TestExampleThatIsTakenUp(t *testing.T) {
	var lines []string
	for _, line := range strings.Split(Example("plant-7"), "\n") {
		bare := strings.TrimPrefix(line, "# ")
		if key, _, isKey := strings.Cut(bare, " = "); strings.HasPrefix(bare, "[[") || isKey && !strings.Contains(strings.TrimSpace(key), " ") {
			line = bare
		}
		lines = append(lines, line)
	}
	c := mustFor(t, strings.Join(lines, "\n"), "alpha")
	levels := c.Levels(1)
	if len(levels) != 2 || levels[1][0].Agent == nil || levels[1][0].OptionsFile != "/etc/serialhb/bravo.options" || levels[1][0].Agent.HoldOff != fencing.DefaultHoldOff {
		t.Fatalf("%+v", levels)
	}
	a := c.Groups[0].Resources[0]
	if len(c.Groups[0].Resources) != 2 || a.Kind != "address" || a.Interface != "eth0" {
		t.Fatalf("%+v", c.Groups)
	}
	for _, key := range []string{"probe_wait", "announcements", "spacing", "refresh", "timeout "} {
		kept := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.HasPrefix(line, key) })
		if got := mustFor(t, strings.Join(kept, "\n"), "alpha"); len(kept) == len(lines) || got.RestDigest != c.RestDigest {
			t.Errorf("%s is shown with another value than its default, or not at all", key)
		}
	}
}

func mustFor(t testing.TB, text, node string) *Config {
	t.Helper()
	f, found := Parse([]byte(text), "test.toml")
	if HasErrors(found) {
		t.Fatalf("%v\n%s", found, text)
	}
	c, found := f.For(node)
	if len(found) > 0 {
		t.Fatal(found)
	}
	return c
}
