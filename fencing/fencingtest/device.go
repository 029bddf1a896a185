// Package fencingtest is a scripted fence device for the tests of everything that uses one. It drives nothing.
package fencingtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/serialhb/serialhb/fencing"
)

// Script says how a [Device] behaves. The zero value fails each fence at once.
type Script struct {
	// Takes is how long Off and Secure work. They end early, with the cause, if their context does.
	Takes time.Duration
	// Proof is what Off and Secure then prove; with None they fail with Err, or an error of their own.
	Proof fencing.Proof
	Err   error
	// LosesAfter, unless zero, is how long after the proof Status begins to say that it no longer stands.
	LosesAfter time.Duration
	// Hangs lets Off and Secure return only when Free is called, whatever becomes of their context.
	Hangs bool
	// HangsOn and HangsStatus do the same to On and Status.
	HangsOn, HangsStatus bool
	// ReadsOff lets Status say off while nothing is cut, as for a target that lost its mains.
	ReadsOff bool
	// OpenErr, OnErr and StatusErr are what Open, On and Status fail with.
	OpenErr, OnErr, StatusErr error
}

// Call is one call that a device got.
type Call struct {
	Verb  string // off, open, secure, on
	Query fencing.Query
	At    time.Time
}

// Device is a [fencing.Device] that follows its script. Its methods may be called from several goroutines.
type Device struct {
	name string
	free chan struct{}

	mu     sync.Mutex
	script Script
	calls  []Call
	cut    bool
	proof  fencing.Proof
	proven time.Time
}

var _ fencing.Device = (*Device)(nil)

// New returns a device. A device that hangs has to be freed before its test ends.
func New(name string, s Script) *Device {
	return &Device{name: name, free: make(chan struct{}), script: s}
}

// Follow replaces the script.
func (d *Device) Follow(s Script) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.script = s
}

// Free lets every call that hangs return, now and later. It is called at most once.
func (d *Device) Free() { close(d.free) }

// Calls lists all calls so far, in order, without those of Status.
func (d *Device) Calls() []Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

// Verbs lists the verbs of Calls.
func (d *Device) Verbs() (verbs []string) {
	for _, c := range d.Calls() {
		verbs = append(verbs, c.Verb)
	}
	return verbs
}

// Cut says whether the cut is open.
func (d *Device) Cut() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cut
}

// Name implements [fencing.Device].
func (d *Device) Name() string { return d.name }

// Off implements [fencing.Device].
func (d *Device) Off(ctx context.Context, q fencing.Query) fencing.Result {
	return d.fence(ctx, "off", q)
}

// Secure implements [fencing.Device].
func (d *Device) Secure(ctx context.Context, q fencing.Query) fencing.Result {
	return d.fence(ctx, "secure", q)
}

func (d *Device) fence(ctx context.Context, verb string, q fencing.Query) fencing.Result {
	begin := time.Now()
	s := d.note(verb, q)
	if s.Hangs {
		<-d.free
		return fencing.Result{Err: errors.New("fencingtest: freed")}
	}
	timer := time.NewTimer(s.Takes)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return fencing.Result{Err: context.Cause(ctx)}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !s.Proof.IsOff() {
		if s.Err == nil {
			s.Err = errors.New("fencingtest: the script proves nothing")
		}
		return fencing.Result{Err: s.Err}
	}
	d.cut, d.proof, d.proven = true, s.Proof, time.Now()
	step := fencing.Step{At: time.Since(begin), Text: s.Proof.String()}
	if q.Tell != nil {
		q.Tell(step)
	}
	return fencing.Result{Proof: s.Proof, Steps: []fencing.Step{step}}
}

func (d *Device) note(verb string, q fencing.Query) Script {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, Call{verb, q, time.Now()})
	if verb == "off" {
		d.cut, d.proof = true, fencing.None
	}
	return d.script
}

// Open implements [fencing.Device].
func (d *Device) Open(context.Context) error {
	s := d.note("open", fencing.Query{})
	if s.OpenErr != nil {
		return s.OpenErr
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = true
	return nil
}

// On implements [fencing.Device].
func (d *Device) On(context.Context) error {
	s := d.note("on", fencing.Query{})
	if s.HangsOn {
		<-d.free
	}
	if s.OnErr != nil {
		return s.OnErr
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut, d.proof = false, fencing.None
	return nil
}

// Status implements [fencing.Device].
func (d *Device) Status(context.Context) fencing.Status {
	d.mu.Lock()
	s := d.script
	d.mu.Unlock()
	if s.HangsStatus {
		<-d.free
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.StatusErr != nil {
		return fencing.Status{Err: s.StatusErr}
	}
	st := fencing.Status{Power: fencing.On, Feed: fencing.FeedClosed, Proof: d.proof}
	if d.cut {
		st.Feed = fencing.FeedOpen
	}
	if d.proof.IsOff() || s.ReadsOff {
		st.Power = fencing.Off
	}
	if d.proof.IsOff() && s.LosesAfter > 0 && time.Since(d.proven) >= s.LosesAfter {
		d.proof = fencing.None
		st.Power, st.Proof = fencing.On, fencing.None
	}
	return st
}
