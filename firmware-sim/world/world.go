package world

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// World is one simulated cluster. [New] makes it with all mains off.
type World struct {
	c      Config
	rng    *rand.Rand
	now    time.Duration
	agenda agenda
	hosts  []*host
	links  []*link
	keys   map[string]*pulse.Keyring

	history []Line
	notes   []Note
	edges   []Edge
	fences  []Fenced
	check   checker
	fault   *Fault
	pairs   Pairs
	gaps    []Gap
	lost    []lost // by group
	yes     []Accepted
	spare   [][]byte  // of frames that nobody holds any more
	flights []*flight // that are over
}

// Pairs counts how often a group of a member was in a phase when an event of a kind came.
type Pairs [pulse.Blocked + 1][eventKinds]uint64

// eventKinds is how many kinds of events there are, with room for more.
const eventKinds = 32

// Gap is a time in which a group ran nowhere, between two nodes that had it, or the same one.
type Gap struct {
	At       time.Duration // when it ended
	Lasted   time.Duration
	From, To string
}

// lost is where a group ran last, and since when it runs nowhere.
type lost struct {
	from  string
	since time.Duration
	now   bool
}

// Line is one line of the timeline.
type Line struct {
	At   time.Duration
	Node string // "" is the world itself
	What string
}

// Note is something that a member told people.
type Note struct {
	At          time.Duration
	Node        string
	Code        failover.Code
	Peer, Group uint8
	Arg         uint32
}

// Edge is a coil that changed: Open is the cut being made, Welded that its contact will not follow.
type Edge struct {
	At         time.Duration
	By, Target uint8
	Open       bool
	Welded     bool
}

// New makes a world in which nothing has power yet. It panics if the configuration cannot be: it is the caller's own.
func New(c Config) *World {
	if n := len(c.Nodes); n < 2 || n > pulse.MaxMembers || len(c.Power) != n || len(c.Groups) > pulse.MaxGroups {
		panic("world: a configuration with an impossible number of nodes, groups or supplies")
	}
	w := &World{c: c, rng: rand.New(rand.NewPCG(c.Seed, 0x5e71a1)), keys: map[string]*pulse.Keyring{}}
	for m := range c.Nodes {
		w.addHost(uint8(m), c.Nodes[m])
	}
	w.addLinks()
	w.lost = make([]lost, len(c.Groups))
	return w
}

// Hash is of all that happened: the same for the same seed, on any machine.
func (w *World) Hash() uint64 {
	h := fnv.New64a()
	for _, l := range w.history {
		fmt.Fprintln(h, int64(l.At), l.Node, l.What)
	}
	return h.Sum64()
}

// Pairs says which phases met which events.
func (w *World) Pairs() *Pairs { return &w.pairs }

// Gaps are the times in which a group that had run ran nowhere.
func (w *World) Gaps() []Gap { return w.gaps }

// follow notes where a group runs.
func (w *World) follow(g uint8, on *host) {
	l := &w.lost[g]
	switch {
	case on == nil && !l.now && l.from != "":
		l.now, l.since = true, w.now
	case on != nil:
		if l.now {
			w.gaps = append(w.gaps, Gap{At: w.now, Lasted: w.now - l.since, From: l.from, To: on.name})
		}
		l.from, l.now = on.name, false
	}
}

// Now is the time since the world began.
func (w *World) Now() time.Duration { return w.now }

// Err is the first thing that must not be and was, a [*Fault], or nil. Nothing moves after it.
func (w *World) Err() error {
	if w.fault == nil {
		return nil
	}
	return w.fault
}

// History is the timeline so far. It must not be changed.
func (w *World) History() []Line { return w.history }

// Notes are what members told people, in order.
func (w *World) Notes() []Note { return w.notes }

// Edges are the coil edges, in order.
func (w *World) Edges() []Edge { return w.edges }

// Fences are the fences that ended with a proof, in order.
func (w *World) Fences() []Fenced { return w.fences }

// Accepted are the commands that were accepted, in order.
func (w *World) Accepted() []Accepted { return w.yes }

// Step lets the next thing happen if it stands before the time until, and says whether there was one. Otherwise the time
// is until.
func (w *World) Step(until time.Duration) bool {
	at, ok := w.agenda.next()
	if w.fault != nil || !ok || at > until {
		if w.fault == nil {
			w.now = max(w.now, until)
		}
		return false
	}
	w.now = at
	e := w.agenda.take()
	e.happen()
	w.look()
	return true
}

// Run lets time pass. The error is [World.Err].
func (w *World) Run(d time.Duration) error {
	until := w.now + d
	for w.Step(until) {
	}
	return w.Err()
}

// Say adds a line of the caller's to the timeline.
func (w *World) Say(text string) { w.tell("", text) }

func (w *World) tell(node, what string) { w.history = append(w.history, Line{w.now, node, what}) }

// after does something later.
func (w *World) after(d time.Duration, do func()) { w.agenda.add(w.now+d, deed{do: do}) }

// copyOf is a copy of a frame, until it is given back to [World.reuse].
func (w *World) copyOf(frame []byte) []byte { return append(w.buffer(), frame...) }

func (w *World) buffer() []byte {
	last := len(w.spare) - 1
	if last < 0 {
		return make([]byte, 0, 2*pulse.MaxFrame)
	}
	b := w.spare[last]
	w.spare = w.spare[:last]
	return b
}

func (w *World) reuse(b []byte) { w.spare = append(w.spare, b[:0]) }

// chance is a draw of so many in a hundred.
func (w *World) chance(percent int) bool { return percent > 0 && w.rng.IntN(100) < percent }

// upTo is a random time below a limit.
func (w *World) upTo(limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	return time.Duration(w.rng.Int64N(int64(limit)))
}

// keyring is the one of a cluster's key names, made once: the world's single thread may share it.
func (w *World) keyring(names []string) *pulse.Keyring {
	id := fmt.Sprint(names)
	if k := w.keys[id]; k != nil {
		return k
	}
	var secrets [][]byte
	for _, n := range names {
		secrets = append(secrets, secret(n))
	}
	k, err := pulse.NewKeyring("world", secrets...)
	if err != nil {
		panic("world: " + err.Error())
	}
	w.keys[id] = k
	return k
}

// real is the machine that a member's wires lead to.
func (w *World) real(p uint8) *host { return w.hosts[p] }

func (w *World) member(p uint8) string {
	if int(p) < len(w.c.Nodes) {
		return w.c.Nodes[p]
	}
	return "another node"
}

func (w *World) group(g uint8) string {
	if int(g) < len(w.c.Groups) {
		return w.c.Groups[g].Name
	}
	return "another group"
}

func (w *World) names() failover.Names {
	n := failover.Names{Members: w.c.Nodes}
	for _, g := range w.c.Groups {
		n.Groups = append(n.Groups, g.Name)
	}
	return n
}
