package main

import (
	"strings"
	"testing"

	"github.com/serialhb/serialhb/serialhb/config"
)

// What the file says of detection is what the detector does.
func TestDetectionIsConfigured(t *testing.T) {
	text := strings.Replace(config.Example("plant-7"), "[timing]", "[timing]\nnoise_stretch = 2.5\nlate_multiplier = 4\nstart_window = \"7s\"", 1)
	f, found := config.Parse([]byte(text), "")
	if len(found) > 0 {
		t.Fatal(found)
	}
	c, _ := f.For("bravo")
	got := detection(c)
	if got.Me != 1 || got.N != 2 || got.Interval != c.Timing.Interval || got.Multiplier != 15 || got.LateMultiplier != 4 ||
		got.Stretch != 2.5 || got.StartWindow != c.Timing.StartWindow || got.Extensions < 1 {
		t.Errorf("%+v", got)
	}
}
