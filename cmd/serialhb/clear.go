package main

import "github.com/serialhb/serialhb/serialhb/control"

type clearCmd struct{ asking }

func (c *clearCmd) Run(t *terminal, w *where) error {
	return c.ask(t, w, control.Request{Command: "clear"})
}
