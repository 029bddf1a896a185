package main

import (
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/story"
)

func TestStoriesParse(t *testing.T) {
	for _, sc := range scenarios {
		for _, p := range all() {
			p, ok := p.(serialhb)
			if !ok {
				continue
			}
			text := p.text(sc)
			if _, err := story.Parse(sc.name, text); err != nil {
				t.Errorf("%s: %v", sc.name, err)
			}
			if inflict, relieve := orders(sc); !strings.Contains(text, "say now\n"+inflict+"\n") || (sc.lasts > 0) != (relieve != "") {
				t.Errorf("%s: %q, %q in\n%s", sc.name, inflict, relieve, text)
			}
		}
	}
}

func TestMarksOfBoard(t *testing.T) {
	events := []board.Event{
		{At: 1 * s, Kind: "run", Name: "web", Value: "begin alpha"},
		{At: 2 * s, Kind: "power", Name: owner, Value: "off"},
		{At: 2 * s, Kind: "run", Name: "web", Value: "end alpha"},
		{At: 5 * s, Kind: "power", Name: owner, Value: "on"},
		{At: 7 * s, Kind: "power", Name: owner, Value: "off"},
		{At: 7 * s, Kind: "power", Name: standby, Value: "off"},
	}
	if got := marksOf(events); !reflect.DeepEqual(got, []mark{begin(owner, 1*s), end(owner, 2*s)}) {
		t.Errorf("%v", got)
	}
	if got := healthyCut(events, 0, []span{{owner, 1 * s, 6 * s}}); got != 2 {
		t.Errorf("%d healthy nodes were cut, want 2", got)
	}
	if got := healthyCut(events, 6*s, []span{{owner, 1 * s, 9 * s}}); got != 1 {
		t.Errorf("%d healthy nodes were cut, want 1", got)
	}
}

// The test program stands for serialhb: the toolchain wrote into it too.
func TestVersionIsRead(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got := (serialhb{}).version(&bench{binary: self}); !strings.Contains(got, runtime.Version()) {
		t.Error(got)
	}
	if got := (serialhb{}).version(&bench{binary: t.TempDir()}); got != "of no known version" {
		t.Error(got)
	}
}
