package main

import "github.com/serialhb/serialhb/serialhb/control"

type maintenanceCmd struct {
	Mode string `arg:"" enum:"on,off" help:"on or off."`
	asking
}

func (c *maintenanceCmd) Run(t *terminal, w *where) error {
	return c.ask(t, w, control.Request{Command: "maintenance-" + c.Mode})
}
