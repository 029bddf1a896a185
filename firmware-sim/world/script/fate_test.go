package script

import (
	"flag"
	"fmt"
	"runtime"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/serialhb/serialhb/firmware-sim/chance"
)

var seeds = flag.Uint64("seeds", 60, "how many fates are played")

// Half an hour of a pair for each seed, with ten faults or more: never two owners, no needless cut, and all is well in the end.
func TestFatesHold(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = min(n, 3)
	}
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for seed := range n {
		if t.Failed() {
			break
		}
		all.Go(func() error {
			if err := playSeed(seed + 1); err != nil {
				t.Errorf("%v\nfor its faults: go run ./cmd/hbsim world --seeds %d", err, seed+1)
			}
			return nil
		})
	}
	_ = all.Wait()
}

func playSeed(seed uint64) error {
	s, err := Parse(fmt.Sprintf("seed-%d", seed), chance.NewFate(seed, chance.FateOptions{}).String())
	if err == nil {
		_, err = s.Run()
	}
	return err
}
