package daemon_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/link"
	"github.com/serialhb/serialhb/serialhb/link/linktest"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// The rig is a pair of real daemons in a synctest bubble: links in memory, relays and services that do as they are told,
// and the physical truth beside them.
type rig struct {
	t      *testing.T
	mu     sync.Mutex // the physical truth of both
	cables []*linktest.Medium
	nodes  [2]*rigNode
	clock  link.Clock
}

type rigNode struct {
	rig   *rig
	me    uint8
	d     *daemon.Daemon
	end   context.CancelFunc
	ended chan struct{}
	how   uint32

	powered    bool
	runs       bool
	stopFails  bool
	startFails string // why; empty is that it starts
	welded     bool   // the relay that cuts this node
	volatile   failover.Volatile
	saved      bool
	durable    failover.Durable
	saveErr    error
	keepErr    error
	recordErr  error
	behind     error
	relay      *rigRelay        // cuts the other one
	faults     map[string]fault // by call of an adapter of this node
	met        map[string]int   // how often each was called
	reasons    map[string]int   // actions that are on record, and were not done yet
	unreasoned []string         // what was done, and was not on record before
	record     []daemon.Record  // as it was written
	did        map[string]int   // what was done
	tune       func(*daemon.Options)
	skip       uint32          // the sequence at which the session begins
	holdUp     time.Duration   // for which the relay that cuts this node watches before it is proven off
	diary      []string        // what was done to this node's service, and to the relay that it drives
	health     []daemon.Health // of the relay that it drives
	senseLies  bool            // the sense of this node reads off whatever it does
	sent       ticks
	heard      ticks
	asked      chan struct{} // not nil: a look at that relay is told here, and goes on until its context ends
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, clock: linktest.Since()}
	for i := range r.nodes {
		r.nodes[i] = &rigNode{rig: r, me: uint8(i), powered: true, faults: map[string]fault{}, met: map[string]int{}, reasons: map[string]int{}, did: map[string]int{}}
		r.nodes[i].durable.Armed = true
	}
	for i := range r.nodes {
		r.nodes[i].relay = &rigRelay{target: r.nodes[1-i]}
	}
	return r
}

func (r *rig) decision(me uint8) failover.Config {
	c := failover.Config{Me: me, N: 2, G: 1, Core: 1, Rest: 1, Boot: 100 + uint32(me), IntervalMS: 100, QuietMS: 20_000,
		DetectTime: 1500 * time.Millisecond, FenceDelay: 3 * time.Second, MoveTime: 5 * time.Second, Backoff: time.Second,
		ApprovalTime: time.Minute, DoubtTime: 10 * time.Second, FenceRetries: 1, FenceRetryTime: 5 * time.Second,
		Window: time.Hour, MaxMoves: 5, MaxFences: 5, RestoreTime: time.Minute, FarewellTime: 2 * time.Second}
	for m := range uint8(2) {
		c.Members[m].Fenceable = m != me
		c.Members[m].Senses[0] = failover.SenseConfig{Present: m != me, FailSafe: true}
		c.Groups[0].Rank[m] = m
	}
	c.Groups[0].Failback = failover.FailbackManual
	return c
}

func (r *rig) keys() *pulse.Keyring {
	k, err := pulse.NewKeyring("rig", []byte("a key that is long enough for it"))
	if err != nil {
		r.t.Fatal(err)
	}
	return k
}

type rigSink struct {
	d *daemon.Daemon
	n *rigNode
}

func (s *rigSink) Frame(l int, at time.Duration, f *pulse.Frame, v pulse.Verdict) {
	s.d.Frame(l, at, f, v)
	s.n.tick(heard)
}
func (s *rigSink) Noise(l int, at time.Duration, n int) { s.d.Noise(l, at) }
func (s *rigSink) Change(l int, at time.Duration, st link.Status) {
	s.d.Change(l, st.Up, st.DeviceLost, st.Reason)
}

type rigLink struct {
	link.Link
	n *rigNode
}

func (l rigLink) Send(to uint8, frame []byte) {
	l.n.tick(sent)
	l.Link.Send(to, frame)
}

func (rigLink) Counters() map[string]uint64 { return nil }

// startBoth boots both nodes on fresh media.
func (r *rig) startBoth() {
	r.start(0, 1)
}

func (r *rig) start(which ...int) {
	sinks := [2]*rigSink{{}, {}}
	var links [2][]daemon.LinkInfo
	r.cables = nil
	for i, name := range []string{"cable", "lan"} {
		m, zero, one := linktest.Pair(
			linktest.Config{Index: i, Name: name, Keys: r.keys(), Sink: sinks[0], Clock: r.clock},
			linktest.Config{Index: i, Name: name, Keys: r.keys(), Sink: sinks[1], Clock: r.clock})
		r.cables = append(r.cables, m)
		for k, l := range []link.Link{zero, one} {
			links[k] = append(links[k], daemon.LinkInfo{Link: rigLink{l, r.nodes[k]}, Name: name, Kind: "serial", Serial: i == 0, Peers: 1 << (1 - k)})
		}
	}
	for _, i := range which {
		r.nodes[i].boot(sinks[i], links[i])
	}
}

func (n *rigNode) boot(sink *rigSink, links []daemon.LinkInfo) {
	ctx, end := context.WithCancel(context.Background())
	n.rig.mu.Lock()
	n.powered = true
	n.rig.mu.Unlock()
	n.end, n.ended = end, make(chan struct{})
	power := make([]daemon.Power, 2)
	power[1-n.me] = n.relay
	names := failover.Names{Members: []string{"alpha", "bravo"}, Groups: []string{"web"}}
	o := daemon.Options{
		Cluster: "rig", Node: names.Members[n.me], Version: "test", BootID: "boot", Names: names,
		Decision:  n.rig.decision(n.me),
		Detection: detect.Config{Me: n.me, N: 2, Interval: 100 * time.Millisecond, Multiplier: 15, StartWindow: 3 * time.Second, Stretch: 1, Extensions: 10},
		Prefer:    [][]string{names.Members}, Failback: []string{"manual"},
		Volatile: n.volatile, Durable: n.durable, SameBoot: n.saved,
		Keys: n.rig.keys(), Links: links, Power: power, Services: []daemon.Services{n},
		SaveFacts: savesTo(func(v any) error {
			fails := n.meet(context.Background(), "save")
			n.rig.mu.Lock()
			defer n.rig.mu.Unlock()
			if fails != nil {
				return fails
			}
			if n.saveErr == nil && v != nil {
				n.volatile, n.saved = v.(failover.Volatile), true
			}
			return n.saveErr
		}),
		KeepFacts: savesTo(func(v any) error {
			fails := n.meet(context.Background(), "keep")
			n.rig.mu.Lock()
			defer n.rig.mu.Unlock()
			if fails != nil {
				return fails
			}
			if n.keepErr == nil && v != nil {
				n.durable = v.(failover.Durable)
			}
			return n.keepErr
		}),
		Record: n, Log: zerolog.Nop(), Clock: daemon.Clock(n.rig.clock), Bell: newRigBell(n.rig.clock),
	}
	if n.tune != nil {
		n.tune(&o)
	}
	n.d = daemon.New(o)
	n.d.SkipTo(n.skip)
	sink.d, sink.n = n.d, n
	go func() {
		defer close(n.ended)
		n.how, _ = n.d.Run(ctx)
	}()
}

// rigBell rings by the bubble's time.
type rigBell struct {
	clock link.Clock
	timer *time.Timer
	rings chan struct{}
}

func newRigBell(clock link.Clock) *rigBell {
	b := &rigBell{clock: clock, rings: make(chan struct{}, 1)}
	b.timer = time.AfterFunc(time.Hour, func() {
		select {
		case b.rings <- struct{}{}:
		default:
		}
	})
	return b
}

func (b *rigBell) Set(at time.Duration) { b.timer.Reset(max(0, at-b.clock())) }

func (b *rigBell) Wait() bool {
	<-b.rings
	return true
}

type savesTo func(v any) error

func (f savesTo) Save(v any) error { return f(v) }
func (f savesTo) Try() error       { return f(nil) }

func (n *rigNode) Behind() error {
	fails := n.meet(context.Background(), "behind")
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	return errors.Join(fails, n.behind, n.recordErr)
}

func (n *rigNode) Append(_ string, v any) (uint64, error) {
	line, _ := v.(daemon.Record)
	fails := n.meet(context.Background(), "record")
	if line.Kind == "action" {
		fails = errors.Join(fails, n.meet(context.Background(), "reason"))
	}
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	if err := errors.Join(fails, n.recordErr); err != nil {
		return 0, err
	}
	n.record = append(n.record, line)
	if line.Kind == "action" {
		n.reasons[line.Code]++
	}
	return 0, nil
}

// does notes that something is done, and whether the reason of this very deed was written before.
func (n *rigNode) does(what failover.ActionKind) {
	n.set(func(n *rigNode) {
		n.did[what.String()]++
		if n.reasons[what.String()]--; n.reasons[what.String()] < 0 {
			n.reasons[what.String()] = 0
			n.unreasoned = append(n.unreasoned, what.String())
		}
	})
}

// reasoned fails unless these were done, and nothing at all was done before its reason was on record.
func (n *rigNode) reasoned(deeds ...failover.ActionKind) {
	n.rig.t.Helper()
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	for _, deed := range deeds {
		if n.did[deed.String()] == 0 {
			n.rig.t.Errorf("%s was not done", deed)
		}
	}
	if len(n.unreasoned) > 0 {
		n.rig.t.Errorf("done before the reason was on record: %v", n.unreasoned)
	}
}

// losePower is what a cut does: everything of the host ends.
func (n *rigNode) losePower() {
	n.rig.mu.Lock()
	n.powered, n.runs = false, false
	n.volatile, n.saved = failover.Volatile{}, false
	n.rig.mu.Unlock()
	n.end()
}

// note is a line in the node's diary.
func (n *rigNode) note(what string) { n.set(func(n *rigNode) { n.diary = append(n.diary, what) }) }

func (n *rigNode) wrote() []string {
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	return slices.Clone(n.diary)
}

func (n *rigNode) Names() []string { return []string{"web"} }

func (n *rigNode) Start(ctx context.Context) error {
	n.does(failover.Start)
	if err := n.meet(ctx, "start"); err != nil {
		return err
	}
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	if n.startFails != "" {
		return errors.New(n.startFails)
	}
	if n.powered {
		n.runs = true
	}
	if a, b := n.rig.nodes[0], n.rig.nodes[1]; a.powered && a.runs && b.powered && b.runs {
		n.rig.t.Error("two owners")
	}
	return ctx.Err()
}

func (n *rigNode) Stop(ctx context.Context) error {
	n.does(failover.Stop)
	if err := n.meet(ctx, "stop"); err != nil {
		return err
	}
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	if n.stopFails {
		return errors.New("it does not stop")
	}
	n.runs = false
	return nil
}

func (n *rigNode) Probe(ctx context.Context) (failover.Found, error) {
	if err := n.meet(ctx, "probe"); err != nil {
		return failover.FoundUnknown, err
	}
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	if n.runs {
		return failover.FoundRunning, nil
	}
	return failover.FoundStopped, nil
}

func (n *rigNode) owns() bool {
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	return n.powered && n.runs
}

func (n *rigNode) on() bool {
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	return n.powered
}

// finish ends both daemons and waits for all their goroutines: synctest fails if one is left.
func (r *rig) finish() {
	for _, n := range r.nodes {
		if n.end != nil {
			n.end()
			<-n.ended
		}
	}
}

// pass lets the bubble's time go on for who calls it.
func (r *rig) pass(d time.Duration) { time.Sleep(d) }

func (r *rig) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *rig) cutAll() {
	for _, m := range r.cables {
		m.Cut(0, 1)
		m.Cut(1, 0)
	}
}

func (r *rig) healAll() {
	for _, m := range r.cables {
		m.Heal(0, 1)
		m.Heal(1, 0)
	}
}

// within waits until a condition holds, and fails after a while of the bubble's time.
func (r *rig) within(d time.Duration, what string, ok func() bool) {
	r.t.Helper()
	for end := r.clock() + d; r.clock() < end; r.wait(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	for _, n := range r.nodes {
		if n.d != nil && n.on() {
			s := n.d.Status()
			r.t.Logf("%s: %s", s.Node, s.Headline)
			for _, e := range n.d.Events(0) {
				r.t.Logf("  %8.3f %s", float64(e.MonoNS)/1e9, e.Text)
			}
		}
	}
	r.t.Fatalf("not within %v: %s", d, what)
}

func (n *rigNode) ask(r control.Request) control.Result {
	return n.d.Command(context.Background(), "test", r)
}

// set changes what a node's hardware does.
func (n *rigNode) set(f func(*rigNode)) {
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	f(n)
}
