package script_test

import (
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/chance"
	"github.com/serialhb/serialhb/firmware-sim/world/script"
)

// BenchmarkFate plays whole fates, one after the other, and says how many simulated hours of a pair a processor plays in a minute.
func BenchmarkFate(b *testing.B) {
	for _, interval := range []time.Duration{100 * time.Millisecond, time.Second} {
		b.Run(interval.String(), func(b *testing.B) {
			var simulated time.Duration
			for seed := uint64(1); b.Loop(); seed++ {
				f := chance.NewFate(seed, interval)
				w, err := script.Play(f.Name(), f.String())
				if err != nil {
					b.Fatal(err)
				}
				simulated += w.Now()
			}
			b.ReportMetric(simulated.Hours()/b.Elapsed().Minutes(), "hours/min")
		})
	}
}
