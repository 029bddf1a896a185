package failover_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/serialhb/serialhb/firmware-sim/world/script"
)

// longSleep finds the stories that take seconds.
var longSleep = regexp.MustCompile(`(?m)^sleep \d+(d|h)$`)

// TestStories plays every story of testdata. Each is a text that a person can read; README.md tells the language.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if testing.Short() && longSleep.Match(text) {
				t.Skip("days of simulated time")
			}
			story, err := script.Parse(file, string(text))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := story.Run(); err != nil {
				var f *script.Failure
				if errors.As(err, &f) {
					t.Log("\n" + f.Story())
				}
				t.Fatal(err)
			}
		})
	}
}

// TestReadmeTellsTheLanguage: the page lists exactly what the parser knows. If this fails, put the output of script.Help
// at the end of README.md.
func TestReadmeTellsTheLanguage(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(page), script.Help()) {
		t.Errorf("README.md does not end with\n%s", script.Help())
	}
}
