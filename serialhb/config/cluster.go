package config

import (
	"fmt"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

const (
	defaultStateDir = "/var/lib/serialhb"
	defaultRunDir   = "/run/serialhb"
	maxKeyFiles     = 3
	// maxSocketPath is what Linux takes for the path of a unix socket, in bytes.
	maxSocketPath = 107
)

func (c *check) nodes() {
	taken := map[string]bool{}
	for i, n := range c.raw.Node {
		if c.named(n.Name, []string{"alpha", "bravo", "charlie", "delta"}[i%4], taken) {
			if isLinkWord(n.Name.v) {
				c.bad(n.Name.place, "choose another name", "name = %q is a word of [[link]], so no link could name this node", n.Name.v)
			}
		}
		// What follows looks at each pair, so those that are too many are left out.
		if i < pulse.MaxMembers {
			c.model.nodes = append(c.model.nodes, Node{Name: n.Name.v})
		}
	}
	switch n := len(c.raw.Node); {
	case n < 2:
		c.bad(place{line: 1, key: "node"}, `write [[node]] and name = "..." for each member`, "there are %d nodes, and a cluster has 2 to %d", n, pulse.MaxMembers)
	case n > pulse.MaxMembers:
		c.bad(c.raw.Node[pulse.MaxMembers].place, "remove the others", "there are %d nodes, and a cluster has 2 to %d", n, pulse.MaxMembers)
	}
}

func (c *check) cluster() {
	r, m := &c.raw.Cluster, &c.model
	c.named(r.Name, "plant-7", map[string]bool{})
	m.cluster = r.Name.v
	c.keyFiles()
	m.stateDir, m.runDir = r.StateDir, r.RunDir
	m.stateDir.v = c.path(r.StateDir, defaultStateDir)
	m.runDir.v = c.path(r.RunDir, defaultRunDir)
	if m.stateDir.v == m.runDir.v {
		c.bad(r.StateDir.place, fmt.Sprintf("write state_dir = %q", defaultStateDir), "state_dir and run_dir are the same, and one must outlive the host while the other must not")
	}
	for _, n := range m.nodes {
		if p := socketPath(m.runDir.v, m.cluster, n.Name); len(p) > maxSocketPath {
			c.bad(r.RunDir.place, "use a shorter run_dir or shorter names", "the control socket %s would have a path of %d bytes, and %d is the most", p, len(p), maxSocketPath)
		}
	}
	m.takeover = choose(c, r.Takeover, option[failover.Takeover]{"auto", failover.Auto}, option[failover.Takeover]{"approve", failover.Approve})
	m.onLastLink = choose(c, r.OnLastLink, option[failover.OnLastLink]{"fence", failover.FenceOnLastLink}, option[failover.OnLastLink]{"ask", failover.AskOnLastLink})
	m.split = choose(c, r.Split, option[failover.Split]{"standby-survives", failover.StandbySurvives}, option[failover.Split]{"owner-survives", failover.OwnerSurvives})
	m.fenceWhenDeaf = r.FenceWhenDeaf.v
	m.withdrawSurvivesReboot = r.WithdrawSurvivesReboot.v
}

func (c *check) keyFiles() {
	r := &c.raw.Cluster
	files, at := r.KeyFiles.v, r.KeyFiles.place
	switch {
	case r.KeyFile.given && r.KeyFiles.given:
		c.bad(at, "write all of them in key_files, the signing one first", "key_file and key_files both stand here")
		return
	case !r.KeyFile.given && !r.KeyFiles.given:
		c.bad(r.KeyFile.place, `write key_file = "/etc/serialhb/key", and make that file with serialhb keygen`, "key_file is missing")
		return
	case r.KeyFile.given:
		files, at = []text{r.KeyFile}, r.KeyFile.place
	}
	if len(files) < 1 || len(files) > maxKeyFiles {
		c.bad(at, "name the key that signs, and up to two others that are still accepted", "key_files names %d files, and 1 to %d can be used", len(files), maxKeyFiles)
	}
	seen := map[string]bool{}
	for _, f := range files {
		f.v = c.path(f, "")
		if f.v != "" && seen[f.v] {
			c.bad(f.place, "name each file once", "%s names %s twice", f.name(), f.v)
		}
		seen[f.v] = true
		c.model.keyFiles = append(c.model.keyFiles, f)
	}
}

func (c *check) limits() {
	r := &c.raw.Limits
	c.model.limits = Limits{
		Window: c.between(r.Window, defaultWindow, minWindow, maxWindow),
		Moves:  c.within(r.Moves, 3, 1, 255),
		Fences: c.within(r.Fences, 3, 1, 255),
	}
}

func (c *check) log() {
	same := func(words ...string) (all []option[string]) {
		for _, w := range words {
			all = append(all, option[string]{w, w})
		}
		return all
	}
	// The first of each is the default.
	c.model.log = Log{
		Level:  choose(c, c.raw.Log.Level, same("info", "debug", "warn", "error")...),
		Format: choose(c, c.raw.Log.Format, same("json", "console")...),
	}
}
