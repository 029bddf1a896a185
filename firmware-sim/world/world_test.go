package world

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// pair is a world in which alpha owns web and bravo waits.
func pair(t *testing.T, change func(*Config)) *World {
	t.Helper()
	c := Default()
	if change != nil {
		change(&c)
	}
	w := New(c)
	for _, n := range c.Nodes {
		w.Mains(n, true)
	}
	run(t, w, 40*time.Second)
	if p, ok := w.Phase("alpha", 0); !ok || p != pulse.Active {
		t.Fatalf("alpha is %s", p)
	}
	return w
}

func run(t *testing.T, w *World, d time.Duration) {
	t.Helper()
	if err := w.Run(d); err != nil {
		t.Fatal(err)
	}
}

// TestSameSeedSameHistory, to the nanosecond, through everything that draws lots.
func TestSameSeedSameHistory(t *testing.T) {
	play := func(seed uint64) uint64 {
		w := pair(t, func(c *Config) { c.Seed = seed; c.Net.Lose, c.Net.Double = 10, 10 })
		w.Path(true, "", "", func(f *PathFault) { f.Air.Lose = 10 })
		w.Freeze("alpha")
		run(t, w, 2*time.Minute)
		return w.Hash()
	}
	first, again, other := play(3), play(3), play(4)
	if first != again {
		t.Error("one seed, two histories")
	}
	if first == other {
		t.Error("two seeds, one history")
	}
}

// TestCheckerSees: a checker that cannot fail checks nothing.
func TestCheckerSees(t *testing.T) {
	cut := func(w *World, code failover.Code) {
		w.host("bravo").daemon.act(&failover.Action{Kind: failover.Cut, Peer: 0, ID: 1, Code: code})
	}
	for name, c := range map[string]struct {
		do   func(*World)
		kind Kind
		want string
	}{
		"two owners": {func(w *World) { w.RunByHand("bravo", 0, true) }, TwoRun, "web runs on alpha and bravo at once"},
		"a start without holding": {func(w *World) {
			w.host("bravo").daemon.serve(failover.Action{Kind: failover.Start, ID: 1})
		}, StartUnheld, "bravo starts web"},
		"a coil while disarmed": {func(w *World) {
			d := w.host("bravo").daemon
			d.state.Armed = false
			d.drive(w.host("bravo").boards[0][0], 2, failover.Action{Code: failover.CodePerson})
		}, CoilDisarmed, "while it is disarmed"},
		"a cut that is not written": {func(w *World) {
			w.host("bravo").daemon.drive(w.host("bravo").boards[0][0], 2, failover.Action{Code: failover.CodePerson})
		}, CutUnwritten, "has not written that the cut may be open"},
		"a cut just after the start": {func(w *World) {
			w.KillDaemon("bravo")
			w.StartDaemon("bravo")
			w.host("bravo").run.Peers[0].Open = true
			w.host("bravo").daemon.drive(w.host("bravo").boards[0][0], 2, failover.Action{Code: failover.CodeSilent})
		}, CutTooSoon, "after its daemon began"},
		"two holders": {func(w *World) {
			s := &w.host("bravo").daemon.state.Groups[0]
			s.Holds, s.Phase = pulse.HoldsYes, pulse.Active
		}, TwoHold, "held by 2 members"},
		"a cut of who is heard":    {func(w *World) { cut(w, failover.CodeSilent) }, CutNeedless, "bravo cuts alpha, whose last pulse reached it"},
		"a cut of who did not ask": {func(w *World) { cut(w, failover.CodeFenceMe) }, CutUnasked, "which did not ask to be cut"},
		"a cut of who asked long ago": {func(w *World) {
			w.host("alpha").begged = w.Now() - 2*w.c.Decision.DetectTime
			cut(w, failover.CodeFenceMe)
		}, CutUnasked, "which did not ask to be cut"},
		"a cut for nobody": {func(w *World) { cut(w, failover.CodePerson) }, CutUnasked, "nobody said fence off"},
		"a cut for who meant another one": {func(w *World) {
			w.host("bravo").daemon.words[word{failover.CmdConfirmOff, 0}] = true
			cut(w, failover.CodePerson)
		}, CutUnasked, "nobody said fence off"},
		"two cuts for one word": {func(w *World) {
			w.host("bravo").daemon.words[word{failover.CmdFenceOff, 0}] = true
			w.host("bravo").run.Peers[0].Open = true
			cut(w, failover.CodePerson)
			cut(w, failover.CodePerson)
		}, CutUnasked, "nobody said fence off"},
		"a cut of who is heard in no session": {func(w *World) {
			w.host("bravo").daemon.state.Peers[0].In = pulse.Inbox{Session: 1, Claimed: true}
			w.host("bravo").heard = [pulse.MaxMembers]signs{}
			cut(w, failover.CodeSilent)
		}, CutNeedless, "with which it has exchanged pulses for"},
		"a cut that nobody approved": {func(w *World) {
			d := w.host("bravo").daemon
			d.cfg.Takeover = failover.Approve
			w.KillDaemon("alpha")
			w.SetRestarts("alpha", NotRestarted)
			w.host("bravo").saidYes = w.Now() // and then it was heard
			w.host("bravo").heard[0].last += time.Second
			cut(w, failover.CodeSilent)
		}, CutUnapproved, "nobody approved since it was heard"},
		"a cut by who has no port": {func(w *World) {
			w.host("bravo").daemon.state.Armed = false
			w.Unplug("bravo", true, true)
			w.Unplug("bravo", false, true)
			run(t, w, 3*time.Second)
			cut(w, failover.CodeSilent)
		}, CutDeaf, "bravo cuts alpha, and has had no port for 3s"},
		"a cut in maintenance": {func(w *World) {
			w.host("bravo").daemon.state.Maintenance = true
			w.Freeze("alpha")
			cut(w, failover.CodeSilent)
		}, CutInMaintenance, "and is in maintenance"},
		"a cut of who spoke while it stood still": {func(w *World) {
			noPath(w)
			w.Freeze("bravo")
			run(t, w, 10*time.Second)
			w.Thaw("bravo")
			cut(w, failover.CodeSilent)
		}, CutNeedless, "and for 10s of that it stood still"},
	} {
		w := pair(t, nil)
		c.do(w)
		err := w.Run(time.Second)
		var f *Fault
		if !errors.As(err, &f) || f.Kind != c.kind || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if now := w.Now(); w.Step(now+time.Hour) || w.Now() != now {
			t.Errorf("%s: the world goes on", name)
		}
	}
}

// TestSideFramesAreNoLife: one that comes alone speaks for nobody.
func TestSideFramesAreNoLife(t *testing.T) {
	w := pair(t, nil)
	w.Path(true, "", "", func(f *PathFault) { f.Cut = true })
	run(t, w, 3*time.Second)
	alpha, bravo := w.host("alpha"), w.host("bravo")
	was := bravo.heard[0].sent
	alpha.daemon.sendSides()
	run(t, w, time.Millisecond)
	if bravo.heard[0].sent != was {
		t.Error("a side frame was taken for a pulse")
	}
	run(t, w, time.Second)
	if bravo.heard[0].sent == was {
		t.Error("a pulse was not")
	}
}

// noPath cuts every way between all members.
func noPath(w *World) {
	w.Path(true, "", "", func(f *PathFault) { f.Cut = true })
	w.Path(false, "", "", func(f *PathFault) { f.Cut = true })
}

// TestCheckerLetsPass what is right: who asks, or is far away, may be cut.
func TestCheckerLetsPass(t *testing.T) {
	const silent = failover.CodeSilent
	for name, c := range map[string]struct {
		code failover.Code
		do   func(*World)
	}{
		"who asks":    {failover.CodeFenceMe, func(w *World) { w.host("alpha").begged = w.Now() - w.c.Decision.DetectTime/2 }},
		"who hangs":   {silent, func(w *World) { w.Freeze("alpha") }},
		"who is gone": {silent, func(w *World) { w.KillDaemon("alpha") }},
		"who asked, and is gone": {failover.CodeFenceMe, func(w *World) {
			w.host("alpha").begged = w.Now()
			w.KillDaemon("alpha")
			w.SetRestarts("alpha", NotRestarted)
			run(t, w, 3*time.Second)
		}},
		"who came back and is not known yet": {silent, func(w *World) {
			w.KillDaemon("alpha")
			w.StartDaemon("alpha")
			w.host("bravo").heard = [pulse.MaxMembers]signs{}
		}},
		"who was silent before it stood still": {silent, func(w *World) {
			noPath(w)
			w.host("bravo").daemon.state.Armed = false
			run(t, w, 2*w.c.Decision.DetectTime)
			w.Freeze("bravo")
			run(t, w, 10*time.Second)
			w.Thaw("bravo")
		}},
		"who was approved of": {silent, func(w *World) {
			w.host("bravo").daemon.cfg.Takeover = failover.Approve
			w.host("bravo").daemon.state.Armed = false
			w.KillDaemon("alpha")
			w.SetRestarts("alpha", NotRestarted)
			run(t, w, 3*time.Second)
			w.host("bravo").saidYes = w.Now()
		}},
		"who does not hear": {silent, func(w *World) {
			w.host("bravo").daemon.state.Peers[0].In = pulse.Inbox{Session: 1, Claimed: true}
			w.host("bravo").heard, w.host("alpha").frames = [pulse.MaxMembers]signs{}, [pulse.MaxMembers]signs{}
		}},
	} {
		w := pair(t, nil)
		c.do(w)
		w.host("bravo").daemon.checkCut(&failover.Action{Kind: failover.Cut, Peer: 0, Code: c.code})
		if w.Err() != nil {
			t.Errorf("%s: %v", name, w.Err())
		}
	}
}

// TestWhoAskedAndBegins: a member that asked to be cut, and begins anew without asking, is known by that as soon as its new
// session has risen on one link, and not by its first pulses, which may be a replay.
func TestWhoAskedAndBegins(t *testing.T) {
	for beats, may := range map[time.Duration]bool{1: true, 3: true, 10: false} {
		w := pair(t, nil)
		deaf := func(f *PathFault) { f.Cut = true }
		w.host("bravo").daemon.state.Armed = false // so that it does not answer
		w.SetRestarts("alpha", NotRestarted)
		w.host("alpha").daemon.state.FenceMe = true
		run(t, w, time.Second)
		w.KillDaemon("alpha")
		w.Path(true, "bravo", "alpha", deaf)
		w.Path(false, "bravo", "alpha", deaf)
		run(t, w, 2*w.c.Decision.DetectTime)
		w.StartDaemon("alpha")
		run(t, w, beats*100*time.Millisecond-50*time.Millisecond)
		w.host("bravo").daemon.checkCut(&failover.Action{Kind: failover.Cut, Peer: 0, Code: failover.CodeFenceMe})
		if (w.Err() == nil) != may {
			t.Errorf("after %d beats of its new session: %v", beats, w.Err())
		}
	}
}

// TestPower: a supply carries its host over a gap that is shorter than its hold-up, and a host has power while one of its
// supplies has.
func TestPower(t *testing.T) {
	w := pair(t, func(c *Config) { c.Power[0].Supplies, c.Power[0].HoldUp = 2, 50*time.Millisecond })
	w.Mains("alpha", false)
	run(t, w, 40*time.Millisecond)
	w.Mains("alpha", true)
	run(t, w, time.Second)
	if !w.Powered("alpha") || len(w.Running(0)) != 1 {
		t.Error("40 ms without mains put alpha off")
	}
	board := w.host("bravo").boards[0]
	board[0].drive(2)
	run(t, w, time.Second)
	if !w.Powered("alpha") {
		t.Error("one of two supplies is cut, and alpha is off")
	}
	board[1].drive(2)
	run(t, w, time.Second)
	if w.Powered("alpha") || len(w.Running(0)) != 0 || w.host("alpha").run != nil {
		t.Error("both supplies are cut, and something of alpha is left")
	}
	if w.host("alpha").disk == nil {
		t.Error("the disk did not outlive the power")
	}
}

// TestRelayFaults: a welded contact stays, a slow one comes late, a dead line moves nothing.
func TestRelayFaults(t *testing.T) {
	w := pair(t, nil)
	r := w.host("bravo").boards[0][0]
	w.Relay("", "alpha", 0, func(f *RelayFault) { f.Welded = true })
	r.drive(2)
	run(t, w, time.Second)
	if r.contactOpen || !w.Powered("alpha") {
		t.Error("a welded contact opened")
	}
	r.drive(1)
	w.Relay("bravo", "alpha", 0, func(f *RelayFault) { *f = RelayFault{Slow: time.Second} })
	r.drive(2)
	run(t, w, 900*time.Millisecond)
	if r.contactOpen {
		t.Error("a slow contact was fast")
	}
	run(t, w, 200*time.Millisecond)
	if !r.contactOpen || w.Powered("alpha") {
		t.Error("a slow contact never opened")
	}
	r.drive(1)
	w.Relay("", "alpha", 0, func(f *RelayFault) { *f = RelayFault{Dead: true} })
	if r.drive(2) || r.driven != 1 {
		t.Error("a line that cannot be driven was driven")
	}
}

// TestSenses: what each fault reads.
func TestSenses(t *testing.T) {
	for kind, want := range map[SenseKind]map[Spoil]string{
		FailSafeSense: {Sound: "on", StuckOn: "on", StuckOff: "off", BrokenWire: "on", Unreadable: "unknown"},
		PlainSense:    {Sound: "on", StuckOn: "on", StuckOff: "off", BrokenWire: "off", Unreadable: "unknown"},
	} {
		w := pair(t, func(c *Config) { c.Power[0].Sense = kind })
		for spoil, reads := range want {
			w.Sense("", "alpha", spoil)
			if got := w.host("bravo").senses[0][0].read().String(); got != reads {
				t.Errorf("sense of kind %d with fault %d reads %s", kind, spoil, got)
			}
		}
		w.Sense("", "alpha", Sound)
		w.Mains("alpha", false)
		run(t, w, time.Second)
		if got := w.host("bravo").senses[0][0].read().String(); got != "off" {
			t.Errorf("alpha has no power, and its sense reads %s", got)
		}
	}
}

// TestLineIsPaced: a cable carries ten bits a byte, one frame at a time, and the newest waiting frame wins.
func TestLineIsPaced(t *testing.T) {
	w := pair(t, func(c *Config) { c.Lan = false; c.Baud = 9600; c.SetTiming(100*time.Millisecond, 15) })
	h := w.host("alpha")
	way := w.links[0].ways[0][1]
	run(t, w, time.Second)
	for way.busy {
		run(t, w, time.Millisecond)
	}
	dropped := way.dropped
	frame := append([]byte{byte(pulse.FramePulse)}, make([]byte, 42)...)
	for range 3 {
		h.send(0, 1, frame)
	}
	side := append([]byte{byte(pulse.FrameSide)}, make([]byte, 42)...)
	if h.send(0, 1, side); way.side.raw == nil || way.waiting.raw == nil {
		t.Error("a side frame took the place of a pulse")
	}
	if !way.busy || way.waiting.raw == nil || way.dropped != dropped+1 {
		t.Errorf("busy %v, waiting %v, %d dropped", way.busy, way.waiting.raw != nil, way.dropped-dropped)
	}
	run(t, w, 40*time.Millisecond)
	if !way.busy {
		t.Error("45 bytes and more took less than 40 ms at 9600 baud")
	}
}

// TestFrozenHostReadsLater: what arrives at a hung machine waits in its drivers, bounded, and is read when it goes on.
func TestFrozenHostReadsLater(t *testing.T) {
	w := pair(t, nil)
	w.Freeze("bravo")
	run(t, w, time.Minute)
	for i := range w.host("bravo").ports {
		if n := len(w.host("bravo").ports[i].buffer); n != driverFrames {
			t.Errorf("port %d holds %d frames", i, n)
		}
	}
	w.Thaw("bravo")
	run(t, w, 10*time.Millisecond)
	if p, _ := w.Presence("bravo", "alpha"); p != failover.Present || w.host("bravo").pending() {
		t.Errorf("after the thaw alpha is %s", p)
	}
	if i := slices.IndexFunc(w.Edges(), func(e Edge) bool { return e.By == 1 }); i >= 0 {
		t.Error("bravo drove a coil")
	}
}

// TestFacts: the run directory outlives the daemon and not the host; what was not written is not there.
func TestFacts(t *testing.T) {
	w := pair(t, nil)
	h := w.host("alpha")
	if h.run == nil || !h.run.Groups[0].Held || !h.run.Peers[1].Seen {
		t.Fatalf("the run directory says %+v", h.run)
	}
	w.KillDaemon("alpha")
	if h.run == nil || len(w.Running(0)) != 1 {
		t.Error("a kill of the daemon took more than the daemon")
	}
	run(t, w, 5*time.Second)
	w.Reset("alpha")
	if h.run != nil || len(w.Running(0)) != 0 || h.disk == nil || !h.disk.Groups[0].Owner {
		t.Error("after a reset the volatile facts are there, or the durable ones are not")
	}
}

// TestImpossibleConfigPanics.
func TestImpossibleConfigPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a world with one node was made")
		}
	}()
	c := Default()
	c.Nodes = c.Nodes[:1]
	New(c)
}
