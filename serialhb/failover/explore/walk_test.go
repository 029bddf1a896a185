package explore

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
)

var walks = flag.Int("walks", 4000, "how many walks are taken")

// walkMoves is how long a walk is.
const walkMoves = 250

// spread is a [Run] over all processors.
func spread(jobs int, job func(int)) {
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for k := range jobs {
		all.Go(func() error {
			job(k)
			return nil
		})
	}
	_ = all.Wait()
}

func TestWalksHold(t *testing.T) {
	n := *walks
	if testing.Short() {
		n = min(n, 100)
	}
	var mu sync.Mutex
	var all Sightings
	spread(n, func(k int) {
		if t.Failed() {
			return
		}
		var saw Sightings
		seed := uint64(k) + 1
		if bad, path := walk(seed, walkMoves, &saw); bad != "" {
			s := walkScope(seed)
			t.Errorf("%s:\n%s", bad, shorten(&s, path))
		}
		mu.Lock()
		defer mu.Unlock()
		all.add(&saw)
	})
	if t.Failed() || testing.Short() {
		return
	}
	for _, must := range Sometimes {
		if all[must] == 0 {
			t.Errorf("no walk ever came to %q: what is never reached is not proved", must)
		}
	}
}

func TestAWalkCanBePlayedAgain(t *testing.T) {
	var saw Sightings
	for seed := range uint64(50) {
		bad, path := walk(seed, walkMoves, &saw)
		if bad != "" {
			t.Fatal(bad)
		}
		back, err := ParsePath(path.String())
		if err != nil {
			t.Fatal(err)
		}
		if again, err := playAll(scopeNamed(t, back.Scope), back.Moves); again != "" || err != nil {
			t.Fatalf("seed %d: %q, %v", seed, again, err)
		}
	}
}

// walk takes so many moves from where the scope of a seed begins. It says what was found that must not be, and the way there.
func walk(seed uint64, moves int, saw *Sightings) (bad string, path Path) {
	s := walkScope(seed)
	r := rand.New(rand.NewPCG(seed, 0x3a1c))
	often := drawOften(r)
	who, names := newPlayer(&s), renamer{}
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

// drawOften draws how often what happens in a walk.
func drawOften(r *rand.Rand) [kindEnd]int {
	often := usual
	for k := range often {
		often[k] *= [...]int{1, 4, 4, 16}[r.IntN(4)]
	}
	return often
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

// shorten leaves moves out of a path, as many as possible at once, as long as something that must not be is still found at its end.
// What cannot happen any more without them is left out, too.
func shorten(s *Scope, p Path) Path {
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
	return p
}

// loosely plays what is possible of some moves, up to something that must not be.
func (s *Scope) loosely(moves []Move) (played []Move, bad string) {
	who, names, c := newPlayer(s), renamer{}, beginning(s)
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

// playAll carries moves out from the beginning of a scope, and says what is wrong at their end, or before it, or "". It fails where
// a move is impossible.
func playAll(s *Scope, moves []Move) (bad string, err error) {
	who, names, c := newPlayer(s), renamer{}, beginning(s)
	for i, m := range moves {
		if !possible(s, &c, m) {
			return "", fmt.Errorf("move %d, %s: it cannot happen there", i+1, m)
		}
		if bad := who.play(&c, m); bad != "" {
			return fmt.Sprintf("after move %d, %s: %s", i+1, m, bad), nil
		}
		names.rename(s, &c)
	}
	return "", nil
}

func possible(s *Scope, c *Cluster, m Move) bool { return slices.Contains(s.moves(c, nil), m) }
