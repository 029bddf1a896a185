package main

import "github.com/serialhb/serialhb/serialhb/control"

type armCmd struct{ asking }

func (c *armCmd) Run(t *terminal, w *where) error {
	return c.ask(t, w, control.Request{Command: "arm"})
}
