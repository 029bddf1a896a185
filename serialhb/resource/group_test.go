package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fake is a resource of one's choice. It notes what is done to it.
type fake struct {
	name              string
	state             State
	startErr, stopErr error
	took              time.Duration
	log               *[]string
}

func (f *fake) note(what string) {
	time.Sleep(f.took)
	if f.log != nil {
		*f.log = append(*f.log, what+" "+f.name)
	}
}

func (f *fake) Name() string                { return f.name }
func (f *fake) Start(context.Context) error { f.note("start"); return f.startErr }
func (f *fake) Stop(context.Context) error  { f.note("stop"); return f.stopErr }
func (f *fake) Probe(context.Context) (State, error) {
	f.note("status")
	if f.state == Unknown {
		return Unknown, errors.New("no idea about " + f.name)
	}
	return f.state, nil
}

func newGroup(t *testing.T, report func(Step), members ...*fake) *Group {
	t.Helper()
	var list []Resource
	for _, m := range members {
		list = append(list, m)
	}
	g, err := NewGroup("web", list, report)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGroupNeedsResources(t *testing.T) {
	if _, err := NewGroup("web", nil, nil); err == nil {
		t.Error("a group of nothing")
	}
	if _, err := NewGroup("", []Resource{&fake{name: "db"}}, nil); err == nil {
		t.Error("no name")
	}
	if _, err := NewGroup("web", []Resource{&fake{name: "db"}, &fake{name: "db"}}, nil); err == nil {
		t.Error("one name twice")
	}
}

func TestGroupOrder(t *testing.T) {
	var log []string
	var steps []string
	g := newGroup(t, func(s Step) { steps = append(steps, fmt.Sprintf("%s/%s %s %v", s.Group, s.Resource, s.Action, s.Err)) },
		&fake{name: "disk", log: &log}, &fake{name: "db", log: &log, startErr: errAny, stopErr: errAny}, &fake{name: "web", log: &log, stopErr: errAny})

	err := g.Start(t.Context())
	if !errors.Is(err, errAny) || !strings.Contains(err.Error(), "db did not start") {
		t.Errorf("start: %v", err)
	}
	if want := []string{"start disk", "start db"}; !slices.Equal(log, want) {
		t.Errorf("start: %q", log)
	}
	if want := []string{"web/disk start <nil>", "web/db start any error"}; !slices.Equal(steps, want) {
		t.Errorf("evidence: %q", steps)
	}

	log, steps = nil, nil
	err = g.Stop(t.Context())
	if !errors.Is(err, errAny) || !strings.Contains(err.Error(), "web did not stop: any error; db did not stop: any error") {
		t.Errorf("stop: %v", err)
	}
	if want := []string{"stop web", "stop db", "stop disk"}; !slices.Equal(log, want) {
		t.Errorf("stop: %q", log)
	}
	if want := []string{"web/web stop any error", "web/db stop any error", "web/disk stop <nil>"}; !slices.Equal(steps, want) {
		t.Errorf("evidence: %q", steps)
	}
}

func TestGroupState(t *testing.T) {
	for _, c := range []struct {
		db, web State
		want    State
		says    string
	}{
		{Running, Running, Running, ""},
		{Stopped, Stopped, Stopped, ""},
		{Running, Stopped, Unknown, "db runs, web does not run"},
		{Stopped, Running, Unknown, "db does not run, web runs"},
		{Stopped, Unknown, Unknown, "db does not run, web is unknown: no idea about web"},
		{Running, Unknown, Unknown, "db runs, web is unknown"},
		{Unknown, Unknown, Unknown, "no idea about db; no idea about web"},
	} {
		state, err := newGroup(t, nil, &fake{name: "db", state: c.db}, &fake{name: "web", state: c.web}).Probe(t.Context())
		if state != c.want || (err == nil) != (c.want != Unknown) {
			t.Errorf("%v, %v: %v, %v", c.db, c.web, state, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, %v: %q lacks %q", c.db, c.web, err, c.says)
		}
	}
}

// liar breaks the contract: a state together with an error.
type liar struct{ fake }

func (*liar) Probe(context.Context) (State, error) { return Stopped, errAny }

func TestGroupBelievesNoStateWithAnError(t *testing.T) {
	g, err := NewGroup("web", []Resource{&liar{fake{name: "db"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if state, err := g.Probe(t.Context()); state != Unknown || !errors.Is(err, errAny) {
		t.Errorf("%v, %v", state, err)
	}
}

func TestGroupActionsDoNotOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		var slowest time.Duration
		g := newGroup(t, func(s Step) { slowest = max(slowest, s.Duration) },
			&fake{name: "db", log: &log, took: time.Minute, state: Stopped}, &fake{name: "web", log: &log, took: time.Second, state: Stopped})
		started := make(chan error)
		go func() { started <- g.Start(context.Background()) }()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if state, err := g.Probe(ctx); state != Unknown || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a probe in the middle of a start: %v, %v", state, err)
		}
		if err := g.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-started; err != nil {
			t.Error(err)
		}
		if want := []string{"start db", "start web", "stop web", "stop db"}; !slices.Equal(log, want) {
			t.Errorf("%q", log)
		}
		if slowest != time.Minute {
			t.Errorf("the evidence says %v", slowest)
		}
	})
}

// Exec and Group are interchangeable where a Resource is wanted.
var (
	_ Resource = (*Exec)(nil)
	_ Resource = (*Group)(nil)
)
