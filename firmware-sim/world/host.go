package world

import (
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// host is one machine. What it is told survives in three ways: its disk outlives everything, its run directory outlives
// the daemon, and the daemon's memory outlives nothing.
type host struct {
	w    *World
	me   uint8 // the member that its configuration says it is
	name string
	// clone: another machine that runs a member's image. No relay and no sense is wired to it.
	clone bool

	mains      bool
	supplies   []*supply
	powered    bool
	up         bool // booted
	frozen     bool // hung with its power on
	still      stillness
	life       uint32 // raised whenever everything that runs here dies
	boot       uint32
	waiting    []deed // what would have happened here while it was frozen
	afterLeave func() // once, when its daemon has left

	file    file
	restart Restarts
	daemon  *daemon
	heard   [pulse.MaxMembers]signs // of the others, that reached this machine: in sessions that both know
	frames  [pulse.MaxMembers]signs // the same in whatever session
	calm    [pulse.MaxMembers]calm  // those of frames that do not ask to be cut
	begged  time.Duration           // when its daemon last asked to be cut; 0 is never
	ports   []port                  // by link
	saidYes time.Duration           // when a person's approval was accepted in this boot; 0 is never
	// portless: every port that it has is gone, since portlessAt.
	portless   bool
	portlessAt time.Duration

	boards [][]*relay
	senses [][]*sense

	services []service
	run      *failover.Volatile // nil: none of this boot
	disk     *failover.Durable  // nil: a fresh disk
	runBad   bool
	diskBad  bool
}

// file is what the configuration file says that members may disagree on.
type file struct {
	core uint16
	rest uint8
	keys []string
	// later: its program speaks a later protocol version too
	later bool
}

// Restarts is what becomes of a daemon that died.
type Restarts uint8

// The answers of the init system.
const (
	Restarted    Restarts = iota // after [Config.Restart]
	NotRestarted                 // until somebody starts it
)

func (w *World) addHost(me uint8, name string) *host {
	h := w.newHost(me, name)
	for target := range w.c.Nodes {
		if uint8(target) != me {
			h.wire(uint8(target))
		}
	}
	return h
}

func (w *World) newHost(me uint8, name string) *host {
	h := &host{w: w, me: me, name: name, file: file{core: 7, rest: 7, keys: []string{"one"}}}
	p := &w.c.Power[me]
	for s := range p.Supplies {
		h.supplies = append(h.supplies, &supply{h: h, index: s})
	}
	if w.c.Armed {
		h.disk = &failover.Durable{Armed: true}
	}
	h.services = make([]service, len(w.c.Groups))
	for g := range h.services {
		h.services[g] = newService()
	}
	w.hosts = append(w.hosts, h)
	h.boards = make([][]*relay, len(w.c.Nodes))
	h.senses = make([][]*sense, len(w.c.Nodes))
	return h
}

func (h *host) tell(what string) { h.w.tell(h.name, what) }

// later does something on this host after a time, unless everything here died meanwhile. On a frozen host it waits for
// the thaw.
func (h *host) later(d time.Duration, do func()) {
	h.w.agenda.add(h.w.now+d, deed{h: h, life: h.life, do: do})
}

// happen does it, if whom it is of is still there.
func (e *deed) happen() {
	switch {
	case e.h != nil && e.h.life != e.life:
	case e.h != nil && e.h.frozen:
		e.h.waiting = append(e.h.waiting, *e)
	case e.d != nil && (e.d.dead || e.turn != 0 && e.turn != e.d.turns):
	default:
		e.do()
	}
}

// powerUp begins a boot. Nothing of the boot before is left but the disk.
func (h *host) powerUp() {
	h.powered = true
	h.life++
	h.tell("has power and boots")
	h.bootLater()
}

func (h *host) bootLater() {
	h.later(h.w.c.Boot+h.w.upTo(h.w.c.Boot/20), func() {
		h.up = true
		h.boot = 1 + h.w.rng.Uint32N(1<<24-1)
		h.run = nil
		h.tell("is up")
		h.startDaemon()
	})
}

// powerDown is the end of everything that runs here.
func (h *host) powerDown() {
	h.tell("has no power")
	h.die()
	h.powered = false
}

// die ends all that runs, as a loss of power or a reset does.
func (h *host) die() {
	h.endDaemon()
	h.life++
	h.up, h.frozen, h.still, h.waiting, h.run, h.saidYes = false, false, stillness{}, nil, nil, 0
	for g := range h.services {
		h.services[g].runs = false
	}
	h.releaseCoils()
	for i := range h.ports {
		h.ports[i].buffer = nil
	}
}

func (h *host) thaw() {
	if h.frozen {
		h.still.end(h.w.now)
	}
	h.frozen = false
	waiting := h.waiting
	h.waiting = nil
	delay := time.Duration(0)
	for _, e := range waiting {
		delay += h.w.upTo(200 * time.Microsecond)
		h.w.agenda.add(h.w.now+delay, e)
	}
	for l := range h.ports {
		h.readBuffer(uint8(l))
	}
}

func (h *host) startDaemon() {
	if !h.up || h.daemon != nil {
		return
	}
	h.daemon = newDaemon(h)
	h.daemon.begin()
}

// endDaemon is the death of the process, by whatever hand. What it asked of services goes nowhere.
func (h *host) endDaemon() {
	if h.daemon == nil {
		return
	}
	h.daemon.dead = true
	h.daemon = nil
	h.heard, h.frames, h.calm = [pulse.MaxMembers]signs{}, [pulse.MaxMembers]signs{}, [pulse.MaxMembers]calm{}
	for g := range h.services {
		h.services[g].busy, h.services[g].cut = false, nil
	}
	if !h.w.c.KeepsCoil {
		h.releaseCoils()
	}
}

// restartLater is what the init system does after a death that nobody ordered, or a restart that was.
func (h *host) restartLater() {
	h.later(h.w.c.Restart, func() {
		if h.restart == Restarted {
			h.startDaemon()
		}
	})
}
