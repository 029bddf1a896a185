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
	interval time.Duration // 0 lets each seed draw it

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
	pairTime  time.Duration // the same for each two members
	tally     chance.Tally
	drawn     map[string]uint64 // fates with a kind of fault
	came      map[string]uint64 // fates in which something happened
	pairs     world.Pairs
	takeovers []time.Duration // how long a group ran nowhere
}

// What has to happen in so many of a hundred fates, where there are enough of them to tell.
const (
	aFence   = "a fence was proven"
	aCommand = "a command of a person was accepted"
	aLie     = "a coil was driven whose contact was welded"
	byItself = "all was well before a person came"
	telling  = 1000
)

var floors = []struct {
	what    string
	percent uint64
}{{aFence, 60}, {aCommand, 20}, {aLie, 5}, {byItself, 40}}

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
	f.began, f.sum.drawn, f.sum.came = time.Now(), map[string]uint64{}, map[string]uint64{}
	spread(f.jobs, int(f.to-f.from)+1, func(k int) { f.play(ctx, f.from+uint64(k)) })
	clearLine()
	f.sum.print(time.Since(f.began))
	if f.bad != nil {
		return f.bad.report(ctx)
	}
	return errors.Join(ctx.Err(), f.sum.tooTame())
}

// play plays one seed, unless there is a reason to stop.
func (f *fates) play(ctx context.Context, seed uint64) {
	f.mu.Lock()
	over := ctx.Err() != nil || f.bad != nil
	f.mu.Unlock()
	if over {
		return
	}
	fate := chance.NewFate(seed, f.interval)
	w, err := script.Play(fate.Name(), fate.String())
	f.mu.Lock()
	defer f.mu.Unlock()
	if w != nil {
		f.sum.add(fate, w)
	}
	if err != nil && (f.bad == nil || seed < f.bad.fate.Seed) {
		f.bad = &badFate{fate, err}
	}
	f.progress()
}

func (f *fates) progress() {
	if !watched() || f.sum.seeds%16 != 0 {
		return
	}
	const width = 30
	all := f.to - f.from + 1
	took := time.Since(f.began)
	fmt.Fprintf(os.Stderr, "\r[%-*s] %d of %d seeds, %.0f/s, %.0f simulated pair-hours a minute \x1b[K", width, strings.Repeat("=", int(width*f.sum.seeds/all)),
		f.sum.seeds, all, float64(f.sum.seeds)/took.Seconds(), f.sum.pairTime.Hours()/took.Minutes())
}

func (s *fateSum) add(f chance.Fate, w *world.World) {
	s.seeds++
	s.simulated += w.Now()
	s.pairTime += w.Now() * time.Duration(len(w.Nodes())*(len(w.Nodes())-1)/2)
	drawn := map[string]bool{}
	for _, fault := range f.Faults {
		drawn[fault.Kind] = true
	}
	for k := range drawn {
		s.drawn[k]++
	}
	s.tally.Begin()
	for _, n := range w.Notes() {
		s.tally.ToldOf(n.Node, n.Code.String(), n.Group)
	}
	end := over(w)
	for what, is := range map[string]bool{
		aFence:   slices.ContainsFunc(w.Fences(), func(f world.Fenced) bool { return !f.Secured }),
		aCommand: slices.ContainsFunc(w.Accepted(), func(a world.Accepted) bool { return a.At < end }),
		aLie:     slices.ContainsFunc(w.Edges(), func(e world.Edge) bool { return e.Open && e.Welded }),
		byItself: well(w),
	} {
		if is {
			s.came[what]++
		}
	}
	s.pairs.Add(w.Pairs())
	for _, g := range w.Gaps() {
		if isTakeover(w, g) {
			s.takeovers = append(s.takeovers, g.Lasted)
		}
	}
}

// over is when the last fault of a fate ended, and what a person said after that was said to every pair.
func over(w *world.World) time.Duration {
	for _, l := range w.History() {
		if strings.HasSuffix(l.What, chance.Over) {
			return l.At
		}
	}
	return w.Now()
}

// well says whether all was well when the person came.
func well(w *world.World) bool {
	all := w.History()
	at := slices.IndexFunc(all, func(l world.Line) bool { return strings.HasSuffix(l.What, chance.Round) })
	return at >= 0 && at+1 < len(all) && strings.HasPrefix(all[at+1].What, script.Well)
}

// isTakeover says whether a group came to another node because that one proved the old one off, and no person had a part in it.
func isTakeover(w *world.World, g world.Gap) bool {
	during := func(at time.Duration) bool { return g.At-g.Lasted <= at && at <= g.At }
	from, _ := w.Member(g.From)
	proves := func(n world.Note) bool {
		return n.Node == g.To && n.Peer == from && n.Code == failover.NoteProvenOff && during(n.At)
	}
	asks := func(a world.Accepted) bool { return during(a.At) }
	return g.From != g.To && slices.ContainsFunc(w.Notes(), proves) && !slices.ContainsFunc(w.Accepted(), asks)
}

// tooTame says what happened too seldom, or although nothing could make it happen, or nil.
func (s *fateSum) tooTame() error {
	if err := chance.Disproved(&s.pairs); err != nil {
		return err
	}
	for _, f := range floors {
		if s.seeds >= telling && 100*s.came[f.what] < f.percent*s.seeds {
			return fmt.Errorf("in %.1f%% of the seeds %s, and it has to be %d%%: the faults of firmware-sim/chance are too tame", 100*float64(s.came[f.what])/float64(s.seeds), f.what, f.percent)
		}
	}
	if s.seeds >= chance.AllPairs {
		return chance.Unmet(&s.pairs)
	}
	return nil
}

func (s *fateSum) print(took time.Duration) {
	fmt.Printf("%d seeds, %.0f simulated hours in %s: %.1f seeds/s, %.0f simulated pair-hours a minute\n", s.seeds, s.simulated.Hours(), took.Round(time.Millisecond),
		float64(s.seeds)/took.Seconds(), s.pairTime.Hours()/took.Minutes())
	fmt.Println(s.tally.Came())
	s.printShares("in how many of the seeds", s.came)
	s.printShares("how many of the seeds had", s.drawn)
	s.printPairs()
	s.printTakeovers()
}

func (s *fateSum) printShares(title string, with map[string]uint64) {
	fmt.Println("\n" + title)
	for _, k := range slices.SortedFunc(maps.Keys(with), func(a, b string) int { return cmp.Or(cmp.Compare(with[b], with[a]), cmp.Compare(a, b)) }) {
		fmt.Printf("  %5.1f%%  %s\n", 100*float64(with[k])/float64(s.seeds), k)
	}
}

// printPairs says which phases met which events, and which never did.
func (s *fateSum) printPairs() {
	fmt.Println("\nhow often a group was in a phase when an event came (a dot is never; - is what cannot be, ~ what a story has to show)")
	fmt.Printf("  %-16s", "")
	for p := range s.pairs {
		fmt.Printf(" %9.9s", pulse.Phase(p))
	}
	fmt.Println()
	for e := failover.EventKind(0); e.String() != "invalid"; e++ {
		fmt.Printf("  %-16s", e)
		for p := range s.pairs {
			cell := "."
			switch mark := chance.MarkOf(pulse.Phase(p), e); {
			case s.pairs[p][e] > 0:
				cell = fmt.Sprint(s.pairs[p][e])
			case mark.Impossible():
				cell = "-"
			case mark != nil:
				cell = "~"
			}
			fmt.Printf(" %9s", cell)
		}
		fmt.Println()
	}
}

// printTakeovers is a histogram of how long a group ran nowhere in a takeover: from the death of the old owner, by whatever
// cause, until its start was asked for on the new one.
func (s *fateSum) printTakeovers() {
	all := s.takeovers
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	fmt.Printf("\n%d times a group ran nowhere until its owner was proven off and it was started elsewhere, and no person had a part in it: median %s, 9 of 10 within %s, at most %s\n",
		len(all), all[len(all)/2].Round(time.Millisecond), all[len(all)*9/10].Round(time.Millisecond), all[len(all)-1].Round(time.Second))
	counts, most := map[int]int{}, 0
	for _, g := range all {
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
func (b *badFate) report(ctx context.Context) error {
	short, err := shrink(ctx, b.fate, b.err)
	var f *script.Failure
	timeline := ""
	if errors.As(err, &f) {
		timeline = f.Story()
	}
	return fmt.Errorf("seed %d must not end so: %w\nIt takes %d of its %d faults:\n\n%s\n%s\n%w", b.fate.Seed, b.err, len(short.Faults), len(b.fate.Faults), short, timeline, err)
}

// shrink leaves out faults, as many as possible at once, as long as what is left still fails in the same way.
func shrink(ctx context.Context, f chance.Fate, err error) (chance.Fate, error) {
	for part := max(1, len(f.Faults)/2); part > 0; {
		found := false
		for from := 0; from < len(f.Faults) && ctx.Err() == nil; {
			less := f.Without(func(i int) bool { return i >= from && i < from+part })
			if _, e := script.Play(less.Name(), less.String()); sameEnd(e, err) {
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

// sameEnd says whether two failures are of one kind: the same demand of the checker was not met, or the same line of the story.
func sameEnd(a, b error) bool {
	var fault, other *world.Fault
	if physical := errors.As(a, &fault); physical || errors.As(b, &other) {
		return physical && errors.As(b, &other) && fault.Kind == other.Kind
	}
	var failed, was *script.Failure
	return errors.As(a, &failed) && errors.As(b, &was) && failed.Text == was.Text
}

// trace tells one fate, with a column for each node.
func trace(seed uint64, interval time.Duration) error {
	f := chance.NewFate(seed, interval)
	w, err := script.Play(f.Name(), f.String())
	if w == nil {
		return err
	}
	const width = 128
	for _, l := range w.History() {
		column, what := slices.Index(w.Nodes(), l.Node), l.What
		if column < 0 {
			column, what = 0, strings.ToUpper(what)
		}
		fmt.Printf("%14s  %*s%s\n", l.At.Round(10*time.Microsecond), column*width/len(w.Nodes()), "", what)
	}
	fmt.Printf("hash %016x\n", w.Hash())
	return err
}
