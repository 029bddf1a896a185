package board

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Event is a physical change. At is CLOCK_MONOTONIC, the same clock in every process of the machine, and marshals as
// nanoseconds.
//
//	kind     name     value
//	coil     relay    on, off
//	contact  relay    open, closed
//	mains    host     on, off
//	power    host     on, holdup, dying, off      dying: DC has gone, its processes are being ended
//	sense    sense    0, 1
//	host     host     what its supervisor reports, in words; "lost" when the supervisor went away
//	run      service  "begin NODE", "end NODE"
type Event struct {
	At    time.Duration `json:"at"`
	Kind  string        `json:"kind"`
	Name  string        `json:"name"`
	Value string        `json:"value"`
}

// model is the physics. Its methods lock; timers come back through them. Time stands in now and time.AfterFunc only.
type model struct {
	mu     sync.Mutex
	now    func() time.Duration
	emit   func(Event) // called with mu held; must not call back
	relays []*relay
	senses []*sense
	hosts  []*host
	lines  map[string]*line
	runs   []Run
	open   map[*session]int // index of the open run of a session
}

type relay struct {
	Relay
	level  bool // electrical level of the line = current in the coil
	closed bool // contact
	welded bool
	edges  int
	move   int // number of the latest movement begun
}

// Phases of a host.
const (
	phaseOn     = "on"
	phaseHoldUp = "holdup"
	phaseDying  = "dying"
	phaseOff    = "off"
)

type host struct {
	Host
	feeds  [][]*relay
	mains  bool
	phase  string
	decay  int          // number of the latest hold-up begun
	tell   func(string) // to the supervisor; nil while there is none
	keeper *session
	lost   bool // a supervisor went away: nobody can say that the processes are dead
}

func newModel(cfg Config, now func() time.Duration, emit func(Event)) (*model, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m := &model{now: now, emit: emit, lines: map[string]*line{}, open: map[*session]int{}}
	for _, c := range cfg.Relays {
		r := &relay{Relay: c, level: c.Cut == Release, closed: true}
		m.relays = append(m.relays, r)
		m.lines[c.Name] = &line{name: c.Name, relay: r}
	}
	for _, c := range cfg.Hosts {
		h := &host{Host: c, mains: true, phase: phaseOn}
		for _, names := range c.Supplies {
			feed := []*relay{}
			for _, name := range names {
				feed = append(feed, m.relay(name))
			}
			h.feeds = append(h.feeds, feed)
		}
		m.hosts = append(m.hosts, h)
	}
	for _, c := range cfg.Senses {
		s := &sense{Sense: c, host: m.host(c.Of), relay: m.relay(c.Of)}
		s.last = s.level(biasUp)
		m.senses = append(m.senses, s)
		m.lines[c.Name] = &line{name: c.Name, sense: s}
	}
	return m, nil
}

func (m *model) relay(name string) *relay {
	return find(m.relays, func(r *relay) bool { return r.Name == name })
}

func (m *model) host(name string) *host {
	return find(m.hosts, func(h *host) bool { return h.Name == name })
}

func find[T any](all []*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i]
	}
	return nil
}

func (m *model) event(kind, name, value string) { m.emit(Event{m.now(), kind, name, value}) }

// after runs f with the model locked.
func (m *model) after(d time.Duration, f func()) {
	time.AfterFunc(d, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		f()
	})
}

// drive puts a level on a relay's line.
func (m *model) drive(r *relay, level bool) {
	if r.level == level {
		return
	}
	r.level = level
	r.edges++
	m.event("coil", r.Name, onOff(level))
	m.swing(r)
}

// swing lets the contact follow the coil after the relay's time. A later swing replaces an earlier one.
func (m *model) swing(r *relay) {
	d := r.Operate
	if !r.level {
		d = r.Release
	}
	r.move++
	move := r.move
	m.after(d, func() {
		if move == r.move {
			m.arrive(r)
		}
	})
}

func (m *model) arrive(r *relay) {
	want := r.level == (r.Cut == Release)
	if r.closed == want || r.welded && !want {
		return
	}
	r.closed = want
	value := "open"
	if r.closed {
		value = "closed"
	}
	m.event("contact", r.Name, value)
	m.settle()
}

// settle works out what follows from the contacts and the mains.
func (m *model) settle() {
	for _, h := range m.hosts {
		switch fed := h.fed(); {
		case h.phase == phaseOn && !fed:
			m.enter(h, phaseHoldUp)
			h.decay++
			decay := h.decay
			m.after(h.HoldUp, func() {
				if decay == h.decay && h.phase == phaseHoldUp {
					m.fall(h)
				}
			})
		case h.phase == phaseHoldUp && fed:
			h.decay++
			m.enter(h, phaseOn)
		case h.phase == phaseOff && fed:
			m.enter(h, phaseOn)
			h.say("power on")
		}
	}
	m.look()
}

func (m *model) enter(h *host, phase string) {
	h.phase = phase
	m.event("power", h.Name, phase)
}

// fall is the end of the hold-up. The DC sense follows only when every process of the host is dead, so that a sense
// that reads off never precedes the truth.
func (m *model) fall(h *host) {
	m.enter(h, phaseDying)
	switch {
	case h.tell != nil:
		h.say("power off")
	case !h.lost:
		m.die(h)
	}
}

func (m *model) die(h *host) {
	m.enter(h, phaseOff)
	m.look()
	m.settle() // the feed may be back already
}

func (h *host) say(text string) {
	if h.tell != nil {
		h.tell(text)
	}
}

// fed says whether some supply has its feed.
func (h *host) fed() bool {
	for i := range h.feeds {
		if h.supplied(i) {
			return true
		}
	}
	return false
}

func (h *host) supplied(supply int) bool {
	return h.mains && !slices.ContainsFunc(h.feeds[supply], func(r *relay) bool { return !r.closed })
}

// attach makes a session the supervisor of a host.
func (m *model) attach(node string, s *session, tell func(string)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.host(node)
	if h == nil {
		return fmt.Errorf("no host is called %s", node)
	}
	if h.tell != nil {
		return fmt.Errorf("host %s has a supervisor already", node)
	}
	h.tell, h.keeper, h.lost = tell, s, false
	h.say("ok")
	switch h.phase {
	case phaseOn, phaseHoldUp:
		h.say("power on")
	case phaseDying:
		h.say("power off")
	}
	return nil
}

// report takes a line from a supervisor.
func (m *model) report(s *session, verb, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range m.hosts {
		switch {
		case h.keeper != s:
		case verb == "dead" && h.phase == phaseDying:
			m.die(h)
		case verb == "event":
			m.event("host", h.Name, text)
		}
	}
}

// drop ends all that a session held: its lines, its run, its host.
func (m *model) drop(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropLocked(s)
}

func (m *model) dropLocked(s *session) {
	for _, l := range m.lines {
		if l.holder == s {
			m.release(l)
		}
	}
	m.endRun(s)
	for _, h := range m.hosts {
		if h.keeper == s {
			h.tell, h.keeper, h.lost = nil, nil, true
			m.event("host", h.Name, "lost")
		}
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
