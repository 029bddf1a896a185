package main

import "github.com/serialhb/serialhb/serialhb/control"

type switchoverCmd struct {
	Group string `arg:"" optional:"" help:"The group; may be left out if there is only one."`
	To    string `help:"Where to, instead of the best other node." placeholder:"NODE"`
	waiting
	asking
}

func (c *switchoverCmd) Run(t *terminal, w *where) error {
	return c.moveGroup(t, w, &c.waiting, control.Request{Command: "switchover", Group: c.Group, Node: c.To})
}

// moveGroup asks for a planned move and follows it.
func (a *asking) moveGroup(t *terminal, w *where, wait *waiting, r control.Request) error {
	c, err := w.dial(t)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.Status(t.ctx)
	if err != nil {
		return err
	}
	from, err := group(s, r.Group)
	if err != nil {
		return err
	}
	r.Group = from.Name
	after, err := lastEvent(t.ctx, c)
	if err != nil {
		return err
	}
	res, err := a.send(t.ctx, t, c, r)
	if err != nil || !wait.Wait {
		return err
	}
	target := r.Node
	if res.Node != "" {
		target = res.Node
	}
	return a.move(wait, t, c, from, target, after)
}
