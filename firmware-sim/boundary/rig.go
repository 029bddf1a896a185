package boundary

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/story"
)

// The nodes by their part: the owner is lost, the survivor takes over and dies.
const (
	owner    = "alpha"
	survivor = "bravo"
)

// Tail is for how long calls count after the survivor has recorded that the group is active.
const Tail = 100 * time.Millisecond

// How long things may take. A node that needs longer has not recovered: these are many times what it takes.
const (
	takeoverTime = 15 * time.Second
	restartTime  = 10 * time.Second
	recoveryTime = 20 * time.Second
)

const lookEvery = 2 * time.Millisecond

// rig is a world in which the survivor is traced when the owner is lost, and dies at its boundary.
type rig struct {
	story.World
	dir  string // of the rack
	gate string // a start of the survivor waits for its writer, if it is there
	plan *plan
	out  *Outcome
}

// Do carries out the loss of the owner, and all that follows from it until the group is active again; what remains it leaves
// to the rack.
func (w *rig) Do(ctx context.Context, o story.Order) (string, error) {
	if o.Verb != w.plan.Loss || o.Nodes[0] != owner || w.out.lost {
		return w.World.Do(ctx, o)
	}
	w.out.lost, w.out.lostAt = true, w.Now()
	return "", w.lose(ctx, o)
}

// Sleep notes by how much the machine is late.
func (w *rig) Sleep(ctx context.Context, d time.Duration) error {
	end := w.Now() + d
	err := w.World.Sleep(ctx, d)
	w.out.late = max(w.out.late, w.Now()-end)
	return err
}

func (w *rig) lose(ctx context.Context, o story.Order) error {
	pid, err := w.daemon(ctx, 0)
	if err != nil {
		return err
	}
	t, err := follow(w.plan.Self, pid, w.dir, w.plan.Binary, w.plan.Want, w.plan.delay())
	if err != nil {
		return err
	}
	since := w.Now()
	if _, err = w.World.Do(ctx, o); err == nil {
		err = w.watch(ctx, t, since)
	}
	if err = errors.Join(err, t.end()); err != nil || w.plan.Want == nil {
		return err
	}
	if w.out.Deaths == 0 {
		w.out.Void = notReached
		return errNotReached
	}
	if pid, err = w.mourn(ctx, pid); err == nil && w.plan.twice() {
		if err = w.again(ctx, pid); err == nil && w.out.Deaths < 2 {
			w.out.Void = notReached
			return errNotReached
		}
		if err == nil {
			_, err = w.mourn(ctx, pid)
		}
	}
	if err != nil {
		return err
	}
	return w.recover(ctx)
}

const notReached = "the daemon did not come by"

// errNotReached says nothing about the pair: the daemon did not come by where it was to die.
var errNotReached = errors.New("boundary: " + notReached)

// again kills the next daemon of the survivor at the same place, the first time that it comes by. It is in the tracer's hands
// before it begins.
func (w *rig) again(ctx context.Context, pid int) error {
	want := w.plan.Want.First()
	t, err := follow(w.plan.Self, pid, w.dir, w.plan.Binary, &want, 0)
	if err != nil {
		return err
	}
	since := w.Now()
	if err = w.open(); err == nil {
		err = w.watch(ctx, t, since)
	}
	return errors.Join(err, t.end())
}

// open lets a start go on that waits at the gate, and takes the gate away.
func (w *rig) open() error {
	f, err := os.OpenFile(w.gate, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("go\n")
		err = errors.Join(err, f.Close(), os.Remove(w.gate))
	}
	if err != nil {
		return fmt.Errorf("boundary: open gate: %w", err)
	}
	return nil
}

// watch ends when the survivor is dead or active.
func (w *rig) watch(ctx context.Context, t *tracing, since time.Duration) error {
	late, end, dies := time.After(takeoverTime), (<-chan time.Time)(nil), false
	for {
		select {
		case s, ok := <-t.lines:
			switch {
			case !ok:
				return fmt.Errorf("boundary: the tracer has ended: %s", strings.TrimSpace(t.fault.String()))
			case s.Nameless != "":
				w.out.Nameless = append(w.out.Nameless, s.Nameless)
			case s.Gone:
				return w.died()
			case s.Killed != 0:
				w.out.Deaths++
				w.out.killed, end, dies = s.Killed, nil, true // its death is waited for
			case s.Passed != nil:
				w.out.Passed = append(w.out.Passed, *s.Passed)
				if s.Held {
					end, dies = nil, true
				}
			}
			if s.Killed == 0 || w.gate == "" || w.out.Deaths == w.plan.deaths() {
				continue
			}
			// It must be there before the supervisor starts the next daemon.
			if err := syscall.Mkfifo(w.gate, 0o600); err != nil {
				return fmt.Errorf("boundary: make gate: %w", err)
			}
		case <-time.After(lookEvery):
			if dies || end != nil {
				continue
			}
			active, err := w.recorded(ctx, since)
			if err != nil {
				return err
			}
			if active {
				end = time.After(Tail)
			}
		case <-end:
			return nil
		case <-late:
			return fmt.Errorf("boundary: %s was neither active nor dead %s after %s was lost", survivor, takeoverTime, owner)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// recorded says whether the survivor has recorded since then that it is active.
func (w *rig) recorded(ctx context.Context, since time.Duration) (bool, error) {
	v, err := w.Look(ctx, nil)
	for _, t := range v.Told {
		if t.Node == survivor && t.At >= since && (t.Event.Code == "active" || t.Event.Code == "adopted-now") {
			return true, err
		}
	}
	return false, err
}

// daemon waits for a daemon of the survivor that is not the old one.
func (w *rig) daemon(ctx context.Context, old int) (int, error) {
	for end := w.Now() + restartTime; ; {
		v, err := w.Look(ctx, nil)
		if err != nil {
			return 0, err
		}
		pid := 0
		for _, e := range v.Board {
			if e.Kind != "host" || e.Name != survivor {
				continue
			}
			if text, ok := strings.CutPrefix(e.Value, "daemon started "); ok {
				if pid, err = strconv.Atoi(text); err != nil {
					return 0, fmt.Errorf("boundary: read %q: %w", e.Value, err)
				}
			}
		}
		if pid != 0 && pid != old {
			return pid, nil
		}
		if w.Now() >= end {
			return 0, fmt.Errorf("boundary: %s has no new daemon after %s", survivor, restartTime)
		}
		if err := w.Sleep(ctx, lookEvery); err != nil {
			return 0, err
		}
	}
}

// recover waits until the group is active on one node, by the word of its daemon, and looks that no node was asked for.
func (w *rig) recover(ctx context.Context) error {
	for end := w.out.killed + recoveryTime; ; {
		v, err := w.Look(ctx, story.Nodes)
		if err != nil {
			return err
		}
		var active, seen []string
		for _, name := range story.Nodes {
			n := v.Nodes[name]
			if n.Err != nil || len(n.Status.Groups) == 0 {
				seen = append(seen, name+" does not answer")
				continue
			}
			g := n.Status.Groups[0]
			if g.Phase == "active" && g.Holds == "yes" {
				active = append(active, name)
			}
			seen = append(seen, fmt.Sprintf("%s is %s, holds %s: %s", name, g.Phase, g.Holds, n.Status.Headline))
		}
		if len(active) == 1 {
			w.out.Owner, w.out.Took = active[0], w.Now()-w.out.killed
			return nil
		}
		if w.Now() >= end {
			return fmt.Errorf("%s after the death the group is active on %d nodes: %s", recoveryTime, len(active), strings.Join(seen, "; "))
		}
		if err := w.Sleep(ctx, 5*lookEvery); err != nil {
			return err
		}
	}
}

// rackDir is the folder of the only rack in dir.
func rackDir(dir string) (string, error) {
	all, err := filepath.Glob(filepath.Join(dir, "serialhb-lab*"))
	if err != nil || len(all) != 1 {
		return "", fmt.Errorf("boundary: %d racks in %s: %w", len(all), dir, err)
	}
	return all[0], nil
}
