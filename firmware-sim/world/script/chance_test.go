package script

import (
	"errors"
	"fmt"
	"testing"

	"github.com/serialhb/serialhb/firmware-sim/chance"
)

// Stories by chance hold: never two owners, and one in the end. `go run ./cmd/hbsim world` plays more of them.
func TestStoriesByChance(t *testing.T) {
	stories := 300
	if testing.Short() {
		stories = 30
	}
	for seed := range uint64(stories) {
		name := fmt.Sprintf("seed %d", seed)
		text := chance.Story(seed, 20, chance.World)
		s, err := Parse(name, text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if _, err := s.Run(); err != nil {
			var f *Failure
			if errors.As(err, &f) {
				t.Fatalf("%v\n%s\n%s", err, text, f.Story())
			}
			t.Fatal(err)
		}
	}
}
