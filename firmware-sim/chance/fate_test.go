package chance

import (
	"strings"
	"testing"
	"time"
)

func TestSeedsHaveTheirFates(t *testing.T) {
	kinds := map[string]bool{}
	for seed := range uint64(400) {
		f := NewFate(seed, FateOptions{})
		if again := NewFate(seed, FateOptions{}); again.String() != f.String() {
			t.Fatalf("seed %d has two fates", seed)
		}
		if f.Span < 30*time.Minute || len(f.Faults) < 10 {
			t.Fatalf("seed %d: %d faults in %s", seed, len(f.Faults), f.Span)
		}
		for _, fault := range f.Faults {
			kinds[fault.Kind] = true
		}
	}
	for _, trouble := range troubles {
		if !kinds[trouble.kind] {
			t.Errorf("no fate ever has %q", trouble.kind)
		}
	}
	if NewFate(1, FateOptions{}).String() == NewFate(2, FateOptions{}).String() {
		t.Error("two seeds have one fate")
	}
}

func TestFateWithout(t *testing.T) {
	f := NewFate(3, FateOptions{})
	none := f.Without(func(int) bool { return true })
	if len(none.Faults) != 0 || len(f.Faults) < 10 {
		t.Fatalf("%d and %d faults", len(none.Faults), len(f.Faults))
	}
	one := f.Without(func(i int) bool { return i != 4 })
	if len(one.Faults) != 1 || one.Faults[0].Kind != f.Faults[4].Kind {
		t.Error(one.Faults)
	}
	if lines := strings.Count(none.String(), "\n"); lines < 10 {
		t.Errorf("the healing is gone: %d lines", lines)
	}
}

// A person's word is given only about a node that has had no power for a while, whatever else takes it and gives it back;
// and no sense ever reads off by itself.
func TestFatesStayWithinTheHypothesis(t *testing.T) {
	words := 0
	for seed := range uint64(2000) {
		now, dark := time.Duration(0), map[string]time.Duration{}
		for line := range strings.Lines(NewFate(seed, FateOptions{}).String()) {
			f := strings.Fields(line)
			switch {
			case f[0] == "sleep":
				d, err := time.ParseDuration(f[1])
				if err != nil {
					t.Fatal(err)
				}
				now += d
			case f[0] == "power-off":
				for _, n := range f[1:] {
					if _, off := dark[n]; !off {
						dark[n] = now
					}
				}
			case f[0] == "power-on":
				for _, n := range f[1:] {
					delete(dark, n)
				}
			case f[0] == "sense" && strings.Contains(line, "stuck-off"), f[0] == "service" && strings.Contains(line, "by-hand"):
				t.Fatalf("seed %d: %s", seed, line)
			case len(f) == 4 && (f[2] == "confirm-off" || f[2] == "withdraw"):
				words++
				if since, off := dark[f[3]]; !off || now-since < time.Second {
					t.Fatalf("seed %d: %s", seed, line)
				}
			}
		}
	}
	if words == 0 {
		t.Fatal("no word was ever given")
	}
}
