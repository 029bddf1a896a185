package link

import (
	"sync/atomic"
	"time"
)

// Counters count since the link was made. They never go back.
type Counters struct {
	Out     Out    `json:"out"`
	In      In     `json:"in"`
	Reopens uint64 `json:"reopens"` // times the device was opened after the first
	// Line is what the driver counts, since it knows the device; nil where it does not count or the port is closed.
	Line *LineErrors `json:"line,omitempty"`
}

// Out counts what was sent.
type Out struct {
	Sent         uint64 `json:"sent"` // pulses
	SideSent     uint64 `json:"side_sent"`
	SentBytes    uint64 `json:"sent_bytes"`    // pulses and side frames, as on the line
	DroppedStale uint64 `json:"dropped_stale"` // pulses that a newer one replaced, or that waited too long
	SideDropped  uint64 `json:"side_dropped"`
	WriteStalls  uint64 `json:"write_stalls"` // times the driver took nothing for so long that its output was flushed
	WriteErrors  uint64 `json:"write_errors"`
}

// In counts what was received.
type In struct {
	Frames        uint64        `json:"frames"` // good ones, own ones that came back among them
	Bytes         uint64        `json:"bytes"`
	Lost          uint64        `json:"lost"`         // gaps in the sequences of good pulses
	Short         uint64        `json:"short"`        // no frame has such a length
	CheckErrors   uint64        `json:"check_errors"` // neither check nor MAC was right
	KeyErrors     uint64        `json:"key_errors"`
	WrongCluster  uint64        `json:"wrong_cluster"`
	NewerVersion  uint64        `json:"newer_version"`
	Malformed     uint64        `json:"malformed"`
	Replays       uint64        `json:"replays"` // good pulses whose sequence is not newer
	Resyncs       uint64        `json:"resyncs"` // runs of bytes that were thrown away
	NoiseBytes    uint64        `json:"noise_bytes"`
	ReadErrors    uint64        `json:"read_errors"`
	Late          uint64        `json:"late"`           // pulses that came later than twice the advertised interval
	JitterMax     time.Duration `json:"jitter_max_ns"`  // worst distance from the advertised interval
	JitterMean    time.Duration `json:"jitter_mean_ns"` // mean distance from it
	JitterSamples uint64        `json:"jitter_samples"`
}

// LineErrors are the driver's own counts.
type LineErrors struct {
	Frame      uint64 `json:"frame"`
	Overrun    uint64 `json:"overrun"`
	Parity     uint64 `json:"parity"`
	Break      uint64 `json:"brk"`
	BufOverrun uint64 `json:"buf_overrun"`
}

// outTally is Out while it is counted.
type outTally struct {
	sent, sideSent, bytes, dropped, sideDropped, stalls, errors atomic.Uint64
}

func (t *outTally) snapshot() Out {
	return Out{
		Sent:         t.sent.Load(),
		SideSent:     t.sideSent.Load(),
		SentBytes:    t.bytes.Load(),
		DroppedStale: t.dropped.Load(),
		SideDropped:  t.sideDropped.Load(),
		WriteStalls:  t.stalls.Load(),
		WriteErrors:  t.errors.Load(),
	}
}

// inTally is In while it is counted. Only the reader writes.
type inTally struct {
	verdicts                                   [8]atomic.Uint64 // by pulse.Verdict
	bytes, lost, replays, resyncs, noise, late atomic.Uint64
	errors, jitterMax, jitterSum, jitterCount  atomic.Uint64
}

func (t *inTally) jitter(d time.Duration) {
	n := uint64(d.Abs())
	t.jitterSum.Add(n)
	t.jitterCount.Add(1)
	if n > t.jitterMax.Load() {
		t.jitterMax.Store(n)
	}
}
