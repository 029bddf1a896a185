package chance

import (
	"strings"
	"testing"
	"time"
)

func TestSeedsHaveTheirFates(t *testing.T) {
	kinds := map[string]bool{}
	for seed := range uint64(400) {
		f := NewFate(seed, 0)
		if again := NewFate(seed, 0); again.String() != f.String() {
			t.Fatalf("seed %d has two fates", seed)
		}
		if len(f.Faults) < 10 || f.Bound < time.Minute {
			t.Fatalf("seed %d: %d faults, %s to rest", seed, len(f.Faults), f.Bound)
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
	if NewFate(1, 0).String() == NewFate(2, 0).String() {
		t.Error("two seeds have one fate")
	}
}

func TestFateWithout(t *testing.T) {
	f := NewFate(3, 0)
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

// Whatever begins ends before the story says that all is over, or nobody could demand that the pair comes to rest by itself. A
// file that is put right is read again after that.
func TestEveryFaultEnds(t *testing.T) {
	for seed := range uint64(2000) {
		wrong := map[string]bool{}
		past := false
		for line := range strings.Lines(NewFate(seed, 0).String()) {
			if strings.TrimSpace(line) == "say "+Over {
				past = true
				break
			}
			befalls(wrong, strings.Fields(line))
		}
		if !past || len(wrong) > 0 {
			t.Fatalf("seed %d: %v last", seed, wrong)
		}
	}
}

// befalls keeps what is wrong with a pair.
func befalls(wrong map[string]bool, f []string) {
	set := func(is bool, what ...string) {
		if key := strings.Join(what, " "); is {
			wrong[key] = true
		} else {
			delete(wrong, key)
		}
	}
	switch verb, last := f[0], f[len(f)-1]; verb {
	case "power-off", "power-on":
		for _, n := range f[1:] {
			set(verb == "power-off", "mains of", n)
		}
	case "freeze", "thaw":
		set(verb == "freeze", "hung", f[1])
	case "stop", "kill-daemon", "start":
		if len(f) > 1 {
			set(verb == "stop" || last == "hold", "daemon of", f[1])
		}
	case "cut-cable", "mend-cable", "cut-net", "mend-net":
		how, what, _ := strings.Cut(verb, "-")
		set(how == "cut", what)
	case "lose", "double", "delay-net":
		set(f[1] != "0" && f[1] != "0s", verb)
	case "unplug", "replug":
		set(verb == "unplug", "ports of", f[1])
	case "weld", "no-line", "slow", "free":
		set(verb != "free", f[1])
	case "sense", "unwritable":
		set(last != "ok" && last != "none", f[:2]...)
	case "service":
		if last != "dies" {
			set(last != "ok", f[:3]...)
		}
	case "edit-config":
		set(last != "7", f[:3]...)
		set(true, "daemon's file of", f[1])
	case "wrong-key", "keys":
		set(verb == "wrong-key" || len(f) > 3, "key of", f[1])
		set(true, "daemon's file of", f[1])
	case "restart-daemon", "reload":
		set(false, "daemon's file of", f[1])
	case "upgrade", "downgrade":
		set(verb == "upgrade", "program of", f[1])
	}
}

// A person's word is given only about a node that has had no power for a while, whatever else takes it and gives it back;
// and no sense ever reads off by itself.
func TestFatesStayWithinTheHypothesis(t *testing.T) {
	words := 0
	for seed := range uint64(2000) {
		now, dark := time.Duration(0), map[string]time.Duration{}
		for line := range strings.Lines(NewFate(seed, 0).String()) {
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
