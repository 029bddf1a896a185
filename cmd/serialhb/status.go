package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
)

type statusCmd struct {
	JSON  bool `help:"Print JSON." xor:"form"`
	Quiet bool `short:"q" help:"Print nothing; exit 0 only if all is well." xor:"form,time"`
	Watch bool `help:"Look again every second, until interrupted." xor:"time"`
}

// watchTime is how often a watched status is looked at.
const watchTime = time.Second

func (c *statusCmd) Run(t *terminal, w *where) error {
	client, err := w.dial(t)
	if err != nil {
		return err
	}
	defer client.Close()
	if c.Watch {
		return c.watch(t, client)
	}
	s, err := client.Status(t.ctx)
	switch {
	case err != nil:
		return err
	case !c.Quiet:
		return c.print(t, s)
	case !control.IsWell(s):
		return refused(errors.New(control.Headline(s)))
	}
	return nil
}

func (c *statusCmd) print(t *terminal, s control.Status) error {
	if c.JSON {
		return t.json(s)
	}
	return control.WriteStatus(t.out, s)
}

// watch goes on when the daemon does not answer: that is what one watches for.
func (c *statusCmd) watch(t *terminal, client *control.Client) error {
	ctx, stop := t.interruptible()
	defer stop()
	for ctx.Err() == nil {
		if err := c.look(ctx, t, client); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(watchTime):
		}
	}
	return nil
}

// look shows one status at once, so that the screen does not flicker.
func (c *statusCmd) look(ctx context.Context, t *terminal, client *control.Client) error {
	s, err := client.Status(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil && c.JSON:
		_, err = fmt.Fprintf(t.err, "serialhb: %v\n", err)
		return err
	case c.JSON:
		return t.json(s)
	}
	var b bytes.Buffer
	if t.redrawn {
		b.WriteString("\x1b[H\x1b[2J")
	}
	fmt.Fprintf(&b, "%s\n", time.Now().Format("2006-01-02 15:04:05"))
	if err != nil {
		fmt.Fprintf(&b, "%v\n", err)
	} else if err := control.WriteStatus(&b, s); err != nil {
		return err
	}
	if !t.redrawn {
		b.WriteByte('\n')
	}
	_, err = t.out.Write(b.Bytes())
	return err
}
