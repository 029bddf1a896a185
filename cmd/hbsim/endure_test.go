package main

import (
	"fmt"
	"os"
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
		d := diary{order: []int{1}, lives: map[int][]look{}, deaths: 12, fences: 12}
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

func TestNeedlessFencesAreFound(t *testing.T) {
	d := diary{deaths: 3}
	for fences, needless := range map[int]bool{3: false, 4: true} {
		if d.fences = fences; (d.report() != nil) != needless {
			t.Errorf("%d fences for %d deaths: %v", fences, d.deaths, d.report())
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
