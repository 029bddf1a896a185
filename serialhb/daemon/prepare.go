package daemon

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// This file does for services what the decision does not need to know of. Errands go through the group's own worker: they
// keep their order with starts and stops, and no turn waits for one. One that finds no room is left out, for each only
// saves time; an address that is not kept is told.

// besideDelay keeps what is done beside the coil out of its way: on a busy machine it would otherwise run first.
const besideDelay = 5 * time.Millisecond

// errandsMost is how much may wait for an errand still to find room: that of an action is never taken.
const errandsMost = 4

func (d *Daemon) errand(g uint8, do func(context.Context)) bool {
	jobs := d.groups[g].jobs
	return len(jobs) < errandsMost && enqueue(jobs, job{errand: do})
}

// beside gives what is to be done while the cuts of a peer are opened: the groups in whose way it stands begin to ask
// whether anybody has what they need. nil is nothing.
func (d *Daemon) beside(a *failover.Action) func() {
	if a.Kind == failover.Restore {
		return nil
	}
	var all []func()
	for g := range d.o.Decision.G {
		s, can := d.o.Services[g].(Prober)
		if !can || d.state.Peers[a.Peer].Fence.Groups&(1<<g) == 0 || d.probing[g] != nil {
			continue
		}
		ctx, end := context.WithCancel(d.life)
		d.probing[g] = end
		all = append(all, func() {
			d.errand(g, func(context.Context) {
				if ctx.Err() != nil {
					return // the cut was quicker
				}
				if err := s.BeginProbe(ctx); err != nil {
					d.book.say("probe-not-begun", d.group(g)+": "+err.Error(), subject{group: d.group(g)})
				}
			})
		})
	}
	if len(all) == 0 {
		return nil
	}
	return func() {
		time.AfterFunc(besideDelay, func() {
			for _, begin := range all {
				begin()
			}
		})
	}
}

// mayStart says whether a group may start soon, so that what was asked for it still serves.
func mayStart(p pulse.Phase) bool {
	return p == pulse.Requesting || p == pulse.AwaitingApproval || p == pulse.Fencing || p == pulse.Starting
}

// endProbes ends the asking for groups that will not start. With the daemon all of it ends.
func (d *Daemon) endProbes() {
	for g, end := range d.probing {
		if end != nil && !mayStart(d.state.Groups[g].Phase) {
			end()
			d.probing[g] = nil
		}
	}
}

// owned follows the news that a group is owned here: every permit is in hand.
func (d *Daemon) owned(a *failover.Action) {
	if s, can := d.o.Services[a.Group].(Prober); can && a.Peer == d.o.Decision.Me {
		d.errand(a.Group, func(context.Context) { s.Proven() })
	}
}

// announce follows the news that a peer is heard again: whatever joined it to the network may have forgotten us.
func (d *Daemon) announce() {
	for g := range d.o.Decision.G {
		if s, can := d.o.Services[g].(Announcer); can && d.state.Groups[g].Holds == pulse.HoldsYes {
			d.errand(g, func(context.Context) { s.Announce() })
		}
	}
}

// adopted follows the adoption of a group that ran before this daemon did.
func (d *Daemon) adopted(g uint8) {
	s, can := d.o.Services[g].(Keeper)
	if !can {
		return
	}
	missed := func(why string) {
		d.Tell(int(g), News{Service: d.group(g), Code: "not-kept", Alarm: true,
			Text: d.group(g) + " runs and is not looked after (" + why + "); run `serialhb restart` here"})
	}
	if !d.errand(g, func(ctx context.Context) {
		if err := s.Keep(ctx); err != nil {
			missed(err.Error())
		}
	}) {
		missed("too much waits before it")
	}
}

// closeServices ends what runs beside the services, which are left as they are.
func (d *Daemon) closeServices() {
	for _, s := range d.o.Services {
		if c, can := s.(Closer); can {
			c.Close()
		}
	}
}

// right is what services may ask at any moment, without waiting for a turn.
type right struct {
	holds  [pulse.MaxGroups]atomic.Bool
	turned atomic.Int64 // when the last turn was judged
	from   atomic.Int64 // after a pause the peers have to be heard first
}

// turned takes down when it was, and what is held here.
func (d *Daemon) turned(now time.Duration) {
	r := &d.right
	if now-time.Duration(r.turned.Load()) > d.detection() {
		r.from.Store(int64(now + d.detection()))
	}
	r.turned.Store(int64(now))
	for g := range d.o.Decision.G {
		r.holds[g].Store(d.state.Groups[g].Holds == pulse.HoldsYes)
	}
	d.endProbes()
}

// detection is how long this member bears with a silent peer, and the same holds for itself.
func (d *Daemon) detection() time.Duration {
	return d.o.Detection.Interval * time.Duration(d.o.Detection.Multiplier)
}

// Rightful says whether a group is held here by somebody who is awake: a turn was judged within the detection time, and
// has had as long to hear of a successor if it had not. Safe from any goroutine; it never waits.
func (d *Daemon) Rightful(group int) bool {
	now := int64(d.o.Clock())
	r := &d.right
	return group >= 0 && group < pulse.MaxGroups && r.holds[group].Load() && now-r.turned.Load() <= int64(d.detection()) && now >= r.from.Load()
}
