package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Report is everything that was measured: the answer to -json. Keys are only added.
type Report struct {
	Taken   string   `json:"taken"` // UTC, RFC 3339
	Results []Result `json:"results"`
	Skipped []string `json:"skipped,omitempty"` // why a program was left out
	// LatenessMS is by how much the machine was late, at worst, to wake this program: what all of them had to bear.
	LatenessMS float64 `json:"worst_lateness_ms"`
}

// Result is one scenario as one program stood it. Of several times the lists have one figure each, in milliseconds.
type Result struct {
	Program    string    `json:"program"`
	Version    string    `json:"version"`
	Timing     string    `json:"timing"`
	Scenario   string    `json:"scenario"`
	Title      string    `json:"title"`
	UnservedMS []float64 `json:"unserved_ms"`
	DoubledMS  []float64 `json:"two_owners_ms"`
	Needless   []int     `json:"needless_starts"`
	Cuts       []int     `json:"healthy_nodes_cut"`
	Lost       int       `json:"not_served_at_the_end"` // in so many of the times
	Notes      []string  `json:"notes,omitempty"`
}

// collect puts the times of one scenario of one program together, in the order of the plan.
func collect(played []played) (results []Result) {
	for _, p := range played {
		if p.err != nil {
			continue
		}
		i := slices.IndexFunc(results, func(r Result) bool {
			return r.Program == p.program.name() && r.Timing == p.program.timing() && r.Scenario == p.scenario.name
		})
		if i < 0 {
			i = len(results)
			results = append(results, Result{
				Program: p.program.name(), Version: p.version, Timing: p.program.timing(),
				Scenario: p.scenario.name, Title: p.scenario.title,
			})
		}
		r := &results[i]
		r.UnservedMS = append(r.UnservedMS, ms(p.outcome.Unserved))
		r.DoubledMS = append(r.DoubledMS, ms(p.outcome.Doubled))
		r.Needless = append(r.Needless, p.outcome.Needless)
		r.Cuts = append(r.Cuts, p.outcome.Cuts)
		if p.outcome.Lost {
			r.Lost++
		}
		if n := p.outcome.Note; n != "" && !slices.Contains(r.Notes, n) {
			r.Notes = append(r.Notes, n)
		}
	}
	return results
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (r Report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// table prints Markdown that can be read as it is.
func (r Report) table(w io.Writer) error {
	rows := [][]string{{"scenario", "program", "timing", "no service, s", "two owners, s", "needless starts", "healthy nodes cut", "times"}}
	for _, s := range scenarios {
		for _, one := range r.Results {
			if one.Scenario == s.name {
				rows = append(rows, one.cells())
			}
		}
	}
	var b strings.Builder
	b.WriteString(aligned(rows))
	for _, v := range r.versions() {
		fmt.Fprintf(&b, "\n%s", v)
	}
	for _, one := range r.Results {
		for _, n := range one.Notes {
			fmt.Fprintf(&b, "\n%s %s, %s: %s", one.Program, one.Timing, one.Scenario, n)
		}
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(&b, "\n%s", s)
	}
	_, err := fmt.Fprintf(w, "%s\nthe machine was late by up to %.0f ms to wake this program\n", b.String(), r.LatenessMS)
	return err
}

func (r Report) versions() (lines []string) {
	for _, one := range r.Results {
		if line := one.Program + " is " + one.Version; !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

func (r Result) cells() []string {
	served := seconds(r.UnservedMS)
	if r.Lost > 0 {
		served += ", not back"
		if r.Lost < len(r.UnservedMS) {
			served += fmt.Sprintf(" in %d of %d", r.Lost, len(r.UnservedMS))
		}
	}
	return []string{r.Title, r.Program, r.Timing, served, seconds(r.DoubledMS), counts(r.Needless), counts(r.Cuts), fmt.Sprint(len(r.UnservedMS))}
}

// seconds is the median, and with several figures that differ the smallest and the largest.
func seconds(ms []float64) string {
	sorted := slices.Sorted(slices.Values(ms))
	show := func(ms float64) string {
		if ms == 0 {
			return "0"
		}
		return fmt.Sprintf("%.2f", ms/1000)
	}
	return spread(sorted, show)
}

func counts(n []int) string {
	return spread(slices.Sorted(slices.Values(n)), func(n int) string { return fmt.Sprint(n) })
}

func spread[T any](sorted []T, show func(T) string) string {
	if len(sorted) == 0 {
		return ""
	}
	low, mid, high := show(sorted[0]), show(sorted[len(sorted)/2]), show(sorted[len(sorted)-1])
	if low == high {
		return mid
	}
	return fmt.Sprintf("%s (%s to %s)", mid, low, high)
}

func aligned(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, row := range rows {
		for i, cell := range row {
			fmt.Fprintf(&b, "| %-*s ", widths[i], cell)
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, w := range widths {
				b.WriteString("|" + strings.Repeat("-", w+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}
