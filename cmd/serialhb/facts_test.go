package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/journal"
)

func TestFactsSurviveTheLossOfTheirDirectory(t *testing.T) {
	dir, state := filepath.Join(t.TempDir(), "plant-7", "alpha"), t.TempDir()
	v, err := journal.NewVolatile(dir, "boot-1")
	if err != nil {
		t.Fatal(err)
	}
	f := &facts{dir: dir, mode: runMode, store: v, lost: &lost{}}
	if err := os.RemoveAll(filepath.Dir(dir)); err != nil {
		t.Fatal(err)
	}
	facts := failover.Volatile{Moves: 3}
	facts.Groups[0].Held = true
	if err := f.Save(facts); err != nil {
		t.Fatalf("a run directory that was removed must be made again: %v", err)
	}
	d, err := journal.NewDurable(state, "boot-1")
	if err != nil {
		t.Fatal(err)
	}
	var o daemon.Options
	if err := kept(v, d, &o); err != nil || !o.SameBoot || o.Volatile != facts {
		t.Errorf("read back %+v, same boot %v, %v", o.Volatile, o.SameBoot, err)
	}
}

func TestRecordTellsThatItDoesNotReachTheDisk(t *testing.T) {
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	if err := os.WriteFile(state, nil, 0o600); err != nil { // a file where the directory should be
		t.Fatal(err)
	}
	l, err := journal.OpenLog(journal.LogConfig{RunDir: filepath.Join(dir, "run"), StateDir: state, BootID: "boot-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(t.Context())
	r := recorder{l, &lost{}}
	if _, err := r.Append("note", 1); err != nil {
		t.Fatal(err)
	}
	l.Flush(t.Context())
	if r.Behind() == nil {
		t.Error("nobody is told that the record stays in the run directory")
	}
}

func TestARecordInMemoryIsTold(t *testing.T) {
	dir := t.TempDir()
	l, err := journal.OpenLog(journal.LogConfig{RunDir: filepath.Join(dir, "run"), StateDir: filepath.Join(dir, "state"), BootID: "boot-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(t.Context())
	l.Flush(t.Context())
	none := &lost{}
	r := recorder{l, none}
	if err := r.Behind(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "run")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "run"), nil, 0o600); err != nil { // a file in its place
		t.Fatal(err)
	}
	if _, err := r.Append("note", 1); err == nil || r.Behind() == nil {
		t.Errorf("%v, and nobody is told that it waits", err)
	}
	if err := os.Remove(filepath.Join(dir, "run")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Flush(t.Context()), r.Behind()); err != nil {
		t.Error(err)
	}
	gone := errors.New("another daemon took over")
	none.mark(gone)
	if r.Behind() != gone {
		t.Error("nobody is told that nothing may be written")
	}
}
