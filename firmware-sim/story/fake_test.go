package story

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/serialhb/control"
)

// fake is a world in simulated time: what is planned happens when time gets there.
type fake struct {
	now     time.Duration
	view    View
	nodes   map[string]NodeView
	answers []answer
	plan    []planned
	does    func(*fake, Order) (string, error)
	done    []string
	overlap []string
	lost    error
	closed  int
	late    time.Duration // by which every sleep is longer
}

type answer struct {
	at   time.Duration
	node string
}

type planned struct {
	at time.Duration
	do func()
}

func newFake() *fake { return &fake{now: time.Minute, nodes: map[string]NodeView{}} }

func (f *fake) builder() Builder {
	return func(context.Context, Settings) (World, error) { return f, nil }
}

func (f *fake) in(d time.Duration, do func()) {
	f.plan = append(f.plan, planned{f.now + d, do})
	slices.SortStableFunc(f.plan, func(a, b planned) int { return cmp.Compare(a.at, b.at) })
}

func (f *fake) Now() time.Duration { return f.now }

func (f *fake) Sleep(ctx context.Context, d time.Duration) error {
	end := f.now + d + f.late
	for len(f.plan) > 0 && f.plan[0].at <= end {
		p := f.plan[0]
		f.plan = f.plan[1:]
		f.now = p.at
		p.do()
	}
	f.now = end
	return ctx.Err()
}

func (f *fake) Do(_ context.Context, o Order) (string, error) {
	f.done = append(f.done, strings.Join(append(append([]string{o.Verb}, o.Nodes...), o.Words...), " "))
	if f.does == nil {
		return "", nil
	}
	return f.does(f, o)
}

func (f *fake) Look(_ context.Context, ask []string) (View, error) {
	v := f.view
	v.Now, v.Nodes = f.now, map[string]NodeView{}
	for _, n := range ask {
		v.Nodes[n] = f.nodes[n]
	}
	if n := len(f.answers); n > 0 {
		v.Answering = f.answers[n-1].node
	}
	return v, f.lost
}

func (f *fake) Overlaps() ([]string, error) { return f.overlap, nil }

func (f *fake) Outage(begin, end time.Duration) (time.Duration, error) {
	longest, last := time.Duration(0), begin
	for _, a := range f.answers {
		if a.at >= begin && a.at < end {
			longest, last = max(longest, a.at-last), a.at
		}
	}
	return max(longest, end-last), nil
}

func (f *fake) Answer(node string, since time.Duration) (time.Duration, bool, error) {
	for _, a := range f.answers {
		if a.at >= since && (node == "" || a.node == node) {
			return a.at, true, nil
		}
	}
	return 0, false, nil
}

func (f *fake) Logs() map[string][]string { return map[string][]string{"alpha": {"last words"}} }

func (f *fake) Close() error { f.closed++; return nil }

func (f *fake) board(kind, name, value string) {
	f.view.Board = append(f.view.Board, board.Event{At: f.now, Kind: kind, Name: name, Value: value})
}

func (f *fake) record(node, code, peer, text string, evidence ...string) {
	f.view.Told = append(f.view.Told, Told{f.now, node, control.Event{Kind: "note", Code: code, Peer: peer, Text: text, Evidence: evidence}})
}

func (f *fake) alarms(node string, texts ...string) {
	for _, text := range texts {
		f.view.Told = append(f.view.Told, Told{f.now, node, control.Event{Kind: "alarm", Code: "any", Text: text}})
	}
}

func (f *fake) answer(node string) { f.answers = append(f.answers, answer{f.now, node}) }

// net says what the kernels know: whom the client believes, and each node once for every address of two that it has.
func (f *fake) net(believed string, holders ...string) {
	f.view.Net = &NetView{Addresses: 2, Holders: map[string][]netip.Addr{}, Believed: believed}
	for _, node := range holders {
		f.view.Net.Holders[node] = append(f.view.Net.Holders[node], netip.Addr{})
	}
}

// announced says when the client heard a node announce the addresses; net goes before.
func (f *fake) announced(node string, at time.Duration) {
	f.view.Net.Announced = map[string]time.Duration{node: at}
}

// status sets what a node says of itself and of the group.
func (f *fake) status(node, phase, holds string, change ...func(*control.Status)) {
	s := control.Status{Node: node, Taken: time.Unix(1, 0), Armed: true, Groups: []control.Group{{Name: Service, Phase: phase, Holds: holds}}}
	for _, c := range change {
		c(&s)
	}
	f.nodes[node] = NodeView{Status: s}
}

// serve makes a node run the service from now on, and the client get an answer every two milliseconds for a time.
func (f *fake) serve(node string, d time.Duration) {
	f.board("run", Service, "begin "+node)
	for at := 2 * time.Millisecond; at < d; at += 2 * time.Millisecond {
		f.in(at, func() { f.answer(node) })
	}
}

// fall is a takeover by bravo as a real pair makes it, after alpha lost its mains.
func (f *fake) fall() {
	f.board("mains", "alpha", "off")
	f.board("power", "alpha", "holdup")
	f.in(5*time.Millisecond, func() {
		f.board("power", "alpha", "dying")
		f.board("run", Service, "end alpha")
		f.board("power", "alpha", "off")
		f.board("sense", "SENSE_ALPHA", "0")
	})
	f.in(31*time.Millisecond, func() { f.record("bravo", "went-silent", "alpha", "alpha is silent on every link") })
	f.in(33*time.Millisecond, func() { f.board("coil", "RELAY_ALPHA", "on") })
	f.in(41*time.Millisecond, func() { f.board("contact", "RELAY_ALPHA", "open") })
	f.in(60*time.Millisecond, func() { f.record("bravo", "proven-off", "alpha", "alpha is proven off", "fail-safe sense reads off") })
	f.in(61*time.Millisecond, func() { f.record("bravo", "owns-now", "bravo", "bravo owns web from now on (term 2)") })
	f.in(72*time.Millisecond, func() { f.serve("bravo", time.Hour/1000) })
	f.in(75*time.Millisecond, func() { f.record("bravo", "active", "bravo", "web is active on bravo") })
}

// up is a rack on which alpha owns the service.
func up() *fake {
	f := newFake()
	f.status("alpha", "active", "yes")
	f.status("bravo", "idle", "no")
	f.serve("alpha", 400*time.Millisecond)
	if err := f.Sleep(context.Background(), 398*time.Millisecond); err != nil {
		panic(err)
	}
	return f
}

// tell runs a script on a world and returns the entries of its report.
func tell(t *testing.T, f *fake, text string) ([]Entry, error) {
	t.Helper()
	script, err := Parse("test", text)
	if err != nil {
		t.Fatal(err)
	}
	var all []Entry
	err = Run(t.Context(), script, f.builder(), f.Now, func(e Entry) error {
		all = append(all, e)
		return nil
	})
	if f.closed != 1 {
		t.Errorf("the world was closed %d times", f.closed)
	}
	return all, err
}

func one(t *testing.T, all []Entry, kind string) Entry {
	t.Helper()
	var found []Entry
	for _, e := range all {
		if e.Type == kind {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d entries of type %s in %s", len(found), kind, dump(all))
	}
	return found[0]
}

func dump(all []Entry) string {
	var b strings.Builder
	for _, e := range all {
		fmt.Fprintf(&b, "%+v\n", e)
	}
	return b.String()
}
