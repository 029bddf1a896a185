package config

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestNoisyIsTheStretchedDetectionTime(t *testing.T) {
	for stretch, want := range map[string]time.Duration{"1": 1500 * time.Millisecond, "1.5": 2250 * time.Millisecond, "4": 6 * time.Second} {
		if got := mustFor(t, "[timing]\nnoise_stretch = "+stretch+"\n"+whole(), "alpha").Timing.Noisy(); got != want {
			t.Errorf("stretch %s: %v, want %v", stretch, got, want)
		}
	}
}

// What README.md says of some timings.
func TestBearsNoise(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| (\d+ms) \| (\d+) \| ([\d.]+) \| (\S+) / (\S+) \|.*\| (\d+) bytes/s \|$`)
	rows := row.FindAllStringSubmatch(strings.ReplaceAll(string(page), " ms |", "ms |"), -1)
	if len(rows) != 8 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, x := range rows {
		c := mustFor(t, fmt.Sprintf("[timing]\ninterval = '%s'\ndetect_multiplier = %s\nnoise_stretch = %s\n", x[1], x[2], x[3])+whole(), "alpha")
		if clean, noisy := c.Timing.Detection.String(), c.Timing.Noisy().String(); clean != x[4] || noisy != x[5] {
			t.Errorf("%s: silent after %s or %s", x[0], clean, noisy)
		}
		for _, l := range c.Links {
			want := x[6]
			if l.Kind != Serial {
				want = "0"
			}
			if got := fmt.Sprintf("%.0f", c.BearsNoise(l)); got != want {
				t.Errorf("%s: %s bears %s bytes a second", x[0], l.Name, got)
			}
		}
	}
}

// The formula against chance itself.
func TestApart(t *testing.T) {
	timing := Timing{Interval: 100 * time.Millisecond}
	r := rand.New(rand.NewPCG(1, 2))
	for _, x := range []struct{ pulses, lost float64 }{{1, 0.5}, {5, 0.55}, {22, 0.865}} {
		t.Run(fmt.Sprint(x), func(t *testing.T) {
			verdicts, run, sent := 0, 0.0, 0
			for ; verdicts < 2000; sent++ {
				if r.Float64() >= x.lost {
					run = 0
				} else if run++; run == x.pulses {
					verdicts++
					run = 0
				}
			}
			got, want := float64(sent)*timing.Interval.Seconds()/float64(verdicts), timing.apart(x.pulses, x.lost)
			if math.Abs(got-want) > want/5 {
				t.Errorf("%.2f s from one verdict to the next, want %.2f s", got, want)
			}
		})
	}
}
