package story

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
)

// How often an expectation is looked at, and how long events are held back so that those of several sources come out in
// their order.
const (
	lookEvery = 2 * time.Millisecond
	flushLate = 100 * time.Millisecond
)

// ErrFailed says that a story did not hold; its report says why.
var ErrFailed = errors.New("story: a step did not hold")

// Run carries out a story and reports it as it happens. It returns nil if every line held, [ErrFailed] if one did not,
// or what kept it from being told: the context's error, or the sink's. The world is closed in every case.
func Run(ctx context.Context, script Script, build Builder, clock func() time.Duration, sink Sink) error {
	r := &runner{build: build, clock: clock, sink: sink, began: clock(), chapter: &Chapter{Title: script.Name}}
	err := r.tell(ctx, script)
	err = errors.Join(err, r.close())
	r.sum.OK = err == nil
	r.endChapter()
	r.sum.TookMS = ms(clock() - r.began)
	return errors.Join(err, r.emit(Entry{Type: "summary", Summary: &r.sum}))
}

type runner struct {
	build Builder
	clock func() time.Duration
	sink  Sink
	began time.Duration

	world   World
	since   time.Duration // the last line that did something
	opened  time.Duration // the chapter
	tallied time.Duration // up to here the chapter has counted
	served  time.Duration // first answer of all that the client had, 0 is none yet
	board   int           // events already reported
	told    int

	chapter *Chapter
	failed  bool
	sum     Summary
}

func (r *runner) emit(e Entry) error {
	e.AtMS = ms(r.clock() - r.began)
	return r.sink(e)
}

func (r *runner) tell(ctx context.Context, script Script) error {
	for _, s := range script.Steps {
		at := r.clock()
		said, err := r.step(ctx, s)
		if err == nil {
			err = r.overlaps()
		}
		if ctx.Err() != nil {
			return fmt.Errorf("story: interrupted at %s:%d: %w", script.Name, s.Line, context.Cause(ctx))
		}
		if err != nil {
			return r.fail(ctx, s, err)
		}
		if silent[s.Order.Verb] {
			continue
		}
		r.sum.Steps++
		r.chapter.Steps++
		e := Entry{Type: "step", Line: s.Line, Text: s.Text, TookMS: ms(r.clock() - at), Said: said}
		if err := errors.Join(r.emit(e), r.after(ctx, s)); err != nil {
			return err
		}
	}
	return nil
}

// silent are the verbs that do and expect nothing: the report says nothing of them.
var silent = map[string]bool{"say": true, "config": true, "repeat": true, "end": true}

func (r *runner) step(ctx context.Context, s Step) (string, error) {
	switch verb := s.Order.Verb; {
	case verb == "config", verb == "never", verb == "repeat", verb == "end":
		return "", nil
	case verb == "say":
		r.endChapter()
		r.chapter, r.opened = &Chapter{Title: strings.Join(s.Order.Words, " ")}, r.clock()
		return "", r.emit(Entry{Type: "chapter", Line: s.Line, Text: r.chapter.Title})
	case verb == "sleep":
		if r.world == nil {
			return "", sleep(ctx, s.Order.For)
		}
		return "", r.sleep(ctx, s.Order.For)
	case verb == "expect":
		return "", r.expect(ctx, s.Expect)
	case verb == "start" && len(s.Order.Nodes) == 0:
		return "", r.start(ctx, s)
	case verb == "stop" && len(s.Order.Nodes) == 0:
		return "", errors.Join(r.look(ctx), r.close())
	}
	return r.do(ctx, s.Order)
}

func (r *runner) start(ctx context.Context, s Step) error {
	text := fmt.Sprintf("%s. Up to %d moves and %d fences an hour are allowed here, so that a story can be told; a real pair locks itself out after a few",
		s.Settings, s.Settings.Moves, s.Settings.Fences)
	if err := r.emit(Entry{Type: "start", Line: s.Line, Text: text}); err != nil {
		return err
	}
	r.since = r.clock()
	w, err := r.build(ctx, s.Settings)
	if err != nil {
		return err
	}
	r.world, r.tallied, r.served, r.board, r.told = w, r.since, 0, 0, 0
	return nil
}

// do carries out a verb. What follows is counted from before it, so that nothing of its effect is missed.
func (r *runner) do(ctx context.Context, o Order) (string, error) {
	verb := o.Verb
	if verb == "refused" || verb == "try" {
		o.Verb = "run"
	}
	if i := slices.Index(o.Words, "@incident"); i >= 0 {
		v, err := r.world.Look(ctx, o.Nodes)
		if err != nil {
			return "", err
		}
		n := v.Nodes[o.Nodes[0]]
		switch {
		case n.Status.Incident != nil:
		case verb == "try":
			return "no incident is known", nil
		default:
			return "", fmt.Errorf("no incident is known on %s that @incident could stand for", o.Nodes[0])
		}
		o.Words = slices.Clone(o.Words)
		o.Words[i] = fmt.Sprint(n.Status.Incident.ID)
	}
	if err := r.look(ctx); err != nil {
		return "", err
	}
	if acts(o.Verb) {
		r.since = r.world.Now()
	}
	said, err := r.world.Do(ctx, o)
	exit := (*ExitError)(nil)
	switch {
	case o.Perhaps && err != nil && ctx.Err() == nil:
		return "not now: " + err.Error(), nil
	case verb == "try" && errors.As(err, &exit):
		return exit.Said, nil
	case verb != "refused":
		return said, err
	case err == nil:
		return said, errors.New("it was done, where a refusal was expected")
	case errors.As(err, &exit) && (exit.Code == 1 || exit.Code == 4):
		return exit.Said, nil
	}
	return said, err
}

// expect looks until the condition is true, or, if it has to hold, until the time is over or it is not.
func (r *runner) expect(ctx context.Context, e *Expectation) error {
	ask := e.condition.ask(e.Args)
	for end := r.world.Now() + e.D; ; {
		begun := r.world.Now()
		v, err := r.world.Look(ctx, ask)
		if err == nil {
			err = errors.Join(r.events(v, v.Now-flushLate), r.alone(v))
		}
		if err != nil {
			return err
		}
		holds := e.condition.holds(scene{v, r.since, r.opened}, e.Args)
		switch {
		case holds && !e.Hold:
			return r.events(v, v.Now)
		case !holds && e.Hold:
			return fmt.Errorf("it was not true for %s", e.D)
		case holds && begun >= end:
			return r.events(v, v.Now)
		case begun >= end:
			return fmt.Errorf("it did not come true within %s", e.D)
		}
		if err := r.pause(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// pause sleeps and notes by how much the machine was late to wake the lab: nodes that were kept waiting like that fall
// silent without a fault of theirs.
func (r *runner) pause(ctx context.Context, d time.Duration) error {
	end := r.world.Now() + d
	err := r.world.Sleep(ctx, d)
	r.sum.LatenessMS = max(r.sum.LatenessMS, ms(r.world.Now()-end))
	return err
}

func (r *runner) sleep(ctx context.Context, d time.Duration) error {
	for end := r.world.Now() + d; r.world.Now() < end; {
		if err := r.pause(ctx, min(flushLate, end-r.world.Now())); err != nil {
			return err
		}
		if err := r.look(ctx); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// look reports what happened so far.
func (r *runner) look(ctx context.Context) error {
	if r.world == nil {
		return nil
	}
	v, err := r.world.Look(ctx, nil)
	if err != nil {
		return err
	}
	return errors.Join(r.events(v, v.Now), r.alone(v))
}

// alone ends a wait at the first sign of two owners.
func (r *runner) alone(v View) error {
	if len(v.running()) < 2 {
		return nil
	}
	return r.overlaps()
}

// events reports, in the order of their times, what happened up to a moment and was not reported yet.
func (r *runner) events(v View, until time.Duration) error {
	var fresh []happening
	for ; r.board < len(v.Board) && v.Board[r.board].At <= until; r.board++ {
		fresh = append(fresh, happenedOnBoard(v.Board[r.board]))
	}
	for ; r.told < len(v.Told) && v.Told[r.told].At <= until; r.told++ {
		fresh = append(fresh, happenedOnNode(v.Told[r.told]))
	}
	slices.SortStableFunc(fresh, func(a, b happening) int { return int(a.at - b.at) })
	for _, h := range fresh {
		if h.entry.Text == "" {
			continue
		}
		h.entry.SinceMS = ms(h.at - r.since)
		if err := r.emit(h.entry); err != nil {
			return err
		}
	}
	return nil
}

// after reports the parts of a takeover once the expectation of an owner came true.
func (r *runner) after(ctx context.Context, s Step) error {
	if s.Expect == nil || s.Expect.Condition != "owner" {
		return nil
	}
	v, err := r.settled(ctx, s.Expect.Args[0])
	if err != nil {
		return err
	}
	t, ok, err := scene{v, r.since, r.opened}.takeover(r.world, s.Expect.Args[0])
	if err != nil || !ok {
		return err
	}
	if v.Net != nil && v.Net.Believed != t.Owner {
		return r.fail(ctx, s, fmt.Errorf("%s runs the service, but %s", t.Owner, v.Net.words()))
	}
	return r.emit(Entry{Type: "takeover", Takeover: &t})
}

// recordTime is how long the record of a takeover is waited for: the witness on the board is quicker than the record
// that a daemon sends.
const recordTime = 200 * time.Millisecond

func (r *runner) settled(ctx context.Context, owner string) (View, error) {
	for end := r.world.Now() + recordTime; ; {
		v, err := r.world.Look(ctx, nil)
		if err != nil || r.world.Now() >= end {
			return v, err
		}
		if hasTold(scene{v, r.since, r.opened}, []string{owner, "active"}) {
			return v, r.events(v, v.Now)
		}
		if err := r.pause(ctx, lookEvery); err != nil {
			return v, err
		}
	}
}

// overlaps is the standing rule of every story.
func (r *runner) overlaps() error {
	if r.world == nil {
		return nil
	}
	found, err := r.world.Overlaps()
	if err != nil || len(found) == 0 {
		return err
	}
	r.sum.Overlaps += len(found)
	return fmt.Errorf("TWO OWNERS: %s", strings.Join(found, "; "))
}

// fail reports what was there instead.
func (r *runner) fail(ctx context.Context, s Step, cause error) error {
	r.failed = true
	e := Entry{Type: "failed", Line: s.Line, Text: s.Text + ": " + cause.Error()}
	if r.world != nil {
		v, err := r.world.Look(ctx, Nodes)
		if err == nil {
			err = r.events(v, v.Now)
			e.Seen = scene{v, r.since, r.opened}.seen()
		}
		if err != nil {
			e.Seen = "nothing can be seen any more: " + err.Error()
		}
		e.Logs = r.world.Logs()
	}
	return errors.Join(ErrFailed, r.emit(e))
}

// close counts what the world saw, looks for overlaps a last time, and takes it down.
func (r *runner) close() error {
	if r.world == nil {
		return nil
	}
	err := r.tally()
	if r.sum.Overlaps == 0 {
		if last := r.overlaps(); last != nil {
			err = errors.Join(err, ErrFailed, r.emit(Entry{Type: "failed", Text: "at the end: " + last.Error()}))
		}
	}
	err = errors.Join(err, r.world.Close())
	r.world = nil
	return err
}

func (r *runner) endChapter() {
	if r.world != nil {
		// What cannot be counted now fails the next look as well.
		_ = r.tally()
	}
	if r.chapter.Steps == 0 && !r.failed {
		return
	}
	r.sum.Chapters = append(r.sum.Chapters, *r.chapter)
	r.chapter = &Chapter{}
}

// tally adds to the chapter what happened since the last count.
func (r *runner) tally() error {
	v, err := r.world.Look(context.Background(), nil)
	if err != nil {
		return err
	}
	from := r.tallied
	r.tallied = v.Now
	fences, takeovers := 0, v.takeovers(from)
	for _, n := range Nodes {
		fences += len(v.fences(n, from))
	}
	r.chapter.Fences += fences
	r.chapter.Takeovers += takeovers
	r.sum.Fences += fences
	r.sum.Takeovers += takeovers
	// Before the first answer of all nobody waited for one.
	if r.served == 0 {
		first, ok, err := r.world.Answer("", 0)
		if err != nil || !ok || first >= v.Now {
			return err
		}
		r.served = first // the client will have forgotten it one day
	}
	outage, err := r.world.Outage(max(from, r.served), v.Now)
	r.chapter.OutageMS = max(r.chapter.OutageMS, ms(outage))
	return err
}

type happening struct {
	at    time.Duration
	entry Entry
}

func happenedOnBoard(e board.Event) happening {
	return happening{e.At, Entry{Type: "event", Source: "board", Kind: e.Kind, Name: e.Name, Value: e.Value, Text: tellBoard(e)}}
}

func happenedOnNode(t Told) happening {
	return happening{t.At, Entry{Type: "event", Source: t.Node, Kind: t.Event.Kind, Code: t.Event.Code, Text: t.Node + ": " + t.Event.Text}}
}
