// Package linktest is links in memory, for tests of what stands above package link.
//
// A [Medium] joins two to four members. It uses channels, so it can run in a testing/synctest bubble, and no clock but
// the caller's. What it delivers goes through the same [link.Receiver] as what a cable delivers.
package linktest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/serialhb/link"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// arriving is how many frames wait for a member that does not read. One more is lost, as on a wire.
const arriving = 256

// Config says what one member's end of a medium is.
type Config struct {
	Index int    // names the link to the sink
	Name  string // for people
	Keys  *pulse.Keyring
	Sink  link.Sink
	Clock link.Clock
}

// Medium carries frames between its ends. All methods may be called at any time.
type Medium struct {
	mu   sync.Mutex
	ends [pulse.MaxMembers]*Link
	way  [pulse.MaxMembers][pulse.MaxMembers]way
}

// way is one direction between two members.
type way struct {
	cut  bool
	lose func(frame []byte) bool
}

// Pair is a medium between members 0 and 1.
func Pair(zero, one Config) (*Medium, *Link, *Link) {
	m := &Medium{}
	return m, m.Join(0, zero), m.Join(1, one)
}

// Join adds a member's end. Joining twice panics.
func (m *Medium) Join(member uint8, c Config) *Link {
	l := &Link{
		medium:  m,
		member:  member,
		config:  c,
		recv:    link.NewReceiver(c.Index, c.Keys, c.Sink),
		inbox:   make(chan []byte, arriving),
		changes: make(chan link.Status, 16),
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ends[member] != nil {
		panic(fmt.Sprintf("linktest: member %d joins twice", member))
	}
	m.ends[member] = l
	return l
}

// Cut stops one direction; the other goes on.
func (m *Medium) Cut(from, to uint8) { m.change(from, to, func(w *way) { w.cut = true }) }

// Heal undoes Cut and Lose in one direction.
func (m *Medium) Heal(from, to uint8) { m.change(from, to, func(w *way) { *w = way{} }) }

// Lose asks f of each frame in one direction whether it gets lost. f must not call the medium.
func (m *Medium) Lose(from, to uint8, f func(frame []byte) bool) {
	m.change(from, to, func(w *way) { w.lose = f })
}

func (m *Medium) change(from, to uint8, f func(*way)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.way[from][to])
}

// Inject delivers bytes to a member as one frame, whatever is cut: a replay, a stranger, noise.
func (m *Medium) Inject(to uint8, frame []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.ends[to]; l != nil {
		l.arrive(frame)
	}
}

// Unplug takes a member's own device away, and tells its sink.
func (m *Medium) Unplug(member uint8, reason string) {
	m.plug(member, link.Status{Reason: reason, DeviceLost: true})
}

// Plug gives it back.
func (m *Medium) Plug(member uint8) { m.plug(member, link.Status{Up: true}) }

func (m *Medium) plug(member uint8, s link.Status) {
	m.mu.Lock()
	l := m.ends[member]
	l.gone = s.DeviceLost
	m.mu.Unlock()
	l.changes <- s
}

func (m *Medium) carry(from, to uint8, frame []byte) (sent bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ends[from].gone {
		return false
	}
	w := &m.way[from][to]
	l := m.ends[to]
	if l == nil || l.gone || w.cut || w.lose != nil && w.lose(frame) {
		return true
	}
	l.arrive(frame)
	return true
}

// Link is one member's end. Sending delivers at once: nothing waits, so nothing is replaced by a newer one.
type Link struct {
	medium  *Medium
	member  uint8
	config  Config
	recv    *link.Receiver
	inbox   chan []byte
	changes chan link.Status
	gone    bool // guarded by the medium

	waiting                            atomic.Int64 // bytes in the inbox
	sent, sideSent, sentBytes, dropped atomic.Uint64
	sideDropped                        atomic.Uint64
}

var _ link.Link = (*Link)(nil)

func (l *Link) arrive(frame []byte) {
	select {
	case l.inbox <- bytes.Clone(frame):
		l.waiting.Add(int64(len(frame)))
	default:
	}
}

// Name implements [link.Link].
func (l *Link) Name() string { return l.config.Name }

// Run implements [link.Link]. Frames that came before it are dropped, as a port drops them when it is opened.
func (l *Link) Run(ctx context.Context) error {
	defer l.recv.Close()
	for len(l.inbox) > 0 {
		l.waiting.Add(-int64(len(<-l.inbox)))
	}
	l.medium.mu.Lock()
	gone := l.gone
	l.medium.mu.Unlock()
	if !gone {
		l.recv.Change(l.config.Clock(), link.Status{Up: true})
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-l.changes:
			l.recv.Change(l.config.Clock(), s)
		case frame := <-l.inbox:
			at := l.config.Clock()
			l.waiting.Add(-int64(len(frame)))
			l.recv.Bytes(len(frame))
			l.recv.Frame(at, frame)
		}
	}
}

// Send implements [link.Link].
func (l *Link) Send(to uint8, frame []byte) { l.send(to, frame, &l.sent, &l.dropped) }

// SendSide implements [link.Link].
func (l *Link) SendSide(to uint8, frame []byte) { l.send(to, frame, &l.sideSent, &l.sideDropped) }

func (l *Link) send(to uint8, frame []byte, sent, dropped *atomic.Uint64) {
	if !l.medium.carry(l.member, to, frame) {
		dropped.Add(1)
		return
	}
	sent.Add(1)
	l.sentBytes.Add(uint64(len(frame)))
}

// SetKeys implements [link.Link].
func (l *Link) SetKeys(k *pulse.Keyring) { l.recv.SetKeys(k) }

// Counters implements [link.Link].
func (l *Link) Counters() link.Counters {
	return link.Counters{
		In: l.recv.Counters(),
		Out: link.Out{
			Sent:         l.sent.Load(),
			SideSent:     l.sideSent.Load(),
			SentBytes:    l.sentBytes.Load(),
			DroppedStale: l.dropped.Load(),
			SideDropped:  l.sideDropped.Load(),
		},
	}
}

// Pending implements [link.Link].
func (l *Link) Pending() int { return int(l.waiting.Load()) }

// Since is a clock that counts from its making. In a synctest bubble it is the bubble's.
func Since() link.Clock {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}
