package config

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// digest makes both digests. What goes in is part of the protocol between two versions: a new key of the file is added
// only where its value is not the default.
func (m *model) digest() {
	var core, rest canon
	core.put("cluster", m.cluster)
	for _, n := range m.nodes {
		core.put("node", n.Name)
	}
	for _, g := range m.groups {
		core.put("group", g.Name)
	}

	rest.put("decide", m.takeover, m.onLastLink, m.split, m.fenceWhenDeaf, m.withdrawSurvivesReboot)
	t := m.timing
	rest.put("detect", t.Interval, t.DetectMultiplier, t.LateMultiplier, t.StartWindow, t.FenceDelay)
	if t.NoiseStretch != defaultStretch {
		rest.put("noise", strconv.FormatFloat(t.NoiseStretch, 'g', -1, 64))
	}
	rest.put("move", t.MoveTimeout, t.Backoff, t.ApprovalTimeout, t.DoubtTimeout, t.WaitToRestore, t.Farewell, t.Quiet)
	rest.put("retry", t.FenceRetries, t.FenceRetry)
	rest.put("limits", m.limits.Window, m.limits.Moves, m.limits.Fences)
	rest.sorted(len(m.links), func(i int, one *canon) {
		l := &m.links[i]
		one.put("link", l.name, l.kind, l.baud, slices.Sorted(maps.Keys(l.ends)))
	})
	rest.sorted(len(m.fences), func(i int, one *canon) { one.fence(&m.fences[i]) })
	for _, g := range m.groups {
		rest.put("group", g.Name, g.Prefer, g.Failback)
		for _, r := range g.Resources {
			if r.Kind == addressKind {
				rest.put("address", r.Name, r.Address.String(), r.ProbeWait, r.Announcements, r.Spacing, r.Refresh, r.Timeout)
				continue
			}
			rest.put("resource", r.Kind, r.Name, r.Start, r.Stop, r.Status, r.StartTimeout, r.StopTimeout, r.StatusTimeout)
		}
	}
	m.core, m.rest = core.sum("serialhb core digest"), rest.sum("serialhb rest digest")
}

// fence takes in what a proof is worth, not how one host is wired: devices, lines and their levels may differ.
func (c *canon) fence(f *fenceModel) {
	by := slices.Sorted(slices.Values(f.by))
	dwell := f.dwell.v
	if f.mode == off {
		dwell = 0
	}
	if a := f.agent; a != nil {
		c.put("fence", f.target, f.level, by, "exec", filepath.Base(a.Path), f.mode, dwell)
		c.put("times", a.Timeouts.Off, a.Timeouts.On, a.Timeouts.Status, a.Timeouts.Monitor, a.Poll, a.PowerTimeout, a.HoldOff)
		return
	}
	p := f.plan
	c.put("fence", f.target, f.level, by, "relay", f.relay.Cut, f.mode, dwell)
	c.put("proof", p.HasSense, p.FailSafe, f.relay.SenseSide, p.HasMirror, p.AllowAssumed)
	c.put("times", p.Settle, p.Sample, p.Window, p.HoldUp, p.HoldOff, p.Verify)
}

// canon is the canonical form: one line for each fact, each value quoted, so that no two sets of values look alike.
type canon struct{ b strings.Builder }

func (c *canon) put(fact string, values ...any) {
	c.b.WriteString(fact)
	for _, v := range values {
		fmt.Fprintf(&c.b, " %q", canonical(v))
	}
	c.b.WriteByte('\n')
}

// canonical writes a value by its kind, so that a type that learns to describe itself changes no digest.
func canonical(v any) string {
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return strconv.FormatInt(r.Int(), 10)
	case r.CanUint():
		return strconv.FormatUint(r.Uint(), 10)
	case r.Kind() == reflect.String:
		return r.String()
	}
	return fmt.Sprintf("%q", v)
}

// sorted puts things whose order means nothing.
func (c *canon) sorted(n int, put func(i int, one *canon)) {
	all := make([]string, n)
	for i := range all {
		var one canon
		put(i, &one)
		all[i] = one.b.String()
	}
	slices.Sort(all)
	for _, s := range all {
		c.b.WriteString(s)
	}
}

func (c *canon) sum(what string) uint64 {
	sum := sha256.Sum256([]byte(what + "\x00" + c.b.String()))
	return binary.BigEndian.Uint64(sum[:])
}
