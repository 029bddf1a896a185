package daemon_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/failover"
)

// stuckLog is a sink of the log.
type stuckLog struct{ *rigNode }

func (s stuckLog) Write(p []byte) (int, error) { return len(p), s.meet(context.Background(), "log") }

func init() { zerolog.ErrorHandler = func(error) {} } // which would write to standard error

// trial is one call of an adapter, and what leads to it.
type trial struct {
	call    string
	node    int
	early   func(r *rig) // not nil: it happens when the daemon starts, after this
	provoke func(r *rig)
	dies    string // the fault with which victim is cut all the same: because it asks for that, or a person ordered it
	victim  int
}

// asks is what a person asks a node for, and waits for beside the test.
func asks(node int, c control.Request) func(r *rig) {
	return func(r *rig) {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			r.nodes[node].d.Command(ctx, "test", c)
		}()
	}
}

func nothing(*rig) {}

// unheard has alpha run and never be heard from the start, and look as if it was off.
func (r *rig) unheard() {
	tune := r.nodes[0].tune
	r.nodes[0].senseLies = true
	r.nodes[0].tune = func(o *daemon.Options) {
		if r.cutAll(); tune != nil {
			tune(o)
		}
	}
}

// alphaRan is how an earlier daemon of alpha left it.
func (r *rig) alphaRan() {
	r.nodes[0].runs, r.nodes[0].saved = true, true
	r.nodes[0].volatile.Groups[0] = failover.VolatileGroup{Held: true, OwnTerm: 1, MaxTerm: 1}
}

// apart has bravo cut alpha, whose relay is welded and whose supply is watched for a while.
func apart(r *rig) {
	r.nodes[0].set(func(n *rigNode) { n.welded, n.holdUp = true, 500*time.Millisecond })
	r.cutAll()
	r.wait(3 * time.Second)
	r.healAll()
}

// confirmed has a person say wrongly that bravo is off.
func confirmed(r *rig) {
	r.way(1, 0, true)
	r.nodes[1].set(func(n *rigNode) { n.senseLies = true })
	r.wait(3 * time.Second)
	if res := r.nodes[0].ask(control.Request{Command: "confirm-off", Node: "bravo"}); !res.OK {
		r.t.Error(res.Text)
	}
	r.wait(time.Second)
	r.way(1, 0, false)
}

var trials = []trial{
	{call: "start", node: 1, provoke: asks(1, control.Request{Command: "switchover", Node: "bravo"})},
	{call: "stop", node: 0, provoke: asks(1, control.Request{Command: "switchover", Node: "bravo"}), dies: "fails"},
	{call: "probe", node: 1, early: nothing, provoke: nothing},
	{call: "ask-around", node: 1, provoke: apart},
	{call: "proven", node: 1, provoke: asks(1, control.Request{Command: "switchover", Node: "bravo"})},
	{call: "announce", node: 0, provoke: func(r *rig) { r.way(1, 0, true); r.wait(3 * time.Second); r.way(1, 0, false) }},
	{call: "adopt", node: 0, early: (*rig).alphaRan, provoke: nothing},
	{call: "close", node: 0, provoke: nothing},
	{call: "off", node: 0, provoke: asks(0, control.Request{Command: "fence-off", Node: "bravo"}), dies: "is slow", victim: 1},
	{call: "secure", node: 1, early: (*rig).unheard, provoke: func(r *rig) { r.wait(5 * time.Second); r.healAll() }},
	{call: "open", node: 0, provoke: confirmed, dies: "is slow", victim: 1},
	{call: "restore", node: 1, provoke: asks(1, control.Request{Command: "fence-on", Node: "alpha"})},
	{call: "health", node: 1, provoke: nothing},
	{call: "ask-relay", node: 1, provoke: asks(1, control.Request{Command: "fence-status", Node: "alpha"})},
	{call: "sense", node: 1, provoke: nothing},
	{call: "save", node: 0, provoke: asks(0, control.Request{Command: "maintenance-on"})},
	{call: "keep", node: 0, provoke: asks(0, control.Request{Command: "maintenance-on"})},
	{call: "record", node: 0, provoke: asks(0, control.Request{Command: "failback"})},
	{call: "reason", node: 1, provoke: asks(1, control.Request{Command: "switchover", Node: "bravo"})},
	{call: "behind", node: 0, provoke: nothing},
	{call: "log", node: 0, provoke: asks(0, control.Request{Command: "failback"})},
	{call: "reload", node: 0, provoke: asks(0, control.Request{Command: "reload"})},
}

// Whatever an adapter does in the place of its work, turns are taken (P23, S-40): pulses leave at every tick and are heard
// at every tick, silence is judged at its tick, nobody who lives is cut, people are answered, and the daemon ends when it is
// told to.
func TestNoAdapterDelaysATurn(t *testing.T) {
	for what, f := range map[string]func() fault{
		"never returns":     func() fault { return fault{gate: make(chan struct{})} },
		"returns when told": func() fault { return fault{gate: make(chan struct{}), heeds: true} },
		"fails":             func() fault { return fault{takes: tick * 3 / 2, err: errors.New("it does not work")} },
		"is slow":           func() fault { return fault{takes: 3 * time.Second} },
	} {
		for _, c := range trials {
			if c.call == "close" && what == "fails" {
				continue // it cannot
			}
			t.Run(c.call+" "+what, func(t *testing.T) {
				inBubble(t, func(r *rig) { c.play(r, f(), c.dies == what) })
			})
		}
	}
}

func (c trial) play(r *rig, f fault, dies bool) {
	n := r.nodes[c.node]
	spoil := func(n *rigNode) { n.faults[c.call], n.met[c.call] = f, 0 }
	mend := func() {
		n.set(func(n *rigNode) { delete(n.faults, c.call) })
		if f.gate != nil {
			close(f.gate)
		}
		r.wait(10 * time.Second) // what is slow comes to its end
	}
	defer func() { mend() }()
	c.prepare(r)
	if c.early != nil {
		c.early(r)
		n.set(spoil)
		r.startBoth()
	} else {
		r.alphaOwns()
		r.wait(2 * time.Second)
		n.set(spoil)
	}
	r.watch(sent)
	c.provoke(r)
	r.watch(heard)
	r.wait(7 * time.Second)
	for i, n := range r.nodes {
		if dead := dies && i == c.victim; dead == n.on() {
			r.t.Errorf("%d has power: %v", i, n.on())
		} else if !dead {
			n.goesOn(dies)
		}
	}
	if !dies {
		r.judges(c.node)
	}
	if c.call == "log" { // that a sink never keeps the process is its own affair
		mend()
		mend = func() {}
	}
	if dies && c.node == c.victim {
		return
	}
	n.endsWhenTold()
	if n.calls(c.call) == 0 {
		r.t.Errorf("%s was not called", c.call)
	}
}

// prepare gives both nodes all adapters that there are.
func (c trial) prepare(r *rig) {
	all := r.withAddresses()
	for i, n := range r.nodes {
		n.health = []daemon.Health{{Device: "relay", Level: 1}}
		n.tune = func(o *daemon.Options) {
			o.Services = []daemon.Services{all[i]}
			o.HealthEvery = 2 * time.Second
			o.Log = zerolog.New(stuckLog{n})
			o.Reload = func() (daemon.Reloaded, error) {
				return daemon.Reloaded{Decision: o.Decision, Keys: o.Keys}, n.meet(context.Background(), "reload")
			}
		}
	}
}

// watch begins to watch one way of the pulses.
func (r *rig) watch(of func(*rigNode) *ticks) {
	now := r.clock()
	for _, n := range r.nodes {
		n.set(func(n *rigNode) { *of(n) = ticks{last: now} })
	}
}

const tick = 100 * time.Millisecond

// goesOn fails unless a node goes on as if nothing was wrong. alone is that it has nobody to hear.
func (n *rigNode) goesOn(alone bool) {
	n.rig.t.Helper()
	if s := n.soFar(sent); s.count < 100 || s.worst > tick {
		n.rig.t.Errorf("%d sends a pulse after %v: %d in all", n.me, s.worst, s.count)
	}
	if h := n.soFar(heard); !alone && (h.count < 100 || h.worst > tick) {
		n.rig.t.Errorf("%d hears a pulse after %v: %d in all", n.me, h.worst, h.count)
	}
	n.answers()
}

// answers fails unless people are answered.
func (n *rigNode) answers() {
	n.rig.t.Helper()
	answers := make(chan string, 2)
	go func() {
		n.d.Status()
		answers <- "status"
		n.ask(control.Request{Command: "approve", Incident: 999})
		answers <- "approve"
	}()
	synctest.Wait()
	if len(answers) != 2 {
		n.rig.t.Errorf("%d answers %d of 2 questions", n.me, len(answers))
	}
}

// judges fails unless a node judges the other one at its tick when nothing of it arrives any more.
func (r *rig) judges(node int) {
	r.t.Helper()
	other := [2]string{"bravo", "alpha"}[node]
	presence := func() (p string) {
		answer := make(chan string, 1)
		go func() { answer <- r.nodes[node].peer(other).Presence }()
		synctest.Wait()
		select {
		case p = <-answer:
		default:
		}
		return p
	}
	if p := presence(); p != "heard" {
		r.t.Errorf("%s is %q", other, p)
	}
	r.way(uint8(1-node), uint8(node), true)
	r.wait(15*tick - 1)
	if p := presence(); p != "heard" {
		r.t.Errorf("%s is %q before the detection time", other, p)
	}
	r.wait(tick)
	if p := presence(); p != "silent" {
		r.t.Errorf("%s is %q after the detection time", other, p)
	}
}

// endsWhenTold fails unless a node ends within what the last pulses and the join may take.
func (n *rigNode) endsWhenTold() {
	n.rig.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if res := n.d.Command(ctx, "test", control.Request{Command: "restart"}); !res.OK {
		n.end()
	}
	if !n.hasEnded(6 * time.Second) {
		n.rig.t.Errorf("%d does not end", n.me)
	}
}
