package script

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/world"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// setting is one row of what config lines may say.
type setting struct {
	name, usage, doc string
	set              func(p *parser, words []string) error
}

var settings []setting

func init() {
	settings = []setting{
		{"nodes", "NODE...", "the members, in order; before groups and prefer", setNodes},
		{"groups", "GROUP...", "the resource groups; each prefers the nodes in their order", setGroups},
		{"prefer", "GROUP NODE...", "who may have a group, best first", setPrefer},
		{"failback", "off|manual|auto", "how every group returns", word(func(c *world.Config, v failover.Failback) {
			for g := range c.Groups {
				c.Groups[g].Failback = v
			}
		}, "off", failover.FailbackOff, "manual", failover.FailbackManual, "auto", failover.FailbackAuto)},
		{"takeover", "auto|approve", "who decides on a takeover", word(func(c *world.Config, v failover.Takeover) { c.Decision.Takeover = v }, "auto", failover.Auto, "approve", failover.Approve)},
		{"split", "standby-survives|owner-survives", "who lives on when all links are cut", word(func(c *world.Config, v failover.Split) { c.Decision.Split = v }, "standby-survives", failover.StandbySurvives, "owner-survives", failover.OwnerSurvives)},
		{"on-last-link", "fence|ask", "what the loss of one link after the other does", word(func(c *world.Config, v failover.OnLastLink) { c.Decision.OnLastLink = v }, "fence", failover.FenceOnLastLink, "ask", failover.AskOnLastLink)},
		{"sense", "fail-safe|plain|none [NODE]", "how the power of all nodes, or of one, is sensed", setSense},
		{"mode", "reboot|off", "whether a cut node gets its power back after the dwell", word(func(c *world.Config, v time.Duration) { each(c, func(p *world.Power) { p.Dwell = v }) }, "reboot", world.DefaultPower().Dwell, "off", time.Duration(0))},
		{"level2", "on|off", "a second relay with a mirror contact on every node", onOff(func(c *world.Config, on bool) { each(c, func(p *world.Power) { p.Level2 = on }) })},
		{"supplies", "N", "redundant supplies of every node, each with its own relay", number(1, failover.MaxSenses, func(c *world.Config, n int) { each(c, func(p *world.Power) { p.Supplies = n }) })},
		{"hold-up", "DURATION", "for which supplies carry their host", span(func(c *world.Config, d time.Duration) { each(c, func(p *world.Power) { p.HoldUp = d }) })},
		{"interval", "DURATION [NODE]", "between pulses; set it before other times, and that of one node after that of all", setInterval},
		{"drift", "MILLIONTHS NODE", "by how much the clock of a node runs fast, or below 0 slow", setDrift},
		{"jitter", "DURATION", "by how much a loop wakes late at most", span(func(c *world.Config, d time.Duration) { c.Jitter = d })},
		{"multiplier", "N", "intervals until silence; set it before other times", number(2, 255, func(c *world.Config, n int) {
			c.SetTiming(time.Duration(c.Decision.IntervalMS)*time.Millisecond, uint8(n))
		})},
		{"moves", "N", "automatic moves in a window", number(1, 255, func(c *world.Config, n int) { c.Decision.MaxMoves = uint8(n) })},
		{"fences", "N", "fences in a window", number(1, 255, func(c *world.Config, n int) { c.Decision.MaxFences = uint8(n) })},
		{"retries", "N", "tries of a fence after the first", number(0, 10, func(c *world.Config, n int) { c.Decision.FenceRetries = uint8(n) })},
		{"window", "DURATION", "after which the budget is fresh", span(func(c *world.Config, d time.Duration) { c.Decision.Window = d })},
		{"approval", "DURATION", "for which an approval is good unused", span(func(c *world.Config, d time.Duration) { c.Decision.ApprovalTime = d })},
		{"wait-to-restore", "DURATION", "before an automatic failback", span(func(c *world.Config, d time.Duration) { c.Decision.RestoreTime = d })},
		{"boot", "DURATION", "from power to the daemon's start", span(func(c *world.Config, d time.Duration) { c.Boot = d })},
		{"restart", "DURATION", "from a daemon's death to its next start", span(func(c *world.Config, d time.Duration) { c.Restart = d })},
		{"stop-limit", "DURATION", "after which a daemon that was told to stop, and does not, is killed", span(func(c *world.Config, d time.Duration) { c.StopLimit = d })},
		{"cables", "on|off", "a serial cable between each two nodes", onOff(func(c *world.Config, on bool) { c.Baud = map[bool]int{true: 115200}[on] })},
		{"net", "on|off", "a network path", onOff(func(c *world.Config, on bool) { c.Lan = on })},
		{"armed", "on|off", "how state directories begin", onOff(func(c *world.Config, on bool) { c.Armed = on })},
		{"keeps-coil", "on|off", "whether an output outlives its process", onOff(func(c *world.Config, on bool) { c.KeepsCoil = on })},
		{"fence-when-deaf", "on|off", "whether a deaf node may fence", onOff(func(c *world.Config, on bool) { c.Decision.FenceWhenDeaf = on })},
		{"withdraw-survives-reboot", "on|off", "whether a withdrawal counts over a reboot without a sense", onOff(func(c *world.Config, on bool) { c.Decision.WithdrawSurvivesReboot = on })},
		{"seed", "N", "of chance", number(0, 1<<30, func(c *world.Config, n int) { c.Seed = uint64(n) })},
	}
}

func (p *parser) configure(words []string) error {
	if p.started {
		return errors.New("config stands before everything else")
	}
	var names []string
	for _, s := range settings {
		names = append(names, s.name)
		if len(words) == 0 || s.name != words[0] {
			continue
		}
		err := s.set(p, words[1:])
		if errors.Is(err, errUsage) {
			return fmt.Errorf("write: config %s %s", s.name, s.usage)
		}
		return err
	}
	return fmt.Errorf("there is no such setting; the settings are %s", strings.Join(names, ", "))
}

func each(c *world.Config, change func(*world.Power)) {
	for i := range c.Power {
		change(&c.Power[i])
	}
}

// word makes a setting of words and their values, in turn.
func word[T any](set func(*world.Config, T), pairs ...any) func(*parser, []string) error {
	return func(p *parser, words []string) error {
		for i := 0; len(words) == 1 && i < len(pairs); i += 2 {
			if pairs[i] == words[0] {
				set(&p.config, pairs[i+1].(T))
				return nil
			}
		}
		return errUsage
	}
}

func onOff(set func(*world.Config, bool)) func(*parser, []string) error {
	return word(set, "on", true, "off", false)
}

func number(low, high int, set func(*world.Config, int)) func(*parser, []string) error {
	return func(p *parser, words []string) error {
		if len(words) != 1 {
			return errUsage
		}
		n, err := strconv.Atoi(words[0])
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q is no number from %d to %d", words[0], low, high)
		}
		set(&p.config, n)
		return nil
	}
}

func span(set func(*world.Config, time.Duration)) func(*parser, []string) error {
	return func(p *parser, words []string) error {
		if len(words) != 1 {
			return errUsage
		}
		d, err := duration(words[0])
		if err == nil {
			set(&p.config, d)
		}
		return err
	}
}

func setNodes(p *parser, words []string) error {
	if len(words) < 2 || len(words) > pulse.MaxMembers {
		return fmt.Errorf("name 2 to %d nodes", pulse.MaxMembers)
	}
	if err := names(words); err != nil {
		return err
	}
	p.config.Nodes, p.config.Power = words, nil
	for range words {
		p.config.Power = append(p.config.Power, world.DefaultPower())
	}
	return setGroups(p, []string{"web"})
}

var oneName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// names refuses what could not be told from each other, or not be told at all.
func names(words []string) error {
	for i, w := range words {
		if !oneName.MatchString(w) {
			return fmt.Errorf("%q is no name; use letters, digits, - and _", w)
		}
		if slices.Contains(words[:i], w) {
			return fmt.Errorf("there are two of the name %s; give each its own", w)
		}
	}
	return nil
}

func setGroups(p *parser, words []string) error {
	if len(words) < 1 || len(words) > pulse.MaxGroups {
		return fmt.Errorf("name 1 to %d groups", pulse.MaxGroups)
	}
	if err := names(words); err != nil {
		return err
	}
	p.config.Groups = nil
	for _, name := range words {
		g := world.Group{Name: name, Failback: failover.FailbackManual}
		for m := range p.config.Nodes {
			g.Prefer = append(g.Prefer, uint8(m))
		}
		p.config.Groups = append(p.config.Groups, g)
	}
	return nil
}

func setPrefer(p *parser, words []string) error {
	if len(words) < 2 {
		return errUsage
	}
	g, err := p.group(words[0])
	if err != nil {
		return err
	}
	if err := p.nodes(words[1:]); err != nil {
		return err
	}
	if err := names(words[1:]); err != nil {
		return err
	}
	group := &p.config.Groups[g]
	group.Prefer = nil
	for _, name := range words[1:] {
		group.Prefer = append(group.Prefer, uint8(slices.Index(p.config.Nodes, name)))
	}
	return nil
}

// maxDrift is more than any clock is off.
const maxDrift = 100_000

func setDrift(p *parser, words []string) error {
	if len(words) != 2 {
		return errUsage
	}
	if err := p.node(words[1]); err != nil {
		return err
	}
	return number(-maxDrift, maxDrift, func(c *world.Config, n int) { c.Drift[slices.Index(c.Nodes, words[1])] = n })(p, words[:1])
}

func setInterval(p *parser, words []string) error {
	if d, err := duration(append(words, "")[0]); err == nil && d < time.Millisecond {
		return fmt.Errorf("%q is too short for an interval: write 1ms or more", words[0])
	}
	if len(words) != 2 {
		return span(func(c *world.Config, d time.Duration) { c.SetTiming(d, c.Multiplier) })(p, words)
	}
	if err := p.node(words[1]); err != nil {
		return err
	}
	return span(func(c *world.Config, d time.Duration) { c.Intervals[slices.Index(c.Nodes, words[1])] = d })(p, words[:1])
}

func setSense(p *parser, words []string) error {
	kinds := map[string]world.SenseKind{"fail-safe": world.FailSafeSense, "plain": world.PlainSense, "none": world.NoSense}
	if len(words) < 1 || len(words) > 2 {
		return errUsage
	}
	kind, ok := kinds[words[0]]
	if !ok {
		return errUsage
	}
	only := ""
	if len(words) == 2 {
		if only = words[1]; p.node(only) != nil {
			return p.node(only)
		}
	}
	for i := range p.config.Power {
		if only == "" || p.config.Nodes[i] == only {
			p.config.Power[i].Sense = kind
			p.config.Power[i].Assume = kind == world.NoSense // without a sense nothing else can prove off
		}
	}
	return nil
}
