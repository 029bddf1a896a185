package main

import (
	"fmt"

	"github.com/serialhb/serialhb/serialhb/control"
)

type fenceCmd struct {
	Status fenceStatusCmd `cmd:"" help:"What relays and senses read; nothing is driven."`
	On     fenceOnCmd     `cmd:"" help:"Give its power back."`
	Off    fenceOffCmd    `cmd:"" help:"Cut its power, and prove it."`
	Test   fenceTestCmd   `cmd:"" help:"Cut its power, prove it, and give it back."`
}

type fenceStatusCmd struct {
	Of string `arg:"" optional:"" name:"node" help:"The node; all others if left out."`
	asking
}

func (c *fenceStatusCmd) Run(t *terminal, w *where) error {
	return c.ask(t, w, control.Request{Command: "fence-status", Node: c.Of})
}

type fenceOnCmd struct {
	Of string `arg:"" name:"node" help:"The node."`
	asking
}

func (c *fenceOnCmd) Run(t *terminal, w *where) error {
	return c.ask(t, w, control.Request{Command: "fence-on", Node: c.Of})
}

// cut is what cutting on a person's word has in common with testing it.
type cut struct {
	Of string `arg:"" name:"node" help:"The node."`
	sure
	waiting
	asking
}

type fenceOffCmd struct{ cut }

func (c *fenceOffCmd) Run(t *terminal, w *where) error {
	question := fmt.Sprintf("This cuts the power of %s now, whatever runs there.", c.Of)
	return c.run(t, w, question, "fence-off", untilOff)
}

type fenceTestCmd struct{ cut }

func (c *fenceTestCmd) Run(t *terminal, w *where) error {
	question := fmt.Sprintf("This cuts the power of %s now, whatever runs there, and gives it back after the proof.", c.Of)
	return c.run(t, w, question, "fence-test", untilBack)
}

func (c *cut) run(t *terminal, w *where, question, command string, goal goal) error {
	client, err := w.dial(t)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := c.about(t, client, c.Of, question); err != nil {
		return err
	}
	_, err = c.send(t.ctx, t, client, control.Request{Command: command, Node: c.Of})
	if err != nil || !c.Wait {
		return err
	}
	return c.fenced(&c.waiting, t, client, c.Of, goal)
}
