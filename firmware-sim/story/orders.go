package story

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack"
)

// onNodes are the verbs that do one thing to each node, to all at once.
var onNodes = map[string]func(*rack.Rack, string) error{
	"power-off":      (*rack.Rack).PowerOff,
	"power-on":       (*rack.Rack).PowerOn,
	"freeze":         (*rack.Rack).Freeze,
	"thaw":           (*rack.Rack).Thaw,
	"start":          (*rack.Rack).StartNode,
	"stop":           func(r *rack.Rack, node string) error { return r.StopNode(node, leaveTime) },
	"kill-daemon":    (*rack.Rack).KillDaemon,
	"restart-daemon": (*rack.Rack).RestartDaemon,
	"reset":          (*rack.Rack).Reset,
	"reload":         (*rack.Rack).Reload,
	"lose-run":       loseRun,
	"reboot":         func(r *rack.Rack, node string) error { return r.Reboot(node, leaveTime) },
	"loop-back":      func(r *rack.Rack, node string) error { return r.LoopBack(node, others(node)[0]) },
	"unplug":         func(r *rack.Rack, node string) error { return r.Unplug(node, others(node)[0]) },
	"replug":         func(r *rack.Rack, node string) error { return r.Replug(node, others(node)[0]) },
}

// onWays are the verbs that do one thing to each direction.
var onWays = map[string]func(r *rack.Rack, from, to string, rate float64) error{
	"cut-cable":   func(r *rack.Rack, from, to string, _ float64) error { return r.CutCable(from, to) },
	"mend-cable":  func(r *rack.Rack, from, to string, _ float64) error { return r.MendCable(from, to) },
	"cut-net":     func(r *rack.Rack, from, to string, _ float64) error { return r.CutNet(from, to) },
	"mend-net":    func(r *rack.Rack, from, to string, _ float64) error { return r.MendNet(from, to) },
	"noise":       (*rack.Rack).Noise,
	"byte-errors": (*rack.Rack).ByteErrors,
}

// Do implements [World].
func (w *lab) Do(ctx context.Context, o Order) (string, error) {
	if o.Verb == "run" {
		return w.command(ctx, o.Nodes[0], o.Words)
	}
	if o.Verb == "kill-daemon" && o.Mode == "hold" {
		return "", w.rack.HoldDaemon(o.Nodes[0])
	}
	if f := onNodes[o.Verb]; f != nil {
		errs := make([]error, len(o.Nodes))
		var wg sync.WaitGroup
		for i, node := range o.Nodes {
			wg.Go(func() { errs[i] = f(w.rack, node) })
		}
		wg.Wait()
		return "", errors.Join(errs...)
	}
	if f := onWays[o.Verb]; f != nil {
		if o.From != "" {
			return "", f(w.rack, o.From, o.To, o.Rate)
		}
		return "", errors.Join(f(w.rack, Nodes[0], Nodes[1], o.Rate), f(w.rack, Nodes[1], Nodes[0], o.Rate))
	}
	switch o.Verb {
	case "service":
		return "", w.spoilService(o.Nodes[0], o.Mode)
	case "keys":
		return "", w.useKeys(o.Words)
	case "disk":
		return "", w.disk(o.Mode)
	case "weld":
		return "", w.rack.Weld(o.Name)
	case "free":
		return "", w.rack.Free(o.Name)
	case "slow":
		return "", w.rack.Slow(o.Name, o.For)
	case "hold-up":
		return "", w.rack.HoldUp(o.Nodes[0], o.For)
	case "squat", "unsquat":
		return "", w.squat(o)
	case "card":
		return "", w.card(o.Nodes[0], o.Mode)
	case "descriptors":
		return "", w.descriptors(o.Nodes[0], o.Mode)
	case "agent":
		return "", w.spoilAgent(o.Mode)
	case "clock", "zone":
		return "", errNotOwn
	case "sense":
		return "", w.spoil(o.Name, o.Mode, o.For)
	}
	return "", fmt.Errorf("story: no rack can carry out %q", o.Verb)
}

func (w *lab) spoil(name, mode string, d time.Duration) error {
	if mode == "lie" {
		return w.rack.SenseLies(name, d)
	}
	return w.rack.Sense(name, mode)
}

func (w *lab) squat(o Order) error {
	switch {
	case w.seg == nil:
		return errNoNet
	case o.Verb == "unsquat":
		return w.seg.Unsquat()
	case o.Mode == "quiet":
		return w.seg.Squat()
	}
	return errors.Join(w.seg.Squat(), w.seg.Claim())
}
