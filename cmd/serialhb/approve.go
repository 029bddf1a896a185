package main

import "github.com/serialhb/serialhb/serialhb/control"

type approveCmd struct {
	Incident uint32 `arg:"" help:"The number of the incident; status shows it."`
	asking
}

func (c *approveCmd) Run(t *terminal, w *where) error {
	return c.ask(t, w, control.Request{Command: "approve", Incident: c.Incident})
}
