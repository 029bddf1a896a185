package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/serialhb/serialhb/firmware-sim/chance"
	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/serialhb/serialhb/firmware-sim/story"
)

// rackCmd plays stories with real processes.
type rackCmd struct {
	stories
	program
	Jobs int `help:"Stories at a time. Nodes that have to wait for a processor fall silent, so more are told but fewer mean what they say." default:"1"`
}

func (c *rackCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	binary, clean, err := c.binary(ctx)
	if err != nil {
		return err
	}
	defer clean()
	var mu sync.Mutex
	var sum chance.Tally
	seeds := make(chan uint64)
	var players sync.WaitGroup
	for range max(1, c.Jobs) {
		players.Go(func() {
			for seed := range seeds {
				t, err := c.play(ctx, binary, seed)
				if err != nil {
					cancel(err) // the first one counts
					continue
				}
				mu.Lock()
				sum.Add(t)
				fmt.Printf("seed %d holds; %s\n", seed, &sum)
				mu.Unlock()
			}
		})
	}
	for i := range uint64(c.Stories) {
		select {
		case seeds <- c.Seed + i:
		case <-ctx.Done():
		}
	}
	close(seeds)
	players.Wait()
	fmt.Println(&sum)
	return context.Cause(ctx)
}

func (c *rackCmd) play(ctx context.Context, binary string, seed uint64) (t chance.Tally, err error) {
	text := chance.Story(seed, c.Orders, chance.Rack)
	s, err := story.Parse(fmt.Sprintf("seed-%d", seed), text)
	if err != nil {
		return t, err
	}
	t.Begin()
	var report bytes.Buffer
	tell := story.Text(&report)
	err = story.Run(ctx, s, story.Rack(binary, ""), mono.Now, func(e story.Entry) error {
		if e.Code != "" {
			t.Told(e.Source, e.Code)
		}
		return tell(e)
	})
	if err != nil && ctx.Err() == nil {
		return t, fmt.Errorf("%s\n%s\nseed %d: %w; tell it again with: go run ./cmd/hbsim story --seed %d --orders %d rack | serialhb lab --script -",
			text, report.String(), seed, err, seed, c.Orders)
	}
	return t, err
}
