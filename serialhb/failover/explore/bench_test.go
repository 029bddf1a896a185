package explore

import "testing"

// BenchmarkSearch gives clusters and moves per second of one processor.
func BenchmarkSearch(b *testing.B) {
	s, err := ScopeNamed("calm")
	if err != nil {
		b.Fatal(err)
	}
	var clusters, moves uint64
	for b.Loop() {
		r := Search(s, inTurn, func(r *Result) bool { return r.Clusters >= 50_000 })
		clusters += r.Clusters
		moves += r.Moves
	}
	b.ReportMetric(float64(clusters)/b.Elapsed().Seconds(), "clusters/s")
	b.ReportMetric(float64(moves)/b.Elapsed().Seconds(), "moves/s")
}
