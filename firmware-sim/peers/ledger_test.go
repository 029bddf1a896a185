package main

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

func TestParseLedger(t *testing.T) {
	got, err := parseLedger("begin alpha 1000000000\nend alpha 2000000000\nbegin bravo 3000000000\n")
	want := []mark{begin(owner, 1*s), end(owner, 2*s), begin(standby, 3*s)}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"begin alpha", "begin alpha x", "begin alpha -1", "start alpha 1", "begin alpha 1 2", "\n"} {
		if got, err := parseLedger("begin alpha 1\n" + text + "\n"); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestNoLedgerIsEmpty(t *testing.T) {
	if got, err := readLedger(filepath.Join(t.TempDir(), "none")); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := readLedger(t.TempDir()); err == nil {
		t.Error("a folder is read as a ledger")
	}
}

// What the resource enters is what is read, once for each change.
func TestResource(t *testing.T) {
	dir := t.TempDir()
	ledger, flag := filepath.Join(dir, "ledger"), filepath.Join(dir, "flag")
	before := mono.Now()
	for _, step := range []struct{ verb, says string }{
		{"status", "stopped"}, {"stop", ""}, {"start", ""}, {"start", ""}, {"status", "running"}, {"stop", ""}, {"stop", ""}, {"status", "stopped"},
	} {
		if said, err := resource(owner, ledger, flag, step.verb); err != nil || said != step.says {
			t.Errorf("%s: %q, %v", step.verb, said, err)
		}
	}
	marks, err := readLedger(ledger)
	if err != nil || len(marks) != 2 || !marks[0].begin || marks[1].begin || marks[0].node != owner ||
		marks[0].at < before || marks[1].at < marks[0].at || marks[1].at > mono.Now() {
		t.Errorf("%v, %v", marks, err)
	}
	if _, err := resource(owner, ledger, flag, "restart"); err == nil {
		t.Error("restart is no verb")
	}
	if _, err := resource(owner, filepath.Join(dir, "no", "ledger"), flag, "start"); err == nil {
		t.Error("a start that is in no ledger succeeds")
	}
}
