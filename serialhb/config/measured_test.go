package config

import (
	"strings"
	"testing"
	"time"
)

func TestCheckMeasured(t *testing.T) {
	const ms = time.Millisecond
	text := strings.Replace(complete("", "cluster", "node", "link", "fence", "group"), "[[node]]", "[timing]\ninterval = '100ms'\ndetect_multiplier = 15\n[[node]]", 1)
	c := mustFor(t, text, "alpha")
	for _, x := range []struct {
		m    Measured
		want []string // text and fix by turns
	}{
		{Measured{}, nil},
		{Measured{Lateness: 750 * ms, Start: 1500 * ms}, nil},
		{Measured{Lateness: 751 * ms}, []string{"1.5s is less than twice the worst lateness of the daemon here, 751ms", "detect_multiplier = 16 or more"}},
		{Measured{Start: 1501 * ms}, []string{"1.5s is less than the 1.501s that the daemon needed here", "detect_multiplier = 16 or more"}},
		{Measured{Lateness: time.Minute}, []string{"1m0s", `detect_multiplier = 255 and interval = "471ms" or more`}},
		{Measured{Lateness: time.Second, Start: 2 * time.Second}, []string{"worst lateness", "= 20 or more", "first pulse", "= 20 or more"}},
	} {
		found := c.CheckMeasured(x.m)
		if len(found) != len(x.want)/2 {
			t.Errorf("%+v: %v", x.m, found)
			continue
		}
		for i, f := range found {
			if f.Severity != Warning || f.Key != "timing.detect_multiplier" || !strings.Contains(f.Text, x.want[2*i]) || !strings.Contains(f.Fix, x.want[2*i+1]) {
				t.Errorf("%+v: %v", x.m, f)
			}
			if line := strings.Split(text, "\n")[f.Line-1]; !strings.HasPrefix(line, "detect_multiplier") {
				t.Errorf("line %d is %q", f.Line, line)
			}
		}
	}
}
