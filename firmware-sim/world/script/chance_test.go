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
		text := chance.Story(seed, 20, chance.World)
		if _, err := Play(fmt.Sprintf("seed %d", seed), text); err != nil {
			var f *Failure
			if errors.As(err, &f) {
				t.Fatalf("%v\n%s\n%s", err, text, f.Story())
			}
			t.Fatalf("%v\n%s", err, text)
		}
	}
}
