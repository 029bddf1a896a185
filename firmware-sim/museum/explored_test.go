package museum

import (
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
)

// Parts that neither the model checker nor the world contains: what they do wrong, their own tests have to find.
var outside = []string{"serialhb/clock/", "serialhb/config/", "serialhb/daemon/", "serialhb/link/"}

// What neither may take more than, to find a mutant that it does not know.
const (
	mostRoams = 2_000_000
	mostFates = 400
)

// unexplored are mutants of what decides or detects that neither the model checker nor fates find within that budget, and why.
// They were hunted, in the scopes that have what they need, and by 400 fates.
var unexplored = map[string]string{
	"away-before-it-listened":                    "somebody has to be away, to come back and to take the group while the other's host is down, and that host to start before it hears so",
	"fence-me-of-any-session":                    "who asked to be cut has to boot anew and hear nothing, while the one who shall cut it cannot write that it will",
	"maintenance-is-forgotten":                   "a member that forgot its maintenance is like one that never was in it: no judge keeps the modes that people set",
	"moves-are-not-counted":                      "a move too many is a takeover like any other: no judge counts them",
	"noise-is-life-for-ever":                     "noise lasts for two minutes at most in fates, so the takeover that waits for its end is late and comes: no judge times it",
	"own-interval":                               "in one of eight fates the members have unequal intervals, twice or half: too short a silence of the slower one still is one",
	"granted-before-the-end-of-a-lie-is-written": "it takes three members, a lie, and a death in the moment between two writes: walks through scopes by chance found it, of 1 645 the last",
	"lateness-lengthens-nothing":                 "since who slept for a detection time waits for answers, a verdict that comes too soon is called off before a coil",
	"looked-at-for-ever":                         "who looks again and again grants nothing meanwhile: no judge counts how often",
	"nobody-answers-who-gains-nothing":           "one fate in some thousands comes to that",
	"twin-of-who-never-answered":                 "one fate in twelve thousand came to that",
	"wrong-keys-are-noise":                       "the model checker has no keys, and to the judge of the world a frame under another key is no pulse, so to cut its sender is not needless",
}

// explores says whether a ring looks for nothing in particular: it searches or roams a scope, plays fates, or walks. A path
// that was kept, a story and a test of one rule know where to look.
func (r Ring) explores() bool {
	name, part, _ := strings.Cut(r.Run, "/")
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	roams, seeds, scope := flags.Int("roams", 0, ""), flags.Int("seeds", 0, ""), flags.String("scope", "", "")
	if flags.Parse(strings.Fields(r.Flags)) != nil {
		return false
	}
	switch r.Package {
	case "serialhb/failover/explore":
		return name == "TestSmallScopesHold" && part != "" || r.Run == "TestRoamsHold" && *roams <= mostRoams && *scope != ""
	case "firmware-sim/world/script":
		return r.Run == "TestFatesHold" && *seeds <= mostFates
	case "serialhb/failover":
		return r.Run == "TestNeverTwoOwnersOnRandomWalks"
	}
	return false
}

// Whatever decides or detects is found by who does not know where to look, not only by what was written for it, or it is said
// why not.
func TestDecisionsAreCaughtByExploring(t *testing.T) {
	all, err := Mutants()
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for i := range all {
		m := &all[i]
		kept[m.Name] = true
		part := slices.ContainsFunc(outside, func(dir string) bool { return strings.HasPrefix(m.File, dir) })
		found, why := slices.ContainsFunc(m.By, Ring.explores), unexplored[m.Name]
		switch {
		case (part || found || m.Equal != "") && why != "":
			t.Errorf("mutant %s needs no reason why nobody explores it", m.Name)
		case !part && !found && m.Equal == "" && why == "":
			t.Errorf("mutant %s is in %s, and only what knows of it catches it", m.Name, m.File)
		}
	}
	for name := range unexplored {
		if !kept[name] {
			t.Errorf("there is a reason for %s, which is no mutant", name)
		}
	}
}

func TestWhoExplores(t *testing.T) {
	for ring, want := range map[Ring]bool{
		{"serialhb/failover/explore", "TestSmallScopesHold/calm", ""}:                            true,
		{"serialhb/failover/explore", "TestRoamsHold", "-roams=2000000 -scope=roam"}:             true,
		{"serialhb/failover/explore", "TestRoamsHold", "-roams=9000000 -scope=roam"}:             false,
		{"serialhb/failover/explore", "TestRoamsHold", "-roams=2000000"}:                         false,
		{"serialhb/failover/explore", "TestPathsHold/any-grant-will-do", ""}:                     false,
		{"firmware-sim/world/script", "TestFatesHold", "-seeds=400"}:                             true,
		{"firmware-sim/world/script", "TestFatesHold", "-seeds=4000"}:                            false,
		{"firmware-sim/world/script", "TestRarePairsAreMet", ""}:                                 false,
		{"serialhb/failover", "TestStories/budget", ""}:                                          false,
		{"serialhb/failover", "TestGrantAbandonsTheOwnRequest", ""}:                              false,
		{"serialhb/failover", "TestNeverTwoOwnersOnRandomWalks", ""}:                             true,
		{"serialhb/detect", "TestSendersInterval", ""}:                                           false,
		{"serialhb/failover/explore", "TestRoamsHold", "-roams=2000000 -scope=roam -whatever=1"}: false,
	} {
		if ring.explores() != want {
			t.Errorf("%s %s explores: %v", ring, ring.Flags, !want)
		}
	}
}
