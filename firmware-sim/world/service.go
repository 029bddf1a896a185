package world

import (
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// service is the resources of one group on one host. Whether they run is the physical truth; it changes only while an
// act is carried out, when the power goes, or when they fail.
type service struct {
	runs bool
	busy bool   // an act is under way
	cut  func() // ends the start that is under way

	Services
}

// Services is how the resources of a group behave on one host. An act that hangs ends with its time-out, as a failure.
type Services struct {
	Start, Stop, Probe             time.Duration
	StartFails, StopFails          bool
	StartHangs, StopHangs          bool
	ProbeFails, ProbeHangs         bool // nobody can tell, at once or in the end
	StartLimit, StopLimit, Monitor time.Duration
}

// SoundServices start and stop in a moment.
func SoundServices() Services {
	return Services{Start: 200 * time.Millisecond, Stop: 200 * time.Millisecond, Probe: 5 * time.Millisecond,
		StartLimit: time.Minute, StopLimit: time.Minute, Monitor: 5 * time.Second}
}

func newService() service { return service{Services: SoundServices()} }

// do queues an act of a group. A stop ends a start that is under way.
func (d *daemon) serve(a failover.Action) {
	s := &d.h.services[a.Group]
	if a.Kind == failover.Stop && s.cut != nil {
		s.cut()
	}
	d.acts[a.Group] = append(d.acts[a.Group], a)
	d.nextAct(a.Group)
}

func (d *daemon) nextAct(g uint8) {
	s := &d.h.services[g]
	if s.busy || len(d.acts[g]) == 0 {
		return
	}
	a := d.acts[g][0]
	d.acts[g] = d.acts[g][1:]
	s.busy = true
	ended := false
	end := func(e failover.Event) {
		if ended {
			return
		}
		ended, s.busy, s.cut = true, false, nil
		e.ID, e.Group = a.ID, g
		d.post(e)
		d.nextAct(g)
	}
	switch a.Kind {
	case failover.Probe:
		d.probe(s, end)
	case failover.Start:
		d.start(s, g, end)
	case failover.Stop:
		d.stop(s, end)
	}
}

func (d *daemon) probe(s *service, end func(failover.Event)) {
	took := s.Probe
	if s.ProbeHangs {
		took = 5 * time.Second
	}
	d.later(took, func() {
		e := failover.Event{Kind: failover.Probed, OK: true, Found: failover.FoundStopped}
		switch {
		case s.ProbeHangs || s.ProbeFails:
			e.OK = false
			e.Found = failover.FoundUnknown
		case s.runs:
			e.Found = failover.FoundRunning
		}
		end(e)
	})
}

// start takes the worst view: the resources run from the moment in which they were asked to.
func (d *daemon) start(s *service, g uint8, end func(failover.Event)) {
	d.checkStart(g)
	s.runs = true
	d.tell("starts " + d.w.group(g))
	failed := failover.Event{Kind: failover.StartDone}
	s.cut = func() { end(failed) }
	if s.StartHangs {
		d.later(s.StartLimit, func() { end(failed) })
		return
	}
	d.later(s.Start, func() { end(failover.Event{Kind: failover.StartDone, OK: !s.StartFails}) })
}

// stop leaves them running until it is done, and for ever if it fails.
func (d *daemon) stop(s *service, end func(failover.Event)) {
	if s.StopHangs {
		d.later(s.StopLimit, func() { end(failover.Event{Kind: failover.StopDone}) })
		return
	}
	d.later(s.Stop, func() {
		if !s.StopFails {
			s.runs = false
		}
		end(failover.Event{Kind: failover.StopDone, OK: !s.StopFails})
	})
}

// fail makes the resources of a group die on a host. The monitor finds that.
func (h *host) fail(g uint8) {
	h.services[g].runs = false
	h.tell(h.w.group(g) + " dies")
	if h.daemon != nil {
		h.daemon.monitor(g)
	}
}

// monitor looks at a group a little later, and again as long as it is being started: then nobody asks yet what a monitor finds.
func (d *daemon) monitor(g uint8) {
	d.later(d.h.services[g].Monitor, func() {
		if d.h.services[g].runs {
			return
		}
		d.post(failover.Event{Kind: failover.ServiceFailed, Group: g})
		if d.state.Groups[g].Phase == pulse.Starting {
			d.monitor(g)
		}
	})
}
