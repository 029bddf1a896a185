package story

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// verb is one row of the language: the parser, the help and the runner read the same table.
type verb struct {
	name, usage, doc string
	parse            func(*parser, *Step, []string) error
	needsRack        bool
	acts             bool // it does something to the rack; times and "since" count from the last such line
}

var verbs = []verb{
	{"config", "KEY VALUE", "before start: shape the rack and its nodes; see the settings below", parseConfig, false, false},
	{"say", "TEXT", "begin a chapter", parseSay, false, false},
	{"start", "[NODE...]", "alone: build the rack and give all nodes power; with nodes: start their daemons", parseStart, false, true},
	{"stop", "[NODE...]", "alone: take the rack down; with nodes: their daemons are told at once to leave in order, and stay stopped", parseStop, true, true},
	{"power-off", "NODE...", "take away the mains", parseNodes, true, true},
	{"power-on", "NODE...", "give the mains back; the node boots", parseNodes, true, true},
	{"freeze", "NODE...", "stop every process of the node while its power stays on: a hung machine", parseNodes, true, true},
	{"thaw", "NODE...", "continue what freeze stopped", parseNodes, true, true},
	{"kill-daemon", "NODE [hold]", "kill the daemon alone; it is restarted as its unit says, or with hold stays dead", parseKill, true, true},
	{"restart-daemon", "NODE...", "kill the daemon if it runs, and start it at once", parseNodes, true, true},
	{"reboot", "NODE...", "the daemon leaves in order, and the host boots again; its power stays on", parseNodes, true, true},
	{"reset", "NODE...", "the host boots again at once, out of whatever it did, as after a panic; its power stays on", parseNodes, true, true},
	{"service", "NODE start-fails|stop-fails|ok", "have the service fail to start or to stop on that node, until ok", parseService, true, true},
	{"reload", "NODE...", "the daemon reads its configuration again (SIGHUP)", parseNodes, true, true},
	{"keys", "N...", "write configurations with one to three of the keys 1, 2 and 3, the signing one first; reload takes them over", parseKeys, true, true},
	{"lose-run", "NODE...", "remove the run directory of the daemon while it runs", parseNodes, true, true},
	{"descriptors", "NODE none|ok", "let the node's daemon open nothing more, no file and no socket, until ok or until it is started anew", parseDescriptors, true, true},
	{"disk", "full|ok", "fill the file system on which the lab lies, a small one of its own, or free it", parseDisk, true, true},
	{"cut-cable", "[NODE->NODE]", "cut the serial cable, in one direction or both", parseWay, true, true},
	{"mend-cable", "[NODE->NODE]", "join it again", parseWay, true, true},
	{"loop-back", "NODE", "put a loop-back plug on the node's serial port in place of the cable, until mend-cable", parseOneNode, true, true},
	{"unplug", "NODE", "pull the node's serial port out: its device vanishes", parseOneNode, true, true},
	{"replug", "NODE", "plug it in again", parseOneNode, true, true},
	{"noise", "BYTES-PER-SECOND [NODE->NODE]", "put random bytes on the cable; 0 ends it", parseNoise, true, true},
	{"byte-errors", "RATE [NODE->NODE]", "damage so many of the bytes on the cable, 0.001 being one in a thousand; 0 ends it", parseByteErrors, true, true},
	{"cut-net", "[NODE->NODE]", "cut the network, in one direction or both", parseWay, true, true},
	{"mend-net", "[NODE->NODE]", "join it again", parseWay, true, true},
	{"squat", "[quiet]", "with --netns: a stranger on the network puts the service's addresses on its card and announces them, or with quiet only answers who asks", parseSquat, true, true},
	{"unsquat", "", "the stranger takes them off again", parseUnsquat, true, true},
	{"card", "NODE off|on|unplug|plug|strip", "with --netns: somebody switches the node's network card off or on, pulls its cable or plugs it in, or takes the service's addresses off it", parseCard, true, true},
	{"clock", "STEP", "with --own-clock: set the wall clock of this whole machine forward or back by so much, such as +87600h or -3s", parseClock, true, true},
	{"zone", "NAME", "with --own-clock: move this whole machine to another time zone, such as Asia/Kathmandu", parseZone, true, true},
	{"weld", "RELAY", "weld the contact of a relay: it stays closed", parseRelay, true, true},
	{"free", "RELAY", "end a weld", parseRelay, true, true},
	{"slow", "RELAY DURATION", "make a relay take so long to open", parseSlow, true, true},
	{"sense", "NAME stuck-on|stuck-off|float|ok|lie DURATION", "spoil a power sense, or mend it; lie reads off for so long", parseSense, true, true},
	{"agent", "ok|fails|hangs|hangs-off", "exchange the fence agent of both nodes for one that fails or never ends, or never ends when it shall cut", parseAgent, true, true},
	{"hold-up", "NODE DURATION", "set how long the node's supplies carry it without feed", parseHoldUp, true, true},
	{"run", "NODE COMMAND...", "run `serialhb COMMAND...` as a person on that node; it must succeed; @incident stands for the open incident", parseRun, true, true},
	{"refused", "NODE COMMAND...", "the same, and it must be refused (exit code 1 or 4)", parseRun, true, true},
	{"try", "NODE COMMAND...", "the same, whatever comes of it", parseRun, true, true},
	{"perhaps", "VERB...", "do that if it can be done now; what a person asks for needs try", parseAlone, true, true},
	{"repeat", "N", "tell the lines from here to end so many times", parseRepeat, false, false},
	{"end", "", "the end of what repeat repeats", parseEnd, false, false},
	{"sleep", "DURATION", "wait", parseSleep, false, false},
	{"expect", "CONDITION within|for DURATION", "the condition becomes true within the time, or stays true for all of it; see the conditions below", parseExpect, true, false},
	{"never", "two-owners", "two nodes never run the service at once; this holds for every story, at every line, said or not", parseNever, true, false},
}

func verbNames() (names []string) {
	for _, v := range verbs {
		names = append(names, v.name)
	}
	return names
}

func acts(name string) bool {
	i := slices.IndexFunc(verbs, func(v verb) bool { return v.name == name })
	return i >= 0 && verbs[i].acts
}

func parseAgent(p *parser, s *Step, w []string) error {
	if len(w) != 1 {
		return errUsage
	}
	if _, ok := agentWays[w[0]]; !ok {
		return fmt.Errorf("an agent can be %s, not %q", orList(slices.Sorted(maps.Keys(agentWays))), w[0])
	}
	if p.settings.Agent != "on" {
		return errors.New("there is no agent; write config agent on before start")
	}
	s.Order.Mode = w[0]
	return nil
}

func parseConfig(p *parser, s *Step, w []string) error {
	if len(w) != 2 {
		return errUsage
	}
	if p.on {
		return errors.New("config stands before start; take the rack down first with a line with stop alone")
	}
	s.Order.Name, s.Order.Mode = w[0], w[1]
	return p.settings.Set(w[0], w[1])
}

func parseSay(_ *parser, s *Step, w []string) error {
	if len(w) == 0 {
		return errUsage
	}
	s.Order.Words = w
	return nil
}

// errInRepeat: the second round would find the rack as the first did not.
var errInRepeat = errors.New("the rack is switched on and off outside of repeat; name a node, or write end first")

func parseStart(p *parser, s *Step, w []string) error {
	if len(w) == 0 {
		if p.repeat > 0 {
			return errInRepeat
		}
		return nil
	}
	if !p.on {
		return errors.New("the rack is off; write a line with start alone first")
	}
	return parseNodes(p, s, w)
}

func parseStop(p *parser, s *Step, w []string) error {
	if !p.on {
		return errors.New("the rack is off already")
	}
	if len(w) == 0 {
		if p.repeat > 0 {
			return errInRepeat
		}
		return nil
	}
	return parseNodes(p, s, w)
}

func parseNodes(_ *parser, s *Step, w []string) error {
	if len(w) == 0 {
		return errUsage
	}
	for _, n := range w {
		if err := node(n); err != nil {
			return err
		}
	}
	s.Order.Nodes = w
	return nil
}

func parseOneNode(p *parser, s *Step, w []string) error {
	if len(w) != 1 {
		return errUsage
	}
	return parseNodes(p, s, w)
}

func parseKill(p *parser, s *Step, w []string) error {
	if len(w) == 2 && w[1] == "hold" {
		s.Order.Mode, w = "hold", w[:1]
	}
	return parseOneNode(p, s, w)
}

func parseWay(_ *parser, s *Step, w []string) error {
	if len(w) == 0 {
		return nil
	}
	from, to, ok := strings.Cut(strings.Join(w, ""), "->")
	if !ok {
		return errUsage
	}
	for _, n := range []string{from, to} {
		if err := node(n); err != nil {
			return err
		}
	}
	if from == to {
		return fmt.Errorf("no way leads from %s to itself; name two nodes", from)
	}
	s.Order.From, s.Order.To = from, to
	return nil
}

// maxNoise is above what the fastest cable carries.
const maxNoise = 1_000_000

func parseNoise(p *parser, s *Step, w []string) error {
	if len(w) == 0 {
		return errUsage
	}
	rate, err := strconv.ParseFloat(w[0], 64)
	if err != nil || !(rate >= 0 && rate <= maxNoise) {
		return fmt.Errorf("noise is a number of bytes per second from 0 to %d, not %q", maxNoise, w[0])
	}
	s.Order.Rate = rate
	return parseWay(p, s, w[1:])
}

func parseByteErrors(p *parser, s *Step, w []string) error {
	if len(w) == 0 {
		return errUsage
	}
	rate, err := strconv.ParseFloat(w[0], 64)
	if err != nil || !(rate >= 0 && rate <= 1) {
		return fmt.Errorf("the rate of byte errors is a number from 0 to 1, not %q", w[0])
	}
	s.Order.Rate = rate
	return parseWay(p, s, w[1:])
}

func parseSquat(_ *parser, s *Step, w []string) error {
	switch {
	case len(w) == 0:
		return nil
	case len(w) == 1 && w[0] == "quiet":
		s.Order.Mode = w[0]
		return nil
	}
	return errUsage
}

func parseUnsquat(_ *parser, _ *Step, w []string) error {
	if len(w) != 0 {
		return errUsage
	}
	return nil
}

func parseRelay(p *parser, s *Step, w []string) error {
	if len(w) != 1 {
		return errUsage
	}
	s.Order.Name = w[0]
	return p.relay(w[0])
}

func parseSlow(p *parser, s *Step, w []string) (err error) {
	if len(w) != 2 {
		return errUsage
	}
	s.Order.Name = w[0]
	if s.Order.For, err = parseDuration(w[1]); err != nil {
		return err
	}
	return p.relay(w[0])
}

func parseSense(p *parser, s *Step, w []string) (err error) {
	if len(w) < 2 {
		return errUsage
	}
	s.Order.Name, s.Order.Mode = w[0], w[1]
	switch {
	case w[1] == "lie" && len(w) == 3:
		if s.Order.For, err = parseDuration(w[2]); err != nil {
			return err
		}
	case len(w) == 2 && slices.Contains([]string{"stuck-on", "stuck-off", "float", "ok"}, w[1]):
	default:
		return errUsage
	}
	return p.sense(w[0])
}

func parseHoldUp(p *parser, s *Step, w []string) (err error) {
	if len(w) != 2 {
		return errUsage
	}
	if s.Order.For, err = parseDuration(w[1]); err != nil {
		return err
	}
	return parseOneNode(p, s, w[:1])
}

func parseRun(p *parser, s *Step, w []string) error {
	if len(w) < 2 {
		return errUsage
	}
	s.Order.Words = w[1:]
	return parseOneNode(p, s, w[:1])
}

// maxRepeat keeps a story from being told for ever.
const maxRepeat = 1000

func parseRepeat(p *parser, s *Step, w []string) error {
	if len(w) != 1 {
		return errUsage
	}
	n, err := strconv.Atoi(w[0])
	if err != nil || n < 1 || n > maxRepeat {
		return fmt.Errorf("repeat a whole number of times from 1 to %d, not %q", maxRepeat, w[0])
	}
	if p.repeat > 0 {
		return errors.New("a repeat stands in no other one; write its end first")
	}
	p.repeat, s.Order.Times = n, n
	return nil
}

func parseEnd(p *parser, _ *Step, w []string) error {
	if len(w) != 0 {
		return errUsage
	}
	if p.repeat == 0 {
		return errors.New("there is nothing to end; write repeat N before it")
	}
	return nil
}

// parseAlone is for a word that is nothing by itself.
func parseAlone(*parser, *Step, []string) error { return errUsage }

func parseSleep(_ *parser, s *Step, w []string) (err error) {
	if len(w) != 1 {
		return errUsage
	}
	s.Order.For, err = parseDuration(w[0])
	return err
}

func parseNever(_ *parser, _ *Step, w []string) error {
	if len(w) != 1 || w[0] != "two-owners" {
		return errUsage
	}
	return nil
}

// maxWait keeps a story from waiting for ever.
const maxWait = 10 * time.Minute

func parseExpect(p *parser, s *Step, w []string) (err error) {
	if len(w) < 3 || w[len(w)-2] != "within" && w[len(w)-2] != "for" {
		return errUsage
	}
	e := &Expectation{Condition: w[0], Args: w[1 : len(w)-2], Hold: w[len(w)-2] == "for"}
	if e.D, err = parseDuration(w[len(w)-1]); err != nil {
		return err
	}
	if e.D > maxWait {
		return fmt.Errorf("%s is longer than a story may wait; write %s or less", e.D, maxWait)
	}
	i := slices.IndexFunc(conditions, func(c condition) bool { return c.name == e.Condition })
	if i < 0 {
		return fmt.Errorf("there is no condition %q%s", e.Condition, suggest(e.Condition, conditionNames()))
	}
	e.condition = &conditions[i]
	if err := e.condition.check(e.Args); err != nil {
		if errors.Is(err, errUsage) {
			err = fmt.Errorf("write: expect %s within|for DURATION", strings.TrimSpace(e.Condition+" "+e.condition.usage))
		}
		return err
	}
	// What must not happen is watched for the whole time, whichever word stands there.
	e.Hold = e.Hold || e.condition.watches
	s.Expect = e
	return nil
}
