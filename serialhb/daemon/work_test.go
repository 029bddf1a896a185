package daemon

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/serialhb/serialhb/serialhb/failover"
)

type fakeServices struct{ did []string }

func (f *fakeServices) Start(context.Context) error { f.did = append(f.did, "start"); return nil }
func (f *fakeServices) Stop(context.Context) error  { f.did = append(f.did, "stop"); return nil }
func (f *fakeServices) Names() []string             { return nil }
func (f *fakeServices) Probe(context.Context) (failover.Found, error) {
	return failover.FoundUnknown, errors.New("not asked for here")
}

type noRecord struct{}

func (noRecord) Append(string, any) (uint64, error) { return 0, nil }
func (noRecord) Behind() error                      { return nil }

// An action that finds no room has failed, so errands must leave it some.
func TestErrandsLeaveRoomForActions(t *testing.T) {
	d := New(Options{Record: noRecord{}, Log: zerolog.Nop(), Clock: func() time.Duration { return 0 }})
	w := newGroupWorker(d, 0, &fakeServices{})
	d.groups = []*groupWorker{w}
	taken := 0
	for range 100 {
		if d.errand(0, func(context.Context) {}) {
			taken++
		}
	}
	if taken == 0 || taken > cap(w.jobs)/2 {
		t.Errorf("%d errands wait in a queue of %d", taken, cap(w.jobs))
	}
	for id := range uint32(8) {
		if !w.do(failover.Action{Kind: failover.Stop, ID: id + 1}, nil) {
			t.Error("a stop found no room")
		}
	}
}

// A start that waits in the queue when its stop comes must never run: the proof that it rests on was false.
func TestStopOvertakesAWaitingStart(t *testing.T) {
	d := New(Options{Record: noRecord{}, Log: zerolog.Nop(), Clock: func() time.Duration { return 0 }})
	services := &fakeServices{}
	w := newGroupWorker(d, 0, services)
	var told []failover.Event
	w.tell = func(e failover.Event) { told = append(told, e) }
	w.do(failover.Action{Kind: failover.Start, ID: 1}, nil)
	w.do(failover.Action{Kind: failover.Stop, ID: 2}, nil)
	w.do(failover.Action{Kind: failover.Start, ID: 3}, nil)
	for range 3 {
		w.carryOut(t.Context(), <-w.jobs)
	}
	if len(services.did) != 2 || services.did[0] != "stop" || services.did[1] != "start" {
		t.Errorf("did %v, want the stop and the start after it", services.did)
	}
	want := []failover.Event{{Kind: failover.StartDone, ID: 1}, {Kind: failover.StopDone, ID: 2, OK: true}, {Kind: failover.StartDone, ID: 3, OK: true}}
	if !slices.Equal(told, want) {
		t.Errorf("told %+v, want %+v", told, want)
	}
	if line := d.book.oldest(); line.Code != "start-error" || !strings.Contains(line.Text, errOvertaken.Error()) {
		t.Errorf("the record says %+v", line)
	}
}

func TestLinesOfTheRecordAreLines(t *testing.T) {
	b := newBook(Options{Record: noRecord{}, Clock: func() time.Duration { return 0 }})
	b.say("stop-error", "web: one does not stop\nnor does the other", subject{group: "web"})
	const want = "one does not stop; nor does the other"
	if got := b.oldest().Text; got != "web: "+want {
		t.Errorf("the record has %q", got)
	}
	if got := b.causes.of("web", failover.Stop); got != want {
		t.Errorf("the cause is %q", got)
	}
}
