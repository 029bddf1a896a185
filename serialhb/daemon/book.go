package daemon

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// book keeps the record: the last lines in memory for whoever asks, all of them in the journal. One goroutine alone calls
// the journal, with one line after the other in the order in which they came, so that a journal which never answers stops
// that goroutine and nothing else. A turn waits for no line. Who acts waits for the line of the action, for a bounded while;
// once that was in vain nobody waits before the journal has caught up, and people are shown what it did not take yet.
type book struct {
	o     Options
	wake  chan struct{} // has one in it while lines wait
	over  chan struct{} // closed when no line comes any more
	done  chan struct{} // closed when all lines are written
	bad   atomic.Pointer[error]
	late  atomic.Pointer[error]
	flood flood
	// incident is the open one, which what workers tell belongs to; 0 is none.
	incident atomic.Uint32
	causes   causes

	mu      sync.Mutex
	waiting []*line // for the journal; the first may be in its hands
	lost    int     // lines that found no room since the last one that did
	busy    bool    // the journal was called and has not returned
	called  time.Duration
	slow    bool // it took too long for the last line
	tookAt  time.Duration
	hangs   bool // nobody waits for it
	hung    time.Duration
	early   int // deeds done meanwhile before their lines were written
	seq     uint64
	ring    []Record
	fresh   chan struct{} // closed and replaced when a line is added
}

// line is one that is to be written.
type line struct {
	Record
	shown   bool          // people see it
	written chan struct{} // closed when the journal has answered; nil where nobody waits for that
}

const (
	ringLines = 4096
	// linesMost may wait for the journal, and deedsMost more that are about deeds: nothing of lesser worth takes their room.
	linesMost = 1024
	deedsMost = 256
	// recordWait is how long a deed waits for its line. The run directory lies in memory: a write takes microseconds, and on
	// a machine that is starved some hundredths of a second. It is far below what a fence or a start may take, and short
	// beside a detection time, for what the deed was decided on must still hold when it is done.
	recordWait = 250 * time.Millisecond
	// behindEvery is how often the way of the record to the disk is looked at.
	behindEvery = 5 * time.Second
	// trustAgain is when a journal whose last answer came late, and that nobody had a line for since, is waited for again.
	trustAgain = 5 * time.Minute
)

var errRecordHangs = errors.New("it does not answer, and what is done here no longer waits for it")

func newBook(o Options) *book {
	return &book{o: o, wake: make(chan struct{}, 1), over: make(chan struct{}), done: make(chan struct{}), fresh: make(chan struct{})}
}

// say adds a line of news. It never waits: if hundreds of lines wait already, this one is dropped and counted, and the
// next line tells.
func (b *book) say(code, text string, s subject) {
	b.causes.learn(code, text, s)
	b.put(Record{Kind: "note", Code: code, Text: text, Peer: s.peer, Group: s.group, Who: s.who, Incident: b.incident.Load()})
}

// sayWay adds a line of news of one way of a link, under the limit that all ways between two ends of it share.
func (b *book) sayWay(link, code, text, peer string) {
	if b.flood.admits("ways of "+link+" and "+peer, floodWays, b.o.Clock()) {
		b.add(&line{Record: Record{Kind: "note", Code: code, Text: text, Peer: peer, Incident: b.incident.Load()}})
	}
}

func (b *book) put(r Record) {
	if r.Kind != "note" || b.flood.admits(r.Code, floodMost, b.o.Clock()) {
		b.add(&line{Record: r})
	}
}

// act adds the line of an action and returns when it is written: the reason comes before the deed. A record that cannot be
// written, or hangs, is an alarm and stops no deed: the line follows as soon as it can.
func (b *book) act(r *Record) {
	if r == nil {
		return
	}
	l := &line{Record: *r, written: make(chan struct{})}
	if b.add(l) {
		wait := time.NewTimer(recordWait)
		defer wait.Stop()
		select {
		case <-l.written:
			return
		case <-wait.C:
		}
	}
	b.goAhead(l)
}

// goAhead notes that a deed is done before its line is written.
func (b *book) goAhead(l *line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-l.written:
	default:
		b.early++
		b.giveUp()
	}
}

// add takes a line, and says whether its being written is worth waiting for. It never waits itself.
func (b *book) add(l *line) (soon bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.Record = b.stamp(l.Record)
	room := linesMost
	if l.Kind == "action" {
		room += deedsMost
	}
	if len(b.waiting) >= room {
		b.lost++
		b.showEarly(l)
		return false
	}
	b.tellLost()
	b.queue(l)
	return !b.hangs
}

// From queue down to showEarly the caller has the lock.
func (b *book) queue(l *line) {
	b.waiting = append(b.waiting, l)
	b.showEarly(l)
	b.call()
}

// call has run write a line.
func (b *book) call() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// remark adds what the record says about itself.
func (b *book) remark(code, text string) {
	b.queue(&line{Record: b.stamp(Record{Kind: "note", Code: code, Text: text, Incident: b.incident.Load()})})
}

// tellLost puts a line in the place of those that found no room.
func (b *book) tellLost() {
	if n := b.lost; n > 0 {
		b.lost = 0
		b.remark("lines-lost", fmt.Sprintf("%d lines of the record were lost: it could not be written fast enough", n))
	}
}

// giveUp ends the waiting for the journal.
func (b *book) giveUp() {
	if b.hangs {
		return
	}
	b.hangs, b.hung = true, b.o.Clock()
	if b.busy {
		b.hung = b.called
	}
	for _, l := range b.waiting {
		b.showEarly(l)
	}
	b.remark("record-hangs", "the record does not answer: until it does what is done here may be done before its reason is on record, and `serialhb why` shows what is not on record yet")
}

// trust begins to wait for the journal again.
func (b *book) trust() {
	text := "the record answers again after " + tenths(b.o.Clock()-b.hung)
	if b.early > 0 {
		text += fmt.Sprintf("; deeds that were done before their reason was on record: %d", b.early)
	}
	b.hangs, b.early = false, 0
	b.remark("record-answers", text)
}

// showEarly lets people see what the journal does not take.
func (b *book) showEarly(l *line) {
	if b.hangs && !l.shown {
		l.shown = true
		b.show(0, l.Record)
	}
}

// run writes what is added until the end.
func (b *book) run() {
	defer close(b.done)
	look := time.NewTicker(behindEvery)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			b.look()
			b.leftOut()
		case <-b.wake:
			b.write()
		case <-b.over:
			for b.write() {
			}
			return
		}
	}
}

// end writes what is left. Nothing may be added after it.
func (b *book) end() {
	close(b.over)
	<-b.done
}

// left is how many lines are not written.
func (b *book) left() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting) + b.lost
}

// leftOut tells of news that were left out of a flood that is over.
func (b *book) leftOut() {
	for kind, n := range b.flood.over(b.o.Clock()) {
		b.add(&line{Record: Record{Kind: "note", Code: "left-out", Text: fmt.Sprintf("%d more lines of %q were left out: there were too many of them", n, kind)}})
	}
}

// write has the journal write the oldest line; false is that there is none.
func (b *book) write() bool {
	l := b.oldest()
	if l == nil {
		return false
	}
	b.calls()
	seq, err := b.o.Record.Append(l.Kind, l.Record)
	b.wrote(l, seq, err)
	b.log(l.Record, err)
	b.answered()
	return true
}

func (b *book) oldest() *line {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		return nil
	}
	return b.waiting[0]
}

// calls is before each call of the journal, and answered after it.
func (b *book) calls() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy, b.called = true, b.o.Clock()
}

func (b *book) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy = false
	if len(b.waiting) == 0 {
		b.tellLost()
	}
	switch {
	case len(b.waiting) > 0:
		b.call()
	case b.hangs && (!b.slow || b.o.Clock()-b.tookAt >= trustAgain):
		b.trust()
	}
}

// wrote follows the answer of the journal.
func (b *book) wrote(l *line, seq uint64, err error) {
	b.bad.Store(nil)
	if err != nil {
		b.bad.Store(&err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tookAt = b.o.Clock()
	b.slow = b.tookAt-b.called >= recordWait
	b.waiting[0] = nil
	b.waiting = b.waiting[1:]
	if !l.shown {
		b.show(seq, l.Record)
	}
	if l.written != nil {
		close(l.written)
	}
}

func (b *book) log(r Record, err error) {
	if err != nil {
		b.o.Log.Error().Err(err).Msg("the record cannot be written")
	}
	ev := b.o.Log.Info()
	if r.Kind == "alarm" {
		ev = b.o.Log.Warn()
	}
	if r.Incident != 0 {
		ev = ev.Uint32("incident", r.Incident)
	}
	if r.Group != "" {
		ev = ev.Str("group", r.Group)
	}
	if r.Peer != "" {
		ev = ev.Str("peer", r.Peer)
	}
	ev.Str("code", r.Code).Msg(r.Text)
}

// look asks whether lines get to the disk.
func (b *book) look() {
	b.calls()
	err := b.o.Record.Behind()
	b.answered()
	if err != nil {
		b.late.Store(&err)
		return
	}
	b.late.Store(nil)
	b.bad.Store(nil) // what could not be written is written by now: nothing new may come for hours
}

// trouble is why lines are not written, or do not get to the disk; nil if all is well.
func (b *book) trouble() error {
	b.mu.Lock()
	if b.busy && b.o.Clock()-b.called >= recordWait {
		b.giveUp()
	}
	hangs := b.hangs
	b.mu.Unlock()
	if hangs {
		return errRecordHangs
	}
	for _, what := range []*error{b.bad.Load(), b.late.Load()} {
		if what != nil {
			return *what
		}
	}
	return nil
}

// show lets people see a line. It needs the lock.
func (b *book) show(seq uint64, r Record) {
	if seq > b.seq {
		b.seq = seq - 1
	}
	b.seq++
	r.Seq = b.seq
	b.ring = append(b.ring, r)
	if len(b.ring) > ringLines {
		b.ring = append(b.ring[:0:0], b.ring[len(b.ring)-ringLines/2:]...)
	}
	close(b.fresh)
	b.fresh = make(chan struct{})
}

// since gives the lines from a sequence on, and a channel that closes when there are more.
func (b *book) since(from uint64) ([]Record, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Record
	for _, r := range b.ring {
		if r.Seq >= from {
			out = append(out, r)
		}
	}
	return out, b.fresh
}
