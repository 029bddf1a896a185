package control

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteStatus tells a status to people, in plain text of 80 columns. The first line is the [Headline], the lines up to
// the first empty one are everything that is not as it should be, the most important first.
func WriteStatus(w io.Writer, s Status) error {
	var p page
	all := conditions(s)
	if len(all) == 0 {
		all = []string{Headline(s)}
	}
	for _, c := range all {
		p.line(0, c)
	}
	p.blank()
	p.line(0, fmt.Sprintf("%s, node %s, serialhb %s, up %s", s.Cluster, s.Node, s.Version, span(time.Duration(s.UptimeMS)*time.Millisecond)))
	p.line(0, fmt.Sprintf("worst lateness %.1f ms; moves %d of %d, fences %d of %d", s.LatenessMS, s.Moves, s.MaxMoves, s.Fences, s.MaxFences))
	if s.StartMS > 0 {
		p.line(0, fmt.Sprintf("first pulse %.0f ms after the process began", s.StartMS))
	}
	section(&p, "members", s.Members, func(m Member) { p.line(2, memberWords(m)) })
	section(&p, "links", s.Links, func(l Link) { p.line(2, linkWords(l)) })
	section(&p, "groups", s.Groups, func(g Group) {
		p.line(2, groupWords(g, s.Node))
		if g.Why != "" {
			p.line(4, "not here: "+g.Why)
		}
		if g.Cause != "" {
			p.line(4, "cause: "+g.Cause)
		}
		if g.Phase == "active" {
			p.line(4, "started here and not watched: a service that dies by itself is not noticed")
		}
	})
	if i := s.Incident; i != nil {
		p.blank()
		p.line(0, incidentWords(i))
		for _, q := range i.Question {
			p.line(2, q)
		}
		if i.Asks {
			p.line(2, fmt.Sprintf("`serialhb approve %d`: the silent node is cut and, once it is proven off, what waits is started here", i.ID))
			p.line(2, fmt.Sprintf("`serialhb deny %d`: nobody is cut, and what waits stays down", i.ID))
		}
	}
	section(&p, "alarms", s.Alarms, func(a Alarm) { p.line(2, fmt.Sprintf("%s (since %s)", a.Text, clock(a.Since))) })
	return p.to(w)
}

func section[T any](p *page, title string, items []T, tell func(T)) {
	if len(items) == 0 {
		return
	}
	p.blank()
	p.line(0, title)
	for _, item := range items {
		tell(item)
	}
}

func memberWords(m Member) string {
	if m.Me {
		return m.Name + ": this node, " + armedWord(m.Armed)
	}
	words := []string{m.Presence}
	switch {
	case m.LastLife < 0:
		words = append(words, "never heard")
	case m.Presence == "heard":
		words[0] += " " + ago(m.LastLife)
	default:
		words = append(words, "last heard "+ago(m.LastLife))
	}
	if m.Presence == "heard" {
		words = append(words, armedWord(m.Armed))
		if m.Mode != "" {
			words = append(words, m.Mode)
		}
	}
	switch {
	case m.Proof != "":
		words = append(words, "proven off ("+m.Proof+")")
	case m.Fence != "" && m.Fence != "idle":
		words = append(words, "fence "+m.Fence)
	}
	if m.CutOpen {
		words = append(words, "its power is cut here")
	}
	if m.CanFence {
		words = append(words, "can be fenced")
	} else {
		words = append(words, "cannot be fenced")
	}
	for _, x := range m.Senses {
		words = append(words, senseWords(x))
	}
	text := m.Name + ": " + strings.Join(words, ", ")
	if !m.CanFence && m.WhyNot != "" {
		text += "; why not: " + m.WhyNot
	}
	return text
}

func armedWord(armed bool) string {
	if armed {
		return "armed"
	}
	return "disarmed"
}

func senseWords(x Sense) string {
	kind := "plain"
	if x.FailSafe {
		kind = "fail-safe"
	}
	if x.Broken {
		kind = "broken: proves nothing"
	}
	reads := "reads " + x.Reading
	if x.Reading != "on" && x.Reading != "off" {
		reads = "cannot be read"
	}
	return fmt.Sprintf("sense %s %s (%s)", x.Name, reads, kind)
}

// linkWords tells both directions, for one of them may be dead alone.
func linkWords(l Link) string {
	var in, out string
	switch l.Receives {
	case "ok":
		in = fmt.Sprintf("hears %s (%s)", l.Peer, ago(l.AgeMS))
	case "late":
		in = fmt.Sprintf("%s is late (heard %s)", l.Peer, ago(l.AgeMS))
	case "never":
		in = "has never heard " + l.Peer
	default:
		in = "does not hear " + l.Peer
		if l.AgeMS >= 0 {
			in += " (last " + ago(l.AgeMS) + ")"
		}
	}
	switch l.Sends {
	case "ok":
		out = l.Peer + " hears us"
	case "late":
		out = l.Peer + " hears us late"
	case "down":
		out = l.Peer + " does not hear us"
	case "never":
		out = l.Peer + " has never heard us"
	default:
		out = fmt.Sprintf("not known whether %s hears us", l.Peer)
	}
	words := []string{in, out}
	words = append(words, noiseWords(l)...)
	if !l.Up {
		words = append([]string{fmt.Sprintf("device %s is down (%s)", l.Device, l.Reason)}, words...)
	}
	return l.Name + ": " + strings.Join(words, ", ")
}

// noiseWords tells how good a link is, if it is not good. A pulse that is lost now and then is nobody's trouble.
func noiseWords(l Link) (words []string) {
	if l.Noisy {
		words = append(words, fmt.Sprintf("noisy (%.0f bytes/s)", l.NoisePerS))
	}
	if l.Lost >= 0.01 {
		words = append(words, fmt.Sprintf("%.0f%% of pulses lost", 100*l.Lost))
	}
	return words
}

func groupWords(g Group, me string) string {
	words := []string{"no node that is heard has it"}
	if g.Owner != "" {
		words[0] = "owned by " + g.Owner
		if g.OwnerPhase != "" && g.Owner != me {
			words[0] += " (" + g.OwnerPhase + " there)"
		}
	}
	words = append(words, fmt.Sprintf("here %s", g.Phase), fmt.Sprintf("term %d", g.Term), "prefers "+strings.Join(g.Prefer, ", "), "failback "+g.Failback)
	if g.Holds == "unknown" {
		words = append(words, "not known whether it runs here")
	}
	return g.Name + ": " + strings.Join(words, "; ")
}

func incidentWords(i *Incident) string {
	words := []string{fmt.Sprintf("incident %d", i.ID)}
	if i.SinceWall != "" {
		words = append(words, "since "+i.SinceWall)
	}
	for _, w := range [...]struct {
		on   bool
		text string
	}{{i.Open, "open"}, {!i.Open, "over"}, {i.Asks, "a person must decide"}, {i.Approved, "approved"}, {i.Denied, "denied"}} {
		if w.on {
			words = append(words, w.text)
		}
	}
	return strings.Join(words, ", ")
}

// clock is a time of day with the day, in the reader's zone.
func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// WriteMember tells what speaks for and against the life of one member: itself, its links, and who has which group.
// It writes nothing about a name that it does not know.
func WriteMember(w io.Writer, s Status, name string) error {
	var p page
	for _, m := range s.Members {
		if m.Name == name {
			p.line(0, memberWords(m))
		}
	}
	for _, l := range s.Links {
		if l.Peer == name {
			p.line(2, linkWords(l))
		}
	}
	for _, g := range s.Groups {
		if p.Len() > 0 {
			p.line(2, groupWords(g, s.Node))
		}
	}
	return p.to(w)
}
