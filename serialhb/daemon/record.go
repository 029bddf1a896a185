package daemon

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/failover"
)

// Record is one line of the record: what happened, or what is about to be done and on what evidence.
type Record = control.Event

type subject struct{ peer, group, who string }

// book keeps the record: the last lines in memory for whoever asks, all of them in the journal. Lines go through one
// goroutine, so that no turn waits; an action's line is written before the action, by the worker that acts.
type book struct {
	o     Options
	lines chan Record
	lost  atomic.Uint64 // lines that found no room
	bad   atomic.Pointer[error]
	late  atomic.Pointer[error]
	flood flood
	// incident is the open one, which what workers tell belongs to; 0 is none.
	incident atomic.Uint32
	causes   causes

	writing sync.Mutex // the order of the record; what is written may take its time

	mu    sync.Mutex
	seq   uint64
	ring  []Record
	fresh chan struct{} // closed and replaced when a line is added
}

const ringLines = 4096

func newBook(o Options) *book {
	return &book{o: o, lines: make(chan Record, 1024), fresh: make(chan struct{})}
}

// oneLine is a text as it fits a list: that of joined errors has a line for each.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", "; ") }

func (b *book) stamp(r Record) Record {
	r.Text = oneLine(r.Text)
	r.Wall, r.MonoNS, r.Boot = time.Now(), int64(b.o.Clock()), b.o.BootID
	return r
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
		b.add(Record{Kind: "note", Code: code, Text: text, Peer: peer, Incident: b.incident.Load()})
	}
}

func (b *book) put(r Record) {
	if r.Kind != "note" || b.flood.admits(r.Code, floodMost, b.o.Clock()) {
		b.add(r)
	}
}

func (b *book) add(r Record) {
	select {
	case b.lines <- b.stamp(r):
	default:
		b.lost.Add(1)
	}
}

// trouble is why the last line could not be written, or does not get to the disk; nil if all is well.
func (b *book) trouble() error {
	for _, what := range []*error{b.bad.Load(), b.late.Load()} {
		if what != nil {
			return *what
		}
	}
	return nil
}

// behindEvery is how often the way of the record to the disk is looked at.
const behindEvery = 5 * time.Second

func (b *book) look() {
	if !b.writing.TryLock() {
		return // a line that is being written will tell
	}
	defer b.writing.Unlock()
	if err := b.o.Record.Behind(); err != nil {
		b.late.Store(&err)
		return
	}
	b.late.Store(nil)
	b.bad.Store(nil) // what could not be written is written by now: nothing new may come for hours
}

// act writes the line of an action and returns when it is written: the reason comes before the deed.
func (b *book) act(r *Record) {
	if r != nil {
		b.write(b.stamp(*r))
	}
}

func (b *book) run(ctx context.Context) {
	look := time.NewTicker(behindEvery)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			b.look()
			b.leftOut()
		case <-ctx.Done():
			for {
				select {
				case r := <-b.lines:
					b.write(r)
				default:
					return
				}
			}
		case r := <-b.lines:
			b.write(r)
		}
	}
}

// leftOut tells of news that were left out of a flood that is over.
func (b *book) leftOut() {
	for kind, n := range b.flood.over(b.o.Clock()) {
		b.write(b.stamp(Record{Kind: "note", Code: "left-out", Text: fmt.Sprintf("%d more lines of %q were left out: there were too many of them", n, kind)}))
	}
}

func (b *book) write(r Record) {
	b.writing.Lock()
	defer b.writing.Unlock()
	if n := b.lost.Swap(0); n > 0 {
		b.enter(b.stamp(Record{Kind: "note", Code: "lines-lost", Text: fmt.Sprintf("%d lines of the record were lost: it could not be written fast enough", n)}))
	}
	b.enter(r)
}

// enter is write in its turn.
func (b *book) enter(r Record) {
	seq, err := b.o.Record.Append(r.Kind, r)
	if err != nil {
		b.bad.Store(&err)
		b.o.Log.Error().Err(err).Msg("the record cannot be written")
	} else {
		b.bad.Store(nil)
	}
	b.show(seq, r)
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

// show lets people see a line.
func (b *book) show(seq uint64, r Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
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

// noted turns a note of the decision into a line, and into a log.
func (d *Daemon) noted(a *failover.Action) {
	r := Record{Kind: "note", Code: a.Code.String(), Incident: d.openIncident()}
	r.Text = a.Code.Sentence(d.o.Names, a.Peer, a.Group, a.Arg, d.state.Incident.ID)
	if a.Code == failover.NoteProvenOff {
		r.Text += ": " + fencing.Proof(a.Arg).String()
	}
	if a.Code.HasPeer() {
		r.Peer = d.member(a.Peer)
	}
	if a.Code.HasGroup() {
		r.Group = d.group(a.Group)
	}
	d.book.put(r)
	d.afterNote(a)
}

// afterNote does what follows from a note: services hear of what concerns them, and a fence test ends, after which power
// comes back whatever the outcome.
func (d *Daemon) afterNote(a *failover.Action) {
	switch a.Code {
	case failover.NoteOwns:
		d.owned(a)
	case failover.NoteHeard:
		d.announce()
	case failover.NoteProvenOff, failover.NoteFenceFailed, failover.NoteFenceGivenUp:
		if d.testing[a.Peer] {
			d.testing[a.Peer] = false
			d.queue = append(d.queue, failover.Event{Kind: failover.Commanded, Command: failover.Command{Kind: failover.CmdFenceOn, Peer: a.Peer}})
		}
	}
}

// openIncident is the number of the open incident, 0 if there is none. The book learns it on the way.
func (d *Daemon) openIncident() (number uint32) {
	if d.state.Incident.Open {
		number = d.state.Incident.ID
	}
	d.book.incident.Store(number)
	return number
}

// evidence is the line that has to be on record before an action: by which rule, and on what it rests.
func (d *Daemon) evidence(a *failover.Action) *Record {
	r := &Record{Kind: "action", Code: a.Kind.String(), Incident: d.openIncident(), Evidence: d.facts()}
	switch a.Kind {
	case failover.Cut, failover.Secure, failover.OpenCuts, failover.Restore:
		r.Peer = d.member(a.Peer)
	default:
		r.Group = d.group(a.Group)
	}
	r.Text = fmt.Sprintf("%s %s%s: %s", a.Kind, r.Peer, r.Group, a.Code.Sentence(d.o.Names, a.Peer, a.Group, a.Arg, d.state.Incident.ID))
	return r
}

// facts tells what this member knows of each peer, in sentences.
func (d *Daemon) facts() []string {
	now := d.o.Clock()
	var out []string
	for p := range d.o.Decision.N {
		if p == d.o.Decision.Me {
			continue
		}
		peer := &d.state.Peers[p]
		line := d.member(p) + " is " + peer.Presence.String()
		if last, heard := d.watch.LastLife(p); heard {
			line += fmt.Sprintf(", last heard %s ago (detection time %s)", tenths(now-last), tenths(d.watch.Window(p)))
		} else {
			line += ", not heard by this daemon"
		}
		if peer.Proof != fencing.None {
			line += ", proven off: " + peer.Proof.String()
		}
		for i := range d.o.Decision.Members[p].Senses {
			if d.o.Decision.Members[p].Senses[i].Present {
				line += fmt.Sprintf(", sense %s reads %s", d.senseName(p, uint8(i)), readingWord(peer.Senses[i].Reading))
			}
		}
		out = append(out, line)
		for l := range d.o.Links {
			if d.o.Links[l].Peers&(1<<p) == 0 {
				continue
			}
			receives, sends, last, heard := d.watch.Path(uint8(l), p)
			age := "never"
			if heard {
				age = tenths(now-last) + " ago"
			}
			out = append(out, fmt.Sprintf("%s: from %s %s (%s), to it %s", d.o.Links[l].Name, d.member(p), receives, age, sends))
		}
	}
	for g := range d.o.Decision.G {
		for p := range d.o.Decision.N {
			if permit := d.state.Groups[g].Permits[p]; permit != failover.NoPermit {
				out = append(out, fmt.Sprintf("%s: permit of %s: %s", d.group(g), d.member(p), permit))
			}
		}
	}
	return out
}

// senseName is the name under which status shows a sense.
func (d *Daemon) senseName(p, device uint8) string {
	for _, w := range d.senses {
		if w.peer == p && w.device == device {
			return w.sense.Name()
		}
	}
	return fmt.Sprint(device)
}

func readingWord(r failover.Reading) string {
	return map[failover.Reading]string{failover.ReadsOn: "on", failover.ReadsOff: "off", failover.NotRead: "unknown"}[r]
}

// tenths prints a duration the way people read it.
func tenths(t time.Duration) string {
	switch {
	case t < 0:
		return "0 ms"
	case t < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(t)/float64(time.Millisecond))
	case t < 10*time.Second:
		return fmt.Sprintf("%d ms", t/time.Millisecond)
	case t < 2*time.Minute:
		return fmt.Sprintf("%d s", t/time.Second)
	case t < 2*time.Hour:
		return fmt.Sprintf("%d min", t/time.Minute)
	}
	return fmt.Sprintf("%d h", t/time.Hour)
}

// groupOwner is the name of who holds a group, or "".
func (d *Daemon) groupOwner(g uint8) string {
	if owner := d.state.Owner(&d.o.Decision, g); owner != failover.NoPeer {
		return d.member(owner)
	}
	return ""
}
