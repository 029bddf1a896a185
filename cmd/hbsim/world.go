package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/serialhb/serialhb/firmware-sim/chance"
	"github.com/serialhb/serialhb/firmware-sim/world/script"
)

// worldCmd plays stories in simulated time.
type worldCmd struct{ stories }

func (c *worldCmd) Run(ctx context.Context) error {
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
