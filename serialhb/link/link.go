// Package link carries frames between members: over a serial cable and over UDP.
//
// It is layer 2, and judges nothing. It finds frames in what arrives, opens them with the keyring, and hands every one
// to its [Sink] with the time at which the bytes were read; it writes the newest frame that it was given and drops the
// older. Who is alive and what a claim is worth is decided elsewhere. README.md in this folder says what each adapter
// promises about a blocked line, a lost device and the end of a run.
package link

import (
	"context"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Clock is the caller's boot-time clock. It never runs backwards, and may be called from any goroutine.
type Clock func() time.Duration

// Sink takes what a link has to say. It is called from the one goroutine of a link that reads, never from two at once
// for one link, and never after [Link.Run] has returned. It must not block: while it does, the link reads nothing.
type Sink interface {
	// Frame tells of every frame, bad ones too. at is when its bytes were read. f is filled for [pulse.Good] and
	// [pulse.NewerVersion] and zero otherwise; it is valid only during the call.
	Frame(link int, at time.Duration, f *pulse.Frame, v pulse.Verdict)
	// Change tells that the link came up or went down. The first call tells how it begins.
	Change(link int, at time.Duration, s Status)
	// Noise tells how many bytes of a line made no frame since the last call, at most every 50 ms. Noise that looks
	// like a frame comes by Frame, as [pulse.Short] or [pulse.BadCheck].
	Noise(link int, at time.Duration, bytes int)
}

// Status says whether a link can carry anything. Silence of the other end is no part of it: loss of carrier and a
// refused datagram leave a link up.
type Status struct {
	Up     bool
	Reason string // one sentence that says what to do; empty when up
	// DeviceLost: my own port is gone, busy, refused or cannot be opened, so silence on this link says nothing of the
	// peer.
	DeviceLost bool
}

// Link is one way to the other members. All methods but Run may be called from any goroutine and at any time.
type Link interface {
	Name() string
	// Run opens the device, reopens it for as long as it takes, and returns when ctx is done and its goroutines have
	// ended. It is called once. An error says that the driver still holds a goroutine; the link is silent all the same.
	Run(ctx context.Context) error
	// Send hands over the bare frame of a pulse for a member. The bytes are copied. A pulse that still waits for that
	// member is dropped and counted. It never waits for a device.
	Send(to uint8, frame []byte)
	// SendSide hands over a bare side frame. It goes out when no pulse waits and the byte budget allows. Four wait per
	// member; a fifth drops the oldest. It never waits for a device.
	SendSide(to uint8, frame []byte)
	// SetKeys changes the keys that frames are opened with, from the next read on. The keyring is cloned.
	SetKeys(k *pulse.Keyring)
	// Counters is a snapshot.
	Counters() Counters
	// Pending is how many bytes the driver already has for us, and how many are read and not handed on; 0 where that is
	// unknown. A verdict of silence waits until they are.
	Pending() int
}

// noiseEvery is how often a sink hears of noise at most.
const noiseEvery = 50 * time.Millisecond

// defaultReopen is how long a lost device is left alone before it is tried again.
const defaultReopen = 250 * time.Millisecond

// pause waits, and says whether ctx still lets its caller go on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
