package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestCollectJoinsTimes(t *testing.T) {
	power, mute := scenarios[0], scenarios[4]
	k := keepalived{s}
	results := collect([]played{
		{program: k, scenario: power, outcome: outcome{Unserved: 3 * s}},
		{program: k, scenario: power, outcome: outcome{Unserved: 4 * s, Lost: true, Note: "a word"}},
		{program: k, scenario: power, outcome: outcome{Unserved: 2 * s, Note: "a word"}},
		{program: k, scenario: power, err: errors.New("it broke")},
		{program: k, scenario: mute, outcome: outcome{Doubled: 20 * s, Needless: 1}},
		{program: keepalived{2 * s}, scenario: power},
	})
	if len(results) != 3 {
		t.Fatalf("%+v", results)
	}
	r := results[0]
	if len(r.UnservedMS) != 3 || r.UnservedMS[1] != 4000 || r.Lost != 1 || len(r.Notes) != 1 {
		t.Errorf("%+v", r)
	}
	got := strings.Join(r.cells(), "|")
	if want := "owner loses power|keepalived|1s|3.00 (2.00 to 4.00), not back in 1 of 3|0|0|0|3"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	got = strings.Join(results[1].cells(), "|")
	if want := "one way cut for 20 s: standby deaf|keepalived|1s|0|20.00|1|0|1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestReport(t *testing.T) {
	r := Report{Taken: "now", Skipped: []string{"x is left out"}, Results: []Result{
		{Program: "b", Version: "2", Timing: "1s", Scenario: "freeze-owner", Title: "frozen", UnservedMS: []float64{10000}, DoubledMS: []float64{0}, Needless: []int{0}, Cuts: []int{0}, Lost: 1},
		{Program: "a", Version: "1", Timing: "1s", Scenario: "power", Title: "cut", UnservedMS: []float64{3600}, DoubledMS: []float64{0.4}, Needless: []int{0}, Cuts: []int{0}, Notes: []string{"hm"}},
	}}
	var text bytes.Buffer
	if err := r.table(&text); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.String(), "\n")
	if len(lines) < 4 || !strings.HasPrefix(lines[2], "| cut ") || !strings.Contains(lines[2], "| 3.60 ") || !strings.Contains(lines[3], "10.00, not back") {
		t.Errorf("%s", text.String())
	}
	for _, want := range []string{"b is 2\n", "a is 1\n", "a 1s, power: hm\n", "x is left out\n", "| 0.00 "} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
	var out bytes.Buffer
	if err := r.json(&out); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || len(back.Results) != 2 || back.Results[0].Lost != 1 || !strings.Contains(out.String(), `"two_owners_ms"`) {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestMissingSaysWhatToInstall(t *testing.T) {
	if got := needs("heartbeat", "/no/such/file"); !strings.Contains(got, "Debian's package heartbeat") {
		t.Error(got)
	}
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		p    program
		o    options
		want int
	}{
		{heartbeat{s, 3 * s}, options{times: 1}, len(scenarios)},
		{keepalived{s}, options{times: 2}, 2 * (len(scenarios) - 3)}, // no cable, no noise
		{serialhb{s, 3}, options{times: 1, scenario: "freeze"}, 2},
	} {
		if got := len(plan([]program{c.p}, c.o)); got != c.want {
			t.Errorf("%s: %d, want %d", c.p.name(), got, c.want)
		}
	}
}
