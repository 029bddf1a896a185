package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/serialhb/serialhb/serialhb/config"
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
}

func (c *checkCmd) Run(t *terminal, w *where) error {
	f, found := config.Load(w.Config)
	res := checked{File: w.Config, Nodes: []string{}, Findings: found}
	if !config.HasErrors(found) { // else no node has values to be looked at
		nodes, err := c.nodes(t, w, f)
		if err != nil {
			return err
		}
		res.Nodes = nodes
		for _, node := range nodes {
			res.Findings = append(res.Findings, c.node(f, node)...)
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

func (c *checkCmd) node(f *config.File, node string) []config.Finding {
	values, found := f.For(node)
	if values == nil || c.Offline {
		return found
	}
	return append(found, values.CheckLive("/")...)
}

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
	if res.OK {
		fmt.Fprintf(&b, "%s has no errors for %s\n", res.File, strings.Join(res.Nodes, ", "))
	}
	_, err := fmt.Fprint(t.out, b.String())
	return err
}
