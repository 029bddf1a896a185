package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// The time-outs of a resource; those of the package resource are the same.
const (
	defaultStartTimeout  = 60 * time.Second
	defaultStopTimeout   = 60 * time.Second
	defaultStatusTimeout = 5 * time.Second
)

func (c *check) groups() {
	all := c.raw.Group
	if len(all) == 0 {
		c.warn(place{line: 1, key: "group"}, "add a [[group]] with the services that move", "there is no group, so nothing will ever be taken over")
	}
	if len(all) > pulse.MaxGroups {
		c.bad(all[pulse.MaxGroups].place, "put what belongs together into one group", "there are %d groups, and %d is the most", len(all), pulse.MaxGroups)
	}
	taken := map[string]bool{}
	for i := range all {
		r := &all[i]
		c.named(r.Name, "web", taken)
		g := Group{
			Name: r.Name.v,
			Failback: choose(c, r.Failback, option[failover.Failback]{"off", failover.FailbackOff},
				option[failover.Failback]{"manual", failover.FailbackManual}, option[failover.Failback]{"auto", failover.FailbackAuto}),
		}
		g.Prefer = c.prefer(r.Prefer)
		if len(r.Resource) == 0 {
			c.bad(r.place, `add [[group.resource]] with kind = "exec" below it`, "the group has no resource, so nobody could tell whether it runs")
		}
		names := map[string]bool{}
		for j := range r.Resource {
			g.Resources = append(g.Resources, c.resource(&r.Resource[j], names))
		}
		c.model.groups = append(c.model.groups, g)
	}
}

// prefer gives the order in which nodes take a group: that of the nodes if the file gives none.
func (c *check) prefer(l list) []int {
	if !l.given {
		all := make([]int, len(c.model.nodes))
		for i := range all {
			all[i] = i
		}
		return all
	}
	all := c.nodeList(l)
	switch {
	case l.set && len(l.v) == 0:
		c.bad(l.place, "name the nodes that may run it, the best first", "prefer names no node")
	case len(all) == 1 && len(l.v) == 1:
		c.warn(l.place, "name a second node", "prefer names one node only, so nobody takes the group over")
	}
	return all
}

func (c *check) resource(r *rawResource, names map[string]bool) Resource {
	if demand(c, r.Kind, "it says how the resource is driven", option[string]{"exec", "exec"}, option[string]{"address", "address"}) == "address" {
		return c.addressOf(r, names)
	}
	c.named(r.Name, "service", names)
	c.foreign(r.addressKeys(), "kind", "address", "exec")
	return Resource{
		Kind: "exec", Name: r.Name.v, at: r.place,
		start: r.Start.place, stop: r.Stop.place, status: r.Status.place,
		Start:         c.command(r.Start, "it brings the service up"),
		Stop:          c.command(r.Stop, "it takes the service down"),
		Status:        c.command(r.Status, "without it nobody can tell whether the service is stopped (exit 0: running, 3: stopped)"),
		StartTimeout:  c.between(r.StartTimeout, defaultStartTimeout, time.Millisecond, day),
		StopTimeout:   c.between(r.StopTimeout, defaultStopTimeout, time.Millisecond, day),
		StatusTimeout: c.between(r.StatusTimeout, defaultStatusTimeout, time.Millisecond, day),
	}
}

func (c *check) command(l list, why string) []string {
	argv := l.strings()
	switch {
	case !l.given:
		c.bad(l.place, fmt.Sprintf(`write %s = ["/path/of/command", "argument"]`, l.name()), "%s is missing: %s", l.name(), why)
	case !l.set:
	case len(argv) == 0:
		c.bad(l.place, fmt.Sprintf(`write %s = ["/path/of/command", "argument"]`, l.name()), "%s is empty: %s", l.name(), why)
	case l.v[0].set && !filepath.IsAbs(argv[0]):
		c.bad(l.v[0].place, "write the whole path, such as /usr/local/bin/"+filepath.Base(argv[0]), "%s = %q is no absolute path, and no search path is used", l.name(), argv[0])
	case strings.Contains(strings.Join(argv, ""), "\x00"):
		c.bad(l.place, "remove it", "%s has an argument with a zero byte", l.name())
	}
	return argv
}
