package script

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/serialhb/serialhb/firmware-sim/chance"
	"github.com/serialhb/serialhb/firmware-sim/world"
)

// measured is how many seeds the floors below are about.
const measured = 60

var (
	seeds   = flag.Uint64("seeds", measured, "how many fates are played")
	rewrite = flag.Bool("rewrite", false, "write the hashes of the golden seeds afresh")
)

// Half an hour of a pair for each seed, with ten faults or more: never two owners, no needless cut, and all is well in the end.
// And something has to happen: much less than what came of the first seeds when this was written, and the fates are too tame.
func TestFatesHold(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = min(n, 3)
	}
	var mu sync.Mutex
	var sum chance.Tally
	var pairs world.Pairs
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for seed := range n {
		if t.Failed() {
			break
		}
		all.Go(func() error {
			f := chance.NewFate(seed+1, 0)
			w, err := Play(f.Name(), f.String())
			if err != nil {
				t.Errorf("%v\nfor its faults: go run ./cmd/hbsim world --seeds %d", err, seed+1)
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			sum.Begin()
			for _, n := range w.Notes() {
				sum.ToldOf(n.Node, n.Code.String(), n.Group)
			}
			pairs.Add(w.Pairs())
			return nil
		})
	}
	_ = all.Wait()
	if err := chance.Disproved(&pairs); err != nil {
		t.Error(err)
	}
	if n < measured || t.Failed() {
		return
	}
	for what, c := range map[string]struct{ got, floor int }{
		"fences proven": {sum.Fences, 55},
		"takeovers":     {sum.Takeovers, 45},
		"switchovers":   {sum.Switchovers, 8},
		"blocked":       {sum.Blocked, 10},
	} {
		if c.got < c.floor {
			t.Errorf("%s: %d in %d seeds, at least %d have to be", what, c.got, n, c.floor)
		}
	}
}

// The same seed has the same history on any machine, down to the nanosecond. After a change of what is decided or simulated:
// go test -run TestGoldenSeeds -rewrite.
func TestGoldenSeeds(t *testing.T) {
	const file = "testdata/hashes.txt"
	want, err := os.ReadFile(file)
	if err != nil && !*rewrite {
		t.Fatal(err)
	}
	n := uint64(4)
	if testing.Short() {
		n = 1
	}
	var got bytes.Buffer
	for seed := range n {
		f := chance.NewFate(seed+1, 0)
		w, err := Play(f.Name(), f.String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s %016x\n", f.Name(), w.Hash())
	}
	if *rewrite && !testing.Short() {
		if err := os.WriteFile(file, got.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.HasPrefix(want, got.Bytes()) || !testing.Short() && got.Len() != len(want) {
		t.Errorf("the histories are\n%sand were\n%s", got.String(), want)
	}
}
