package story

import (
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/serialhb/control"
)

// scene is a view with the moment from which "since" counts, the last line that did something, and the one at which the
// chapter began.
type scene struct {
	View
	since, opened time.Duration
}

// running lists the nodes on which the service runs, by the ledger.
func (v View) running() []string {
	var on []string
	for _, e := range v.Board {
		if e.Kind != "run" {
			continue
		}
		verb, node, _ := strings.Cut(e.Value, " ")
		if verb == "begin" {
			on = append(on, node)
		} else if i := slices.Index(on, node); i >= 0 {
			on = slices.Delete(on, i, i+1)
		}
	}
	return on
}

// runs lists the moments at which the service began to run, and where.
func (v View) runs() []begin {
	var all []begin
	for _, e := range v.Board {
		if node, ok := strings.CutPrefix(e.Value, "begin "); ok && e.Kind == "run" {
			all = append(all, begin{e.At, node})
		}
	}
	return all
}

type begin struct {
	At   time.Duration
	Node string
}

// takeovers counts the runs since a moment that began on another node than the run before.
func (v View) takeovers(since time.Duration) int {
	n, last := 0, ""
	for _, b := range v.runs() {
		if last != "" && b.Node != last && b.At >= since {
			n++
		}
		last = b.Node
	}
	return n
}

// targetOf is the node whose power a relay cuts.
func targetOf(relay string) string {
	for _, n := range Nodes {
		if _, name, ok := strings.Cut(relay, "_"); ok && name == strings.ToUpper(n) {
			return n
		}
	}
	return ""
}

// fences lists the times since a moment at which a node was without power behind a cut that a relay held open. A node
// that lost its mains and is then cut counts: that is what proves it off.
func (v View) fences(node string, since time.Duration) []time.Duration {
	var all []time.Duration
	open, off, fenced := map[string]bool{}, false, false
	for _, e := range v.Board {
		switch {
		case e.Kind == "contact" && targetOf(e.Name) == node:
			if open[e.Name] = e.Value == "open"; !open[e.Name] {
				delete(open, e.Name)
			}
		case e.Kind == "power" && e.Name == node:
			off = e.Value == "off"
		default:
			continue
		}
		now := off && len(open) > 0
		if now && !fenced && e.At >= since {
			all = append(all, e.At)
		}
		fenced = now
	}
	return all
}

// coils lists the times since a moment at which a relay of a node was driven to cut.
func (v View) coils(node string, since time.Duration) []board.Event {
	return v.happened(since, func(e board.Event) bool {
		return e.Kind == "coil" && e.Value == "on" && targetOf(e.Name) == node
	})
}

func (v View) happened(since time.Duration, is func(board.Event) bool) []board.Event {
	var all []board.Event
	for _, e := range v.Board {
		if e.At >= since && is(e) {
			all = append(all, e)
		}
	}
	return all
}

// power is the present state of a node's supply; a rack starts with everything on.
func (v View) power(node string) string {
	state := "on"
	for _, e := range v.Board {
		if e.Kind == "power" && e.Name == node {
			state = e.Value
		}
	}
	return state
}

// told finds what a node recorded since a moment; an empty node is any.
func (v View) told(node string, since time.Duration, is func(control.Event) bool) (Told, bool) {
	for _, t := range v.Told {
		if t.At >= since && (node == "" || t.Node == node) && is(t.Event) {
			return t, true
		}
	}
	return Told{}, false
}

// group is the lab's resource group as a node sees it.
func (n NodeView) group() control.Group {
	for _, g := range n.Status.Groups {
		if g.Name == Service {
			return g
		}
	}
	return control.Group{}
}

// member is what a node knows of a member.
func (n NodeView) member(name string) control.Member {
	for _, m := range n.Status.Members {
		if m.Name == name {
			return m
		}
	}
	return control.Member{}
}

func others(node string) []string {
	return slices.DeleteFunc(slices.Clone(Nodes), func(n string) bool { return n == node })
}

func has(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
