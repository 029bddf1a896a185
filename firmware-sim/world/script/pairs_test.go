package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/serialhb/serialhb/firmware-sim/chance"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

const decision = "../../../serialhb/failover"

// What fates meet too seldom is met by a story, each time, or by a test that there is.
func TestRarePairsAreMet(t *testing.T) {
	for _, m := range chance.Marks() {
		for _, p := range m.Phases {
			if why := proof(t, m.By, p, m.Event); m.By != "" && why != "" {
				t.Errorf("%s in %s: %s", m.Event, p, why)
			}
		}
	}
	for by, want := range map[string]string{"switchover.txt": "does not meet it", "TestThatThereIsNot": "no such test", "none.txt": "no such file"} {
		if why := proof(t, by, pulse.Active, failover.Started); !strings.Contains(why, want) {
			t.Errorf("%s: %q", by, why)
		}
	}
}

// proof says why what shall meet a pair does not, or "".
func proof(t *testing.T, by string, p pulse.Phase, e failover.EventKind) string {
	if strings.HasPrefix(by, "Test") {
		files, err := filepath.Glob(filepath.Join(decision, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if text, err := os.ReadFile(f); err == nil && strings.Contains(string(text), "\nfunc "+by+"(") {
				return ""
			}
		}
		return by + ": no such test in serialhb/failover"
	}
	text, err := os.ReadFile(filepath.Join(decision, "testdata", by))
	if err != nil {
		return err.Error()
	}
	w, err := Play(by, string(text))
	if err != nil {
		return err.Error()
	}
	if w.Pairs()[p][e] == 0 {
		return by + " does not meet it"
	}
	return ""
}
