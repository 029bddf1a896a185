package link

import (
	"fmt"
	"sync"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// sidesWaiting is how many side frames wait per member.
const sidesWaiting = 4

// outbox is where frames wait for the device: one pulse per member, the newest, and a few side frames. Putting never
// waits for the device, only for the few instructions under the lock.
type outbox struct {
	tally outTally

	mu     sync.Mutex
	pulses [pulse.MaxMembers]letter
	sides  [pulse.MaxMembers]queue
	turn   int // the member whose turn it is, so that none starves
	budget budget
	// stale is the age at which a pulse is no longer sent: it would be life of a sender that may be gone by now.
	stale    time.Duration
	overhead int // bytes that the line adds to a frame
}

type letter struct {
	put time.Duration
	n   int
	buf [pulse.MaxFrame]byte
}

func (l *letter) set(frame []byte, now time.Duration) { l.n, l.put = copy(l.buf[:], frame), now }

// queue is a ring of letters; the oldest goes when a fifth comes.
type queue struct {
	ring    [sidesWaiting]letter
	head, n int
}

// budget is a token bucket of bytes. Credit is in bytes times nanoseconds, so that no rate loses anything to rounding.
type budget struct {
	rate   int64 // bytes per second
	most   int64
	credit int64
	at     time.Duration
}

const byteSecond = int64(time.Second)

func newBudget(rate, burst int) budget {
	most := int64(max(rate/4, burst)) * byteSecond
	return budget{rate: int64(rate), most: most, credit: most}
}

// wait is how long it takes until n bytes may go; 0 is now.
func (b *budget) wait(now time.Duration, n int) time.Duration {
	// Ten seconds fill any bucket, and bound the product.
	since := min(now-b.at, 10*time.Second)
	b.at = now
	b.credit = min(b.most, b.credit+max(0, int64(since))*b.rate)
	missing := min(int64(n)*byteSecond, b.most) - b.credit
	if missing <= 0 {
		return 0
	}
	return time.Duration((missing + b.rate - 1) / b.rate)
}

func (b *budget) spend(n int) { b.credit = max(0, b.credit-int64(n)*byteSecond) }

func newOutbox(sideRate, overhead int, stale time.Duration) *outbox {
	return &outbox{
		budget:   newBudget(sideRate, pulse.SideLineBytes(pulse.MaxPayload)+overhead),
		stale:    stale,
		overhead: overhead,
	}
}

// mustFit panics on what no caller can have made from a pulse: an error of the program.
func mustFit(to uint8, frame []byte) {
	if to >= pulse.MaxMembers || len(frame) == 0 || len(frame) > pulse.MaxFrame {
		panic(fmt.Sprintf("link: send: %d bytes to member %d are no frame", len(frame), to))
	}
}

func (o *outbox) put(to uint8, frame []byte, now time.Duration) {
	mustFit(to, frame)
	o.mu.Lock()
	defer o.mu.Unlock()
	l := &o.pulses[to]
	if l.n > 0 {
		o.tally.dropped.Add(1)
	}
	l.set(frame, now)
}

func (o *outbox) putSide(to uint8, frame []byte, now time.Duration) {
	mustFit(to, frame)
	o.mu.Lock()
	defer o.mu.Unlock()
	q := &o.sides[to]
	if q.n == sidesWaiting {
		q.head = (q.head + 1) % sidesWaiting
		q.n--
		o.tally.sideDropped.Add(1)
	}
	q.ring[(q.head+q.n)%sidesWaiting].set(frame, now)
	q.n++
}

// nothing is what [outbox.due] says when no frame waits.
const nothing = time.Duration(-1)

// due is how long until a frame may be taken: 0 is now.
func (o *outbox) due(now time.Duration) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.pulses {
		if o.pulses[i].n > 0 {
			return 0
		}
	}
	if q, _ := o.nextSide(); q != nil {
		return o.budget.wait(now, q.ring[q.head].n+o.overhead)
	}
	return nothing
}

func (o *outbox) nextSide() (q *queue, to uint8) {
	for i := range o.sides {
		to := (o.turn + i) % pulse.MaxMembers
		if o.sides[to].n > 0 {
			return &o.sides[to], uint8(to)
		}
	}
	return nil, 0
}

// take copies the next frame to dst, which holds [pulse.MaxFrame] bytes, and says for whom it is and where to count
// it; nil if there is none.
func (o *outbox) take(now time.Duration, dst []byte) (frame []byte, to uint8, kind pulse.FrameKind) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.pulses {
		to := (o.turn + i) % pulse.MaxMembers
		l := &o.pulses[to]
		if l.n == 0 {
			continue
		}
		n := copy(dst, l.buf[:l.n])
		l.n = 0
		if now-l.put > o.stale {
			o.tally.dropped.Add(1)
			continue
		}
		o.turn = (to + 1) % pulse.MaxMembers
		return dst[:n], uint8(to), pulse.FramePulse
	}
	q, to := o.nextSide()
	if q == nil {
		return nil, 0, 0
	}
	l := &q.ring[q.head]
	if o.budget.wait(now, l.n+o.overhead) > 0 {
		return nil, 0, 0
	}
	o.budget.spend(l.n + o.overhead)
	n := copy(dst, l.buf[:l.n])
	q.head = (q.head + 1) % sidesWaiting
	q.n--
	o.turn = (int(to) + 1) % pulse.MaxMembers
	return dst[:n], to, pulse.FrameSide
}

// dropPulses forgets the pulses that wait: they were made before the device was there.
func (o *outbox) dropPulses() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.pulses {
		if o.pulses[i].n > 0 {
			o.pulses[i].n = 0
			o.tally.dropped.Add(1)
		}
	}
}

// count counts a frame that the device took.
func (o *outbox) count(kind pulse.FrameKind, bytes int) {
	if kind == pulse.FramePulse {
		o.tally.sent.Add(1)
	} else {
		o.tally.sideSent.Add(1)
	}
	o.tally.bytes.Add(uint64(bytes))
}
