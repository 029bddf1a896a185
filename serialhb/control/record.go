package control

import (
	"fmt"
	"io"
	"time"
)

// Teller tells events to people as they come, one a line with its time and sequence, its evidence below. Times are those
// that the wall clock of the host showed then; where it was set in between, a line says so.
type Teller struct {
	to   io.Writer
	last Event
}

// NewTeller makes one that writes to w.
func NewTeller(w io.Writer) *Teller { return &Teller{to: w} }

// Tell writes events, in the order of their sequence.
func (t *Teller) Tell(events ...Event) error {
	var p page
	for _, e := range events {
		p.clockSet(t.last, e)
		p.event(e, e.Wall.Local().Format("2006-01-02 15:04:05.000"))
		t.last = e
	}
	return p.to(t.to)
}

// setBy is by how much the wall clock has to differ from the boot-time clock, which nobody sets, in whole seconds, to be
// said to have been set: an event's two stamps are taken one after the other on a machine that may be busy.
const setBy = 2 * time.Second

// clockSet says so between two events if the wall clock was set between them.
func (p *page) clockSet(last, e Event) {
	if last.Boot != e.Boot || last.Wall.IsZero() || e.Wall.IsZero() {
		return
	}
	by := (e.Wall.Round(0).Sub(last.Wall.Round(0)) - time.Duration(e.MonoNS-last.MonoNS)).Round(time.Second)
	switch {
	case by >= setBy:
		p.line(0, "the clock of this host was set forward by "+span(by))
	case by <= -setBy:
		p.line(0, "the clock of this host was set back by "+span(-by))
	}
}

func (p *page) event(e Event, when string) {
	text := e.Text
	if e.Kind == "alarm" {
		text = "ALARM: " + text
	}
	p.hang(0, len(when)+1, fmt.Sprintf("%s %d %s", when, e.Seq, text))
	for _, x := range e.Evidence {
		p.line(len(when)+1, "- "+x)
	}
}

func whyWords(y Why) string {
	switch {
	case y.Open:
		return fmt.Sprintf("incident %d, open", y.Incident)
	case y.Incident != 0:
		return fmt.Sprintf("incident %d, over", y.Incident)
	case y.Since.IsZero():
		return "No incident is on record."
	}
	return "Nothing has happened since " + clock(y.Since) + ": no incident is on record."
}

// WriteWhy tells an incident: what stands in the way now, then what happened. Times run from its first event, on the
// boot-time clock, which nobody sets.
func WriteWhy(w io.Writer, y Why) error {
	var p page
	p.line(0, whyWords(y))
	section(&p, "now", y.Now, func(text string) { p.line(2, text) })
	if len(y.Events) > 0 {
		p.blank()
		p.line(0, "began "+clock(y.Events[0].Wall))
	}
	boot, from, last := "", int64(0), Event{}
	for _, e := range y.Events {
		p.clockSet(last, e)
		last = e
		if e.Boot != boot { // a new boot has a clock of its own
			if boot != "" {
				p.line(0, "this host booted; times run from "+clock(e.Wall))
			}
			boot, from = e.Boot, e.MonoNS
		}
		p.event(e, fmt.Sprintf("%+11.3f s", time.Duration(e.MonoNS-from).Seconds()))
	}
	return p.to(w)
}
