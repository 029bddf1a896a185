package fencing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Level is a set of devices that must all be proven off at the same time, as with the supplies of one host.
type Level struct {
	Devices []Device
	// Timeout bounds one try of the level, so that a device that hangs leaves time for the next level. Zero is no bound
	// but the context of the fence.
	Timeout time.Duration
}

// Target is a member as a thing with power: the levels by which it can be cut, tried in order. Its acts may be called
// from any goroutine but not at the same time: a second one fails with [ErrBusy].
type Target struct {
	Name   string
	Levels []Level

	mu      sync.Mutex
	busy    bool
	touched map[string]bool // devices whose cut may be open because of this process
}

// ErrBusy says that another act on the same target has not ended yet.
var ErrBusy = errors.New("another act on the same target is under way")

// Off fences the target: each level in turn until one is proven. The proof of a level is the weakest of its devices. The
// cuts of a failed level stay open until Restore. The queries are by device name; a device without one is not trusted.
// Progress hears each step as it happens, one at a time, never after Off has returned; it must not block and may be nil.
//
// The end of ctx is a failure, also for a device that does not return: Off goes on without it.
func (t *Target) Off(ctx context.Context, queries map[string]Query, progress func(Step)) Result {
	return t.fence(ctx, queries, progress, Device.Off, nil)
}

// Secure opens the cuts of the first level whose devices all have a fail-safe sense that reads off for the whole
// hold-up. It touches no device of a level of which one does not read off.
func (t *Target) Secure(ctx context.Context, queries map[string]Query, progress func(Step)) Result {
	return t.fence(ctx, queries, progress, Device.Secure, readsOff)
}

type act func(Device, context.Context, Query) Result

func (t *Target) fence(ctx context.Context, queries map[string]Query, progress func(Step), do act, admit func(Status) error) Result {
	book := newBook(progress)
	defer book.close()
	if err := t.begin(); err != nil {
		return Result{Err: fmt.Errorf("fencing: fence %s: %w", t.Name, err)}
	}
	defer t.end()
	if len(t.Levels) == 0 {
		return Result{Err: fmt.Errorf("fencing: fence %s: no device can cut its power: add a [[fence]] for it", t.Name)}
	}
	var failures error
	for i, level := range t.Levels {
		book.note(fmt.Sprintf("level %d begins", i+1))
		proof, err := t.try(ctx, level, queries, book, do, admit)
		if err == nil {
			book.note(fmt.Sprintf("level %d succeeded: %v", i+1, proof))
			return Result{Proof: proof, Steps: book.close()}
		}
		err = fmt.Errorf("level %d: %w", i+1, err)
		book.note(err.Error())
		failures = errors.Join(failures, err)
	}
	return Result{Err: fmt.Errorf("fencing: fence %s: %w", t.Name, failures), Steps: book.close()}
}

// Open opens every cut of every level and proves nothing. The error joins those of all devices that failed; the others
// are open.
func (t *Target) Open(ctx context.Context) error {
	if err := t.begin(); err != nil {
		return fmt.Errorf("fencing: open the cuts of %s: %w", t.Name, err)
	}
	defer t.end()
	all := t.devices()
	t.touch(all)
	return t.each(ctx, all, Device.Open)
}

// Restore closes every cut that this process may have opened or that reads open. If it has opened none, it closes all: a
// process before may have. All supplies of a level are off before any is given back. The error names each device that
// failed; those are tried again by the next Restore.
func (t *Target) Restore(ctx context.Context) error {
	if err := t.begin(); err != nil {
		return fmt.Errorf("fencing: restore %s: %w", t.Name, err)
	}
	defer t.end()
	return t.each(ctx, t.cut(ctx), func(d Device, ctx context.Context) error {
		if err := d.On(ctx); err != nil {
			return err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.touched, d.Name())
		return nil
	})
}

func (t *Target) begin() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy {
		return ErrBusy
	}
	byName := map[string]Device{}
	for _, level := range t.Levels {
		for _, d := range level.Devices {
			if other, ok := byName[d.Name()]; ok && other != d {
				return fmt.Errorf("two devices are named %s: give each a name of its own", d.Name())
			}
			byName[d.Name()] = d
		}
	}
	t.busy = true
	return nil
}

func (t *Target) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy = false
}

// devices lists each device once, though it may stand in several levels.
func (t *Target) devices() (all []Device) {
	for _, level := range t.Levels {
		for _, d := range level.Devices {
			if !slices.ContainsFunc(all, func(e Device) bool { return e.Name() == d.Name() }) {
				all = append(all, d)
			}
		}
	}
	return all
}

func (t *Target) touch(devices []Device) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.touched == nil {
		t.touched = map[string]bool{}
	}
	for _, d := range devices {
		t.touched[d.Name()] = true
	}
}

func (t *Target) wasTouched(d Device) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.touched[d.Name()]
}

// cut lists the devices to restore.
func (t *Target) cut(ctx context.Context) []Device {
	all := t.devices()
	mine := slices.DeleteFunc(slices.Clone(all), func(d Device) bool { return !t.wasTouched(d) })
	if len(mine) == 0 {
		return all
	}
	// A device that this process never used and that cannot be asked now is left alone: its health is watched elsewhere,
	// and an agent that does not answer must not make a good restore look bad.
	for _, d := range all {
		if t.wasTouched(d) {
			continue
		}
		if s, err := ask(ctx, d); err == nil && s.Feed == FeedOpen {
			mine = append(mine, d)
		}
	}
	return mine
}

// each does something with all devices at once. A device that is not done when ctx ends has failed.
func (t *Target) each(ctx context.Context, devices []Device, do func(Device, context.Context) error) error {
	results := make([]chan error, len(devices))
	for i, d := range devices {
		results[i] = make(chan error, 1)
		go func() { results[i] <- do(d, ctx) }()
	}
	var failures error
	for i, d := range devices {
		select {
		case err := <-results[i]:
			failures = errors.Join(failures, err)
		case <-ctx.Done():
			failures = errors.Join(failures, fmt.Errorf("fencing: %s of %s did not finish in time: %w", d.Name(), t.Name, context.Cause(ctx)))
		}
	}
	return failures
}

// ask takes a status without waiting longer than ctx.
func ask(ctx context.Context, d Device) (Status, error) {
	answer := make(chan Status, 1)
	go func() { answer <- d.Status(ctx) }()
	select {
	case s := <-answer:
		return s, s.Err
	case <-ctx.Done():
		return Status{}, context.Cause(ctx)
	}
}
