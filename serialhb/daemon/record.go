package daemon

import (
	"fmt"
	"strings"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/failover"
)

// Record is one line of the record: what happened, or what is about to be done and on what evidence.
type Record = control.Event

type subject struct{ peer, group, who string }

// oneLine is a text as it fits a list: that of joined errors has a line for each.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", "; ") }

func (b *book) stamp(r Record) Record {
	r.Text = oneLine(r.Text)
	r.Wall, r.MonoNS, r.Boot = time.Now(), int64(b.o.Clock()), b.o.BootID
	return r
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
