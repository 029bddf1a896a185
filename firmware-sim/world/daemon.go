package world

import (
	"time"

	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// daemon is one run of a member: the loop of serialhb/daemon, turn by turn, with the world in the place of its workers.
type daemon struct {
	h     *host
	w     *World
	dead  bool
	cfg   failover.Config
	state failover.State
	watch *detect.Detector
	keys  *pulse.Keyring
	began time.Duration

	in        fifo[arrival]
	events    fifo[failover.Event]
	queue     fifo[failover.Event]
	actions   []failover.Action
	changes   []detect.Change
	current   *pulse.Pulse
	frame     []byte
	timers    []timer
	interval  time.Duration
	nextBeat  time.Duration
	sideAt    time.Duration
	readUntil time.Duration
	listens   time.Duration // until then
	wokeSeq   uint32
	planned   time.Duration
	deferred  bool
	turns     uint64 // so that only the newest plan to wake counts
	wake      func() // is turn
	opened    pulse.Frame
	soon      bool // a turn for something that arrived is on its way

	acts     [][]failover.Action // by group
	powers   []*power
	saver    writer[failover.Volatile]
	keeper   writer[failover.Durable]
	commands map[uint32]*Answer
	words    map[word]bool // accepted, and not used up
	nextCmd  uint32
	waiting  []*Answer
	listed   [pulse.MaxMembers][]pulse.KeyID
	sideSeq  uint32
	exited   bool
	exit     uint32

	speaks *dialect // nil: this version only
}

// timer is one that the decision asked for.
type timer struct {
	id failover.Timer
	at time.Duration
}

// The daemon's own constants.
const (
	lateTolerance = 2 * time.Millisecond
	deferMost     = 20 * time.Millisecond
	readAgain     = time.Millisecond
	idle          = time.Second
	listenBeats   = 4
	sideEvery     = 5 * time.Second
)

func newDaemon(h *host) *daemon {
	w := h.w
	d := &daemon{h: h, w: w, cfg: w.c.decision(h.me, &h.file, h.boot), keys: w.keyring(h.file.keys),
		began: w.now, commands: map[uint32]*Answer{}, words: map[word]bool{}, acts: make([][]failover.Action, len(w.c.Groups))}
	d.wake = d.turn
	if h.file.later {
		d.speaks = newDialect(h.file.keys)
	}
	d.interval = time.Duration(d.cfg.IntervalMS) * time.Millisecond
	dc := detect.Config{Me: h.me, N: uint8(len(w.c.Nodes)), Interval: d.interval, Multiplier: w.c.Multiplier,
		StartWindow: w.c.StartWindow, Stretch: w.c.Stretch, Extensions: w.c.Extensions}
	for _, l := range w.links {
		dc.Links = append(dc.Links, detect.Link{Peers: l.peers(h.me)})
	}
	d.watch = detect.New(dc)
	var v failover.Volatile
	var kept failover.Durable
	if h.run != nil {
		v = *h.run
	}
	if h.disk != nil {
		kept = *h.disk
	}
	d.state = failover.New(&d.cfg, w.session(), v, kept, h.run != nil)
	d.saver = writer[failover.Volatile]{d: d, took: w.c.Save, bad: func() bool { return h.runBad },
		store: func(v failover.Volatile) { h.run = &v },
		done:  func(gen uint32, ok bool) { d.post(failover.Event{Kind: failover.Saved, Gen: gen, OK: ok}) }}
	d.keeper = writer[failover.Durable]{d: d, took: w.c.Keep, bad: func() bool { return h.diskBad },
		store: func(v failover.Durable) { h.disk = &v },
		done:  func(gen uint32, ok bool) { d.post(failover.Event{Kind: failover.Kept, Gen: gen, OK: ok}) }}
	for l := range h.ports {
		h.ports[l].wrong = 0
	}
	for p := range w.c.Nodes {
		d.powers = append(d.powers, nil)
		if len(h.boards[p]) > 0 {
			d.powers[p] = &power{d: d, target: uint8(p)}
		}
	}
	return d
}

// session is a random one.
func (w *World) session() uint32 { return 1 + w.rng.Uint32N(1<<32-1) }

// begin is the first turn. Ports and senses follow, as their workers come up.
func (d *daemon) begin() {
	d.tell("daemon starts")
	d.nextBeat, d.sideAt = d.now(), d.now()
	d.step(failover.Event{Kind: failover.Started})
	for l := range d.h.ports {
		if d.w.links[l].peers(d.h.me) != 0 && !d.h.ports[l].gone {
			d.later(d.w.upTo(time.Millisecond), func() { d.arrive(arrival{kind: arrivedChange, link: uint8(l), up: true}) })
		}
	}
	for p := range d.h.senses {
		for _, s := range d.h.senses[p] {
			s.told, s.again = failover.NotRead, false
		}
		d.readSenses(uint8(p), d.w.upTo(time.Millisecond))
	}
	d.plan()
}

func (d *daemon) tell(what string) { d.h.tell(what) }

// later does something in this run of the daemon.
func (d *daemon) later(after time.Duration, do func()) {
	d.w.agenda.add(d.w.now+after, deed{h: d.h, life: d.h.life, d: d, do: do})
}

// post hands an event to the loop from a worker.
func (d *daemon) post(e failover.Event) {
	if d.dead {
		return
	}
	d.events.put(e)
	d.poke()
}

func (d *daemon) arrive(a arrival) {
	if d.dead {
		return
	}
	d.in.put(a)
	d.poke()
}

// poke has the loop take a turn for what has come.
func (d *daemon) poke() {
	if d.soon {
		return
	}
	d.soon = true
	d.later(d.w.upTo(d.w.c.Jitter), d.wake)
}

// plan sleeps until the next deadline.
func (d *daemon) plan() {
	if d.exited {
		d.leave()
		return
	}
	d.planned = d.nextDeadline()
	d.turns++
	at := d.w.now + d.wait(max(0, d.planned-d.now())) + d.w.upTo(d.w.c.Jitter)
	d.w.agenda.add(at, deed{h: d.h, life: d.h.life, d: d, turn: d.turns, do: d.wake})
}

// turn is one round of the loop: how late am I, what has come, who is silent, which timers are due, is it time to beat.
func (d *daemon) turn() {
	d.soon = false
	d.lateness()
	d.drain()
	if d.dead {
		return
	}
	now := d.now()
	if !d.bytesWait() {
		d.changes = d.watch.Check(now, d.changes[:0])
		for _, c := range d.changes {
			d.changed(c)
		}
	}
	if !d.unread() {
		d.fireTimers()
	}
	if now >= d.nextBeat {
		d.nextBeat += d.interval
		if d.nextBeat <= now {
			d.nextBeat = now + d.interval
		}
		d.step(failover.Event{Kind: failover.Beat})
		if now >= d.sideAt {
			d.sideAt = now + sideEvery
			d.sendSides()
		}
	}
	d.plan()
}

func (d *daemon) lateness() {
	if late := d.now() - d.planned; late > lateTolerance {
		if d.now() >= d.readUntil+deferMost {
			d.readUntil = d.now() + deferMost
		}
		if late >= d.cfg.DetectTime && d.now() >= d.listens+d.cfg.DetectTime {
			d.listen()
		}
		d.watch.Late(late)
	}
}

// unread says whether what is no word of a peer waits for what peers said while this member was held up.
func (d *daemon) unread() bool {
	return d.now() < d.listens && !d.answered() || d.now() < d.readUntil && (d.now() < d.readUntil-deferMost+readAgain || d.h.pending() || d.in.any())
}

// answered says whether every other member has named a pulse of this one that was sent after the sleep.
func (d *daemon) answered() bool {
	for p := range d.cfg.N {
		if claim := &d.state.Peers[p].Claim; p != d.cfg.Me && (!claim.Valid || claim.Echo <= d.wokeSeq) {
			return false
		}
	}
	return true
}

// listen begins to wait for answers, after a sleep of a detection time.
func (d *daemon) listen() {
	beat := d.interval
	for p := range d.cfg.N {
		beat = max(beat, d.watch.Window(p)/time.Duration(d.w.c.Multiplier))
	}
	d.listens, d.wokeSeq = d.now()+listenBeats*beat, d.state.Seq
}

// pause is how long who waits for peers leaves them alone.
func (d *daemon) pause() time.Duration {
	if d.now() < d.listens {
		return deferMost
	}
	return readAgain
}

func (d *daemon) drain() {
	for {
		switch first := d.in.any(); {
		case first && (!d.events.any() || d.w.rng.IntN(2) == 0):
			d.take(d.in.take())
		case d.events.any() && !d.unread():
			if e := d.events.take(); !d.forsaken(&e) {
				d.step(e)
			}
		case !first:
			return
		}
	}
}

func (d *daemon) bytesWait() bool {
	at, ok := d.watch.Next()
	d.deferred = ok && d.now() >= at && d.now() < at+deferMost && d.h.pending()
	return d.deferred
}

func (d *daemon) nextDeadline() time.Duration {
	next := min(d.nextBeat, d.now()+idle)
	if at, ok := d.watch.Next(); ok {
		if d.deferred {
			at = max(at, d.now()+readAgain)
		}
		next = min(next, at)
	}
	unread := d.unread()
	for i := range d.timers {
		at := d.timers[i].at
		if unread {
			at = max(at, d.now()+d.pause())
		}
		next = min(next, at)
	}
	if unread {
		next = max(next, d.now()+readAgain)
		if d.events.any() {
			next = min(next, d.now()+d.pause())
		}
	}
	return next
}

func (d *daemon) fireTimers() {
	for i := 0; i < len(d.timers); {
		if d.timers[i].at > d.now() {
			i++
			continue
		}
		id := d.timers[i].id
		d.timers = append(d.timers[:i], d.timers[i+1:]...)
		d.step(failover.Event{Kind: failover.TimerFired, Timer: id})
		i = 0
	}
}

// changed hands what detection found to the decision.
func (d *daemon) changed(c detect.Change) {
	switch c.Kind {
	case detect.Silent:
		d.step(failover.Event{Kind: failover.WentSilent, Peer: c.Peer, OneByOne: c.OneByOne})
	case detect.Deaf:
		d.step(failover.Event{Kind: failover.WentDeaf})
	case detect.Hears:
		d.step(failover.Event{Kind: failover.HearsAgain})
	case detect.Receives:
		d.tell(d.w.links[c.Link].name + ": from " + d.w.member(c.Peer) + " " + c.Way.String())
	case detect.Sends:
		d.tell(d.w.links[c.Link].name + ": to " + d.w.member(c.Peer) + " " + c.Way.String())
	}
}
