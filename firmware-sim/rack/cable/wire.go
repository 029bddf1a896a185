package cable

import (
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// The transmit buffer of a real UART holds one page; a writer that is faster than the line waits there.
const (
	chunkSize   = 512
	queueChunks = 8
)

// portion is how much line time one delivery covers.
const portion = time.Millisecond

// Stats counts the bytes of one wire since New.
type Stats struct {
	Sent      uint64 // taken from the writer
	Delivered uint64 // handed to the reader, noise included
	Cut       uint64 // lost because the wire was cut
	Full      uint64 // lost because the reader's buffer was full
	Vacant    uint64 // lost because nobody had the reader's port open, or it was unplugged
	Damaged   uint64 // delivered with a wrong value
	Noise     uint64 // delivered without having been sent
}

type chunk struct {
	at   time.Time // when the last byte of it had been written
	of   *pty
	data []byte
}

// Wire is one direction of a cable. All methods are safe for concurrent use.
type Wire struct {
	baud     int
	from, to *port
	queue    chan chunk
	rate     chan float64 // new noise rates for babble
	done     chan struct{}

	mu     sync.Mutex
	cut    bool
	looped bool
	errors float64
	rng    *rand.Rand
	stats  Stats
}

// Cut breaks the wire: bytes that have not arrived yet are lost. The other direction is not touched.
func (w *Wire) Cut() { w.lead(true, false) }

// Loop leads the wire back to its sender, as a loop-back plug or an echoing console does. The other direction is not
// touched.
func (w *Wire) Loop() { w.lead(false, true) }

// Mend joins a cut wire, and ends a Loop.
func (w *Wire) Mend() { w.lead(false, false) }

func (w *Wire) lead(cut, looped bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut, w.looped = cut, looped
}

// ByteErrors sets the probability, 0 to 1, with which a byte arrives with another value.
func (w *Wire) ByteErrors(probability float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errors = probability
}

// Noise adds random bytes at random moments, on average this many per second; 0 ends it. They go between the bytes of
// the writer and cost no line time.
func (w *Wire) Noise(bytesPerSecond float64) {
	select {
	case w.rate <- bytesPerSecond:
	case <-w.done:
	}
}

// Stats is a snapshot of the counters.
func (w *Wire) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}

// lineTime is how long n bytes of ten bits take.
func (w *Wire) lineTime(n int) time.Duration {
	return time.Duration(n) * 10 * time.Second / time.Duration(w.baud)
}

// pace delivers what was sent when its last bit has passed. Deadlines are added up from the moment at which the line
// became busy, never from the moment of waking, so a late wake-up does not slow the line down.
func (w *Wire) pace() {
	step := max(1, int(portion/w.lineTime(1)))
	var free time.Time // when the line has sent all that it was given
	for {
		var c chunk
		select {
		case c = <-w.queue:
		case <-w.done:
			return
		}
		w.count(func(s *Stats) { s.Sent += uint64(len(c.data)) })
		if c.at.After(free) {
			free = c.at
		}
		for len(c.data) > 0 {
			n := min(step, len(c.data))
			free = free.Add(w.lineTime(n))
			sleepUntil(free)
			w.deliver(c.of, c.data[:n])
			c.data = c.data[n:]
		}
	}
}

func (w *Wire) count(add func(*Stats)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	add(&w.stats)
}

// deliver hands bytes that were sent by way of a pty to the reader, subject to the faults.
func (w *Wire) deliver(of *pty, b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut || !w.from.has(of) {
		w.stats.Cut += uint64(len(b))
		return
	}
	for i := range b {
		if w.errors > 0 && w.rng.Float64() < w.errors {
			b[i] ^= byte(1 + w.rng.IntN(255))
			w.stats.Damaged++
		}
	}
	w.hand(b)
}

func (w *Wire) hand(b []byte) (delivered int) {
	to := w.to
	if w.looped {
		to = w.from
	}
	n, vacant := to.write(b)
	w.stats.Delivered += uint64(n)
	if vacant {
		w.stats.Vacant += uint64(len(b) - n)
	} else {
		w.stats.Full += uint64(len(b) - n)
	}
	return n
}

// babble puts noise on the wire at exponentially distributed distances.
func (w *Wire) babble() {
	var rate float64
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-w.done:
			return
		case rate = <-w.rate:
		case <-timer.C:
			if rate > 0 {
				w.disturb()
			}
		}
		if rate > 0 {
			timer.Reset(w.distance(rate))
		}
	}
}

func (w *Wire) distance(rate float64) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.rng.ExpFloat64() / rate * float64(time.Second))
}

func (w *Wire) disturb() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return
	}
	w.stats.Noise += uint64(w.hand([]byte{byte(w.rng.IntN(256))}))
}

// sleepUntil uses the kernel's timer: Go's own rounds up to a millisecond when the process is otherwise idle.
func sleepUntil(t time.Time) {
	for {
		d := time.Until(t)
		if d <= 0 {
			return
		}
		ts := unix.NsecToTimespec(int64(d))
		if err := unix.Nanosleep(&ts, nil); err != nil && err != unix.EINTR {
			time.Sleep(time.Until(t))
			return
		}
	}
}
