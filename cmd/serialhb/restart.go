package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
)

type restartCmd struct {
	Wait    bool          `help:"Wait until the new daemon answers." default:"true" negatable:""`
	Timeout time.Duration `help:"How long to wait. The peer bears with the silence for the time quiet of [timing]." default:"20s"`
	asking
}

func (c *restartCmd) Run(t *terminal, w *where) error {
	client, err := w.dial(t)
	if err != nil {
		return err
	}
	defer client.Close()
	old := ""
	if c.Wait { // whoever does not wait need not know which one it was
		s, err := client.Status(t.ctx)
		if err != nil {
			return err
		}
		old = s.Session
	}
	began := time.Now()
	_, err = c.send(t.ctx, t, client, control.Request{Command: "restart"})
	if err != nil || !c.Wait {
		return err
	}
	return c.comesBack(t, client, old, began)
}

// comesBack looks until a daemon of another session answers. In between nobody does.
func (c *restartCmd) comesBack(t *terminal, client *control.Client, old string, began time.Time) error {
	ctx, stop := t.interruptible()
	defer stop()
	late := time.After(c.Timeout)
	for {
		s, err := client.Status(ctx)
		switch {
		case ctx.Err() != nil:
			return refused(errors.New("you do not wait any longer; the restart goes on; `serialhb status` shows whether the daemon is back"))
		case err == nil && s.Session != old:
			c.progress(t, fmt.Sprintf("the daemon is back after %.1f s", time.Since(began).Seconds()))
			return nil
		case err != nil && !errors.Is(err, control.ErrNoDaemon) && !errors.Is(err, control.ErrTimeout):
			return err
		}
		select {
		case <-late:
			return c.away(err)
		case <-ctx.Done():
		case <-time.After(lookAgain):
		}
	}
}

// away says what to do about a daemon that did not come back. err is that of the last look.
func (c *restartCmd) away(err error) error {
	switch {
	case errors.Is(err, control.ErrNoDaemon):
		return &exitError{exitNoDaemon, fmt.Errorf("the daemon ended and nobody has started it again for %v; start it now, before its peer takes it for dead: `systemctl start serialhb`, or whatever starts it here; `serialhb check` and its log tell why it does not start", c.Timeout)}
	case err != nil:
		return timedOut(fmt.Errorf("a daemon was started and has not answered for %v; look at its process and its log", c.Timeout))
	}
	return timedOut(fmt.Errorf("the daemon still runs %v after it agreed to restart; `serialhb events` shows what it waits for", c.Timeout))
}
