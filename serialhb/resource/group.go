package resource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Group is an ordered list of resources that live and move together. It is itself a [Resource]. Its actions run one
// at a time; one that has to wait for another gives up when its context ends.
type Group struct {
	name      string
	resources []Resource
	report    func(Step)
	busy      chan struct{}
}

// NewGroup makes a group of at least one resource. report, which may be nil, hears of every action on every resource
// after it ended, from the goroutine that acts; it must not block.
func NewGroup(name string, resources []Resource, report func(Step)) (*Group, error) {
	if name == "" {
		return nil, errors.New("resource: configure a group: give it a name")
	}
	if len(resources) == 0 {
		return nil, fmt.Errorf("resource: configure group %s: it has no resources, and nothing could tell whether it runs: give it one", name)
	}
	seen := map[string]bool{}
	for _, r := range resources {
		if seen[r.Name()] {
			return nil, fmt.Errorf("resource: configure group %s: two resources are named %s: rename one", name, r.Name())
		}
		seen[r.Name()] = true
	}
	if report == nil {
		report = func(Step) {}
	}
	return &Group{name: name, resources: append([]Resource(nil), resources...), report: report, busy: make(chan struct{}, 1)}, nil
}

// Name implements [Resource].
func (g *Group) Name() string { return g.name }

// Start starts the resources in order and ends at the first failure. What was started before it stays as it is: the
// caller stops the group.
func (g *Group) Start(ctx context.Context) error {
	if err := g.acquire(ctx, ActionStart); err != nil {
		return err
	}
	defer g.release()
	for _, r := range g.resources {
		began := time.Now()
		err := r.Start(ctx)
		g.report(Step{Group: g.name, Resource: r.Name(), Action: ActionStart, Duration: time.Since(began), Err: err})
		if err != nil {
			return fmt.Errorf("resource: start group %s: %s did not start: %w", g.name, r.Name(), err)
		}
	}
	return nil
}

// Stop stops every resource in reverse order, whether it ran or not, and goes on after a failure. Any error means that
// something may still run.
func (g *Group) Stop(ctx context.Context) error {
	if err := g.acquire(ctx, ActionStop); err != nil {
		return err
	}
	defer g.release()
	var failed []error
	for i := len(g.resources) - 1; i >= 0; i-- {
		r := g.resources[i]
		began := time.Now()
		err := r.Stop(ctx)
		g.report(Step{Group: g.name, Resource: r.Name(), Action: ActionStop, Duration: time.Since(began), Err: err})
		if err != nil {
			failed = append(failed, fmt.Errorf("%s did not stop: %w", r.Name(), err))
		}
	}
	if err := joined(failed); err != nil {
		return fmt.Errorf("resource: stop group %s: %w", g.name, err)
	}
	return nil
}

// Probe probes every resource. The group is stopped or running if all of them are; anything else is unknown, and the
// error says who does what.
func (g *Group) Probe(ctx context.Context) (State, error) {
	if err := g.acquire(ctx, ActionStatus); err != nil {
		return Unknown, err
	}
	defer g.release()
	count := map[State]int{}
	parts := make([]string, 0, len(g.resources))
	var failed []error
	for _, r := range g.resources {
		began := time.Now()
		state, err := r.Probe(ctx)
		if err != nil {
			state = Unknown
			failed = append(failed, err)
		}
		g.report(Step{Group: g.name, Resource: r.Name(), Action: ActionStatus, State: state, Duration: time.Since(began), Err: err})
		count[state]++
		parts = append(parts, r.Name()+" "+stateVerb[state])
	}
	for _, all := range []State{Stopped, Running} {
		if count[all] == len(g.resources) {
			return all, nil
		}
	}
	err := fmt.Errorf("resource: probe group %s: %s", g.name, strings.Join(parts, ", "))
	if why := joined(failed); why != nil {
		err = fmt.Errorf("%w: %w", err, why)
	}
	return Unknown, err
}

var stateVerb = map[State]string{Unknown: "is unknown", Stopped: "does not run", Running: "runs"}

// acquire waits for its turn, so that a probe never sees a group half way through its own start or stop.
func (g *Group) acquire(ctx context.Context, action Action) error {
	if ctx.Err() == nil {
		select {
		case g.busy <- struct{}{}:
			return nil
		case <-ctx.Done():
		}
	}
	return fmt.Errorf("resource: %s group %s: waiting for its turn: %w", action, g.name, context.Cause(ctx))
}

func (g *Group) release() { <-g.busy }
