package explore

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/serialhb/serialhb/serialhb/failover"
)

// A walk is what a search is not: one order of moves, hundreds deep, drawn by a seed. Each seed draws its own scope and how
// often what happens, so that what is rare in most walks is common in some. It finds what lies too deep to search. Chance is of
// the tests alone: what is explored knows none.

// walkName begins the name of the scope of a walk; its seed follows.
const walkName = "walk-"

// walkScope draws the scope of a seed.
func walkScope(seed uint64) Scope {
	r := rand.New(rand.NewPCG(seed, 0x5c09e))
	one := func(in int) bool { return r.IntN(in) == 0 }
	s := Scope{Name: walkName + strconv.FormatUint(seed, 10), About: "the walk of a seed", Members: 2, Groups: 1, Wire: uint8(1 + r.IntN(maxWire)),
		Crashes: uint8(r.IntN(12)), Faults: uint8(r.IntN(4) * r.IntN(4)), Words: uint8(r.IntN(3) * r.IntN(6)), Says: everything,
		Fights: !one(3), Again: one(2), SlowRun: one(2), SlowDisk: one(4), Senses: one(3), Deaf: one(6), Budget: one(8), Settled: one(2)}
	if one(4) {
		s.Members = 3
	}
	if one(4) {
		s.Groups = 2
	}
	if one(5) {
		s.Takeover = failover.Approve
	}
	if one(5) {
		s.Split = failover.OwnerSurvives
	}
	if one(4) && s.Wire >= 2 {
		s.Links = 2
	}
	if one(5) {
		s.Lies = uint8(1 + r.IntN(2))
	}
	s.OneWay = s.Links == 2 && s.Members == 2 && one(2)
	s.Stays, s.Wipes = one(3), one(3)
	s.Failback = failover.Failback(r.IntN(3))
	if one(3) { // some of all that people could ask for
		s.Says = nil
		for _, say := range everything {
			if one(3) {
				s.Says = append(s.Says, say)
			}
		}
	}
	if one(20) {
		s.CoreOf1, s.Settled = 2, false
	}
	if one(20) {
		s.RestOf1 = 2
	}
	s.Keys = one(8)
	if one(8) {
		s.LastLink = failover.AskOnLastLink
	}
	return s
}

// usual is how often each kind of move is taken, beside the others.
var usual = [kindEnd]int{Beats: 24, Hears: 48, HearsAgain: 6, Silent: 3, Fires: 6, Probed: 24, Started: 24, Stopped: 24, Dies: 1, Acts: 24, Proves: 24, Opens: 24,
	Gives: 24, Writes: 24, Keeps: 24, Senses: 12, Deaf: 1, Listens: 6, Killed: 2, Begins: 24, Wiped: 6, Dark: 1, Lit: 12, Asks: 2,
	Fades: 3, Doubts: 1, Vanishes: 1, Overdue: 1, OverdueCut: 1}

// scopeNamed finds a scope by its name, also that of a walk and that of roams.
func scopeNamed(t *testing.T, name string) *Scope {
	t.Helper()
	if digits, ok := strings.CutPrefix(name, walkName); ok {
		seed, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		s := walkScope(seed)
		return &s
	}
	if name == roaming.Name {
		return &roaming
	}
	s, err := ScopeNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
