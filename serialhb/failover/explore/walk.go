package explore

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/serialhb/serialhb/serialhb/failover"
)

// A walk is what a search is not: one order of moves, hundreds deep, drawn by a seed. Each seed draws its own scope and how
// often what happens, so that what is rare in most walks is common in some. It finds what lies too deep to search.

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
	return s
}

// usual is how often each kind of move is taken, beside the others.
var usual = [kindEnd]int{Beats: 24, Hears: 48, HearsAgain: 6, Silent: 3, Fires: 6, Probed: 24, Started: 24, Stopped: 24, Dies: 1, Acts: 24, Proves: 24, Opens: 24,
	Gives: 24, Writes: 24, Keeps: 24, Senses: 12, Deaf: 1, Listens: 6, Killed: 2, Begins: 24, Dark: 1, Lit: 12, Asks: 2}

// Walk takes so many moves from where the scope of a seed begins. It says what was found that must not be, and the way there.
func Walk(seed uint64, moves int, saw *Sightings) (bad string, path Path) {
	s := walkScope(seed)
	r := rand.New(rand.NewPCG(seed, 0x3a1c))
	often := usual
	for k := range often {
		often[k] *= [...]int{1, 4, 4, 16}[r.IntN(4)]
	}
	who, names := newPlayer(&s), renamer{code: newCodec(&s)}
	c, before := s.start()
	path = Path{Scope: s.Name, Moves: before}
	var can []Move
	for range moves {
		if can = s.moves(&c, can[:0]); len(can) == 0 {
			break
		}
		m := draw(r, can, &often)
		path.Moves = append(path.Moves, m)
		if bad = who.play(&c, m); bad != "" {
			break
		}
		names.rename(&s, &c)
	}
	saw.add(&who.saw)
	return bad, path
}

// draw takes one of the moves: first a kind, by how often it is taken, then one of its kind.
func draw(r *rand.Rand, can []Move, often *[kindEnd]int) Move {
	var there [kindEnd]int
	all := 0
	for _, m := range can {
		if there[m.Kind]++; there[m.Kind] == 1 {
			all += often[m.Kind]
		}
	}
	at, kind := r.IntN(all), Kind(0)
	for ; ; kind++ {
		if there[kind] == 0 {
			continue
		}
		if at -= often[kind]; at < 0 {
			break
		}
	}
	n := r.IntN(there[kind])
	for _, m := range can {
		if m.Kind == kind {
			if n--; n < 0 {
				return m
			}
		}
	}
	panic("explore: a kind of move without a move")
}

// Shorten leaves moves out of a path, as many as possible at once, as long as something that must not be is still found at its end.
// What cannot happen any more without them is left out, too.
func Shorten(p Path) (Path, error) {
	s, err := ScopeNamed(p.Scope)
	if err != nil {
		return p, err
	}
	for part := max(1, len(p.Moves)/2); part > 0; {
		found := false
		for from := 0; from < len(p.Moves); {
			less := append(append([]Move(nil), p.Moves[:from]...), p.Moves[min(from+part, len(p.Moves)):]...)
			if moves, bad := s.loosely(less); bad != "" && len(moves) < len(p.Moves) {
				p.Moves, found = moves, true
			} else {
				from += part
			}
		}
		if !found || part > len(p.Moves) {
			part /= 2
		}
	}
	return p, nil
}

// loosely plays what is possible of some moves, up to something that must not be.
func (s *Scope) loosely(moves []Move) (played []Move, bad string) {
	who, names, c := newPlayer(s), renamer{code: newCodec(s)}, beginning(s)
	for _, m := range moves {
		if !possible(s, &c, m) {
			continue
		}
		played = append(played, m)
		if bad = who.play(&c, m); bad != "" {
			return played, bad
		}
		names.rename(s, &c)
	}
	return played, ""
}

// walkNamed is the scope of a walk by its name.
func walkNamed(name string) (*Scope, bool) {
	digits, ok := strings.CutPrefix(name, walkName)
	seed, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil {
		return nil, false
	}
	s := walkScope(seed)
	return &s, true
}
