package main

import (
	"errors"
	"fmt"

	"github.com/serialhb/serialhb/serialhb/control"
)

type whyCmd struct {
	Incident uint32 `arg:"" optional:"" help:"The number of the incident; the last one if left out."`
	JSON     bool   `help:"Print JSON."`
}

func (c *whyCmd) Run(t *terminal, w *where) error {
	client, err := w.dial(t)
	if err != nil {
		return err
	}
	defer client.Close()
	y, err := client.Why(t.ctx, c.Incident)
	if err != nil {
		return err
	}
	if len(y.Events) == 0 && c.Incident != 0 && !y.Open {
		return refused(fmt.Errorf("incident %d is not on record here; ask the other node, or look at `serialhb events`", c.Incident))
	}
	if len(y.Events) == 0 && len(y.Now) == 0 {
		return refused(errors.New("no incident is on record here; `serialhb status` shows how things stand"))
	}
	if c.JSON {
		return t.json(y)
	}
	return control.WriteWhy(t.out, y)
}
