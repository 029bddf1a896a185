package control

import (
	"fmt"
	"io"
	"time"
)

// WriteEvents tells events to people, one a line with its time and sequence, its evidence below.
func WriteEvents(w io.Writer, events ...Event) error {
	var p page
	for _, e := range events {
		p.event(e, e.Wall.Local().Format("2006-01-02 15:04:05.000"))
	}
	return p.to(w)
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
	boot, from := "", int64(0)
	for _, e := range y.Events {
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
