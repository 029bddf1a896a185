package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The figures are those of the kernel: what this process has used can only grow, and cannot be more than there was time.
func TestUsedGrowsWithWork(t *testing.T) {
	before, err := used("/proc/self")
	if err != nil || before.resident <= 0 {
		t.Fatalf("%+v, %v", before, err)
	}
	for end := time.Now().Add(20 * time.Second); ; {
		now, err := used("/proc/self")
		switch {
		case err != nil || now.cpu < before.cpu:
			t.Fatalf("%+v after %+v, %v", now, before, err)
		case now.cpu >= before.cpu+50*time.Millisecond:
			return
		case time.Now().After(end):
			t.Fatal("twenty seconds of work are no processor time")
		}
	}
}

func TestUsedRefusesWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"", "7 (a) S 1 2", "7 (a) S" + " x x x x x x x x x x x x x x x x x x x x x x x"} {
		if err := os.WriteFile(filepath.Join(dir, "stat"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if u, err := used(dir); err == nil {
			t.Errorf("%q: %+v", text, u)
		}
	}
}

func TestTwoDaemonsAreLookedFor(t *testing.T) {
	if all, err := daemons("/no/such/program"); err == nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
}
