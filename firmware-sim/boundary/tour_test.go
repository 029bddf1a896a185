package boundary

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A sample; `hbsim boundaries` goes to all of them.
func TestASampleOfBoundaries(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it kills real daemons for a quarter of a minute")
	}
	self := itself(t)
	binary := filepath.Join(t.TempDir(), "serialhb")
	build := exec.Command("go", "build", "-o", binary, "github.com/serialhb/serialhb/cmd/serialhb")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	tour := Tour{Program: Program{Binary: binary, Self: self, Dir: t.TempDir()}, Losses: Losses, Surveys: 1, Every: 97, Jobs: 2, Tries: 5}
	list, err := tour.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := tour.Go(t.Context(), list, func(s Stop) {
		t.Log(s)
		if s.Result() == "FAILED" {
			t.Errorf("%v\n%s", s.Err, s.Report)
		}
	})
	if sum := Count(done); sum.Held == 0 || len(list) < 5 {
		t.Errorf("%s", sum)
	}
}

func TestOnlyWhatWasReachedAndHeldCounts(t *testing.T) {
	list := []Stop{
		{Outcome: Outcome{Reached: true}},
		{Death: Twice, Outcome: Outcome{Reached: true, Released: true}},
		{Outcome: Outcome{Void: notReached, Err: errNotReached}},
		{Outcome: Outcome{Reached: true, Void: "this machine stood still", Err: errors.New("silent")}},
		{Outcome: Outcome{Reached: true, Err: errors.New("two owners")}},
		{Outcome: Outcome{}}, // nothing is said of it: no pass
	}
	want := Sum{Listed: 6, Held: 2, NotReached: 1, Void: 1, Failed: 2, Once: 1, Twice: 1, Released: 1}
	if got := Count(list); got != want || got.Err() == nil {
		t.Errorf("%+v", got)
	}
	if err := Count(list[:2]).Err(); err != nil {
		t.Error(err)
	}
	for _, few := range [][]Stop{nil, list[:3]} {
		if Count(few).Err() == nil {
			t.Errorf("%d stops passed", len(few))
		}
	}
}

func TestAnEndLeavesOutTheRest(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	tour := Tour{Jobs: 1, Tries: 5, Program: Program{Binary: "/does/not/exist", Self: "/does/not/exist", Dir: t.TempDir()}}
	done := tour.Go(ctx, []Stop{{Loss: ByMains, At: Boundary{Call: "write", Nth: 1, Side: Entry}}}, func(s Stop) { t.Errorf("told of %s", s) })
	if c := Count(done); c.Held != 0 || c.Err() == nil {
		t.Errorf("%+v", c)
	}
}
