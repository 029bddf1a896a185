package main

import (
	"cmp"
	"slices"
	"time"
)

// span is a time that concerns a node: it held the service, or it was absent.
type span struct {
	node     string
	from, to time.Duration
}

// observation is what was seen of one scenario.
type observation struct {
	marks        []mark
	absent       []span // a node without power, or frozen
	since, until time.Duration
	cuts         int    // nodes that were healthy and lost their power by the other's hand
	note         string // what else has to be known
}

// outcome is what it comes to. A node that has no power or is frozen serves nobody and does no harm, so it counts as
// holding nothing meanwhile, whatever its ledger says.
type outcome struct {
	Unserved time.Duration // from the misfortune on, nobody who could serve held the service
	Doubled  time.Duration // two who could serve held it
	Needless int           // starts that the misfortune did not ask for; a thawed owner that goes on serving starts again
	Cuts     int
	Lost     bool // nobody held it when the watch ended
	Note     string
}

func (o observation) outcome(needed int) outcome {
	r := outcome{Cuts: o.cuts, Note: o.note}
	held := without(holds(o.marks, o.until), o.absent)
	edges := []time.Duration{o.since, o.until}
	for _, h := range held {
		edges = append(edges, clamp(h.from, o.since, o.until), clamp(h.to, o.since, o.until))
	}
	slices.Sort(edges)
	for i, end := range edges[1:] {
		begin := edges[i]
		if begin == end {
			continue
		}
		switch n := holders(held, begin); {
		case n == 0:
			r.Unserved += end - begin
		case n > 1:
			r.Doubled += end - begin
		}
		r.Lost = holders(held, begin) == 0
	}
	starts := 0
	for _, h := range held {
		if h.from > o.since && h.from < o.until {
			starts++
		}
	}
	r.Needless = max(0, starts-needed)
	return r
}

func clamp(t, low, high time.Duration) time.Duration { return min(max(t, low), high) }

func holders(held []span, at time.Duration) int {
	nodes := map[string]bool{}
	for _, h := range held {
		if h.from <= at && at < h.to {
			nodes[h.node] = true
		}
	}
	return len(nodes)
}

// holds turns marks into spans. A second begin or end in a row says nothing new; what never ended lasts until the end.
func holds(marks []mark, until time.Duration) (held []span) {
	marks = slices.Clone(marks)
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
	open := map[string]int{}
	for _, m := range marks {
		i, on := open[m.node]
		switch {
		case m.begin && !on:
			open[m.node] = len(held)
			held = append(held, span{m.node, m.at, until})
		case !m.begin && on:
			held[i].to = m.at
			delete(open, m.node)
		}
	}
	return held
}

// without takes the times at which a node was absent out of what it held.
func without(held, absent []span) []span {
	for _, a := range absent {
		var rest []span
		for _, h := range held {
			if h.node != a.node || a.to <= h.from || h.to <= a.from {
				rest = append(rest, h)
				continue
			}
			if h.from < a.from {
				rest = append(rest, span{h.node, h.from, a.from})
			}
			if a.to < h.to {
				rest = append(rest, span{h.node, a.to, h.to})
			}
		}
		held = rest
	}
	return held
}
