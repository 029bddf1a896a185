package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/chance"
	"github.com/serialhb/serialhb/firmware-sim/world"
	"github.com/serialhb/serialhb/firmware-sim/world/script"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// fates plays the fates of many seeds, side by side, and stops at the first that must not be.
type fates struct {
	from, to uint64
	jobs     int
	options  chance.FateOptions

	mu    sync.Mutex
	sum   fateSum
	began time.Time
	bad   *badFate
}

// badFate is a fate that ended as none may.
type badFate struct {
	fate chance.Fate
	err  error
}

// fateSum is what came of fates.
type fateSum struct {
	seeds     uint64
	simulated time.Duration
	tally     chance.Tally
	with      map[string]uint64 // fates with a kind of fault, or a thing that came of it
	pairs     world.Pairs
	gaps      []time.Duration // of takeovers
}

// maxSeeds is more than anybody waits for.
const maxSeeds = 1 << 32

// parseSeeds reads FROM-TO, or one seed.
func parseSeeds(text string) (from, to uint64, err error) {
	a, b, more := strings.Cut(text, "-")
	if !more {
		b = a
	}
	from, err = strconv.ParseUint(a, 10, 64)
	if err == nil {
		to, err = strconv.ParseUint(b, 10, 64)
	}
	if err != nil || to < from || to-from >= maxSeeds {
		return 0, 0, fmt.Errorf("%q are no seeds that can be played: write for example --seeds 1-1000", text)
	}
	return from, to, nil
}

func (f *fates) run(ctx context.Context) error {
	f.began, f.sum.with = time.Now(), map[string]uint64{}
	spread(f.jobs, int(f.to-f.from)+1, func(k int) { f.play(ctx, f.from+uint64(k)) })
	clearLine()
	f.sum.print(time.Since(f.began))
	if f.bad != nil {
		return f.bad.report(f.options)
	}
	return ctx.Err()
}

// play plays one seed, unless there is a reason to stop.
func (f *fates) play(ctx context.Context, seed uint64) {
	f.mu.Lock()
	over := ctx.Err() != nil || f.bad != nil
	f.mu.Unlock()
	if over {
		return
	}
	fate := chance.NewFate(seed, f.options)
	w, err := playFate(fate)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sum.add(fate, w)
	if err != nil && (f.bad == nil || seed < f.bad.fate.Seed) {
		f.bad = &badFate{fate, err}
	}
	f.progress()
}

// playFate lets a fate happen. The error is a [*script.Failure].
func playFate(f chance.Fate) (*world.World, error) {
	s, err := script.Parse(fmt.Sprintf("seed-%d", f.Seed), f.String())
	if err != nil {
		panic("hbsim: a fate that cannot be read: " + err.Error())
	}
	return s.Run()
}

func (f *fates) progress() {
	if !watched() || f.sum.seeds%16 != 0 {
		return
	}
	const width = 30
	all := f.to - f.from + 1
	took := time.Since(f.began)
	fmt.Fprintf(os.Stderr, "\r[%-*s] %d of %d seeds, %.0f/s, %.0f simulated hours a minute \x1b[K", width, strings.Repeat("=", int(width*f.sum.seeds/all)),
		f.sum.seeds, all, float64(f.sum.seeds)/took.Seconds(), f.sum.simulated.Hours()/took.Minutes())
}

func (s *fateSum) add(f chance.Fate, w *world.World) {
	s.seeds++
	s.simulated += w.Now()
	kinds := map[string]bool{}
	for _, fault := range f.Faults {
		kinds[fault.Kind] = true
		kinds["a person"] = kinds["a person"] || strings.HasPrefix(fault.Kind, "person")
	}
	s.tally.Begin()
	for _, n := range w.Notes() {
		s.tally.Told(n.Node, n.Code.String())
		kinds["a proven fence"] = kinds["a proven fence"] || n.Code == failover.NoteProvenOff
	}
	for k, is := range kinds {
		if is {
			s.with[k]++
		}
	}
	for p, events := range w.Pairs() {
		for e, n := range events {
			s.pairs[p][e] += n
		}
	}
	for _, g := range w.Gaps() {
		if g.From != g.To {
			s.gaps = append(s.gaps, g.Lasted)
		}
	}
}

func (s *fateSum) print(took time.Duration) {
	fmt.Printf("%d seeds, %.0f simulated hours in %s: %.1f seeds/s, %.0f simulated hours a minute\n", s.seeds, s.simulated.Hours(), took.Round(time.Millisecond),
		float64(s.seeds)/took.Seconds(), s.simulated.Hours()/took.Minutes())
	fmt.Println(&s.tally)
	fmt.Println("\nhow many of the seeds have")
	for _, k := range slices.SortedFunc(maps.Keys(s.with), func(a, b string) int { return cmp.Or(cmp.Compare(s.with[b], s.with[a]), cmp.Compare(a, b)) }) {
		fmt.Printf("  %5.1f%%  %s\n", 100*float64(s.with[k])/float64(s.seeds), k)
	}
	s.printPairs()
	s.printGaps()
}

// printPairs says which phases met which events, and which never did.
func (s *fateSum) printPairs() {
	fmt.Println("\nhow often a group was in a phase when an event came (a dot is never)")
	fmt.Printf("  %-16s", "")
	for p := range s.pairs {
		fmt.Printf(" %9.9s", pulse.Phase(p))
	}
	fmt.Println()
	for e := failover.EventKind(0); e.String() != "invalid"; e++ {
		fmt.Printf("  %-16s", e)
		for p := range s.pairs {
			if n := s.pairs[p][e]; n > 0 {
				fmt.Printf(" %9d", n)
			} else {
				fmt.Printf(" %9s", ".")
			}
		}
		fmt.Println()
	}
}

// printGaps is a histogram of how long a group ran nowhere when it went from one node to the other.
func (s *fateSum) printGaps() {
	if len(s.gaps) == 0 {
		return
	}
	slices.Sort(s.gaps)
	fmt.Printf("\nhow long a group ran nowhere on its way to another node: median %s, 9 of 10 within %s, at most %s\n",
		s.gaps[len(s.gaps)/2].Round(time.Millisecond), s.gaps[len(s.gaps)*9/10].Round(time.Millisecond), s.gaps[len(s.gaps)-1].Round(time.Second))
	counts, most := map[int]int{}, 0
	for _, g := range s.gaps {
		k := 0
		for limit := 250 * time.Millisecond; g >= limit; limit *= 2 {
			k++
		}
		counts[k]++
		most = max(most, counts[k])
	}
	for k := range slices.Max(slices.Collect(maps.Keys(counts))) + 1 {
		fmt.Printf("  below %-9s %7d %s\n", 250*time.Millisecond<<k, counts[k], strings.Repeat("#", (60*counts[k]+most-1)/most))
	}
}

// report shortens a bad fate to the fewest faults that still lead to the same end, and tells it as a story.
func (b *badFate) report(o chance.FateOptions) error {
	short, err := shrink(b.fate, b.err)
	var f *script.Failure
	timeline := ""
	if errors.As(err, &f) {
		timeline = f.Story()
	}
	return fmt.Errorf("seed %d must not end so: %w\nIt takes %d of its %d faults:\n\n%s\n%s\n%w", b.fate.Seed, b.err, len(short.Faults), len(b.fate.Faults), short, timeline, err)
}

// shrink leaves out faults, as many as possible at once, as long as what is left still fails in the same way.
func shrink(f chance.Fate, err error) (chance.Fate, error) {
	same := func(e error) bool { return e != nil && physical(e) == physical(err) }
	for part := max(1, len(f.Faults)/2); part > 0; {
		found := false
		for from := 0; from < len(f.Faults); {
			less := f.Without(func(i int) bool { return i >= from && i < from+part })
			if _, e := playFate(less); same(e) {
				f, err, found = less, e, true
			} else {
				from += part
			}
		}
		if !found || part > len(f.Faults) {
			part /= 2
		}
	}
	return f, err
}

// physical says whether something was that must never be; else what should have come did not.
func physical(err error) bool { return strings.Contains(err.Error(), "world: at ") }

// trace tells one fate in two columns.
func trace(seed uint64, o chance.FateOptions) error {
	w, err := playFate(chance.NewFate(seed, o))
	const width = 64
	for _, l := range w.History() {
		switch slices.Index(w.Nodes(), l.Node) {
		case 0:
			fmt.Printf("%14s  %s\n", l.At.Round(10*time.Microsecond), l.What)
		case 1:
			fmt.Printf("%14s  %*s%s\n", l.At.Round(10*time.Microsecond), width, "", l.What)
		default:
			fmt.Printf("%14s  %s\n", l.At.Round(10*time.Microsecond), strings.ToUpper(l.What))
		}
	}
	fmt.Printf("hash %016x\n", w.Hash())
	return err
}
