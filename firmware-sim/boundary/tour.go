package boundary

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Tour goes to every boundary, or to some of them.
type Tour struct {
	Program
	Losses  []string // how the owner is lost: some of the package's Losses
	Surveys int      // takeovers that are watched to list the boundaries; each sees some that another does not
	Only    string   // only those whose name has this in it
	Every   int      // and of these only every so many-th, 1 is all of them
	Jobs    int      // racks at a time
	Tries   int      // for a boundary that does not come, or a run that says nothing
}

// Stop is one boundary of a tour and what came of it.
type Stop struct {
	Loss  string
	At    Boundary
	Seen  int // by so many surveys
	Death string
	Tries int // that it took
	Outcome
}

// Result is one word.
func (s Stop) Result() string {
	switch {
	case s.Void == notReached:
		return "not reached"
	case s.Void != "":
		return "void"
	case s.Err != nil || !s.Reached:
		return "FAILED"
	}
	return "held"
}

// Name says where, without what came of it.
func (s Stop) Name() string {
	return fmt.Sprintf("%-9s %-5s %s", s.Loss, s.Death, s.At)
}

func (s Stop) String() string {
	text := fmt.Sprintf("%s: %s", s.Name(), s.Result())
	switch {
	case s.Void != "":
		text += fmt.Sprintf(" in %d runs, the last one because %s", s.Tries, s.Void)
	case s.Owner != "":
		text += fmt.Sprintf(", active on %s after %.0f ms", s.Owner, float64(s.Took)/float64(time.Millisecond))
		if s.Coil {
			text += ", relay driven before"
		}
		if s.Released {
			text += " and let go by the death"
		}
	}
	return text
}

// List watches takeovers and lists the boundaries in them, in their order, and after them those on the files of facts
// at which the next daemon is to die too, and those that are to be slow. An error says that a takeover without any death did not hold.
func (t Tour) List(ctx context.Context) ([]Stop, error) {
	var all []Stop
	for _, loss := range t.Losses {
		surveys := make([]Outcome, t.Surveys)
		t.each(len(surveys), func(k int) { surveys[k] = Survey(ctx, t.Program, loss) })
		at := map[Boundary]int{}
		var list []Stop
		for _, s := range surveys {
			if s.Err != nil {
				return nil, fmt.Errorf("boundary: a takeover without a death: %w\n%s", s.Err, s.Report)
			}
			if len(s.Nameless) > 0 {
				return nil, fmt.Errorf("boundary: %q are in no list: say in calls.go what they are about", s.Nameless)
			}
			for _, b := range s.Passed {
				k, known := at[b]
				if !known {
					k = len(list)
					at[b], list = k, append(list, Stop{Loss: loss, At: b, Death: Once})
				}
				list[k].Seen++
			}
		}
		all = append(all, list...)
		for _, s := range list {
			if !s.At.Facts() {
				continue
			}
			s.Death = Twice
			all = append(all, s)
			if s.At.Side == Entry {
				s.Death = Slow
				all = append(all, s)
			}
		}
	}
	all = slices.DeleteFunc(all, func(s Stop) bool { return !strings.Contains(s.Name(), t.Only) })
	if t.Every > 1 {
		some := all[:0]
		for k := t.Every - 1; k < len(all); k += t.Every {
			some = append(some, all[k])
		}
		all = some
	}
	return all, nil
}

// Go plays every stop of a list and tells each as it ends, one at a time. It returns them in the order of the list. An end
// of ctx leaves out those that had not begun.
func (t Tour) Go(ctx context.Context, list []Stop, tell func(Stop)) []Stop {
	var mu sync.Mutex
	done := slices.Clone(list)
	t.each(len(done), func(k int) {
		s := &done[k]
		for s.Tries = 1; ; s.Tries++ {
			s.Outcome = play(ctx, &plan{Program: t.Program, Loss: s.Loss, Want: &s.At, Death: s.Death})
			if s.Void == "" || s.Tries >= t.Tries || ctx.Err() != nil {
				break
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() == nil {
			tell(*s)
		}
	})
	return done
}

func (t Tour) each(n int, do func(k int)) {
	var workers sync.WaitGroup
	next := make(chan int)
	for range max(1, t.Jobs) {
		workers.Go(func() {
			for k := range next {
				do(k)
			}
		})
	}
	for k := range n {
		next <- k
	}
	close(next)
	workers.Wait()
}

// Sum is a tour in figures.
type Sum struct{ Listed, Held, NotReached, Void, Failed, Once, Twice, Slow, Released int }

// Count adds up a list that was played.
func Count(list []Stop) (c Sum) {
	c.Listed = len(list)
	for _, s := range list {
		switch s.Result() {
		case "held":
			c.Held++
		case "FAILED":
			c.Failed++
			continue
		case "void":
			c.Void++
			continue
		default:
			c.NotReached++
		}
		switch {
		case !s.Reached:
			continue
		case s.Death == Twice:
			c.Twice++
		case s.Death == Slow:
			c.Slow++
		default:
			c.Once++
		}
		if s.Released {
			c.Released++
		}
	}
	return c
}

func (c Sum) String() string {
	return fmt.Sprintf("%d boundaries: %d reached and held (%d died once, %d twice, %d slowly; %d let go a driven relay), %d not reached, %d said nothing, %d failed",
		c.Listed, c.Held, c.Once, c.Twice, c.Slow, c.Released, c.NotReached, c.Void, c.Failed)
}

// Err is nil if nothing failed and nine of ten were reached: a tour that got nowhere has shown nothing.
func (c Sum) Err() error {
	switch {
	case c.Failed > 0:
		return fmt.Errorf("boundary: %d of %d failed", c.Failed, c.Listed)
	case 10*c.Held < 9*c.Listed || c.Listed == 0:
		return fmt.Errorf("boundary: only %d of %d were reached: run it on a machine that has less to do", c.Held, c.Listed)
	}
	return nil
}
