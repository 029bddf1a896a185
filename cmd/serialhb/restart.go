package main

import "github.com/serialhb/serialhb/serialhb/control"

type restartCmd struct{ asking }

func (c *restartCmd) Run(t *terminal, w *where) error {
	return c.ask(t, w, control.Request{Command: "restart"})
}
