package explore

import (
	"flag"
	"runtime"
	"sync"
	"testing"
)

var walks = flag.Uint64("walks", 4000, "how many walks are taken")

// walkMoves is how long a walk is.
const walkMoves = 250

func TestWalksHold(t *testing.T) {
	n := *walks
	if testing.Short() {
		n = min(n, 100)
	}
	seeds := make(chan uint64)
	var hands sync.WaitGroup
	var mu sync.Mutex
	var all Sightings
	for range runtime.GOMAXPROCS(0) {
		hands.Go(func() {
			var saw Sightings
			for seed := range seeds {
				bad, path := Walk(seed, walkMoves, &saw)
				if bad == "" {
					continue
				}
				if short, err := Shorten(path); err == nil {
					path = short
				}
				t.Errorf("%s:\n%s", bad, path)
			}
			mu.Lock()
			defer mu.Unlock()
			all.add(&saw)
		})
	}
	for seed := range n {
		if t.Failed() {
			break
		}
		seeds <- seed + 1
	}
	close(seeds)
	hands.Wait()
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
		bad, path := Walk(seed, walkMoves, &saw)
		if bad != "" {
			t.Fatal(bad)
		}
		back, err := ParsePath(path.String())
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Play(back); again != "" || err != nil {
			t.Fatalf("seed %d: %q, %v", seed, again, err)
		}
	}
}
