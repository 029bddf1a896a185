package chance

import "strings"

// orders are what may be done, and how often. One that makes no sense now writes nothing and says so.
var orders = []struct {
	weight int
	write  func(p *pen, s *nodeState, n string) bool
}{
	{8, func(p *pen, s *nodeState, n string) bool { return p.power(s, n, false) }},
	{10, func(p *pen, s *nodeState, n string) bool { return p.power(s, n, true) }},
	{6, func(p *pen, s *nodeState, n string) bool { return p.freeze(s, n, true) }},
	{8, func(p *pen, s *nodeState, n string) bool { return p.freeze(s, n, false) }},
	{6, func(p *pen, s *nodeState, n string) bool { return p.daemon(s, n, "kill-daemon %s", false) }},
	{2, func(p *pen, s *nodeState, n string) bool { return p.daemon(s, n, "kill-daemon %s hold", true) }},
	{4, func(p *pen, s *nodeState, n string) bool { return p.daemon(s, n, "restart-daemon %s", false) }},
	{3, func(p *pen, s *nodeState, n string) bool { return p.daemon(s, n, "stop %s", true) }},
	{4, startAgain},
	{6, func(p *pen, _ *nodeState, n string) bool { return p.way("cut-cable", n) }},
	{7, func(p *pen, _ *nodeState, n string) bool { return p.way("mend-cable", n) }},
	{6, func(p *pen, _ *nodeState, n string) bool { return p.way("cut-net", n) }},
	{7, func(p *pen, _ *nodeState, n string) bool { return p.way("mend-net", n) }},
	{2, unplug},
	{2, replug},
	{2, noise},
	{3, weld},
	{4, func(p *pen, s *nodeState, n string) bool { return p.free(s, n) }},
	{2, stick},
	{4, func(p *pen, s *nodeState, n string) bool { return p.loosen(s, n) }},
	{8, func(p *pen, _ *nodeState, n string) bool { return p.try(n, "switchover web") }},
	{5, func(p *pen, _ *nodeState, n string) bool { return p.try(n, "failback web") }},
	{5, func(p *pen, _ *nodeState, n string) bool { return p.try(n, "approve") }},
	{1, func(p *pen, _ *nodeState, n string) bool { return p.try(n, "deny") }},
	{4, func(p *pen, _ *nodeState, n string) bool { return p.try(n, "standby "+p.pick("on", "off", "off")) }},
	{4, func(p *pen, _ *nodeState, n string) bool { return p.try(n, "maintenance "+p.pick("on", "off", "off")) }},
	{4, func(p *pen, _ *nodeState, n string) bool { return p.try(n, p.pick("disarm", "arm", "arm", "arm")) }},
	{2, func(p *pen, _ *nodeState, n string) bool { return p.try(n, "clear") }},
	{3, func(p *pen, _ *nodeState, n string) bool { return p.try(n, "restart") }},
	{2, func(p *pen, _ *nodeState, n string) bool { return p.try(n, "fence off "+other(n)) }},
	{2, func(p *pen, _ *nodeState, n string) bool { return p.try(n, "fence on "+other(n)) }},
	{3, func(p *pen, s *nodeState, n string) bool { return p.word(s, n, "confirm-off ") }},
	{1, func(p *pen, s *nodeState, n string) bool { return p.word(s, n, "withdraw ") }},
}

func other(n string) string {
	if n == nodes[0] {
		return nodes[1]
	}
	return nodes[0]
}

// perhaps writes what may be impossible by now: a fence came first.
func (p *pen) perhaps(format string, a ...any) {
	if p.dialect == Rack {
		format = "perhaps " + format
	}
	p.line(format, a...)
}

func (p *pen) power(s *nodeState, n string, on bool) bool {
	if s.up == on {
		return false
	}
	s.up = on
	if !on {
		s.frozen, s.stopped = false, false // it boots afresh
		p.perhaps("power-off %s", n)
		return true
	}
	p.perhaps("power-on %s", n)
	return true
}

func (p *pen) freeze(s *nodeState, n string, on bool) bool {
	if !s.up || s.frozen == on {
		return false
	}
	s.frozen = on
	p.perhaps(map[bool]string{true: "freeze %s", false: "thaw %s"}[on], n)
	return true
}

func (p *pen) daemon(s *nodeState, n, format string, stops bool) bool {
	if !s.up || s.frozen || s.stopped {
		return false
	}
	s.stopped = stops
	p.perhaps(format, n)
	return true
}

func startAgain(p *pen, s *nodeState, n string) bool {
	if !s.up || s.frozen || !s.stopped {
		return false
	}
	s.stopped = false
	p.perhaps("restart-daemon %s", n)
	return true
}

func (p *pen) way(verb, n string) bool {
	if p.rng.IntN(3) > 0 {
		p.line("%s", verb)
		return true
	}
	p.line("%s %s->%s", verb, n, other(n))
	return true
}

func unplug(p *pen, _ *nodeState, n string) bool {
	p.perhaps(map[Dialect]string{Rack: "unplug %s", World: "unplug %s cable"}[p.dialect], n)
	return true
}

func replug(p *pen, _ *nodeState, n string) bool {
	p.perhaps(map[Dialect]string{Rack: "replug %s", World: "replug %s cable"}[p.dialect], n)
	return true
}

func noise(p *pen, _ *nodeState, n string) bool {
	if p.dialect == World {
		p.line("noise %s %s", n, p.pick("1s", "5s", "20s"))
		return true
	}
	p.line("noise %s", p.pick("0", "50", "500"))
	return true
}

// relays are those that cut a node.
func (p *pen) relays(n string) []string {
	if p.level2 {
		return []string{"RELAY_" + strings.ToUpper(n), "RELAY2_" + strings.ToUpper(n)}
	}
	return []string{"RELAY_" + strings.ToUpper(n)}
}

func weld(p *pen, s *nodeState, n string) bool {
	if s.welded {
		return false
	}
	s.welded = true
	for _, r := range p.relays(n)[:1+p.rng.IntN(len(p.relays(n)))] {
		p.line("weld %s", r)
	}
	return true
}

func (p *pen) free(s *nodeState, n string) bool {
	if !s.welded {
		return false
	}
	s.welded = false
	for _, r := range p.relays(n) {
		p.line("free %s", r)
	}
	return true
}

// stick spoils a sense to the side that proves nothing.
func stick(p *pen, s *nodeState, n string) bool {
	if s.stuck {
		return false
	}
	s.stuck = true
	p.line("sense SENSE_%s stuck-on", strings.ToUpper(n))
	return true
}

func (p *pen) loosen(s *nodeState, n string) bool {
	if !s.stuck {
		return false
	}
	s.stuck = false
	p.line("sense SENSE_%s ok", strings.ToUpper(n))
	return true
}

// word is a person's word that the other node is off. It is given only where it is so.
func (p *pen) word(s *nodeState, n, command string) bool {
	if s.up {
		return false
	}
	return p.try(other(n), command+n)
}

// try lets a person ask for something, whatever comes of it.
func (p *pen) try(n, command string) bool {
	if p.dialect == Rack {
		switch verb, _, _ := strings.Cut(command, " "); verb {
		case "approve", "deny":
			command += " @incident"
		case "confirm-off", "withdraw":
			command += " --yes"
		}
		if strings.HasPrefix(command, "fence off") {
			command += " --yes"
		}
		if strings.HasPrefix(command, "switchover") || strings.HasPrefix(command, "failback") || strings.HasPrefix(command, "fence off") || strings.HasPrefix(command, "confirm-off") {
			command += " --no-wait"
		}
	}
	p.line("try %s %s", n, command)
	return true
}
