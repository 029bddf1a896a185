package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
)

type leaveCmd struct {
	Wait    bool          `help:"Wait until the daemon has ended."`
	Timeout time.Duration `help:"How long to wait." default:"60s"`
	asking
}

func (c *leaveCmd) Run(t *terminal, w *where) error {
	client, err := w.dial(t)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = c.send(t.ctx, t, client, control.Request{Command: "leave"})
	if err != nil || !c.Wait {
		return err
	}
	return c.waitForEnd(t, client)
}

// waitForEnd looks until nobody listens any more. A daemon that does not answer has not ended: it may be stopping.
func (c *leaveCmd) waitForEnd(t *terminal, client *control.Client) error {
	ctx, stop := t.interruptible()
	defer stop()
	late := time.After(c.Timeout)
	var last control.Status
	for {
		s, err := client.Status(ctx)
		switch {
		case err == nil:
			last = s
		case ctx.Err() != nil:
			return refused(errors.New("you do not wait any longer; the daemon goes on leaving"))
		case errors.Is(err, control.ErrNoDaemon) && unsaved(last):
			return refused(errNoGoodbye)
		case errors.Is(err, control.ErrNoDaemon):
			c.progress(t, "the daemon has ended")
			return nil
		case err != nil && !errors.Is(err, control.ErrTimeout):
			return err
		}
		select {
		case <-late:
			return timedOut(fmt.Errorf("the daemon has not ended after %v; `serialhb status` shows what it waits for", c.Timeout))
		case <-ctx.Done():
		case <-time.After(lookAgain):
		}
	}
}

// unsaved says whether a daemon could not write down that it has forgotten its permits; it then says no goodbye.
func unsaved(s control.Status) bool {
	return slices.ContainsFunc(s.Alarms, func(a control.Alarm) bool { return a.Code == "save-failed" })
}
