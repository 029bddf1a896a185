package story

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// noClock notes what would be set. No test sets the clock of the machine on which it runs.
type noClock struct{ did *[]string }

func (c noClock) step(by time.Duration) error { *c.did = append(*c.did, by.String()); return nil }
func (c noClock) zone(name string) error      { *c.did = append(*c.did, name); return nil }

func TestOnlyAnOwnClockIsSet(t *testing.T) {
	f := up()
	var did []string
	w := ownClock{f, noClock{&did}}
	for _, o := range []Order{{Verb: "clock", For: -time.Hour}, {Verb: "zone", Name: "Asia/Kathmandu"}, {Verb: "power-off", Nodes: []string{"alpha"}}} {
		if _, err := w.Do(t.Context(), o); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(did, []string{"-1h0m0s", "Asia/Kathmandu"}) || !slices.Equal(f.done, []string{"power-off alpha"}) {
		t.Errorf("set %q, the world did %q", did, f.done)
	}
	for _, verb := range []string{"clock", "zone"} {
		if _, err := new(lab).Do(t.Context(), Order{Verb: verb}); err != errNotOwn {
			t.Errorf("%s on a rack alone: %v", verb, err)
		}
	}
}

func TestAStoryThatSetsTheClockIsRefused(t *testing.T) {
	for _, line := range []string{"clock +3s", "zone UTC", "perhaps clock -3s"} {
		var out, fault bytes.Buffer
		exit := Main(context.Background(), Options{Script: "-", In: strings.NewReader("start\n" + line + "\n"), Out: &out, Err: &fault})
		if exit != exitUsage || !strings.HasPrefix(fault.String(), "standard input:2: this sets the clock") || !strings.Contains(fault.String(), "--own-clock") || out.Len() > 0 {
			t.Errorf("%s: exit %d, %q, %q", line, exit, &fault, &out)
		}
	}
}

func TestStoriesOfGuestsAreRead(t *testing.T) {
	files, err := filepath.Glob("stories/guest/*.story")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(file, string(text))
		if _, needs := s.needs(clockOnly); err != nil || !needs {
			t.Errorf("%s needs a machine of its own: %v, %v", file, needs, err)
		}
	}
}
