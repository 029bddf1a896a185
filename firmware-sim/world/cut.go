package world

import (
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/failover"
)

// Fenced is a fence that ended with a proof.
type Fenced struct {
	At         time.Duration
	By, Target uint8
	Proof      fencing.Proof
	Secured    bool // it was off already, and its feed was only opened: no fence that counts
}

// power carries out the relay actions of one daemon towards one peer, one after the other, as the daemon's worker and
// [fencing.Target] do together: levels in turn, the devices of a level at once, each watched until all are proven.
type power struct {
	d      *daemon
	target uint8
	jobs   []failover.Action
	busy   bool
}

// watchProven is how often a device that is proven is looked at while others of its level still work.
const watchProven = 100 * time.Millisecond

func (p *power) do(a failover.Action) {
	p.jobs = append(p.jobs, a)
	p.next()
}

func (p *power) next() {
	if p.busy || len(p.jobs) == 0 {
		return
	}
	a := p.jobs[0]
	p.jobs = p.jobs[1:]
	p.busy = true
	switch a.Kind {
	case failover.Cut, failover.Secure:
		p.try(a, 0)
	case failover.OpenCuts:
		p.open(a)
	case failover.Restore:
		p.restore(a)
	}
}

// end answers an action and goes on with the next.
func (p *power) end(e failover.Event, a failover.Action) {
	e.ID, e.Peer = a.ID, p.target
	p.busy = false
	if e.Kind == failover.FenceDone && e.OK {
		p.d.w.fences = append(p.d.w.fences, Fenced{p.d.w.now, p.d.cfg.Me, p.target, e.Proof, a.Kind == failover.Secure})
	}
	p.d.post(e)
	p.next()
}

// devices are the relays of one level, all of them if the level is below 0.
func (p *power) devices(level int) (devices []*relay) {
	for _, r := range p.d.h.boards[p.target] {
		if level < 0 || r.level == level {
			devices = append(devices, r)
		}
	}
	return devices
}

// attempt is one level of one fence.
type attempt struct {
	p      *power
	a      failover.Action
	level  int
	proofs map[*relay]fencing.Proof
	open   bool // still under way
}

func (p *power) try(a failover.Action, level int) {
	devices := p.devices(level)
	if len(devices) == 0 {
		p.end(failover.Event{Kind: failover.FenceDone}, a)
		return
	}
	t := &attempt{p: p, a: a, level: level, proofs: map[*relay]fencing.Proof{}, open: true}
	if a.Kind == failover.Secure {
		for _, r := range devices {
			if r.read().Sense != fencing.Off {
				t.failed(r, fencing.StillOn)
				return
			}
		}
	}
	for _, r := range devices {
		plan := r.plan
		plan.Trusted = a.Arg&(1<<r.supply) != 0 && plan.HasSense
		plan.Broken = plan.FailSafe && !plan.Trusted
		s := fencing.Begin(plan)
		if a.Kind == failover.Secure {
			s = fencing.BeginSecure(plan)
		}
		t.step(r, s)
		if !t.open {
			return
		}
	}
}

// step takes the sequence of one device on until it waits.
func (t *attempt) step(r *relay, s fencing.Sequence) {
	if !t.open {
		return
	}
	for {
		next, order, wake := s.Step(t.p.d.now(), r.read())
		s = next
		switch order.Act {
		case fencing.CutFeed:
			if !t.p.d.drive(r, fencing.FeedOpen, t.a) {
				t.failed(r, fencing.CoilUnreadable)
				return
			}
			continue
		case fencing.Failed:
			t.failed(r, order.Failure)
			return
		case fencing.Proven:
			t.proofs[r] = order.Proof
			if t.complete() {
				return
			}
			wake = t.p.d.now() + watchProven
		}
		t.p.d.later(t.p.d.wait(wake-t.p.d.now()), func() { t.step(r, s) })
		return
	}
}

// complete ends the fence if every device of the level is off at this moment.
func (t *attempt) complete() bool {
	weakest := fencing.Withdrawn
	for _, r := range t.p.devices(t.level) {
		proof, ok := t.proofs[r]
		if !ok {
			return false
		}
		weakest = min(weakest, proof)
	}
	for r := range t.proofs {
		if in := r.read(); in.Coil != fencing.FeedOpen || r.plan.HasSense && in.Sense != fencing.Off || r.plan.HasMirror && in.Mirror != fencing.FeedOpen {
			t.failed(r, fencing.PowerBack)
			return true
		}
	}
	t.open = false
	t.p.d.tell("level " + string(rune('1'+t.level)) + " proves " + t.p.d.w.member(t.p.target) + " off: " + weakest.String())
	t.p.end(failover.Event{Kind: failover.FenceDone, OK: true, Proof: weakest}, t.a)
	return true
}

func (t *attempt) failed(r *relay, why fencing.Failure) {
	t.open = false
	t.p.d.tell("level " + string(rune('1'+t.level)) + " towards " + t.p.d.w.member(t.p.target) + " fails: " + why.Error())
	t.p.try(t.a, t.level+1)
}

// open opens every cut and proves nothing. It waits until what is left in the supplies is used up.
func (p *power) open(a failover.Action) {
	ok, rest := true, contactTime
	for _, r := range p.devices(-1) {
		if !p.d.drive(r, fencing.FeedOpen, a) {
			ok = false
			continue
		}
		rest = max(rest, r.plan.Settle+max(r.plan.HoldUp, r.plan.HoldOff))
	}
	p.d.later(p.d.wait(rest), func() { p.end(failover.Event{Kind: failover.CutsOpened, OK: ok}, a) })
}

// restore closes every cut, and waits until each line reads so.
func (p *power) restore(a failover.Action) {
	devices := p.devices(-1)
	left, ok := len(devices), true
	var step func(r *relay, s fencing.Sequence)
	done := func(good bool) {
		ok = ok && good
		if left--; left == 0 {
			p.end(failover.Event{Kind: failover.RestoreDone, OK: ok}, a)
		}
	}
	step = func(r *relay, s fencing.Sequence) {
		for {
			next, order, wake := s.Step(p.d.now(), r.read())
			s = next
			switch order.Act {
			case fencing.CloseFeed:
				if !p.d.drive(r, fencing.FeedClosed, a) {
					done(false)
					return
				}
				continue
			case fencing.Restored, fencing.Failed:
				done(order.Act == fencing.Restored)
				return
			}
			p.d.later(p.d.wait(wake-p.d.now()), func() { step(r, s) })
			return
		}
	}
	for _, r := range devices {
		step(r, fencing.BeginRestore(r.plan))
	}
}

// drive sets a coil for an action, and notes the edge.
func (d *daemon) drive(r *relay, f fencing.Feed, a failover.Action) bool {
	if r.driven != f && !r.dead {
		open := f == fencing.FeedOpen
		d.w.edges = append(d.w.edges, Edge{d.w.now, d.cfg.Me, r.target, open, r.welded})
		word := "closes the feed of "
		if open {
			word = "cuts the feed of "
		}
		d.tell("coil: " + word + d.w.member(r.target) + ", level " + string(rune('1'+r.level)) + " (" + a.Code.String() + ")")
		d.checkEdge(r, open, a)
	}
	return r.drive(f)
}
