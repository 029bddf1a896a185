package fencing

import (
	"context"
	"time"
)

// Device cuts the power of one supply of one target, or answers for it. Its methods may be called from several
// goroutines; acts of one device follow each other. A method that does not return when its context ends holds up only
// itself: a [Target] goes on without it and counts it as failed.
type Device interface {
	// Name is unique among the devices of a target.
	Name() string
	// Off opens the cut and proves off. Whatever fails, a cut that was made stays until On.
	Off(context.Context, Query) Result
	// Open opens the cut without proving anything, and returns when what the target has left in its supply is used up. It
	// is what a person's confirmation needs first: whoever was wrong has then ended what ran there.
	Open(context.Context) error
	// Secure opens the cut only where a fail-safe sense has read off over the whole hold-up already. Otherwise it
	// touches nothing and fails.
	Secure(context.Context, Query) Result
	// On closes the cut. It does not wait for the target to come up.
	On(context.Context) error
	// Status looks and changes nothing.
	Status(context.Context) Status
}

// Query is what the caller of a fence knows and the device cannot.
type Query struct {
	// Trusted: the sense read on while the target's pulses were heard in this session. Only a plain sense needs it.
	Trusted bool
	// Broken: the sense was caught lying. Its off proves nothing, fail-safe or not; its on still counts.
	Broken bool
	// Tell hears each step while it happens, from the goroutine that called the device. It must not block. It may be nil.
	Tell func(Step)
}

// Step is something that happened during a fence.
type Step struct {
	At   time.Duration // since the start of the fence
	Text string
}

// Result is the outcome of a fence. Exactly one of Proof and Err is set.
type Result struct {
	Proof Proof
	Err   error
	Steps []Step
}

// Status is what a device sees now.
type Status struct {
	Power SenseState
	Feed  Feed
	// Proof is the proof of an earlier Off or Secure of this process if everything that the device can see still bears
	// it out, otherwise None.
	Proof Proof
	// Err joins all that could not be read.
	Err error
}

// Sensor is a power sense.
type Sensor interface {
	// Read takes one sample. An error comes with Unknown.
	Read() (SenseState, error)
	FailSafe() bool
}

// SensorOf returns the sense of a device that has one.
func SensorOf(d Device) (Sensor, bool) {
	if has, ok := d.(interface{ Sensor() (Sensor, bool) }); ok {
		return has.Sensor()
	}
	return nil, false
}
