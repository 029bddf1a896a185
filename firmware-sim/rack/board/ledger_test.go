package board

import (
	"testing"
	"time"
)

func TestLedgerTimes(t *testing.T) {
	onBench(t, Standard(pair, Options{}), func(b *bench) {
		a, c := &session{}, &session{}
		begin := func(s *session, node string) {
			b.Helper()
			if _, err := b.begin(s, "web", node); err != nil {
				b.Fatal(err)
			}
		}
		begin(a, "alpha")
		if _, err := b.begin(a, "web", "alpha"); err == nil {
			b.Error("a connection began two runs")
		}
		b.wait(time.Second)
		b.drop(a)
		begin(c, "bravo") // at the same moment: no overlap
		b.wait(time.Second)
		if o := Overlaps(b.ledger()); len(o) != 0 {
			b.Errorf("overlaps %v", o)
		}
		begin(a, "alpha")
		b.wait(30 * time.Millisecond)
		if o := Overlaps(b.ledger()); len(o) != 1 || o[0].For != Open {
			b.Errorf("both run: overlaps %v", o)
		}
		if err := b.end(a); err != nil {
			b.Fatal(err)
		}
		if o := Overlaps(b.ledger()); len(o) != 1 || o[0].For != 30*time.Millisecond {
			b.Errorf("overlaps %v, want one of 30ms", o)
		}
		if runs := b.ledger(); runs[0].End != time.Second || runs[1].End != Open {
			b.Errorf("runs %v", runs)
		}
	})
}

func TestOverlapsIgnoresWhatIsNone(t *testing.T) {
	run := func(service, node string, begin, end time.Duration) Run {
		return Run{Service: service, Node: node, Begin: begin, End: end}
	}
	for what, runs := range map[string][]Run{
		"other service": {run("web", "alpha", 0, Open), run("db", "bravo", 0, Open)},
		"same node":     {run("web", "alpha", 0, Open), run("web", "alpha", 1, Open)},
		"touching":      {run("web", "alpha", 0, 5), run("web", "bravo", 5, Open)},
		"reversed":      {run("web", "alpha", 5, Open), run("web", "bravo", 0, 5)},
	} {
		if o := Overlaps(runs); len(o) != 0 {
			t.Errorf("%s: %v", what, o)
		}
	}
}

func TestConfigRefusals(t *testing.T) {
	ok := Standard([]string{"alpha", "bravo", "charlie"}, Options{Supplies: 2, SecondLevel: true})
	if err := ok.validate(); err != nil {
		t.Fatal(err)
	}
	for what, cfg := range map[string]Config{
		"relay twice":     {Relays: []Relay{{Name: "R"}, {Name: "R"}}},
		"space in a name": {Relays: []Relay{{Name: "R 1"}}},
		"unknown cut":     {Relays: []Relay{{Name: "R", Cut: "open"}}},
		"missing relay":   {Hosts: []Host{{Name: "alpha", Supplies: [][]string{{"R"}}}}},
		"missing host":    {Senses: []Sense{{Name: "S", Kind: DC, Of: "alpha"}}},
		"missing supply":  {Hosts: []Host{{Name: "alpha"}}, Senses: []Sense{{Name: "S", Kind: Feed, Of: "alpha"}}},
		"off level":       {Hosts: []Host{{Name: "alpha"}}, Senses: []Sense{{Name: "S", Kind: DC, Of: "alpha", Off: 2}}},
	} {
		if err := cfg.validate(); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}
