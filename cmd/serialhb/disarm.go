package main

import "github.com/serialhb/serialhb/serialhb/control"

type disarmCmd struct{ asking }

func (c *disarmCmd) Run(t *terminal, w *where) error {
	return c.ask(t, w, control.Request{Command: "disarm"})
}
