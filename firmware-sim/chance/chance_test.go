package chance

import (
	"strings"
	"testing"
)

func TestSeedTellsTheStory(t *testing.T) {
	for _, d := range []Dialect{Rack, World} {
		first := Story(7, 20, d)
		if again := Story(7, 20, d); again != first {
			t.Error("the same seed wrote two stories")
		}
		if other := Story(8, 20, d); other == first {
			t.Error("two seeds wrote the same story")
		}
	}
}

// What lies outside the fault hypothesis is never written, and every order is written by some seed.
func TestEveryOrderIsWritten(t *testing.T) {
	want := []string{"power-off", "power-on", "freeze", "thaw", "kill-daemon", "restart-daemon", "stop", "cut-cable", "mend-cable",
		"cut-net", "mend-net", "unplug", "replug", "noise", "weld", "free", "sense", "try"}
	for _, d := range []Dialect{Rack, World} {
		seen := map[string]bool{}
		for seed := range uint64(200) {
			for line := range strings.Lines(Story(seed, 20, d)) {
				verb, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "perhaps "), " ")
				seen[verb] = true
				if verb == "sense" && (strings.Contains(rest, "off") || strings.Contains(rest, "lie")) {
					t.Fatalf("a sense lies: %s", line)
				}
			}
		}
		for _, verb := range want {
			if !seen[verb] {
				t.Errorf("dialect %d never writes %s", d, verb)
			}
		}
	}
}

// A person's word is given only while the node has no power.
func TestNobodyConfirmsWhatIsNotSo(t *testing.T) {
	words := 0
	for seed := range uint64(300) {
		dark := map[string]bool{}
		for line := range strings.Lines(Story(seed, 40, World)) {
			f := strings.Fields(line)
			switch {
			case f[0] == "power-off":
				dark[f[1]] = true
			case f[0] == "power-on":
				dark[f[1]] = false
			case f[0] == "try" && (f[2] == "confirm-off" || f[2] == "withdraw"):
				words++
				if !dark[f[3]] {
					t.Fatalf("seed %d: %s", seed, line)
				}
			}
		}
	}
	if words == 0 {
		t.Fatal("no word was ever given")
	}
}

func TestTallyTellsMovesApart(t *testing.T) {
	var tally Tally
	tally.Begin()
	for _, e := range [][2]string{
		{"alpha", "owns-now"}, {"bravo", "proven-off"}, {"bravo", "owns-now"}, // a takeover
		{"bravo", "adopted-now"},                   // a daemon came back
		{"alpha", "wishes"}, {"alpha", "owns-now"}, // a switchover
		{"bravo", "owns-now"},                         // alpha left
		{"alpha", "blocked"}, {"alpha", "proven-off"}, // a retry
		{"alpha", "owns-now"},
	} {
		tally.Told(e[0], e[1])
	}
	if got, want := tally.String(), "1 stories: 2 fences proven, 2 takeovers, 1 switchovers, 1 other moves, 1 fences blocked"; got != want {
		t.Fatalf("%s", got)
	}
	var sum Tally
	sum.Add(tally)
	sum.Begin()
	sum.Told("bravo", "owns-now")
	if sum.Takeovers != 2 || sum.Stories != 2 || sum.Handovers != 1 {
		t.Fatalf("a new story goes on with the old one: %s", &sum)
	}
}

func TestTallyTellsGroupsApart(t *testing.T) {
	var tally Tally
	tally.Begin()
	for _, e := range []struct {
		node, code string
		group      uint8
	}{
		{"alpha", "owns-now", 0}, {"bravo", "owns-now", 1},
		{"bravo", "wishes", 1}, {"alpha", "owns-now", 1}, // a switchover of one
		{"bravo", "proven-off", 0}, {"bravo", "owns-now", 0}, {"bravo", "owns-now", 1}, // a takeover of both
	} {
		tally.ToldOf(e.node, e.code, e.group)
	}
	if got, want := tally.Came(), "1 fences proven, 2 takeovers, 1 switchovers, 0 other moves, 0 fences blocked"; got != want {
		t.Fatalf("%s", got)
	}
}
