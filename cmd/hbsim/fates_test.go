package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/chance"
	"github.com/serialhb/serialhb/firmware-sim/world"
	"github.com/serialhb/serialhb/firmware-sim/world/script"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

func TestFlagsThatDoNotFitAreRefused(t *testing.T) {
	for line, want := range map[string]string{
		"":                         "",
		"seed stories orders":      "",
		"seeds jobs interval":      "",
		"trace seed interval":      "",
		"jobs":                     "--jobs is for fates",
		"interval stories":         "--interval is for fates",
		"seeds stories":            "leave out --stories",
		"seeds seed":               "leave out --seed",
		"trace seeds":              "leave out --seeds",
		"trace seed stories":       "leave out --stories",
		"seeds orders jobs trace":  "leave out --seeds",
		"trace seed orders":        "leave out --orders",
		"trace interval seed jobs": "leave out --jobs",
	} {
		given := map[string]bool{}
		for _, f := range strings.Fields(line) {
			given[f] = true
		}
		switch err := misfits(given); {
		case want == "" && err != nil:
			t.Errorf("%q: %v", line, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v", line, err)
		}
	}
}

// A fate that is shortened has to fail for the same reason, not for another one that its faults lead to as well.
func TestShorteningKeepsTheEnd(t *testing.T) {
	run := func(err error) error { return &script.Failure{Text: "sleep 1m", Err: err} }
	twoRun, twoHold := &world.Fault{Kind: world.TwoRun, What: "web"}, &world.Fault{Kind: world.TwoHold, What: "web"}
	well, rest := &script.Failure{Text: "expect well for 30s", Err: errors.New("alpha")}, &script.Failure{Text: "expect at-rest for 30s", Err: errors.New("alpha")}
	for i, c := range []struct {
		a, b error
		same bool
	}{
		{run(twoRun), &script.Failure{Text: "start", Err: &world.Fault{Kind: world.TwoRun, At: 3}}, true},
		{run(twoRun), run(twoHold), false},
		{run(twoRun), well, false},
		{well, run(twoRun), false},
		{well, &script.Failure{Text: well.Text, Err: errors.New("bravo")}, true},
		{well, rest, false},
		{nil, well, false},
		{nil, run(twoRun), false},
	} {
		if got := sameEnd(c.a, c.b); got != c.same {
			t.Errorf("%d: %v", i, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := chance.NewFate(1, 0)
	if short, err := shrink(ctx, f, well); len(short.Faults) != len(f.Faults) || !errors.Is(err, well) {
		t.Errorf("nobody waits any more, and %d of %d faults are left", len(short.Faults), len(f.Faults))
	}
}

// Where next to nothing happens, nothing is shown.
func TestTameFatesAreNoProof(t *testing.T) {
	s := fateSum{seeds: telling, came: map[string]uint64{aFence: 600, aCommand: 200, aLie: 50, byItself: 400}}
	if err := s.tooTame(); err != nil {
		t.Error(err)
	}
	for _, f := range floors {
		s.came[f.what]--
		if err := s.tooTame(); err == nil || !strings.Contains(err.Error(), f.what) {
			t.Errorf("%s: %v", f.what, err)
		}
		s.seeds--
		if err := s.tooTame(); err != nil {
			t.Errorf("so few seeds tell nothing: %v", err)
		}
		s.seeds++
		s.came[f.what]++
	}
}

// Every pair of a phase and an event is met, or marked; and what is marked as impossible never is, in however few fates.
func TestPairsAreMetOrMarked(t *testing.T) {
	s := fateSum{seeds: 1, came: map[string]uint64{}}
	s.pairs[pulse.Active][failover.Started] = 1
	if err := s.tooTame(); err == nil || !strings.Contains(err.Error(), "started came in active") {
		t.Error(err)
	}
	s = fateSum{seeds: chance.AllPairs, came: map[string]uint64{}}
	for _, f := range floors {
		s.came[f.what] = s.seeds
	}
	if err := s.tooTame(); err == nil || !strings.Contains(err.Error(), "heard in blocked") {
		t.Error(err)
	}
	if s.seeds--; s.tooTame() != nil {
		t.Error("so few seeds need not meet all")
	}
}

// What is counted is what happened: an empty story of a switchover by a person, and a takeover without one.
func TestWhatHappensIsCounted(t *testing.T) {
	play := func(name, text string) (fateSum, *world.World) {
		w, err := script.Play(name, text)
		if err != nil {
			t.Fatal(err)
		}
		s := fateSum{drawn: map[string]uint64{}, came: map[string]uint64{}}
		s.add(chance.Fate{}, w)
		return s, w
	}
	const begin, end = "start\nsleep 40s\n", "say " + chance.Over + "\nrun bravo arm\n"
	for _, c := range []struct {
		name, faults string
		came         string
		takeovers    int
	}{
		{"nothing", "", "map[]", 0},
		{"switchover", "run bravo switchover web\nsleep 1m\n", fmt.Sprint(map[string]uint64{aCommand: 1}), 0},
		{"refused", "try bravo failback web\nsleep 1m\n", "map[]", 0},
		{"takeover", "power-off alpha\nsleep 1m\n", fmt.Sprint(map[string]uint64{aFence: 1}), 1},
		{"welded", "weld RELAY_ALPHA\nfreeze alpha\nsleep 5s\nfree RELAY_ALPHA\nsleep 1m\n", fmt.Sprint(map[string]uint64{aFence: 1, aLie: 1}), 1},
		{"welded in vain", "weld RELAY_ALPHA\nsleep 1m\nfree RELAY_ALPHA\n", "map[]", 0},
		{"a person between", "power-off alpha\nsleep 1s\nrun bravo clear\nsleep 1m\n", fmt.Sprint(map[string]uint64{aFence: 1, aCommand: 1}), 0},
	} {
		s, w := play(c.name, begin+c.faults+end)
		if got := fmt.Sprint(s.came); got != c.came || len(s.takeovers) != c.takeovers {
			t.Errorf("%s: %s, %d takeovers", c.name, got, len(s.takeovers))
		}
		if c.takeovers > 0 && (s.takeovers[0] < 100*time.Millisecond || s.takeovers[0] > time.Minute) {
			t.Errorf("%s: it took %s of %s", c.name, s.takeovers[0], w.Now())
		}
	}
}
