package main

import (
	"context"
	"errors"
	"fmt"
	"time"

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

func (c *worldCmd) Run(ctx context.Context) error {
	options := chance.FateOptions{Interval: c.Interval}
	switch {
	case c.Trace:
		return trace(c.Seed, options)
	case c.Seeds != "":
		from, to, err := parseSeeds(c.Seeds)
		if err != nil {
			return err
		}
		f := fates{from: from, to: to, jobs: c.Jobs, options: options}
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
	s, err := script.Parse(fmt.Sprintf("seed-%d", seed), text)
	if err != nil {
		return err
	}
	w, err := s.Run()
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
