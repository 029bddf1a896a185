package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"github.com/serialhb/serialhb/firmware-sim/chance"
	"github.com/serialhb/serialhb/firmware-sim/world/script"
)

// worldCmd plays stories in simulated time, or whole fates.
type worldCmd struct {
	stories
	Seeds    string        `help:"Play the fates of these seeds instead: half an hour of a pair or more, with ten faults or more." placeholder:"FROM-TO"`
	Jobs     int           `help:"How many fates at once; 0 is one for each processor."`
	Interval time.Duration `help:"Interval of the pulses in fates; 0 lets each seed draw it."`
	Trace    bool          `help:"Tell the fate of --seed as a timeline."`
}

// Validate refuses what would be ignored.
func (c *worldCmd) Validate(parsed *kong.Context) error {
	given := map[string]bool{}
	for _, p := range parsed.Path {
		if p.Flag != nil {
			given[p.Flag.Name] = true
		}
	}
	return misfits(given)
}

// misfits says which of the flags that were given does not go with the others.
func misfits(given map[string]bool) error {
	refused, why := []string{"jobs", "interval"}, "--%s is for fates: add --seeds FROM-TO"
	switch {
	case given["trace"]:
		refused, why = []string{"seeds", "jobs", "stories", "orders"}, "--trace tells the one fate of --seed N: leave out --%s"
	case given["seeds"]:
		refused, why = []string{"seed", "stories", "orders"}, "--seeds plays whole fates: leave out --%s"
	}
	for _, flag := range refused {
		if given[flag] {
			return fmt.Errorf(why, flag)
		}
	}
	return nil
}

func (c *worldCmd) Run(ctx context.Context) error {
	switch {
	case c.Trace:
		return trace(c.Seed, c.Interval)
	case c.Seeds != "":
		from, to, err := parseSeeds(c.Seeds)
		if err != nil {
			return err
		}
		f := fates{from: from, to: to, jobs: c.Jobs, interval: c.Interval}
		return f.run(ctx)
	}
	var sum chance.Tally
	for i := range uint64(c.Stories) {
		if ctx.Err() != nil {
			break
		}
		if err := c.play(c.Seed+i, &sum); err != nil {
			return err
		}
	}
	fmt.Println(&sum)
	return ctx.Err()
}

func (c *worldCmd) play(seed uint64, sum *chance.Tally) error {
	text := chance.Story(seed, c.Orders, chance.World)
	w, err := script.Play(fmt.Sprintf("seed-%d", seed), text)
	if w == nil {
		return err
	}
	sum.Begin()
	for _, n := range w.Notes() {
		sum.Told(n.Node, n.Code.String())
	}
	var f *script.Failure
	if errors.As(err, &f) {
		return fmt.Errorf("%s\n%s\n%w", text, f.Story(), err)
	}
	return err
}
