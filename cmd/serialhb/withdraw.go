package main

import (
	"fmt"

	"github.com/serialhb/serialhb/serialhb/control"
)

type withdrawCmd struct{ word }

func (c *withdrawCmd) Run(t *terminal, w *where) error {
	client, err := w.dial(t)
	if err != nil {
		return err
	}
	defer client.Close()
	question := fmt.Sprintf("From now on %s counts as off until it is heard again. Is it off, and will it stay off?", c.Of)
	if err := c.about(t, client, c.Of, question); err != nil {
		return err
	}
	_, err = c.send(t.ctx, t, client, control.Request{Command: "withdraw", Node: c.Of, Broken: c.Broken})
	return err
}
