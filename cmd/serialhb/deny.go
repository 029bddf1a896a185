package main

import "github.com/serialhb/serialhb/serialhb/control"

type denyCmd struct {
	Incident uint32 `arg:"" help:"The number of the incident; status shows it."`
	asking
}

func (c *denyCmd) Run(t *terminal, w *where) error {
	return c.ask(t, w, control.Request{Command: "deny", Incident: c.Incident})
}
