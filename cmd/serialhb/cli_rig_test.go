package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
)

// pair is a daemon that does what a test says: it plays alpha, which hears bravo.
type pair struct {
	mu       sync.Mutex
	status   control.Status
	record   []control.Event
	asked    []control.Request
	answer   func(control.Request) control.Result // called with mu held; nil agrees
	looked   func(n int)                          // called with mu held before each status, n counts from 1
	statuses int
	stuck    chan struct{} // not nil: nothing is answered before it closes
}

func newPair() *pair {
	return &pair{status: control.Status{
		Cluster: "plant-7", Node: "alpha", Version: "1.2.3", Taken: time.Now(), Armed: true, MaxMoves: 3, MaxFences: 3,
		Members: []control.Member{
			{Name: "alpha", Me: true, Presence: "me", Armed: true, DigestsOK: true, LastLife: -1},
			{Name: "bravo", Presence: "heard", Armed: true, Fence: "idle", CanFence: true, LastLife: 12, DigestsOK: true},
		},
		Links:  []control.Link{{Name: "cable", Kind: "serial", Peer: "bravo", Up: true, Receives: "ok", Sends: "ok", AgeMS: 12}},
		Groups: []control.Group{{Name: "web", Owner: "alpha", OwnerPhase: "active", Phase: "active", Holds: "yes", Prefer: []string{"alpha", "bravo"}}},
		Alarms: []control.Alarm{},
	}}
}

func (p *pair) wait() {
	if p.stuck != nil {
		<-p.stuck
	}
}

func (p *pair) Status() control.Status {
	p.wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statuses++
	if p.looked != nil {
		p.looked(p.statuses)
	}
	s := p.status
	s.Members = append([]control.Member(nil), s.Members...)
	s.Groups = append([]control.Group(nil), s.Groups...)
	return s
}

func (p *pair) Command(_ context.Context, _ string, r control.Request) control.Result {
	p.wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r)
	if p.answer != nil {
		return p.answer(r)
	}
	return control.Result{OK: true, Text: r.Command + ": done"}
}

func (p *pair) Events(from uint64) (events []control.Event) {
	p.wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.record {
		if e.Seq >= from {
			events = append(events, e)
		}
	}
	return events
}

func (p *pair) Follow(ctx context.Context, from uint64, tell func(control.Event) error) error {
	for _, e := range p.Events(from) {
		if err := tell(e); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

func (p *pair) Why(incident uint32) control.Why {
	p.wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	y := control.Why{Incident: incident}
	for _, e := range p.record {
		if e.Incident == incident {
			y.Events = append(y.Events, e)
		}
	}
	return y
}

// note adds to the record. mu is held.
func (p *pair) note(code, text string) {
	p.record = append(p.record, control.Event{Seq: uint64(len(p.record) + 1), Wall: time.Now(), Kind: "note", Code: code, Text: text, Group: "web"})
}

// did gives the requests so far, without their reasons.
func (p *pair) did() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var words []string
	for _, r := range p.asked {
		words = append(words, strings.Join(strings.Fields(r.Command+" "+r.Group+" "+r.Node), " "))
	}
	return strings.Join(words, ", ")
}

// looks is how often the status was asked for.
func (p *pair) looks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.statuses
}

// up puts a daemon behind a socket for the length of a test. down ends it before.
func (p *pair) up(t *testing.T) (socket string, down func()) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "alpha.sock")
	s, err := control.Listen(socket, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(p) }()
	down = sync.OnceFunc(func() {
		if err := errors.Join(s.Close(), <-done); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(down)
	return socket, down
}

// person types one command line and sees what comes of it.
type person struct {
	types    string // on a terminal, if answers
	answers  bool
	ctx      context.Context
	out, err bytes.Buffer
}

func (h *person) run(args ...string) (code int) {
	if h.ctx == nil {
		h.ctx = context.Background()
	}
	return program(args, &terminal{
		ctx: h.ctx, in: strings.NewReader(h.types), out: &h.out, err: &h.err, answers: h.answers,
		hostname: func() (string, error) { return "alpha.example.org", nil },
	})
}

// expect runs a command line and compares its exit code and parts of what it says.
func expect(t *testing.T, h *person, code int, out, err string, args ...string) {
	t.Helper()
	got := h.run(args...)
	if got != code || !strings.Contains(h.out.String(), out) || !strings.Contains(h.err.String(), err) {
		t.Errorf("serialhb %s: exit %d\nout: %s\nerr: %s\nwant exit %d, out %q, err %q", strings.Join(args, " "), got, &h.out, &h.err, code, out, err)
	}
	if (code == exitDone) != (err == "" && !strings.Contains(h.err.String(), "serialhb: ")) {
		t.Errorf("serialhb %s: exit %d with this on standard error: %q", strings.Join(args, " "), got, &h.err)
	}
}
