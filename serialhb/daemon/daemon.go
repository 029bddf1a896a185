package daemon

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Options is everything that a daemon is made of.
type Options struct {
	Cluster, Node, Version string
	BootID                 string
	Names                  failover.Names
	Decision               failover.Config
	Detection              detect.Config // without links: they come from Links
	Prefer                 [][]string    // names in order, by group
	Failback               []string      // word, by group

	Volatile  failover.Volatile
	Durable   failover.Durable
	SameBoot  bool
	Damage    []string // what was wrong with kept facts, in words
	Digests   [2]uint64
	Keys      *pulse.Keyring
	Links     []LinkInfo
	Power     []Power         // by member; nil where this member cuts nothing
	FenceTime []time.Duration // by member: what a whole fence may take at most; none is five minutes
	// HealthEvery is how often devices that cut power are looked at while nothing is cut; 0 is never.
	HealthEvery time.Duration
	LookTime    []time.Duration // by member: what one look at its devices may take; none, or 0, is half a minute
	Services    []Services      // by group
	SaveFacts   Facts           // volatile
	KeepFacts   Facts           // durable
	Record      Recorder
	Log         zerolog.Logger // no turn waits for its sink; the end does
	Clock       Clock
	Bell        Bell
	Notify      func(state string) // sd_notify; nil is none; a turn calls it, so it must not wait
	Reload      func() (Reloaded, error)
}

// Daemon is one run of a member.
type Daemon struct {
	o     Options
	state failover.State
	watch *detect.Detector
	log   zerolog.Logger

	turn   chan struct{} // held by who has the turn; after the end nobody gives it back
	ended  chan struct{} // closed when the last turn has ended
	coming atomic.Int32  // how many wait for a turn to bring something
	crowd  int           // turns in a row at whose end somebody waited
	life   context.Context

	actions  []failover.Action
	changes  []detect.Change
	current  *pulse.Pulse  // of the event in work
	heardAt  time.Duration // when its bytes were read
	queue    []failover.Event
	timers   []timer
	nextBeat time.Duration
	planned  time.Duration // when the next turn is due
	counted  time.Duration // lateness was, until then
	bellSet  time.Duration // when the bell will ring; 0 is not set
	interval time.Duration
	deferred bool // a verdict waits for bytes
	// readUntil bounds how long all that is no word of a peer waits for bytes after a sleep; timersWait is that timers do.
	readUntil  time.Duration
	timersWait bool
	// listenUntil bounds how long the same waits, after a sleep of a detection time, for an answer to what is sent after wokeSeq.
	listenUntil time.Duration
	wokeSeq     uint32
	frame       []byte

	groups  []*groupWorker
	powers  []*powerWorker
	saver   *writer[failover.Volatile]
	keeper  *writer[failover.Durable]
	senses  []*senseWatch
	senseAt time.Duration // when they are read next
	workers sync.WaitGroup

	commands map[uint32]*pending
	nextCmd  uint32
	waiting  []*pending // accepted, until the durable facts are kept

	link    []linkState
	peerKey [pulse.MaxMembers][]pulse.KeyID
	sideSeq uint32
	sideAt  time.Duration

	alarms     map[string]raised
	wrong      map[string]string // at the last look
	alarmAt    time.Duration
	watchdogAt time.Duration
	saved      uint32 // generation of the run directory at the last look
	book       *book
	started    time.Duration
	late       time.Duration // worst lateness so far
	badDig     [pulse.MaxMembers]bool
	testing    [pulse.MaxMembers]bool // a fence test of it is under way
	exit       uint32
	exited     bool
	right      right
	troubles   troubles
	probing    [pulse.MaxGroups]context.CancelFunc // ends the asking that goes on for a group; nil is none
	reading    chan struct{}                       // held by who reads the configuration again
}

type linkState struct {
	up, lost bool
	reason   string
	wrongKey wrongKeys
	own      uint64
	twin     uint64
	foreign  uint64
	told     time.Duration // when the three were last set back
	back     uint64        // frames of this session that came back, in all
	flaps    flapping      // its device
	ways     [pulse.MaxMembers]flapping
	late     [pulse.MaxMembers]uint8 // at so many looks it was late here and no better elsewhere; see lived
	rates    rates
}

// New makes a daemon; nothing happens before Run.
func New(o Options) *Daemon {
	d := &Daemon{
		o: o, log: o.Log,
		turn: make(chan struct{}, 1), ended: make(chan struct{}), reading: make(chan struct{}, 1),
		commands: map[uint32]*pending{}, alarms: map[string]raised{},
		link: make([]linkState, len(o.Links)), frame: make([]byte, 0, pulse.MaxFrame),
		interval: time.Duration(o.Decision.IntervalMS) * time.Millisecond,
	}
	d.turn <- struct{}{} // the first one is Run's
	dc := o.Detection
	for _, l := range o.Links {
		dc.Links = append(dc.Links, detect.Link{Peers: l.Peers})
	}
	d.watch = detect.New(dc)
	d.state = failover.New(&d.o.Decision, randomSession(), o.Volatile, o.Durable, o.SameBoot)
	d.book = newBook(o)
	return d
}

func randomSession() uint32 {
	var b [4]byte
	for {
		rand.Read(b[:])
		if s := binary.BigEndian.Uint32(b[:]); s != 0 {
			return s
		}
	}
}

// How a run ended.
const (
	Left          = failover.ExitLeft
	Quiet         = failover.ExitQuiet
	InMaintenance = failover.ExitInMaintenance
)

// Run is the life of the daemon. It ends when the decision says so (after a Leave or a quiet restart), or when ctx is
// done, which is for tests and emergencies: services stay as they are. All goroutines are joined, but for those that
// hang in a disk or a device.
func (d *Daemon) Run(ctx context.Context) (uint32, error) {
	ctx, cancel := context.WithCancel(ctx)
	d.life = ctx
	d.started = d.o.Clock()
	d.startWorkers(ctx)
	var links sync.WaitGroup
	errs := make(chan error, len(d.o.Links))
	for i := range d.o.Links {
		links.Go(func() {
			if err := d.o.Links[i].Link.Run(ctx); err != nil && ctx.Err() == nil {
				errs <- fmt.Errorf("daemon: link %s: %w", d.o.Links[i].Name, err)
			}
		})
	}
	d.start()
	d.leave()
	d.workers.Go(d.ring)
	d.live(ctx, errs)
	cancel()
	d.o.Bell.Set(0) // whoever waits for it learns that nothing is due any more
	links.Wait()
	d.join()
	if !d.exited && !errors.Is(ctx.Err(), context.Canceled) {
		return d.exit, ctx.Err()
	}
	return d.exit, nil
}

// live ends with the daemon.
func (d *Daemon) live(ctx context.Context, errs <-chan error) {
	for {
		select {
		case <-d.ended:
			return
		case <-ctx.Done():
			if d.enter(nil) {
				d.close()
			}
			return
		case err := <-errs:
			d.log.Error().Err(err).Msg("a link ended")
			if d.enter(nil) {
				d.book.say("link-ended", err.Error(), subject{})
				d.leave()
			}
		}
	}
}

// joinTime bounds the wait for the workers at the end. One that hangs in a disk or a driver must not keep a quiet restart
// until the peer gives it up for dead; what it holds ends with the process.
const joinTime = 3 * time.Second

func (d *Daemon) join() {
	joined := make(chan struct{})
	go func() {
		d.workers.Wait()
		d.closeServices()
		d.book.end()
		close(joined)
	}()
	select {
	case <-joined:
	case <-time.After(joinTime):
		d.log.Error().Int("unrecorded", d.book.left()).Msg("a disk or a device does not answer; the daemon ends without it")
	}
}

// startWorkers starts everything that may wait, so that no turn does.
func (d *Daemon) startWorkers(ctx context.Context) {
	d.groups = make([]*groupWorker, d.o.Decision.G)
	for g := range d.groups {
		d.groups[g] = newGroupWorker(d, uint8(g), d.o.Services[g])
		d.workers.Go(func() { d.groups[g].run(ctx) })
	}
	d.powers = make([]*powerWorker, d.o.Decision.N)
	for p, power := range d.o.Power {
		if power == nil {
			continue
		}
		d.powers[p] = newPowerWorker(d, uint8(p), power)
		d.workers.Go(func() { d.powers[p].run(ctx) })
		for i, s := range power.Senses() {
			w := newSenseWatch(uint8(p), uint8(i), s)
			d.senses = append(d.senses, w)
			d.workers.Go(func() { w.run(ctx, d) })
		}
	}
	d.saver = newWriter[failover.Volatile](d.o.SaveFacts, trySave, func(gen uint32, err error) { d.wrote(failover.Saved, gen, err) })
	d.keeper = newWriter[failover.Durable](d.o.KeepFacts, tryKeep, func(gen uint32, err error) { d.wrote(failover.Kept, gen, err) })
	d.workers.Go(func() { d.saver.run(ctx) })
	d.workers.Go(func() { d.keeper.run(ctx) })
	go d.book.run()
}

func (d *Daemon) wrote(kind failover.EventKind, gen uint32, err error) {
	d.post(failover.Event{Kind: kind, Gen: gen, OK: err == nil})
	if err != nil {
		d.log.Error().Err(err).Str("facts", kind.String()).Msg("facts could not be written")
	}
}

// post takes a turn for the event of a worker.
func (d *Daemon) post(e failover.Event) {
	if d.readUp(d.bring) {
		d.step(e)
		d.leave()
	}
}
