package main

import "github.com/serialhb/serialhb/serialhb/control"

type standbyCmd struct {
	Mode string `arg:"" enum:"on,off" help:"on or off."`
	asking
}

func (c *standbyCmd) Run(t *terminal, w *where) error {
	return c.ask(t, w, control.Request{Command: "standby-" + c.Mode})
}
