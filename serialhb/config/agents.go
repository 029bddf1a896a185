package config

import (
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/fencing"
)

// The kinds of fence devices, as their names show them.
const (
	relayKind = "relay"
	agentKind = "agent"
)

func kindOf(r *rawFence) string {
	if r.Device.v == "exec" {
		return agentKind
	}
	return relayKind
}

func (r *rawFence) agentKeys() []place {
	return []place{r.Agent.place, r.Options.place, r.OptionsFile.place, r.OffTimeout.place, r.OnTimeout.place, r.StatusTimeout.place,
		r.MonitorTimeout.place, r.PowerTimeout.place, r.Poll.place}
}

func (r *rawFence) relayKeys() []place {
	return []place{r.Line.place, r.Cut.place, r.EnergisedBy.place, r.LineKeepsState.place, r.AcceptDoubtfulLines.place,
		r.Sense.place, r.SenseOff.place, r.SenseBias.place, r.SenseSide.place, r.FailSafe.place, r.Mirror.place, r.MirrorOpen.place,
		r.MirrorBias.place, r.Proof.place, r.Settle.place, r.Sample.place, r.Window.place, r.HoldUp.place, r.HoldUpMeasured.place, r.VerifyTimeout.place}
}

// agent reads a device that asks a fence agent. What fencing itself would refuse is refused here, in its words.
func (c *check) agent(r *rawFence, f *fenceModel, known bool) {
	c.foreign(r.relayKeys(), "device", "relay", "exec")
	f.places = map[string]place{"agent": r.Agent.place, "options": r.Options.place, "options_file": r.OptionsFile.place}
	f.wiring = map[int]fencing.Wiring{}
	for _, me := range f.by {
		f.wiring[me] = fencing.Wiring{}
	}
	f.optionsFile = c.path(r.OptionsFile, "")
	full, err := fencing.AgentConfig{
		Name: agentKind, Path: "/" + agentKind, // which it is, and where, is for each machine to find
		Timeouts: fencing.AgentTimeouts{
			Off: c.between(r.OffTimeout, 0, minWait, maxWait), On: c.between(r.OnTimeout, 0, minWait, maxWait),
			Status: c.between(r.StatusTimeout, 0, minWait, maxWait), Monitor: c.between(r.MonitorTimeout, 0, minWait, maxWait),
		},
		Poll: c.between(r.Poll, 0, minWait, time.Minute), PowerTimeout: c.between(r.PowerTimeout, 0, minWait, maxWait),
		HoldOff: c.between(r.HoldOff, 0, minWait, maxWait),
	}.Complete()
	if err != nil {
		c.bad(f.at, "correct this device", "%v", err)
	}
	full.Name, full.Path = f.name, c.agentPath(r.Agent)
	full.Params = c.options(r.Options, f)
	f.agent = &full
	if known {
		c.boards(r.Options, f)
	}
}

func (c *check) agentPath(t text) string {
	switch {
	case !t.given:
		c.bad(t.place, `write agent = "fence_ipmilan", or another program of the package fence-agents, or the whole path of one`, "agent is missing")
	case t.set && (t.v == "" || strings.ContainsAny(t.v, "\x00 \t\n") || strings.Contains(t.v, "/") && !filepath.IsAbs(t.v)):
		c.bad(t.place, "write its name alone, such as fence_ipmilan, or its whole path", "agent = %q names no program", t.v)
	}
	return t.v
}

// options looks at each option by itself, so that each is refused in its own line. No value is ever shown.
func (c *check) options(o table, f *fenceModel) map[string]string {
	all := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(o.v)) {
		t := o.v[name]
		f.places["options."+name] = t.place
		if !t.set {
			continue
		}
		one := fencing.AgentConfig{Name: "agent", Path: "/", Params: map[string]string{name: t.v}}
		if _, err := one.Complete(); err != nil {
			c.bad(t.place, "correct or remove this option", "%v", err)
			continue
		}
		all[name] = t.v
		if fencing.SecretOption(name) {
			c.model.secrets = append(c.model.secrets, t.place)
			c.hint(t.place, `put it into a file of mode 0600 and name that with options_file = "/etc/serialhb/NAME.options"`,
				"%s is a secret, and this file is copied to every node and shown to people", t.name())
		}
	}
	return all
}

// boards warns of a board that is no board: an address of the node itself goes silent together with it.
func (c *check) boards(o table, f *fenceModel) {
	for _, name := range fencing.AddressOptions {
		t, given := o.v[name]
		if !given || !t.set {
			continue
		}
		at, err := netip.ParseAddr(t.v)
		if port, e := netip.ParseAddrPort(t.v); e == nil {
			at, err = port.Addr(), nil
		}
		if err != nil {
			continue // a name: only the machine knows where it leads
		}
		if who := c.hostAt(at.Unmap()); who >= 0 {
			why := fmt.Sprintf("the board of %s has to answer when %s does not", c.model.nodes[f.target].Name, c.model.nodes[f.target].Name)
			if who != f.target {
				why = fmt.Sprintf("nothing there can cut %s", c.model.nodes[f.target].Name)
			}
			c.warn(t.place, "name the address of the management board, or of the power switch", "%s = %q is an address of %s itself by a link, and %s", t.name(), t.v, c.model.nodes[who].Name, why)
		}
		if moves := c.movesAt(at.Unmap()); moves.given {
			c.warn(t.place, "name the address of the management board, or of the power switch", "%s = %q is an address that moves with a service (line %d), and goes silent together with the node that has it", t.name(), t.v, moves.line)
		}
	}
}

// movesAt is where an address stands as one of a service.
func (c *check) movesAt(at netip.Addr) place {
	for i := range c.raw.Group {
		for j := range c.raw.Group[i].Resource {
			t := c.raw.Group[i].Resource[j].Address
			if p, err := netip.ParsePrefix(t.v); err == nil && p.Addr().Unmap() == at {
				return t.place
			}
		}
	}
	return place{}
}

// hostAt is the node that has an address by one of the links, or -1.
func (c *check) hostAt(at netip.Addr) int {
	for i := range c.model.links {
		l := &c.model.links[i]
		if l.kind != UDP {
			continue
		}
		for n, end := range l.ends {
			if a, err := netip.ParseAddrPort(end); err == nil && a.Addr().Unmap() == at {
				return n
			}
		}
	}
	return -1
}
