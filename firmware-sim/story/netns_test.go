package story

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/segment"
)

// onSegments are the stories that need a network with a service address.
func onSegments(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("stories/netns/*.story")
	if err != nil || len(files) < 11 {
		t.Fatal(files, err)
	}
	return files
}

func TestStoriesOnASegmentAreRead(t *testing.T) {
	for _, file := range onSegments(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(file, string(text))
		if _, needs := s.needs(netOnly); err != nil || !needs {
			t.Errorf("%s needs a segment: %v, %v", file, needs, err)
		}
	}
}

// program builds serialhb: these stories are about what it does with addresses, which no toy can stand for.
func program(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds serialhb and tells long stories: run without -short")
	}
	if err := segment.Possible(); err != nil {
		t.Skip("no network segment can be made here: ", err)
	}
	s, err := segment.New()
	if err != nil {
		t.Skip("no network segment can be made here: ", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "serialhb")
	build := exec.Command("go", "build", "-o", path, "github.com/serialhb/serialhb/cmd/serialhb")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func TestStoriesOnASegment(t *testing.T) {
	binary := program(t)
	for _, file := range onSegments(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			dir := t.TempDir()
			var out, fault bytes.Buffer
			if exit := Main(t.Context(), Options{Netns: true, Binary: binary, Dir: dir, Script: file, Out: &out, Err: &fault}); exit != 0 {
				t.Errorf("exit %d: %s\n%s", exit, &fault, &out)
			}
			if left := processesUnder(t, dir); len(left) > 0 {
				t.Errorf("still running: %q", left)
			}
		})
	}
}

func TestAnInterruptTakesTheSegmentDown(t *testing.T) {
	binary := program(t)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	dir := t.TempDir()
	var out, fault bytes.Buffer
	exit := Main(ctx, Options{Netns: true, Binary: binary, Dir: dir, Script: "-", In: strings.NewReader("start\nsleep 1m\n"), Out: &out, Err: &fault})
	if exit != exitFailed || !strings.Contains(fault.String(), "interrupted at standard input:2") {
		t.Errorf("exit %d, %s", exit, &fault)
	}
	if left := processesUnder(t, dir); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
}
