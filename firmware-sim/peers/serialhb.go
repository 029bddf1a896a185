package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/serialhb/serialhb/firmware-sim/story"
)

// serialhb is a pair of this house, told as a story with the real program. Like heartbeat it has the cable alone, so
// that both stand the same.
type serialhb struct {
	interval   time.Duration
	multiplier int
}

func (p serialhb) name() string         { return "serialhb" }
func (p serialhb) timing() string       { return fmt.Sprintf("%s x %d", p.interval, p.multiplier) }
func (p serialhb) missing() string      { return "" }
func (p serialhb) stands(scenario) bool { return true }

// version is what the Go toolchain wrote into the program.
func (p serialhb) version(b *bench) string {
	b.build.Lock()
	defer b.build.Unlock()
	info, err := buildinfo.ReadFile(b.binary)
	if err != nil {
		return "of no known version"
	}
	version := "of no known revision"
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			version = "revision " + s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			version += ", modified"
		}
	}
	return version + ", " + info.GoVersion
}

// The proof of off takes what the example configuration gives it, and the limits are those of a real pair.
const serialhbBegin = `config interval %s
config multiplier %d
config prove 400ms
config hold-up 20ms
config moves 3
config fences 3
start
expect reachable alpha within 60s
expect reachable bravo within 60s
run alpha arm
run bravo arm
expect owner alpha within 60s
expect standby bravo within 60s
expect linked within 60s
cut-net
expect link-down alpha lan within 30s
expect link-down bravo lan within 30s
sleep 3s
`

// text is the story of a scenario. The line after "say now" is the misfortune.
func (p serialhb) text(s scenario) string {
	var b strings.Builder
	fmt.Fprintf(&b, serialhbBegin, p.interval, p.multiplier)
	inflict, relieve := orders(s)
	fmt.Fprintf(&b, "say now\n%s\n", inflict)
	if s.lasts > 0 {
		fmt.Fprintf(&b, "sleep %s\n%s\n", s.lasts, relieve)
	}
	fmt.Fprintf(&b, "sleep %s\n", s.after)
	return b.String()
}

func orders(s scenario) (inflict, relieve string) {
	switch s.kind {
	case powerCut:
		return "power-off alpha", ""
	case noise:
		return fmt.Sprintf("noise %.0f", s.rate), "noise 0"
	case ownerMute:
		return "cut-cable alpha->bravo", "mend-cable alpha->bravo"
	case standbyMute:
		return "cut-cable bravo->alpha", "mend-cable bravo->alpha"
	case freezeStandby:
		return "freeze bravo", "thaw bravo"
	case freezeOwner:
		return "freeze alpha", "thaw alpha"
	}
	panic(fmt.Sprintf("peers: no order is known for %s", s.name))
}

func (p serialhb) play(ctx context.Context, b *bench, s scenario) (o observation, err error) {
	binary, err := b.program(ctx)
	if err != nil {
		return o, err
	}
	told, err := story.Parse(s.name, p.text(s))
	if err != nil {
		return o, err
	}
	w := &witness{}
	build := func(ctx context.Context, settings story.Settings) (story.World, error) {
		inner, err := story.Rack(binary, b.dir)(ctx, settings)
		w.World = inner
		return w, err
	}
	var failed error
	err = story.Run(ctx, told, build, mono.Now, func(e story.Entry) error {
		switch {
		case e.Type == "failed":
			failed = fmt.Errorf("line %d: %s: %s", e.Line, e.Text, e.Seen)
		case e.Type == "chapter":
			w.now = true
		}
		return nil
	})
	// Two owners end a story; they are what is looked for here. Before the misfortune they are a failure like any other.
	if err != nil && (w.since == 0 || !errors.Is(err, story.ErrFailed) || failed == nil) {
		return o, errors.Join(err, failed)
	}
	if failed != nil {
		o.note = "the story ended early: " + failed.Error()
	}
	ended := w.ended
	if ended == 0 {
		ended = w.until
	}
	o.since, o.until, o.marks = w.since, w.until, marksOf(w.board)
	o.absent = s.absent(w.since, ended, w.until)
	o.cuts = healthyCut(w.board, w.since, o.absent)
	return o, nil
}

// witness keeps what the story's world saw, with the exact times.
type witness struct {
	story.World
	now          bool // the next order is the misfortune
	since, ended time.Duration
	until        time.Duration
	board        []board.Event
}

// Look implements [story.World].
func (w *witness) Look(ctx context.Context, ask []string) (story.View, error) {
	v, err := w.World.Look(ctx, ask)
	if err == nil {
		w.board, w.until = v.Board, v.Now
	}
	return v, err
}

// Do implements [story.World].
func (w *witness) Do(ctx context.Context, o story.Order) (string, error) {
	if w.now && w.since == 0 {
		w.since = w.Now()
	} else if w.now {
		w.ended = w.Now()
	}
	return w.World.Do(ctx, o)
}

// marksOf reads the services' own ledger out of the board's events.
func marksOf(events []board.Event) (marks []mark) {
	for _, e := range events {
		if verb, node, ok := strings.Cut(e.Value, " "); ok && e.Kind == "run" {
			marks = append(marks, mark{e.At, node, verb == "begin"})
		}
	}
	return marks
}

// healthyCut counts the nodes that lost their power while they were neither frozen nor without mains.
func healthyCut(events []board.Event, since time.Duration, absent []span) (n int) {
	for _, e := range events {
		if e.Kind != "power" || e.Value != "off" || e.At < since {
			continue
		}
		healthy := true
		for _, a := range absent {
			healthy = healthy && (a.node != e.Name || e.At < a.from || e.At >= a.to)
		}
		if healthy {
			n++
		}
	}
	return n
}
