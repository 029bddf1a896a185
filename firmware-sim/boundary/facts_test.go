package boundary

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/story"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/journal"
)

const boot = "0f9e2c1a-6b1d-4c55-9d3e-aa11bb22cc33"

// office makes the folders of a survivor with whole facts in them.
func office(t *testing.T) (dir, run, state string) {
	t.Helper()
	dir = t.TempDir()
	run, state = filepath.Join(dir, "run", "lab", survivor), filepath.Join(dir, "state", "lab", survivor)
	v, err := journal.NewVolatile(run, boot)
	if err != nil {
		t.Fatal(err)
	}
	d, err := journal.NewDurable(state, boot)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(v.Save(factsKind, failover.Volatile{Fences: 3}), d.Save(factsKind, failover.Durable{Armed: true})); err != nil {
		t.Fatal(err)
	}
	return dir, run, state
}

func TestWhatIsLeftMustBeWhole(t *testing.T) {
	for what, c := range map[string]struct {
		spoil func(run, state string) error
		says  string
	}{
		"whole":           {func(run, state string) error { return nil }, ""},
		"empty":           {func(run, _ string) error { return os.Truncate(filepath.Join(run, "decision.facts"), 0) }, "is empty"},
		"torn":            {func(_, state string) error { return os.Truncate(filepath.Join(state, "decision.facts"), 90) }, "is torn"},
		"gone":            {func(run, _ string) error { return os.Remove(filepath.Join(run, "decision.facts")) }, "does not exist"},
		"half a record":   {halfRecord, "ends in the middle of a record"},
		"a left over tmp": {func(run, _ string) error { return os.WriteFile(filepath.Join(run, "decision.facts.tmp"), nil, 0o600) }, ""},
	} {
		dir, run, state := office(t)
		if err := c.spoil(run, state); err != nil {
			t.Fatal(err)
		}
		l := readLeft(dir, boot)
		err := errors.Join(l.errs...)
		if c.says == "" && (err != nil || l.volatile.Fences != 3 || !l.durable.Armed) {
			t.Errorf("%s: %v %+v", what, err, l)
		}
		if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func halfRecord(run, _ string) error {
	dir := filepath.Join(run, "record")
	return errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "events-00000000000000000001.jsonl"), []byte(`{"seq":1,"bo`), 0o600))
}

func TestNothingIsDoneOfWhichTheFileDoesNotSaySo(t *testing.T) {
	coil := board.Event{At: 10, Kind: "coil", Name: "RELAY_ALPHA", Value: "on"}
	off := func(at time.Duration) board.Event {
		return board.Event{At: at, Kind: coil.Kind, Name: coil.Name, Value: "off"}
	}
	runs := board.Event{At: 20, Kind: "run", Name: "web", Value: "begin bravo"}
	told := func() *left {
		l := &left{at: 30, codes: []string{"cut", "start"}}
		l.volatile.Fences, l.volatile.Peers[0].Open = 1, true
		l.volatile.Groups[0] = failover.VolatileGroup{Held: true, Rests: 1}
		return l
	}
	for _, c := range []struct {
		events []board.Event
		lose   func(*left)
		says   string
	}{
		{[]board.Event{coil, runs}, func(*left) {}, ""},
		{nil, func(l *left) { *l = left{} }, ""},
		{[]board.Event{{At: 1, Kind: coil.Kind, Name: coil.Name, Value: "on"}}, func(l *left) { *l = left{} }, ""}, // before the loss
		{[]board.Event{coil}, func(l *left) { l.volatile.Peers[0].Open, l.volatile.Groups[0].Held = false, false }, "the cut is or may be open"},
		{[]board.Event{coil, off(29)}, func(l *left) { l.volatile.Peers[0].Open, l.volatile.Groups[0].Held = false, false }, ""},
		{[]board.Event{coil, off(30)}, func(l *left) { l.volatile.Peers[0].Open, l.volatile.Groups[0].Held = false, false }, "the cut is or may be open"},
		{[]board.Event{coil, off(29)}, func(l *left) { l.volatile.Fences = 0 }, "not counted"},
		{[]board.Event{coil}, func(l *left) { l.codes = []string{"start"} }, "the relay was driven, and the record does not say why"},
		{[]board.Event{runs}, func(l *left) { l.volatile.Groups[0].Held = false }, "the group is held"},
		{[]board.Event{runs}, func(l *left) { l.volatile.Groups[0].Rests = 0 }, "the other is off"},
		{[]board.Event{runs, {At: 25, Kind: "host", Name: owner, Value: "daemon started 12"}}, func(l *left) { l.volatile.Groups[0].Rests = 0 }, ""},
		{[]board.Event{runs}, func(l *left) { l.codes = []string{"cut"} }, "the service runs, and the record does not say why"},
	} {
		l := told()
		c.lose(l)
		w := &rig{out: &Outcome{lostAt: 5}}
		err := errors.Join(w.judge(l, story.View{Board: c.events})...)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%q: %v", c.says, err)
		}
	}
}
