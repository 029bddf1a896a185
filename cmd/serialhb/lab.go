package main

import (
	"github.com/serialhb/serialhb/firmware-sim/story"
)

// labCmd is the whole pair on this machine, without hardware.
type labCmd struct {
	Script   string   `help:"Tell the story of this file; - is standard input." placeholder:"FILE" xor:"what"`
	Measure  int      `help:"Measure so many takeovers instead of telling a story." placeholder:"N" xor:"what"`
	By       string   `help:"How the owner goes down when measured." enum:"mains,freeze" default:"mains"`
	Set      []string `help:"A setting for the measurement, as in a story's config lines." placeholder:"KEY=VALUE"`
	Netns    bool     `help:"Give each node, and a client, a network of its own with a service address that moves; needs root. The machine's own network is not touched."`
	OwnClock bool     `help:"This machine is there to have its clock set: stories may set its clock and its time zone, for everything on it, and nothing is put back. Never on a machine that others use; needs root."`
	Verbs    bool     `help:"Document the language of the stories." xor:"what"`
	JSON     bool     `help:"Print JSON lines." xor:"form"`
	Headless bool     `help:"Chapters, takeovers, failures and the summary only." xor:"form"`
}

func (c *labCmd) Run(t *terminal) error {
	ctx, stop := t.interruptible()
	defer stop()
	o := story.Options{Script: c.Script, JSON: c.JSON, Headless: c.Headless, Netns: c.Netns, OwnClock: c.OwnClock, Verbs: c.Verbs, Measure: c.Measure, Set: c.Set, In: t.in, Out: t.out, Err: t.err}
	if c.Measure > 0 {
		o.By = c.By
	}
	if code := story.Main(ctx, o); code != exitDone {
		return &exitError{code: code}
	}
	return nil
}
