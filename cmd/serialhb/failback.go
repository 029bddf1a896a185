package main

import "github.com/serialhb/serialhb/serialhb/control"

type failbackCmd struct {
	Group string `arg:"" optional:"" help:"The group; may be left out if there is only one."`
	waiting
	asking
}

func (c *failbackCmd) Run(t *terminal, w *where) error {
	return c.moveGroup(t, w, &c.waiting, control.Request{Command: "failback", Group: c.Group})
}
