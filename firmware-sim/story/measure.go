package story

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The ways in which a measured owner falls silent.
const (
	ByMains  = "mains"  // its mains are cut: its power sense falls by itself
	ByFreeze = "freeze" // it hangs with its power on: only the relay makes the sense fall
)

// Measurement says what to measure.
type Measurement struct {
	Cuts     int    // 1 to 1000
	By       string // ByMains or ByFreeze
	Settings Settings
}

// maxCuts keeps a measurement within what the client remembers.
const maxCuts = 1000

// Script is the story that is measured: the two nodes take the service from each other in turn. Only takeovers are
// measured, never the first start.
func (m Measurement) Script() (Script, error) {
	if m.Cuts < 1 || m.Cuts > maxCuts {
		return Script{}, fmt.Errorf("the number of cuts must be 1 to %d, not %d", maxCuts, m.Cuts)
	}
	if m.By != ByMains && m.By != ByFreeze {
		return Script{}, fmt.Errorf("an owner falls silent by %s or by %s, not by %q", ByMains, ByFreeze, m.By)
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, s := range settings {
		line("config %s %s", s.key, s.get(m.Settings))
	}
	line("say measure")
	line("start")
	for _, n := range Nodes {
		line("expect reachable %s within 20s", n)
		line("run %s arm", n)
	}
	line("expect owner %s within 20s", Nodes[0])
	line("expect standby %s within 20s", Nodes[1])
	line("expect linked within 20s")
	for i := range m.Cuts {
		victim, heir := Nodes[i%2], Nodes[(i+1)%2]
		// What was awaited came with a pulse. Power fails at any time between two, so the cuts are spread over the interval.
		line("sleep %s", m.Settings.Interval*time.Duration(2*i+1)/time.Duration(2*m.Cuts))
		if m.By == ByMains {
			line("power-off %s", victim)
			line("expect owner %s within 20s", heir)
			line("expect dark %s within 20s", victim)
			line("power-on %s", victim)
		} else {
			line("freeze %s", victim)
			line("expect owner %s within 20s", heir)
		}
		line("expect standby %s within 20s", victim)
		line("expect linked within 20s")
		// The budget is spent as by any other takeover, and a person gives it back here.
		line("run %s clear", heir)
	}
	return Parse("measure", b.String())
}

// Figure is one part of the takeover time over all cuts, in milliseconds after the cause.
type Figure struct {
	Part   string  `json:"part"`
	N      int     `json:"n"`
	Median float64 `json:"median_ms"`
	Best   float64 `json:"best_ms"`
	Worst  float64 `json:"worst_ms"`
}

// Medians is the result of a measurement.
type Medians struct {
	Cuts        int      `json:"cuts"`
	By          string   `json:"by"`
	IntervalMS  float64  `json:"interval_ms"`
	Multiplier  int      `json:"multiplier"`
	DetectionMS float64  `json:"detection_ms"`
	HoldUpMS    float64  `json:"hold_up_ms"`
	SettleMS    float64  `json:"settle_ms"`
	ProveMS     float64  `json:"prove_ms"`
	Figures     []Figure `json:"figures"`
}

// Measure takes a service from one node to the other again and again and reports the medians of the parts. It returns
// what [Run] returns; what failed is reported, and then there are no medians.
func Measure(ctx context.Context, m Measurement, build Builder, clock func() time.Duration, sink Sink) error {
	script, err := m.Script()
	if err != nil {
		return err
	}
	var all []Takeover
	err = Run(ctx, script, build, clock, func(e Entry) error {
		switch {
		case e.Type == "failed":
			return sink(e)
		case e.Type == "takeover" && e.Takeover.From != "":
			all = append(all, *e.Takeover)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(all) != m.Cuts {
		return fmt.Errorf("story: measure: %d cuts gave %d takeovers: some were not seen", m.Cuts, len(all))
	}
	result := m.medians(all)
	return sink(Entry{Type: "medians", Medians: &result})
}

// part names one part of a takeover.
type part struct {
	name string
	at   func(Takeover) *float64
}

var parts = []part{
	{"silent", func(t Takeover) *float64 { return t.Silent }},
	{"coil", func(t Takeover) *float64 { return t.Coil }},
	{"sense", func(t Takeover) *float64 { return t.Sense }},
	{"proven", func(t Takeover) *float64 { return t.Proven }},
	{"start", func(t Takeover) *float64 { return t.Start }},
	{"up", func(t Takeover) *float64 { return t.Up }},
	{"first answer", func(t Takeover) *float64 { return t.Answer }},
	{"outage", func(t Takeover) *float64 { return t.Outage }},
}

func (m Measurement) medians(all []Takeover) Medians {
	s := m.Settings
	result := Medians{
		Cuts: m.Cuts, By: m.By, IntervalMS: ms(s.Interval), Multiplier: s.Multiplier,
		DetectionMS: ms(time.Duration(s.Multiplier) * s.Interval), HoldUpMS: ms(s.HoldUp), SettleMS: ms(s.Settle), ProveMS: ms(s.Prove),
	}
	for _, p := range parts {
		var values []float64
		for _, t := range all {
			if at := p.at(t); at != nil {
				values = append(values, *at)
			}
		}
		if len(values) == 0 {
			continue
		}
		slices.Sort(values)
		result.Figures = append(result.Figures, Figure{p.name, len(values), median(values), values[0], values[len(values)-1]})
	}
	return result
}

// median of sorted values, of which there is at least one.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (m *Medians) words() string {
	text := fmt.Sprintf("%d takeovers, the owner silenced by %s; a pulse every %s, silent after %d (%s); hold-up %s, settle %s, prove %s\n",
		m.Cuts, m.By, words(m.IntervalMS), m.Multiplier, words(m.DetectionMS), words(m.HoldUpMS), words(m.SettleMS), words(m.ProveMS))
	text += fmt.Sprintf("%-14s %12s %12s %12s %6s\n", "after", "median", "best", "worst", "n")
	for _, f := range m.Figures {
		text += fmt.Sprintf("%-14s %12s %12s %12s %6d\n", f.Part, words(f.Median), words(f.Best), words(f.Worst), f.N)
	}
	return text
}

// settingsFrom applies KEY=VALUE pairs to the defaults.
func settingsFrom(pairs []string) (Settings, error) {
	s := Defaults()
	var errs []error
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			errs = append(errs, fmt.Errorf("%q is not of the form KEY=VALUE; `serialhb lab --verbs` lists the settings", pair))
			continue
		}
		errs = append(errs, s.Set(key, value))
	}
	return s, errors.Join(errs...)
}
