package main

import (
	"reflect"
	"testing"
	"time"
)

const s = time.Second

func begin(node string, at time.Duration) mark { return mark{at, node, true} }
func end(node string, at time.Duration) mark   { return mark{at, node, false} }

func TestOutcome(t *testing.T) {
	for _, c := range []struct {
		what   string
		o      observation
		needed int
		want   outcome
	}{
		{"nothing happened",
			observation{marks: []mark{begin(owner, 1*s)}, since: 10 * s, until: 20 * s}, 0, outcome{}},
		{"a takeover after a power cut: the ledger of the dead has no end",
			observation{
				marks:  []mark{begin(owner, 1*s), begin(standby, 13*s)},
				absent: []span{{owner, 10 * s, 30 * s}}, since: 10 * s, until: 30 * s,
			}, 1, outcome{Unserved: 3 * s}},
		{"no takeover",
			observation{marks: []mark{begin(owner, 1*s)}, absent: []span{{owner, 10 * s, 30 * s}}, since: 10 * s, until: 30 * s}, 1,
			outcome{Unserved: 20 * s, Lost: true}},
		{"both hold it, and then nobody",
			observation{marks: []mark{begin(owner, 1*s), begin(standby, 12*s), end(owner, 15*s), end(standby, 17*s), begin(owner, 18*s)}, since: 10 * s, until: 20 * s}, 0,
			outcome{Doubled: 3 * s, Unserved: 1 * s, Needless: 2}},
		{"a frozen owner that comes back beside its successor",
			observation{
				marks:  []mark{begin(owner, 1*s), begin(standby, 13*s), end(owner, 22*s)},
				absent: []span{{owner, 10 * s, 20 * s}}, since: 10 * s, until: 30 * s,
			}, 1, outcome{Unserved: 3 * s, Doubled: 2 * s, Needless: 1}},
		{"a frozen owner that nobody succeeded",
			observation{marks: []mark{begin(owner, 1*s)}, absent: []span{{owner, 10 * s, 20 * s}}, since: 10 * s, until: 30 * s}, 1,
			outcome{Unserved: 10 * s}},
		{"an owner that was cut while it was frozen",
			observation{
				marks:  []mark{begin(owner, 1*s), end(owner, 13*s), begin(standby, 14*s)},
				absent: []span{{owner, 10 * s, 20 * s}}, since: 10 * s, until: 30 * s,
			}, 1, outcome{Unserved: 4 * s}},
		{"what was before does not count",
			observation{marks: []mark{begin(owner, 1*s), begin(standby, 2*s), end(standby, 4*s), end(owner, 5*s), begin(owner, 6*s)}, since: 10 * s, until: 20 * s}, 0,
			outcome{}},
		{"lost at the very end", observation{marks: []mark{begin(owner, 1*s), end(owner, 19*s)}, since: 10 * s, until: 20 * s}, 0,
			outcome{Unserved: 1 * s, Lost: true}},
		{"an empty ledger", observation{since: 10 * s, until: 20 * s, cuts: 1, note: "a word"}, 0,
			outcome{Unserved: 10 * s, Lost: true, Cuts: 1, Note: "a word"}},
	} {
		if got := c.o.outcome(c.needed); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
	}
}

func TestHoldsForgivesRepetition(t *testing.T) {
	marks := []mark{end(owner, 1*s), begin(owner, 2*s), begin(owner, 3*s), end(owner, 4*s), end(owner, 5*s), begin(standby, 0)}
	want := []span{{standby, 0, 9 * s}, {owner, 2 * s, 4 * s}}
	if got := holds(marks, 9*s); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestWithoutCutsOnBothSides(t *testing.T) {
	held := []span{{owner, 1 * s, 9 * s}, {standby, 1 * s, 9 * s}}
	got := without(held, []span{{owner, 3 * s, 4 * s}, {owner, 8 * s, 20 * s}, {standby, 0, 30 * s}})
	want := []span{{owner, 1 * s, 3 * s}, {owner, 4 * s, 8 * s}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAbsentFollowsTheMisfortune(t *testing.T) {
	for _, sc := range scenarios {
		got := sc.absent(1*s, 2*s, 3*s)
		var want []span
		switch sc.name {
		case "power":
			want = []span{{owner, 1 * s, 3 * s}}
		case "freeze-owner":
			want = []span{{owner, 1 * s, 2 * s}}
		case "freeze-standby":
			want = []span{{standby, 1 * s, 2 * s}}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", sc.name, got, want)
		}
	}
}
