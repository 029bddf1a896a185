package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
)

// TestBounds: the last value that is good and the first that is not.
func TestBounds(t *testing.T) {
	name := strings.Repeat("z", 63)
	plus := func(text string) string { return text + whole() }
	with := func(old, new string) string { return strings.Replace(whole(), old, new, 1) }
	keys := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("'/k%d'", i))
		}
		return with("key_file = '/etc/serialhb/key'", "key_files = ["+strings.Join(all, ",")+"]")
	}
	// "/p/bravo.sock" has 13 bytes.
	runDir := func(n int) string {
		return with("name = 'p'", "name = 'p'\nrun_dir = '/"+strings.Repeat("r", n-14)+"'")
	}
	nodes := func(bravo string) string { return strings.ReplaceAll(whole(), "bravo", bravo) }
	feed := func(hold string) string {
		return with("sense_side = 'dc'", "sense_side = 'feed'\nhold_up = '"+hold+"'")
	}
	links := func(more int) string {
		text := whole()
		for i := range more {
			text += fmt.Sprintf("[[link]]\nname = 'l%d'\nkind = 'udp'\nalpha = '192.0.2.1:%d'\nbravo = '192.0.2.2:%d'\n", i, i+1, i+1)
		}
		return text
	}
	for _, c := range []struct{ what, good, bad, key string }{
		{"length of a name", nodes(name), nodes(name + "z"), "node[2].name"},
		{"letters of a name", nodes("azAZ09-_"), nodes("az.b"), "node[2].name"},
		{"first letter of a name", nodes("0"), nodes("_0"), "node[2].name"},
		{"number of keys", keys(3), keys(4), "cluster.key_files"},
		{"a key at all", keys(1), keys(0), "cluster.key_files"},
		{"socket path", runDir(107), runDir(108), "cluster.run_dir"},
		{"zero byte in a path", with("name = 'p'", "name = 'p'\nstate_dir = '/s'"), with("name = 'p'", "name = 'p'\nstate_dir = \"/s\\u0000\""), "cluster.state_dir"},
		{"size of the file", plus(strings.Repeat("#", maxFile-len(whole())-1) + "\n"), plus(strings.Repeat("#", maxFile-len(whole())) + "\n"), "file"},
		{"hold-up on the feed", feed("3s"), feed("2.999s"), "fence[1].hold_up"},
		{"number of links", links(6), links(7), "link[9]"},
		{"target", whole(), with("target = 'alpha'\n", ""), "fence[1].target"},
		{"interval", plus("[timing]\ninterval = '4.095s'\n"), plus("[timing]\ninterval = '4.096s'\n"), "timing.interval"},
		{"multiplier", plus("[timing]\ndetect_multiplier = 2\n"), plus("[timing]\ndetect_multiplier = 1\n"), "timing.detect_multiplier"},
		{"greatest multiplier", plus("[timing]\ndetect_multiplier = 255\n"), plus("[timing]\ndetect_multiplier = 256\n"), "timing.detect_multiplier"},
		{"late", plus("[timing]\nlate_multiplier = 14\n"), plus("[timing]\nlate_multiplier = 15\n"), "timing.late_multiplier"},
		{"least stretch", plus("[timing]\nnoise_stretch = 1\n"), plus("[timing]\nnoise_stretch = 0.99\n"), "timing.noise_stretch"},
		{"greatest stretch", plus("[timing]\nnoise_stretch = 4.0\n"), plus("[timing]\nnoise_stretch = 4.01\n"), "timing.noise_stretch"},
		{"no stretch at all", plus("[timing]\nnoise_stretch = 2e0\n"), plus("[timing]\nnoise_stretch = nan\n"), "timing.noise_stretch"},
		{"kind of a stretch", plus("[timing]\nnoise_stretch = 2\n"), plus("[timing]\nnoise_stretch = '2'\n"), "timing.noise_stretch"},
		{"start window", plus("[timing]\nstart_window = '1.5s'\n"), plus("[timing]\nstart_window = '1499ms'\n"), "timing.start_window"},
		{"quiet", plus("[timing]\nquiet = '60s'\n"), plus("[timing]\nquiet = '60001ms'\n"), "timing.quiet"},
		{"level", with("target = 'alpha'", "target = 'alpha'\nlevel = 9"), with("target = 'alpha'", "target = 'alpha'\nlevel = 10"), "fence[1].level"},
	} {
		if _, found := Parse([]byte(c.good), ""); HasErrors(found) {
			t.Errorf("%s: %v", c.what, found)
		}
		if _, found := Parse([]byte(c.bad), ""); !slices.ContainsFunc(found, func(f Finding) bool { return f.Severity == Error && f.Key == c.key }) {
			t.Errorf("%s: nothing is wrong with %s: %v", c.what, c.key, found)
		}
	}
}

func TestNearestWord(t *testing.T) {
	known := []string{"takeover", "interval", "split", "run_dir"}
	for written, want := range map[string]string{"intervall": "interval", "take_over": "takeover", "rundir": "run_dir", "splt": "split", "colour": "", "x": ""} {
		if got := nearest(written, known); got != want {
			t.Errorf("%s: %q", written, got)
		}
	}
	if distance("", "abc") != 3 || distance("abc", "") != 3 || distance("kitten", "sitting") != 3 || distance("ab", "ba") != 2 {
		t.Error("the distance of words is wrong")
	}
}

func TestExampleNamesItsCables(t *testing.T) {
	two, twoGiven, four := Example("p"), Example("p", "alpha", "bravo"), Example("p", "a", "b", "c", "d")
	if two != twoGiven || strings.Count(two, `name = "cable"`) != 1 || strings.Count(two, "[[node]]") != 2 || strings.Count(Example("p", "bravo"), "[[node]]") != 2 {
		t.Error(two)
	}
	if strings.Count(four, `kind = "serial"`) != 6 || strings.Count(four, `name = "cable-a-d"`) != 1 || strings.Count(four, `"/dev/serialhb2"`) != 4 {
		t.Error(four)
	}
}

// Where only the standby ever fences, nobody waits, so a short delay is nobody's worry.
func TestShortFenceDelayOfOneGroup(t *testing.T) {
	if _, found := Parse([]byte("[timing]\nfence_delay = '1ms'\n"+whole()), ""); len(found) > 0 {
		t.Error(found)
	}
}

// A babbling line puts the verdict of one side off; the other waits for as much longer before its coil.
func TestFenceDelayCoversTheStretch(t *testing.T) {
	fight := strings.Replace(whole(), "name = 'p'", "name = 'p'\nsplit = 'owner-survives'", 1)
	usual := mustFor(t, fight, "alpha").Timing
	for stretch, more := range map[string]time.Duration{"1": 0, "1.5": 0, "2": usual.Detection / 2, "4.0": usual.Detection * 5 / 2} {
		text := "[timing]\nnoise_stretch = " + stretch + "\n" + fight
		if got := mustFor(t, text, "alpha").Timing.FenceDelay; got != usual.FenceDelay+more {
			t.Errorf("stretch %s: fence_delay %v, want %v", stretch, got, usual.FenceDelay+more)
		}
		short := strings.Replace(text, "[timing]", "[timing]\nfence_delay = '"+(usual.FenceDelay+more-1).String()+"'", 1)
		if _, found := Parse([]byte(short), ""); len(found) != 1 || found[0].Severity != Warning || found[0].Key != "timing.fence_delay" {
			t.Errorf("stretch %s: %v", stretch, found)
		}
	}
}

// Who writes a short wait need not write how often to look in it.
func TestShortWaitsAreLookedAtOften(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"":                                fencing.DefaultSample,
		"hold_up = '40ms'":                fencing.DefaultSample,
		"hold_up = '39ms'":                9750 * time.Microsecond,
		"hold_up = '1ms'":                 250 * time.Microsecond,
		"hold_off = '20ms'":               5 * time.Millisecond,
		"hold_up = '8ms'\nsample = '1ms'": time.Millisecond,
	} {
		file, found := Parse([]byte(strings.Replace(whole(), "sense_side = 'dc'", "sense_side = 'dc'\n"+text, 1)), "")
		if HasErrors(found) {
			t.Errorf("%s: %v", text, found)
			continue
		}
		c, _ := file.For("bravo")
		if got := c.Fences[0].Plan.Sample; got != want {
			t.Errorf("%s: looks every %v, want %v", text, got, want)
		}
	}
	// Who writes both is told if they do not fit.
	_, found := Parse([]byte(strings.Replace(whole(), "sense_side = 'dc'", "sense_side = 'dc'\nhold_up = '8ms'\nsample = '3ms'", 1)), "")
	if !HasErrors(found) {
		t.Error("a sample that looks too rarely is accepted")
	}
}
