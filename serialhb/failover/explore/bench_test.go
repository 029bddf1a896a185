package explore

import (
	"context"
	"testing"
)

// BenchmarkSearch gives clusters and moves per second of one worker.
func BenchmarkSearch(b *testing.B) {
	s, err := ScopeNamed("calm")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r := Search(context.Background(), s, Limit{Workers: 1, Clusters: 200000})
		b.ReportMetric(float64(r.Clusters)/r.Took.Seconds(), "clusters/s")
		b.ReportMetric(float64(r.Moves)/r.Took.Seconds(), "moves/s")
	}
}
