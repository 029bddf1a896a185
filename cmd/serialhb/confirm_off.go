package main

import (
	"fmt"

	"github.com/serialhb/serialhb/serialhb/control"
)

// word is what a person says about a node that no device can prove off.
type word struct {
	Of     string   `arg:"" name:"node" help:"The node."`
	Broken []string `name:"broken-sense" help:"A power sense that reads on although you see that the node is off; it proves nothing until clear." placeholder:"SENSE" sep:"none"`
	sure
	asking
}

type confirmOffCmd struct {
	word
	waiting
}

func (c *confirmOffCmd) Run(t *terminal, w *where) error {
	client, err := w.dial(t)
	if err != nil {
		return err
	}
	defer client.Close()
	question := fmt.Sprintf("If %s runs after all, two nodes will write to the same data. Go and look: is its power off?", c.Of)
	if err := c.about(t, client, c.Of, question); err != nil {
		return err
	}
	_, err = c.send(t.ctx, t, client, control.Request{Command: "confirm-off", Node: c.Of, Broken: c.Broken})
	if err != nil || !c.Wait {
		return err
	}
	return c.fenced(&c.waiting, t, client, c.Of, untilOff)
}
