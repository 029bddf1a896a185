package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
)

// waiting is what every command has whose deed goes on after the answer.
type waiting struct {
	Wait    bool          `help:"Wait for the outcome." default:"true" negatable:""`
	Timeout time.Duration `help:"How long to wait." default:"60s"`
}

// lookAgain is how long to wait between two looks.
const lookAgain = 100 * time.Millisecond

// errLate ends a wait whose time is over.
var errLate = errors.New("late")

// until looks at the status again and again, until look says that it is done, or why it never will be. late points to
// the sentence for a wait that takes too long.
func (w *waiting) until(t *terminal, c *control.Client, late *string, look func(context.Context, control.Status) (done bool, err error)) error {
	ctx, stop := t.interruptible()
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, w.Timeout, errLate)
	defer cancel()
	for {
		done := false
		s, err := c.Status(ctx)
		if err == nil {
			done, err = look(ctx, s)
		}
		if errors.Is(err, control.ErrNoDaemon) || errors.Is(err, control.ErrTimeout) {
			err = fmt.Errorf("it was begun, and nobody can tell how it goes on: %w", err)
		}
		switch {
		case errors.Is(context.Cause(ctx), errLate) && !done:
			return timedOut(fmt.Errorf("%s after %v; `serialhb status` shows how it goes on", *late, w.Timeout))
		case ctx.Err() != nil && !done:
			return refused(errors.New("you do not wait any longer; what was begun goes on"))
		case done || err != nil:
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookAgain):
		}
	}
}

// lastEvent is the newest sequence on record: what comes after it belongs to what is asked next.
func lastEvent(ctx context.Context, c *control.Client) (seq uint64, err error) {
	err = c.Events(ctx, 0, func(e control.Event) error { seq = e.Seq; return nil })
	return seq, err
}

// endings are the events after which a move does not come to its goal any more.
var endings = []string{"wish-expired", "wish-refused", "release-unused", "start-failed", "standstill", "gave-way"}

// move follows a group from its owner to a target, or to any other node if target is empty. after is the last event
// before it was asked for.
func (a *asking) move(w *waiting, t *terminal, c *control.Client, from control.Group, target string, after uint64) error {
	said := ""
	tell := func(text string) {
		if text != said {
			said = text
			a.progress(t, text)
		}
	}
	goal := target
	if goal == "" {
		goal = "another node"
	}
	late := fmt.Sprintf("%s is not active on %s", from.Name, goal)
	return w.until(t, c, &late, func(ctx context.Context, s control.Status) (bool, error) {
		ended := ""
		err := c.Events(ctx, after+1, func(e control.Event) error {
			after = e.Seq
			if e.Group == from.Name && (e.Kind == "note" || e.Kind == "alarm") {
				tell(e.Text)
				if slices.Contains(endings, e.Code) {
					ended = e.Text
				}
			}
			return nil
		})
		if err != nil {
			return false, err
		}
		g, err := group(s, from.Name)
		if err != nil {
			return false, err
		}
		if g.Owner != "" && (g.Owner == target || target == "" && g.Owner != from.Owner) && runs(g, s.Node) {
			tell(fmt.Sprintf("%s is active on %s", g.Name, g.Owner))
			return true, nil
		}
		failed := failedThere(from, g, target)
		switch {
		case failed != "":
			return false, refused(fmt.Errorf("%s is %s on %s; `serialhb why` there says why", g.Name, g.Peers[failed], failed))
		case g.Owner == from.Owner && g.Term > from.Term && runs(g, s.Node):
			return false, refused(fmt.Errorf("%s was moved and is on %s again; `serialhb events` tells why", g.Name, g.Owner))
		case g.Phase != from.Phase && (g.Phase == "failed" || g.Phase == "blocked"):
			return false, refused(fmt.Errorf("%s is %s on %s: %s", g.Name, g.Phase, s.Node, g.Why))
		case ended != "":
			return false, refused(errors.New(ended))
		}
		return false, nil
	})
}

// failedThere names a node that the group was to go to, if it has failed or is blocked there since.
func failedThere(from, now control.Group, target string) string {
	for name, phase := range now.Peers {
		if (target == "" || name == target) && phase != from.Peers[name] && (phase == "failed" || phase == "blocked") {
			return name
		}
	}
	return ""
}

// runs says whether the services of a group run where it is owned. A daemon that does not know its peer's phase leaves
// it empty: there, being owned is all that can be seen.
func runs(g control.Group, me string) bool {
	if g.Owner == me {
		return g.Phase == "active"
	}
	return g.OwnerPhase == "active" || g.OwnerPhase == ""
}

// goal is how far a fence is followed.
type goal int

const (
	untilOff  goal = iota // proven off
	untilBack             // and its power given back
)

// fenced follows the fence of a node. Only a proof makes it a success.
func (a *asking) fenced(w *waiting, t *terminal, c *control.Client, node string, to goal) error {
	proven := false
	late := fmt.Sprintf("%s is not proven off", node)
	return w.until(t, c, &late, func(_ context.Context, s control.Status) (bool, error) {
		m, err := peer(s, node)
		if err != nil {
			return false, err
		}
		switch {
		case m.Fence == "failed":
			return false, refused(fmt.Errorf("%s is not proven off: the fence failed; `serialhb events` tells each step", node))
		case m.Fence == "proven" && !proven:
			proven, late = true, fmt.Sprintf("%s has not got its power back", node)
			a.progress(t, fmt.Sprintf("%s is off: %s", node, m.Proof))
		case m.Fence == "idle" && !proven:
			return false, refused(fmt.Errorf("%s is not proven off: the fence was called off; `serialhb events` tells why", node))
		}
		return proven && (to == untilOff || !m.CutOpen), nil
	})
}
