package script

import (
	"fmt"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/world"
)

type noteView = world.Note

// player plays one story. The marks count what had happened when the last order was given.
type player struct {
	w     *world.World
	names []string // of groups

	notes, edges, fences int
}

// Failure is a line that did not hold.
type Failure struct {
	Script   string
	Line     int
	Text     string
	Err      error
	Timeline []world.Line
	At       time.Duration // when it failed
}

// Error is one line; [Failure.Story] tells the rest.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s:%d: %s: %v", f.Script, f.Line, f.Text, f.Err)
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// shown is how many lines of the timeline belong to a failure.
const shown = 60

// Story is the timeline up to the failure: when, who, what.
func (f *Failure) Story() string {
	lines := f.Timeline
	if len(lines) > shown {
		lines = lines[len(lines)-shown:]
	}
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%14s  %-8s %s\n", l.At.Round(10*time.Microsecond), l.Node, l.What)
	}
	return b.String()
}

// Play reads a story and plays it. Without a world it could not be read.
func Play(name, text string) (*world.World, error) {
	s, err := Parse(name, text)
	if err != nil {
		return nil, err
	}
	return s.Run()
}

// Run plays the story in a new world. The error is a [*Failure].
func (s Script) Run() (*world.World, error) {
	w := world.New(s.Config)
	p := &player{w: w}
	for _, g := range s.Config.Groups {
		p.names = append(p.names, g.Name)
	}
	for _, step := range s.Steps {
		w.Say(fmt.Sprintf("---- %d: %s", step.Line, step.Text))
		if step.verb.acts {
			p.notes, p.edges, p.fences = len(w.Notes()), len(w.Edges()), len(w.Fences())
		}
		err := step.do(p)
		if err == nil {
			err = w.Err()
		}
		if err != nil {
			return w, &Failure{Script: s.Name, Line: step.Line, Text: step.Text, Err: err, Timeline: w.History(), At: w.Now()}
		}
	}
	return w, nil
}

func (p *player) group(name string) uint8 {
	for g, n := range p.names {
		if n == name {
			return uint8(g)
		}
	}
	panic("script: the parser let through the group " + name)
}

// told says whether a node, or any if there is no name, told people something since the last order.
func (p *player) told(node string, is func(noteView) bool) bool {
	for _, n := range p.w.Notes()[p.notes:] {
		if (node == "" || n.Node == node) && is(n) {
			return true
		}
	}
	return false
}

// seen tells what is there instead of what was expected.
func (p *player) seen() string {
	var parts []string
	for g, name := range p.names {
		on := p.w.Running(uint8(g))
		if len(on) == 0 {
			on = []string{"nowhere"}
		}
		parts = append(parts, name+" runs "+strings.Join(on, " and "))
	}
	for _, n := range p.w.Nodes() {
		s, ok := p.w.State(n)
		switch {
		case !p.w.Powered(n):
			parts = append(parts, n+" has no power")
			continue
		case !ok:
			parts = append(parts, n+" has no daemon")
			continue
		}
		for g, name := range p.names {
			part := fmt.Sprintf("%s is %s with %s", n, s.Groups[g].Phase, name)
			if why := p.w.Explain(n, uint8(g)); why != "" {
				part += " because " + why
			}
			parts = append(parts, part)
		}
		if ill := p.w.Ill(n); ill != "" {
			parts = append(parts, n+" is not well: "+ill)
		}
		if what := p.w.Waits(n); what != "" {
			parts = append(parts, n+" waits for a person: "+what)
		}
		if s.Incident.Open {
			parts = append(parts, fmt.Sprintf("%s has incident %d with question %+v", n, s.Incident.ID, s.Incident.Question))
		}
	}
	return strings.Join(parts, "; ")
}
