package main

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/story"
)

func TestEnduranceIsAStory(t *testing.T) {
	for _, disk := range []bool{true, false} {
		c := endureCmd{Every: 20 * time.Second, Interval: 10 * time.Millisecond, Multiplier: 3}
		if _, err := story.Parse("endure", c.text(2*len(havoc), disk)); err != nil {
			t.Errorf("disk %t: %v", disk, err)
		}
	}
}

func TestGrowthIsFound(t *testing.T) {
	steady := look{resident: 20 << 20, descriptors: 30, threads: 9, goroutines: 40}
	for name, c := range map[string]struct {
		grow func(i int, l *look)
		want bool
	}{
		"steady":             {func(int, *look) {}, false},
		"one look goes up":   {func(i int, l *look) { l.descriptors += map[int]int{10: 5}[i] }, false},
		"descriptors":        {func(i int, l *look) { l.descriptors += i / 3 }, true},
		"goroutines":         {func(i int, l *look) { l.goroutines += i / 3 }, true},
		"memory settles":     {func(i int, l *look) { l.resident += int64(min(i, 4)) << 18 }, false},
		"memory":             {func(i int, l *look) { l.resident += int64(i) << 20 }, true},
		"threads are no one": {func(i int, l *look) { l.threads += i / 6 }, false},
	} {
		d := diary{order: []int{1}, lives: map[int][]look{}}
		for i := range 12 {
			l := steady
			c.grow(i, &l)
			d.lives[1] = append(d.lives[1], l)
		}
		if err := d.report(); (err != nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNeedlessCutsAreFound(t *testing.T) {
	cut := func(whom string) story.Entry {
		return story.Entry{Type: "event", Kind: "action", Code: "cut", Text: "x: cut " + whom + ": y"}
	}
	death := story.Entry{Type: "step", Text: "power-off alpha"}
	for name, c := range map[string]struct {
		told  []story.Entry
		stall time.Duration
		want  bool
	}{
		"none":                       {nil, 0, false},
		"one of each death":          {[]story.Entry{death, cut("alpha"), death, cut("alpha")}, 0, false},
		"two of one":                 {[]story.Entry{death, cut("alpha"), cut("alpha")}, 0, true},
		"without a death":            {[]story.Entry{cut("alpha")}, 0, true},
		"of the other one":           {[]story.Entry{death, cut("bravo")}, 0, true},
		"after the machine stood":    {[]story.Entry{cut("alpha")}, 16 * time.Millisecond, false},
		"after it stood for shorter": {[]story.Entry{cut("alpha")}, 15 * time.Millisecond, true},
	} {
		d := diary{bears: (&endureCmd{Interval: 10 * time.Millisecond, Multiplier: 3}).bears()}
		d.stalls.add(stall{time.Now().Add(-3 * time.Second), time.Second}) // long past
		d.stalls.add(stall{time.Now(), c.stall})
		for _, e := range c.told {
			if err := d.take(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.report(); (err != nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLookReadsADaemon(t *testing.T) {
	d := diary{lives: map[int][]look{}}
	if err := d.look(fmt.Sprintf(`{"pid": %d, "goroutines": 7}`, os.Getpid())); err != nil {
		t.Fatal(err)
	}
	if l := d.lives[os.Getpid()][0]; l.goroutines != 7 || l.descriptors < 3 || l.threads < 1 || l.resident < 1<<20 {
		t.Errorf("%+v", l)
	}
	if d.look(`{"pid": 0}`) == nil || d.look("nothing") == nil {
		t.Error("a status that names no process is taken")
	}
}

func TestFalseAlarmsAreFound(t *testing.T) {
	say := func(d *diary, entries ...story.Entry) error {
		for _, e := range entries {
			if err := d.take(e); err != nil {
				t.Fatal(err)
			}
		}
		return d.report()
	}
	alarm := func(code, text string) story.Entry {
		return story.Entry{Type: "event", Kind: "alarm", Source: "bravo", Code: code, Text: text}
	}
	round := story.Entry{Type: "chapter"}
	cut := slices.IndexFunc(havoc, func(o ordeal) bool { return o.lines[0] == "cut-cable" })
	for name, c := range map[string]struct {
		told []story.Entry
		want bool
	}{
		"a new node":               {[]story.Entry{alarm("disarmed", "")}, false},
		"a death before any":       {[]story.Entry{alarm("silent alpha", "")}, true},
		"the death of a round":     {[]story.Entry{round, alarm("silent alpha", "")}, false},
		"the one that lives":       {[]story.Entry{round, alarm("silent bravo", "")}, true},
		"its end":                  {[]story.Entry{round, alarm("silent bravo", "bravo: over: bravo is silent")}, false},
		"the cable that was cut":   {append(slices.Repeat([]story.Entry{round}, cut+1), alarm("no-pulses alpha cable", "")), false},
		"the same, once again":     {append(slices.Repeat([]story.Entry{round}, len(havoc)+cut+1), alarm("no-pulses alpha cable", "")), false},
		"a round later":            {append(slices.Repeat([]story.Entry{round}, cut+2), alarm("no-pulses alpha cable", "")), true},
		"disarmed in the middle":   {[]story.Entry{round, alarm("disarmed", "")}, true},
		"the network in its place": {append(slices.Repeat([]story.Entry{round}, cut+1), alarm("no-pulses alpha lan", "")), true},
	} {
		d := diary{havoc: havoc, bears: time.Second, alarms: map[string]int{}}
		if err := say(&d, c.told...); (err != nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
