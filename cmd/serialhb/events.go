package main

import "github.com/serialhb/serialhb/serialhb/control"

type eventsCmd struct {
	JSON   bool   `help:"Print JSON, one event a line."`
	Follow bool   `short:"f" help:"Go on with what happens, until interrupted."`
	From   uint64 `help:"Begin with this number." placeholder:"N"`
}

func (c *eventsCmd) Run(t *terminal, w *where) error {
	client, err := w.dial(t)
	if err != nil {
		return err
	}
	defer client.Close()
	words := control.NewTeller(t.out)
	tell := func(e control.Event) error {
		if c.JSON {
			return t.json(e)
		}
		return words.Tell(e)
	}
	if !c.Follow {
		return client.Events(t.ctx, c.From, tell)
	}
	ctx, stop := t.interruptible()
	defer stop()
	err = client.Follow(ctx, c.From, tell)
	if ctx.Err() != nil {
		return nil // the person has seen enough
	}
	return err
}
