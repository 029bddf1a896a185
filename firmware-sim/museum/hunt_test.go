package museum

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// program is a test binary that does what a shell is told.
func program(t *testing.T, does string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.test")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+does+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

// A ring is a control only if it was through with the source as it is, and had nothing to say.
func TestWhatAControlSays(t *testing.T) {
	ring := Ring{Package: ".", Run: "TestA"}
	for does, want := range map[string]string{
		"echo '--- PASS: TestA (0.0s)'":         "",
		"echo '--- FAIL: TestA (0.0s)'; exit 1": "complains of the source itself",
		"echo '--- PASS: TestB (0.0s)'":         "there is no test TestA",
		"exit 2":                                "ended without a word of its own",
		"exec sleep 60":                         "was not run",
		"echo '--- PASS: TestA (0.0s)'; exec >&- 2>&-; exec sleep 60 ": "was not run",
	} {
		m := Museum{Root: t.TempDir(), Budget: 10 * time.Second}
		if want == "was not run" {
			m.Budget = 100 * time.Millisecond
		}
		err := m.holds(t.Context(), program(t, does), ring)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", does, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %q", does, err, want)
		}
	}
}
