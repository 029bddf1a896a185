package link

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Receiver is the half of a link that all adapters share: it opens frames, counts, and calls the [Sink]. An adapter's
// one reading goroutine calls it; only SetKeys, Counters and Close may be called from others.
type Receiver struct {
	index int
	sink  Sink
	keys  *pulse.Keyring
	next  atomic.Pointer[pulse.Keyring]
	frame pulse.Frame

	members [pulse.MaxMembers]flow
	tally   inTally

	status    Status
	told      bool
	noise     int
	noiseTold time.Duration

	// gate is held while the sink is called, so that Close is followed by no call.
	gate   sync.Mutex
	closed bool
}

// flow is the last pulse of one sender on this link.
type flow struct {
	session, seq uint32
	at           time.Duration
	interval     time.Duration // until the next one, as advertised; 0 is unknown
}

// NewReceiver makes the receiver of the link with that index. The keyring is cloned.
func NewReceiver(index int, keys *pulse.Keyring, sink Sink) *Receiver {
	return &Receiver{index: index, sink: sink, keys: keys.Clone(), noiseTold: -noiseEvery}
}

// SetKeys changes the keys from the next frame on. The keyring is cloned.
func (r *Receiver) SetKeys(k *pulse.Keyring) { r.next.Store(k.Clone()) }

// Frame judges one bare frame whose bytes were read at that time. It does not allocate.
func (r *Receiver) Frame(at time.Duration, raw []byte) {
	if k := r.next.Swap(nil); k != nil {
		r.keys = k
	}
	v := r.keys.Open(raw, &r.frame)
	r.tally.verdicts[v].Add(1)
	if (v == pulse.Good || v == pulse.NewerVersion) && r.frame.Kind == pulse.FramePulse {
		r.follow(&r.frame.Pulse, at)
	}
	r.gate.Lock()
	defer r.gate.Unlock()
	if !r.closed {
		r.sink.Frame(r.index, at, &r.frame, v)
	}
}

// follow counts what the sequence and the arrival of a pulse say of the line.
func (r *Receiver) follow(p *pulse.Pulse, at time.Duration) {
	m := &r.members[p.From]
	last := *m
	if p.Session == last.session && p.Seq <= last.seq {
		r.tally.replays.Add(1)
		return
	}
	*m = flow{session: p.Session, seq: p.Seq, at: at}
	if !p.Flags.Has(pulse.Quiet) {
		m.interval = time.Duration(p.IntervalMS) * time.Millisecond
	}
	if p.Session != last.session {
		return
	}
	missing := p.Seq - last.seq - 1
	r.tally.lost.Add(uint64(missing))
	if last.interval == 0 {
		return
	}
	waited := at - last.at
	if waited > 2*last.interval {
		r.tally.late.Add(1)
	}
	if missing == 0 {
		r.tally.jitter(waited - last.interval)
	}
}

// Change tells the sink of a status that is not the last one told.
func (r *Receiver) Change(at time.Duration, s Status) {
	if r.told && s == r.status {
		return
	}
	r.told, r.status = true, s
	r.gate.Lock()
	defer r.gate.Unlock()
	if !r.closed {
		r.sink.Change(r.index, at, s)
	}
}

// Noise adds bytes that made no frame, 0 if there are none, and tells the sink when it is time. It is called at least
// every noiseEvery, so that the last bytes of a burst are told too.
func (r *Receiver) Noise(at time.Duration, bytes int) {
	r.tally.noise.Add(uint64(bytes))
	r.noise += bytes
	if r.noise == 0 || at-r.noiseTold < noiseEvery {
		return
	}
	n := r.noise
	r.noise, r.noiseTold = 0, at
	r.gate.Lock()
	defer r.gate.Unlock()
	if !r.closed {
		r.sink.Noise(r.index, at, n)
	}
}

// Untold says whether there is noise that the sink has not heard of.
func (r *Receiver) Untold() bool { return r.noise > 0 }

// Close lets no further call reach the sink. It waits for one that runs.
func (r *Receiver) Close() {
	r.gate.Lock()
	defer r.gate.Unlock()
	r.closed = true
}

// Counters is a snapshot.
func (r *Receiver) Counters() In {
	t := &r.tally
	in := In{
		Frames:        t.verdicts[pulse.Good].Load(),
		Bytes:         t.bytes.Load(),
		Lost:          t.lost.Load(),
		Short:         t.verdicts[pulse.Short].Load(),
		CheckErrors:   t.verdicts[pulse.BadCheck].Load(),
		KeyErrors:     t.verdicts[pulse.WrongKey].Load(),
		WrongCluster:  t.verdicts[pulse.WrongCluster].Load(),
		NewerVersion:  t.verdicts[pulse.NewerVersion].Load(),
		Malformed:     t.verdicts[pulse.Malformed].Load(),
		Replays:       t.replays.Load(),
		Resyncs:       t.resyncs.Load(),
		NoiseBytes:    t.noise.Load(),
		ReadErrors:    t.errors.Load(),
		Late:          t.late.Load(),
		JitterMax:     time.Duration(t.jitterMax.Load()),
		JitterSamples: t.jitterCount.Load(),
	}
	if in.JitterSamples > 0 {
		in.JitterMean = time.Duration(t.jitterSum.Load() / in.JitterSamples)
	}
	return in
}

// Bytes counts bytes that arrived, whatever they were.
func (r *Receiver) Bytes(n int) { r.tally.bytes.Add(uint64(n)) }
