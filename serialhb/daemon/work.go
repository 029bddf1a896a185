package daemon

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/failover"
)

// job is an action with the evidence that must be on record before it is carried out.
type job struct {
	action failover.Action
	record *Record
	beside func()                // called when coils are about to be driven; nil is nothing
	errand func(context.Context) // what is done in the place of an action; nil is none
}

// groupWorker carries out the probes, starts and stops of one group, one after the other. A stop ends a start that is
// under way.
type groupWorker struct {
	d        *Daemon
	group    uint8
	services Services
	jobs     chan job
	tell     func(failover.Event) // how an action ended

	mu    sync.Mutex
	end   func() // ends the start under way, nil if there is none
	until uint32 // no start up to this id is wanted any more
}

func newGroupWorker(d *Daemon, g uint8, s Services) *groupWorker {
	return &groupWorker{d: d, group: g, services: s, jobs: make(chan job, 16), tell: d.post}
}

// do takes a job and never waits; false is that there is no room for it.
func (w *groupWorker) do(a failover.Action, r *Record) bool {
	if a.Kind == failover.Stop {
		w.mu.Lock()
		w.until = a.ID
		if w.end != nil {
			w.end()
		}
		w.mu.Unlock()
	}
	return enqueue(w.jobs, job{action: a, record: r})
}

func enqueue(jobs chan<- job, j job) bool {
	select {
	case jobs <- j:
		return true
	default:
		return false
	}
}

// begin makes a start one that a stop can end; it ends at once if the stop was first.
func (w *groupWorker) begin(id uint32, end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end = end
	if id <= w.until {
		end()
	}
}

func (w *groupWorker) ended() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end = nil
}

func (w *groupWorker) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-w.jobs:
			w.carryOut(ctx, j)
		}
	}
}

// errOvertaken is why a start ends before its time.
var errOvertaken = errors.New("a stop came in between")

func (w *groupWorker) carryOut(ctx context.Context, j job) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if j.errand != nil {
		j.errand(ctx)
		return
	}
	if j.action.Kind == failover.Start {
		w.begin(j.action.ID, func() { cancel(errOvertaken) })
		defer w.ended()
	}
	if j.action.Kind != failover.Probe {
		w.d.book.act(j.record)
	}
	e := failover.Event{ID: j.action.ID, Group: w.group}
	var err error
	began := w.d.o.Clock()
	switch j.action.Kind {
	case failover.Probe:
		e.Kind = failover.Probed
		e.Found, err = w.services.Probe(ctx)
	case failover.Start:
		e.Kind = failover.StartDone
		if err = context.Cause(ctx); err == nil {
			err = w.services.Start(ctx)
		}
	case failover.Stop:
		e.Kind = failover.StopDone
		err = w.services.Stop(ctx)
	}
	e.OK = err == nil
	if err != nil {
		w.d.book.say(j.action.Kind.String()+"-error", w.d.group(w.group)+": "+err.Error(), subject{group: w.d.group(w.group)})
	} else if j.action.Kind != failover.Probe {
		w.d.book.say(j.action.Kind.String()+"-took", w.d.group(w.group)+": "+j.action.Kind.String()+" took "+tenths(w.d.o.Clock()-began), subject{group: w.d.group(w.group)})
	}
	w.tell(e)
}

// fenceLimit bounds a whole fence whose levels do not say how long they may take: a relay that never answers is a failure.
const fenceLimit = 5 * time.Minute

// powerWorker drives the relays towards one peer, one act after the other.
type powerWorker struct {
	d     *Daemon
	peer  uint8
	power Power
	jobs  chan job
	limit time.Duration
	check healthCheck
}

func newPowerWorker(d *Daemon, p uint8, power Power) *powerWorker {
	w := &powerWorker{d: d, peer: p, power: power, jobs: make(chan job, 16), limit: fenceLimit}
	if int(p) < len(d.o.FenceTime) {
		w.limit = max(w.limit, d.o.FenceTime[p])
	}
	return w
}

// do takes a job and never waits; false is that there is no room for it.
func (w *powerWorker) do(a failover.Action, r *Record, beside func()) bool {
	return enqueue(w.jobs, job{action: a, record: r, beside: beside})
}

func (w *powerWorker) run(ctx context.Context) {
	look := time.NewTimer(healthSoon)
	defer look.Stop()
	for {
		if w.d.o.HealthEvery <= 0 {
			look.Stop()
		}
		select {
		case <-ctx.Done():
			return
		case j := <-w.jobs:
			w.act(ctx, j)
			look.Reset(healthSoon)
		case <-look.C:
			if j, came := w.look(ctx); came {
				w.act(ctx, j)
				look.Reset(healthSoon)
			} else {
				look.Reset(w.nextLook())
			}
		}
	}
}

func (w *powerWorker) act(ctx context.Context, j job) {
	limited, cancel := context.WithTimeout(ctx, w.limit)
	defer cancel()
	w.carryOut(limited, j)
}

func (w *powerWorker) carryOut(ctx context.Context, j job) {
	name := w.d.member(w.peer)
	w.d.book.act(j.record)
	tell := func(s string) { w.d.book.say("fence-step", name+": "+s, subject{peer: name}) }
	e := failover.Event{ID: j.action.ID, Peer: w.peer}
	var err error
	if j.beside != nil {
		j.beside()
	}
	switch j.action.Kind {
	case failover.Cut:
		e.Kind = failover.FenceDone
		e.Proof, err = w.power.Off(ctx, j.action.Arg, tell)
	case failover.Secure:
		e.Kind = failover.FenceDone
		e.Proof, err = w.power.Secure(ctx, j.action.Arg, tell)
	case failover.OpenCuts:
		e.Kind = failover.CutsOpened
		err = w.power.Open(ctx)
	case failover.Restore:
		e.Kind = failover.RestoreDone
		err = w.power.Restore(ctx)
	}
	e.OK = err == nil && (e.Kind != failover.FenceDone || e.Proof != fencing.None)
	if err != nil {
		w.d.book.say(j.action.Kind.String()+"-error", name+": "+err.Error(), subject{peer: name})
	}
	w.d.post(e)
}

// senseWatch reads one power sense again and again, so that its history is known before it has to prove anything. The
// daemon says when, for a clock of its own would wake the host once more each time; the reading may take as long as it
// likes.
type senseWatch struct {
	peer, device uint8
	sense        Sense
	read         chan struct{}

	asked time.Duration // by a turn
	busy  atomic.Bool
	late  atomic.Bool // what is being read now counts no more
}

const (
	// senseEvery is how often a sense is read. A fence reads it itself, far faster.
	senseEvery = 500 * time.Millisecond
	// senseLate is how long a reading may take before the sense counts as unread: an old reading must not stand for now.
	senseLate = 2 * senseEvery
)

func newSenseWatch(peer, device uint8, s Sense) *senseWatch {
	return &senseWatch{peer: peer, device: device, sense: s, read: make(chan struct{}, 1)}
}

// readSenses has all senses read that are not being read.
func (d *Daemon) readSenses(now time.Duration) {
	if d.senseAt += senseEvery; d.senseAt <= now {
		d.senseAt = now + senseEvery
	}
	for _, w := range d.senses {
		switch {
		case !w.busy.Load():
			w.asked = now
			w.late.Store(false)
			w.busy.Store(true)
			w.read <- struct{}{}
		case !w.late.Load() && now-w.asked >= senseLate:
			w.late.Store(true)
			d.step(failover.Event{Kind: failover.SenseRead, Peer: w.peer, Device: w.device, Reading: failover.NotRead})
		}
	}
}

func (w *senseWatch) run(ctx context.Context, d *Daemon) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.read:
		}
		r := w.reading()
		if !w.late.Load() {
			d.post(failover.Event{Kind: failover.SenseRead, Peer: w.peer, Device: w.device, Reading: r})
		}
		w.busy.Store(false)
	}
}

func (w *senseWatch) reading() failover.Reading {
	state, err := w.sense.Read()
	if err != nil {
		return failover.NotRead
	}
	return map[fencing.SenseState]failover.Reading{fencing.On: failover.ReadsOn, fencing.Off: failover.ReadsOff}[state]
}

// For how long nothing is written until it is tried: in the run directory, which lies in memory, and in that of the durable
// facts, which may wear a flash.
const (
	trySave = 10 * time.Second
	tryKeep = 5 * time.Minute
)

// writer writes the newest of what it is given and answers for every generation that this covers. When nothing new comes
// for a while it tries, and answers if that fails: a directory that takes nothing any more is found before it is needed.
type writer[T any] struct {
	to    Facts
	done  func(gen uint32, err error)
	quiet time.Duration
	wake  chan struct{}

	mu      sync.Mutex
	gen     uint32
	value   T
	fresh   bool
	trouble error // of the last write
}

func newWriter[T any](to Facts, quiet time.Duration, done func(uint32, error)) *writer[T] {
	return &writer[T]{to: to, done: done, quiet: quiet, wake: make(chan struct{}, 1)}
}

func (w *writer[T]) put(gen uint32, v T) {
	w.mu.Lock()
	w.gen, w.value, w.fresh = gen, v, true
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer[T]) run(ctx context.Context) {
	quiet := time.NewTimer(w.quiet)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			w.write() // what was decided last is worth keeping
			return
		case <-w.wake:
			w.write()
		case <-quiet.C:
			w.probe()
		}
		quiet.Reset(w.quiet)
	}
}

// probe finds out whether something could be written. While a write has failed that is not its affair: who asked for that
// one asks again.
func (w *writer[T]) probe() {
	w.mu.Lock()
	gen, well := w.gen, w.trouble == nil && !w.fresh
	w.mu.Unlock()
	if !well {
		return
	}
	if err := w.to.Try(); err != nil {
		w.ended(err)
		w.done(gen, err)
	}
}

func (w *writer[T]) ended(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = err
}

func (w *writer[T]) write() {
	w.mu.Lock()
	gen, v, fresh := w.gen, w.value, w.fresh
	w.fresh = false
	w.mu.Unlock()
	if fresh {
		err := w.to.Save(v)
		w.ended(err)
		w.done(gen, err)
	}
}

// cause is why the last write failed, in words.
func (w *writer[T]) cause() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trouble == nil {
		return "the last write has not ended"
	}
	return w.trouble.Error()
}
