package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/world"
)

// verb is one row of the language.
type verb struct {
	name, usage, doc string
	acts             bool // it does something: "since the last order" counts from here
	parse            func(p *parser, words []string) (func(*player) error, error)
}

var verbs []verb

func init() {
	verbs = []verb{
		{"say", "TEXT", "begin a chapter: the timeline tells whether all is well", false, parseSay},
		{"start", "[NODE]", "alone: mains for all nodes; with a node: start its daemon", true, parseStart},
		{"stop", "NODE", "its daemon leaves in order and stays stopped", true, onNodes(func(w *world.World, n string) { w.StopDaemon(n) })},
		{"power-off", "NODE...", "take the mains away", true, onNodes(func(w *world.World, n string) { w.Mains(n, false) })},
		{"power-on", "NODE...", "give the mains back; the node boots", true, onNodes(func(w *world.World, n string) { w.Mains(n, true) })},
		{"panic", "NODE...", "the host resets; its power stays on", true, onNodes((*world.World).Reset)},
		{"reboot", "NODE...", "an orderly reboot", true, onNodes((*world.World).Reboot)},
		{"freeze", "NODE...", "hang the host; its power stays on", true, onNodes((*world.World).Freeze)},
		{"thaw", "NODE...", "let a hung host go on", true, onNodes((*world.World).Thaw)},
		{"kill-daemon", "NODE [hold]", "kill the daemon alone; with hold it stays dead", true, parseKill},
		{"restart-daemon", "NODE...", "kill the daemon if it runs, and start it at once", true, onNodes(restart)},
		{"cut-cable", "[A->B]", "cut the serial cables, in one direction or all", true, onWay(true, func(f *world.PathFault) { f.Cut = true })},
		{"mend-cable", "[A->B]", "join them again", true, onWay(true, func(f *world.PathFault) { f.Cut = false })},
		{"cut-net", "[A->B]", "cut the network, in one direction or all", true, onWay(false, func(f *world.PathFault) { f.Cut = true })},
		{"mend-net", "[A->B]", "join it again", true, onWay(false, func(f *world.PathFault) { f.Cut = false })},
		{"delay-net", "DURATION [A->B]", "what is sent from now on arrives so late; 0s ends it", true, parseDelay},
		{"lose", "PERCENT [A->B]", "lose or spoil so many frames of cable and network", true, parseLose},
		{"double", "PERCENT [A->B]", "deliver so many frames of the network twice", true, parseDouble},
		{"noise", "NODE DURATION", "bytes without frames on the cables towards a node", true, parseNoise},
		{"unplug", "NODE [cable|net]", "the devices of its links vanish", true, parsePlug(true)},
		{"replug", "NODE [cable|net]", "they are back", true, parsePlug(false)},
		{"weld", "RELAY", "its contact stays closed; RELAY_ALPHA, RELAY2_ALPHA for level 2, RELAY_ALPHA@bravo for one board", true, onRelay(func(f *world.RelayFault) { f.Welded = true })},
		{"free", "RELAY", "mend the relay", true, onRelay(func(f *world.RelayFault) { *f = world.RelayFault{} })},
		{"no-line", "RELAY", "its line cannot be driven", true, onRelay(func(f *world.RelayFault) { f.Dead = true })},
		{"slow", "RELAY DURATION", "it takes so much longer to open", true, parseSlow},
		{"sense", "SENSE stuck-on|stuck-off|broken|unreadable|floating|ok", "spoil a sense, or mend it; SENSE_ALPHA, SENSE_ALPHA@bravo for one input", true, parseSense},
		{"service", "NODE GROUP dies|by-hand|ok|start-fails|stop-fails|start-hangs|stop-hangs|probe-fails|probe-hangs|start D|stop D", "how the resources of a group behave on a node", true, parseService},
		{"edit-config", "NODE core|rest N", "edit the configuration file of a node", true, parseEdit},
		{"keys", "NODE KEY...", "edit its list of keys; the first signs", true, parseKeys},
		{"wrong-key", "NODE", "its daemon restarts with a key that nobody else has", true, onNodes(func(w *world.World, n string) {
			w.SetKeys(n, "stray")
			restart(w, n)
		})},
		{"reload", "NODE...", "its daemon reads its configuration again; what is refused is asked again until it is taken", true, onNodes((*world.World).Reloads)},
		{"upgrade", "NODE...", "its daemon restarts with a program of a later protocol version", true, onNodes(func(w *world.World, n string) {
			w.Upgrade(n, true)
			restart(w, n)
		})},
		{"downgrade", "NODE...", "its daemon restarts with the program of today", true, onNodes(func(w *world.World, n string) {
			w.Upgrade(n, false)
			restart(w, n)
		})},
		{"spend", "NODE pulses|requests", "its session has next to no pulses, or requests, left, and will be renewed", true, parseSpend},
		{"fresh-disk", "NODE...", "its state directory is empty", true, onNodes((*world.World).FreshDisk)},
		{"unwritable", "NODE run|state|both|none", "which directories refuse writes", true, parseUnwritable},
		{"clone", "NODE NAME", "boot another machine with its image on the same network", true, parseClone},
		{"run", "NODE COMMAND...", "a person asks the node's daemon; it must be accepted", true, parseRun(true)},
		{"refused", "NODE CODE COMMAND...", "the same, and it must be refused for that reason", true, parseRun(false)},
		{"try", "NODE COMMAND...", "the same, whatever comes of it", true, parseTry},
		{"sleep", "DURATION", "let time pass", false, parseSleep},
		{"await", "CONDITION within DURATION", "let time pass until it is true, and at most so long", false, parseAwait},
		{"expect", "CONDITION within|for DURATION", "it becomes true within the time, or stays true for all of it", false, parseExpect},
		{"never", "two-owners", "no two powered nodes run a group at once: it holds for every story, at every event, said or not", false, parseNever(false)},
		{"excuse", "two-owners", "suspend that: a person lied, and the story is about what happens then", false, parseNever(true)},
	}
}

// restart ends a daemon and starts it at once.
func restart(w *world.World, n string) {
	w.SetRestarts(n, world.NotRestarted)
	w.KillDaemon(n)
	w.StartDaemon(n)
	w.SetRestarts(n, world.Restarted)
}

func verbNames() (names []string) {
	for _, v := range verbs {
		names = append(names, v.name)
	}
	return names
}

// parseSay: the line itself is in the timeline already. A chapter begins with what every node waits for, or with [Well].
func parseSay(_ *parser, words []string) (func(*player) error, error) {
	if len(words) == 0 {
		return nil, errUsage
	}
	return func(pl *player) error {
		how := Well
		if pl.w.Unwell() != "" {
			how = "not all is well"
		}
		for _, n := range pl.w.Nodes() {
			if why := pl.w.Waits(n); why != "" {
				how += "; " + n + " waits: " + why
			}
		}
		pl.w.Say(how)
		return nil
	}, nil
}

// Well is what the first line of a chapter says that begins so.
const Well = "all is well"

func parseStart(p *parser, words []string) (func(*player) error, error) {
	if len(words) == 0 {
		return func(pl *player) error {
			for _, n := range pl.w.Nodes() {
				pl.w.Mains(n, true)
			}
			return nil
		}, nil
	}
	return onNodes(func(w *world.World, n string) {
		w.SetRestarts(n, world.Restarted)
		w.StartDaemon(n)
	})(p, words)
}

func onNodes(do func(*world.World, string)) func(*parser, []string) (func(*player) error, error) {
	return func(p *parser, words []string) (func(*player) error, error) {
		if len(words) == 0 {
			return nil, errUsage
		}
		if err := p.nodes(words); err != nil {
			return nil, err
		}
		return func(pl *player) error {
			for _, n := range words {
				do(pl.w, n)
			}
			return nil
		}, nil
	}
}

func parseKill(p *parser, words []string) (func(*player) error, error) {
	hold := len(words) == 2 && words[1] == "hold"
	if len(words) != 1 && !hold {
		return nil, errUsage
	}
	return func(pl *player) error {
		policy := world.Restarted
		if hold {
			policy = world.NotRestarted
		}
		pl.w.SetRestarts(words[0], policy)
		pl.w.KillDaemon(words[0])
		return nil
	}, p.node(words[0])
}

func onWay(serial bool, change func(*world.PathFault)) func(*parser, []string) (func(*player) error, error) {
	return func(p *parser, words []string) (func(*player) error, error) {
		from, to, err := p.way(words)
		return func(pl *player) error { pl.w.Path(serial, from, to, change); return nil }, err
	}
}

func parseDelay(p *parser, words []string) (func(*player) error, error) {
	if len(words) == 0 {
		return nil, errUsage
	}
	d, err := duration(words[0])
	if err != nil {
		return nil, err
	}
	return onWay(false, func(f *world.PathFault) { f.Held = d })(p, words[1:])
}

// hundredths reads what stands before a way.
func hundredths(words []string) (int, error) {
	if len(words) == 0 {
		return 0, errUsage
	}
	percent, err := strconv.Atoi(words[0])
	if err != nil || percent < 0 || percent > 100 {
		return 0, fmt.Errorf("%q is no number from 0 to 100", words[0])
	}
	return percent, nil
}

func parseDouble(p *parser, words []string) (func(*player) error, error) {
	percent, err := hundredths(words)
	if err != nil {
		return nil, err
	}
	return onWay(false, func(f *world.PathFault) { f.Air.Double = percent })(p, words[1:])
}

func parseLose(p *parser, words []string) (func(*player) error, error) {
	percent, err := hundredths(words)
	if err != nil {
		return nil, err
	}
	from, to, err := p.way(words[1:])
	return func(pl *player) error {
		for _, serial := range []bool{true, false} {
			pl.w.Path(serial, from, to, func(f *world.PathFault) { f.Air.Lose = percent })
		}
		return nil
	}, err
}

func parseNoise(p *parser, words []string) (func(*player) error, error) {
	if len(words) != 2 {
		return nil, errUsage
	}
	d, err := duration(words[1])
	if err == nil {
		err = p.node(words[0])
	}
	return func(pl *player) error { pl.w.Noise(words[0], 50*time.Millisecond, d); return nil }, err
}

func parsePlug(gone bool) func(*parser, []string) (func(*player) error, error) {
	return func(p *parser, words []string) (func(*player) error, error) {
		if len(words) == 0 || len(words) > 2 || len(words) == 2 && words[1] != "cable" && words[1] != "net" {
			return nil, errUsage
		}
		return func(pl *player) error {
			for _, kind := range []string{"cable", "net"} {
				if len(words) == 1 || words[1] == kind {
					pl.w.Unplug(words[0], kind == "cable", gone)
				}
			}
			return nil
		}, p.node(words[0])
	}
}

func onRelay(change func(*world.RelayFault)) func(*parser, []string) (func(*player) error, error) {
	return func(p *parser, words []string) (func(*player) error, error) {
		if len(words) != 1 {
			return nil, errUsage
		}
		prefix, target, by, err := p.wire(words[0], "RELAY_", "RELAY2_")
		return func(pl *player) error {
			pl.w.Relay(by, target, map[string]int{"RELAY_": 0, "RELAY2_": 1}[prefix], change)
			return nil
		}, err
	}
}

func parseSlow(p *parser, words []string) (func(*player) error, error) {
	if len(words) != 2 {
		return nil, errUsage
	}
	d, err := duration(words[1])
	if err != nil {
		return nil, err
	}
	return onRelay(func(f *world.RelayFault) { f.Slow = d })(p, words[:1])
}

var spoils = map[string]world.Spoil{"stuck-on": world.StuckOn, "stuck-off": world.StuckOff, "broken": world.BrokenWire, "unreadable": world.Unreadable, "floating": world.Floating, "ok": world.Sound}

func parseSense(p *parser, words []string) (func(*player) error, error) {
	if len(words) != 2 {
		return nil, errUsage
	}
	spoil, ok := spoils[words[1]]
	if !ok {
		return nil, errUsage
	}
	_, target, by, err := p.wire(words[0], "SENSE_")
	return func(pl *player) error { pl.w.Sense(by, target, spoil); return nil }, err
}

var behaviours = map[string]func(*world.Services){
	"ok":          func(s *world.Services) { *s = world.SoundServices() },
	"start-fails": func(s *world.Services) { s.StartFails = true },
	"stop-fails":  func(s *world.Services) { s.StopFails = true },
	"start-hangs": func(s *world.Services) { s.StartHangs = true },
	"stop-hangs":  func(s *world.Services) { s.StopHangs = true },
	"probe-fails": func(s *world.Services) { s.ProbeFails = true },
	"probe-hangs": func(s *world.Services) { s.ProbeHangs = true },
}

func parseService(p *parser, words []string) (func(*player) error, error) {
	if len(words) < 3 || len(words) > 4 {
		return nil, errUsage
	}
	g, err := p.group(words[1])
	if err == nil {
		err = p.node(words[0])
	}
	if err != nil {
		return nil, err
	}
	node, change := words[0], behaviours[words[2]]
	if len(words) == 4 {
		d, err := duration(words[3])
		if err != nil || words[2] != "start" && words[2] != "stop" {
			return nil, errUsage
		}
		change = func(s *world.Services) {
			if words[2] == "start" {
				s.Start = d
			} else {
				s.Stop = d
			}
		}
	}
	switch {
	case change != nil:
		return func(pl *player) error { pl.w.Shape(node, g, change); return nil }, nil
	case words[2] == "dies":
		return func(pl *player) error { pl.w.FailService(node, g); return nil }, nil
	case words[2] == "by-hand":
		return func(pl *player) error { pl.w.RunByHand(node, g, true); return nil }, nil
	}
	return nil, errUsage
}

func parseEdit(p *parser, words []string) (func(*player) error, error) {
	if len(words) != 3 || words[1] != "core" && words[1] != "rest" {
		return nil, errUsage
	}
	n, err := strconv.ParseUint(words[2], 10, 8)
	if err != nil {
		return nil, errUsage
	}
	return func(pl *player) error {
		core, rest := pl.w.Digests(words[0])
		if words[1] == "core" {
			core = uint16(n)
		} else {
			rest = uint8(n)
		}
		pl.w.EditConfig(words[0], core, rest)
		return nil
	}, p.node(words[0])
}

func parseKeys(p *parser, words []string) (func(*player) error, error) {
	if len(words) < 2 || len(words) > 4 {
		return nil, errUsage
	}
	return func(pl *player) error { pl.w.SetKeys(words[0], words[1:]...); return nil }, p.node(words[0])
}

func parseSpend(p *parser, words []string) (func(*player) error, error) {
	spend := map[string]func(*world.World, string){"pulses": (*world.World).SpendPulses, "requests": (*world.World).SpendRequests}
	if len(words) != 2 || spend[words[1]] == nil {
		return nil, errUsage
	}
	return func(pl *player) error { spend[words[1]](pl.w, words[0]); return nil }, p.node(words[0])
}

func parseUnwritable(p *parser, words []string) (func(*player) error, error) {
	if len(words) != 2 || !slices.Contains([]string{"run", "state", "both", "none"}, words[1]) {
		return nil, errUsage
	}
	return func(pl *player) error {
		both := words[1] == "both"
		pl.w.Unwritable(words[0], both || words[1] == "run", both || words[1] == "state")
		return nil
	}, p.node(words[0])
}

func parseClone(p *parser, words []string) (func(*player) error, error) {
	if len(words) != 2 {
		return nil, errUsage
	}
	if err := p.node(words[0]); err != nil {
		return nil, err
	}
	if p.node(words[1]) == nil {
		return nil, fmt.Errorf("there is a node %q already; give the clone another name", words[1])
	}
	if err := names(words[1:]); err != nil {
		return nil, err
	}
	p.extra = append(p.extra, words[1])
	return func(pl *player) error { pl.w.Clone(words[0], words[1]); return nil }, nil
}

func parseSleep(_ *parser, words []string) (func(*player) error, error) {
	if len(words) != 1 {
		return nil, errUsage
	}
	d, err := duration(words[0])
	return func(pl *player) error { return pl.w.Run(d) }, err
}

func parseNever(excuse bool) func(*parser, []string) (func(*player) error, error) {
	return func(_ *parser, words []string) (func(*player) error, error) {
		if strings.Join(words, " ") != "two-owners" {
			return nil, errUsage
		}
		return func(pl *player) error { pl.w.Excuse(excuse); return nil }, nil
	}
}
