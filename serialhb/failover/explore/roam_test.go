package explore

import (
	"flag"
	"runtime"
	"sync"
	"testing"
)

var (
	roams   = flag.Int("roams", 300_000, "how many moves each roam takes")
	roamsIn = flag.String("scope", roaming.Name, "the scope that they take them in")
)

func TestRoamsHold(t *testing.T) {
	s, err := ScopeNamed(*roamsIn)
	if err != nil {
		t.Fatal(err)
	}
	n := *roams
	if testing.Short() {
		n = min(n, 5000)
	}
	var hands sync.WaitGroup
	for seed := range uint64(runtime.GOMAXPROCS(0)) {
		hands.Go(func() {
			var saw Sightings
			bad, path := Roam(s, seed, n, &saw)
			if bad == "" {
				return
			}
			if short, err := Shorten(path); err == nil {
				path = short
			}
			t.Errorf("%s:\n%s", bad, path)
		})
	}
	hands.Wait()
}
