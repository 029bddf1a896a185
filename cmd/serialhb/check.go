package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/control"
)

type checkCmd struct {
	Offline bool `help:"Look at the file alone, not at this machine; without --node for every node."`
	JSON    bool `help:"Print JSON."`
}

// checked is what check found, as JSON.
type checked struct {
	File     string           `json:"file"`
	Nodes    []string         `json:"nodes"` // that it was checked for
	OK       bool             `json:"ok"`    // there is no error
	Findings []config.Finding `json:"findings"`
	Fences   []fenceTime      `json:"fences"`
	Noise    []noiseBorne     `json:"noise"`
	// Measured is what the daemon of this node has measured, nil if no daemon could be asked.
	Measured *measured `json:"measured"`

	unasked string // why no daemon could be asked
	times   []string
}

// fenceTime is how long one try of all levels may take.
type fenceTime struct {
	Node   string  `json:"node"`
	Target string  `json:"target"`
	Levels int     `json:"levels"`
	MS     float64 `json:"at_most_ms"`
}

// noiseBorne is the noise that a serial cable bears alone, so that a node that lives is taken for dead once a year at most.
type noiseBorne struct {
	Link  string  `json:"link"`
	Bytes float64 `json:"bytes_per_second"`
}

type measured struct {
	LatenessMS float64 `json:"worst_lateness_ms"`
	StartMS    float64 `json:"start_ms"` // from the beginning of its process to its first pulse; 0 is not measured
	UptimeMS   int64   `json:"uptime_ms"`
}

func (c *checkCmd) Run(t *terminal, w *where) error {
	f, found := config.Load(w.Config)
	res := checked{File: w.Config, Nodes: []string{}, Findings: found, Fences: []fenceTime{}, Noise: []noiseBorne{}}
	if !config.HasErrors(found) { // else no node has values to be looked at
		nodes, err := c.nodes(t, w, f)
		if err != nil {
			return err
		}
		res.Nodes = nodes
		for _, node := range nodes {
			c.node(t, w, f, node, &res)
		}
	}
	if res.Findings == nil {
		res.Findings = []config.Finding{}
	}
	res.OK = !config.HasErrors(res.Findings)
	if err := c.print(t, res); err != nil {
		return err
	}
	if !res.OK {
		return refused(errors.New(w.Config + " has errors: nothing may run with it"))
	}
	return nil
}

// nodes are those to check for. Whoever writes a file for other machines need not name them.
func (c *checkCmd) nodes(t *terminal, w *where, f *config.File) ([]string, error) {
	if c.Offline && w.Node == "" {
		return f.Nodes, nil
	}
	node, err := w.thisNode(t, f)
	return []string{node}, err
}

// node adds what there is to say of one node.
func (c *checkCmd) node(t *terminal, w *where, f *config.File, node string, res *checked) {
	values, found := f.For(node)
	res.Findings = append(res.Findings, found...)
	if values == nil {
		return
	}
	timing := values.Timing
	res.times = []string{fmt.Sprintf("a node is silent after %v without a pulse (%v x %d), beside a noisy line after %v", timing.Detection, timing.Interval, timing.DetectMultiplier, timing.Noisy())}
	for _, l := range values.Links {
		borne := noiseBorne{l.Name, math.Floor(values.BearsNoise(l))}
		if l.Kind == config.Serial && !slices.Contains(res.Noise, borne) {
			res.Noise = append(res.Noise, borne)
		}
	}
	for target, n := range values.Nodes {
		if levels := values.Levels(target); len(levels) > 0 {
			res.Fences = append(res.Fences, fenceTime{node, n.Name, len(levels), float64(values.FenceTime(target).Milliseconds())})
		}
	}
	if c.Offline {
		res.unasked = "nothing was measured: with --offline no daemon is asked"
		return
	}
	own := 0
	s, err := c.daemon(t, w, values)
	if err != nil {
		res.unasked = "nothing was measured on this machine: " + err.Error()
	} else {
		own = s.PID
		res.Measured = &measured{s.LatenessMS, s.StartMS, s.UptimeMS}
		res.Findings = append(res.Findings, values.CheckMeasured(config.Measured{Lateness: milliseconds(s.LatenessMS), Start: milliseconds(s.StartMS)})...)
	}
	res.Findings = append(res.Findings, values.CheckLive("/", own)...)
	res.Findings = append(res.Findings, thisMachine().check(t.ctx, values)...)
}

// daemon asks the daemon of this node, if it runs.
func (c *checkCmd) daemon(t *terminal, w *where, values *config.Config) (control.Status, error) {
	socket := w.Socket
	if socket == "" {
		socket = values.Socket()
	}
	client := control.Dial(socket)
	defer client.Close()
	s, err := client.Status(t.ctx)
	if errors.Is(err, control.ErrNoDaemon) {
		err = fmt.Errorf("no daemon of %s runs here; check again when it has run for a while under load", values.Node())
	}
	return s, err
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

func (c *checkCmd) print(t *terminal, res checked) error {
	if c.JSON {
		return t.json(res)
	}
	var b strings.Builder
	for _, x := range res.Findings {
		place := res.File
		if x.Line > 0 {
			place = fmt.Sprintf("%s:%d", res.File, x.Line)
		}
		fmt.Fprintf(&b, "%s: %v: %s: %s\n    fix: %s\n", place, x.Severity, x.Key, x.Text, x.Fix)
	}
	for _, line := range res.facts() {
		fmt.Fprintln(&b, line)
	}
	if res.OK {
		fmt.Fprintf(&b, "%s has no errors for %s\n", res.File, strings.Join(res.Nodes, ", "))
	}
	_, err := fmt.Fprint(t.out, b.String())
	return err
}

// facts are the times that a person should know, beside what is wrong.
func (r *checked) facts() []string {
	out := r.times
	for _, f := range r.Fences {
		levels := "1 level"
		if f.Levels > 1 {
			levels = fmt.Sprintf("%d levels", f.Levels)
		}
		out = append(out, fmt.Sprintf("to cut %s and prove it off takes %s at most %v (%s)", f.Target, f.Node, milliseconds(f.MS), levels))
	}
	for _, n := range r.Noise {
		out = append(out, fmt.Sprintf("%s alone bears about %.0f bytes of noise a second; more takes a living node for dead more often than once a year", n.Link, n.Bytes))
	}
	if m := r.Measured; m != nil {
		start := "its start was not measured"
		if m.StartMS > 0 {
			start = fmt.Sprintf("its first pulse came %.0f ms after its start", m.StartMS)
		}
		out = append(out, fmt.Sprintf("measured by the daemon here, which is up for %v: worst lateness %.1f ms; %s", (time.Duration(m.UptimeMS)*time.Millisecond).Truncate(time.Second), m.LatenessMS, start))
	}
	if r.unasked != "" {
		out = append(out, r.unasked)
	}
	return out
}
