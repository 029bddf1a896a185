package script

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// condition is one row of what can be expected. NODE and GROUP in its usage stand for the first two words given.
type condition struct {
	name, usage, doc string
	args             string // n a node, g a group, w any word, ? what may be missing follows
	watches          bool   // it says what must not happen: it has to hold for all of the time
	holds            func(*player, []string) bool
}

// The conditions. One more has no name of its own: NODE PHASE GROUP.
var conditions = []condition{
	{"owner", "GROUP NODE", "the group runs there and nowhere else, and the node's daemon calls it active", "gn", false, isOwner},
	{"owned", "GROUP", "the group runs on one node, whichever, and its daemon calls it active", "g", false, isOwned},
	{"nobody", "GROUP", "the group runs nowhere", "g", false, isNobody},
	{"runs", "GROUP NODE", "the group runs there and nowhere else, whatever its daemon says", "gn", false, isRunning},
	{"phase", "NODE PHASE GROUP", "where the node stands with the group; the word phase may be left out", "nwg", false, isPhase},
	{"fenced", "NODE [by PROOF]", "the node was proven off since the last order, by assumed, mirror, sense, fail-safe or operator", "n?ww", false, isFenced},
	{"not-fenced", "NODE", "no coil towards the node was driven to cut since the last order", "n", true, isNotFenced},
	{"cuts", "N", "so many coils were driven to cut since the last order, of all nodes together", "w", false, isCuts},
	{"silent", "NODE by NODE", "the second hears the first on no link", "nwn", false, presence(failover.Silent)},
	{"heard", "NODE by NODE", "the second hears the first", "nwn", false, presence(failover.Present)},
	{"gone", "NODE by NODE", "the first said goodbye to the second", "nwn", false, presence(failover.Gone)},
	{"told", "NODE CODE", "the node told people so since the last order", "nw", false, isTold},
	{"not-told", "NODE CODE", "it did not", "nw", true, func(p *player, a []string) bool { return !isTold(p, a) }},
	{"why", "NODE GROUP CODE", "that is why the node does not ask for the group", "ngw", false, isWhy},
	{"asks", "NODE", "a question of the node waits for a person", "n", false, asks},
	{"asks-nothing", "NODE", "none does", "n", false, func(p *player, a []string) bool { return !asks(p, a) }},
	{"incident", "NODE open|closed", "whether an incident is open there", "nw", false, isIncident},
	{"locked-out", "NODE", "the budget is spent", "n", false, isLocked},
	{"armed", "NODE", "the node may drive coils", "n", false, isArmed},
	{"disarmed", "NODE", "it may not", "n", false, func(p *player, a []string) bool { return !isArmed(p, a) }},
	{"running", "NODE", "its daemon runs", "n", false, isUp},
	{"down", "NODE", "its daemon does not run", "n", false, func(p *player, a []string) bool { return !isUp(p, a) }},
	{"well", "", "each group is active on one node, and all nodes hear each other on every link, agree, and wait for nobody", "", false, func(p *player, _ []string) bool { return p.w.Unwell() == "" }},
	{"at-rest", "", "all is well, or some node visibly waits for a person", "", false, func(p *player, _ []string) bool { return p.w.Unrest() == "" }},
	{"powered", "NODE", "the node has power", "n", false, func(p *player, a []string) bool { return p.w.Powered(a[0]) }},
	{"dark", "NODE", "it has none", "n", false, func(p *player, a []string) bool { return !p.w.Powered(a[0]) }},
}

func findCondition(name string) *condition {
	if i := slices.IndexFunc(conditions, func(c condition) bool { return c.name == name }); i >= 0 {
		return &conditions[i]
	}
	return nil
}

func parseExpect(p *parser, words []string) (func(*player) error, error) {
	e, err := p.expectation(words)
	if err != nil {
		return nil, err
	}
	return func(pl *player) error { return pl.expect(e.c, e.args, e.limit, e.hold || e.c.watches) }, nil
}

// parseAwait reads a condition that may become true, or not.
func parseAwait(p *parser, words []string) (func(*player) error, error) {
	e, err := p.expectation(words)
	if err != nil || e.hold {
		return nil, cmp.Or(err, errUsage)
	}
	return func(pl *player) error {
		for until := pl.w.Now() + e.limit; !e.c.holds(pl, e.args) && pl.w.Step(until); {
		}
		return pl.w.Err()
	}, nil
}

// expectation is a condition, and how long it may take, or has to stay.
type expectation struct {
	c     *condition
	args  []string
	limit time.Duration
	hold  bool
}

func (p *parser) expectation(words []string) (*expectation, error) {
	if len(words) < 3 {
		return nil, errUsage
	}
	how, args := words[len(words)-2], words[:len(words)-2]
	limit, err := duration(words[len(words)-1])
	if err != nil || how != "within" && how != "for" {
		return nil, errUsage
	}
	if p.node(args[0]) == nil {
		args = append([]string{"phase"}, args...)
	}
	c := findCondition(args[0])
	if c == nil {
		var names []string
		for _, c := range conditions {
			names = append(names, c.name)
		}
		return nil, fmt.Errorf("there is no condition %q; the conditions are %s, and NODE PHASE GROUP", args[0], strings.Join(names, ", "))
	}
	args = args[1:]
	if err := p.arguments(c, args); err != nil {
		return nil, err
	}
	return &expectation{c, args, limit, how == "for"}, nil
}

// arguments checks the words of a condition against their kinds.
func (p *parser) arguments(c *condition, args []string) error {
	usage := fmt.Errorf("write: expect %s %s within|for DURATION", c.name, c.usage)
	kinds, more, _ := strings.Cut(c.args, "?")
	if len(args) != len(kinds) && len(args) != len(kinds)+len(more) {
		return usage
	}
	for i, a := range args {
		var err error
		switch (kinds + more)[i] {
		case 'n':
			err = p.node(a)
		case 'g':
			_, err = p.group(a)
		}
		if err != nil {
			return err
		}
	}
	switch c.name {
	case "phase":
		if _, ok := phaseOf(args[1]); !ok {
			return fmt.Errorf("there is no phase %q; write for example idle, fencing, active, failed, blocked or awaiting-approval", args[1])
		}
	case "told", "not-told", "why":
		if _, ok := codeOf(args[len(args)-1]); !ok {
			return fmt.Errorf("there is no code %q; serialhb/failover/code.go lists them", args[len(args)-1])
		}
	case "fenced":
		if len(args) == 3 && (args[1] != "by" || proofs[args[2]] == fencing.None) {
			return usage
		}
	case "cuts":
		if n, err := strconv.Atoi(args[0]); err != nil || n < 0 {
			return usage
		}
	}
	return nil
}

func phaseOf(word string) (pulse.Phase, bool) {
	for p := pulse.Ineligible; p.String() != "invalid"; p++ {
		if p.String() == word {
			return p, true
		}
	}
	return 0, false
}

func codeOf(word string) (failover.Code, bool) {
	for c := failover.None; c.String() != "invalid"; c++ {
		if c.String() == word {
			return c, true
		}
	}
	return failover.None, false
}

var proofs = map[string]fencing.Proof{"assumed": fencing.Assumed, "mirror": fencing.Mirror, "sense": fencing.Sense, "fail-safe": fencing.FailSafe, "operator": fencing.Operator}

func isOwned(p *player, a []string) bool {
	on := p.w.Running(p.group(a[0]))
	return len(on) == 1 && isOwner(p, []string{a[0], on[0]})
}

func isRunning(p *player, a []string) bool {
	return slices.Equal(p.w.Running(p.group(a[0])), a[1:2])
}

func isOwner(p *player, a []string) bool {
	phase, ok := p.w.Phase(a[1], p.group(a[0]))
	return isRunning(p, a) && ok && phase == pulse.Active
}

func isNobody(p *player, a []string) bool { return len(p.w.Running(p.group(a[0]))) == 0 }

func isPhase(p *player, a []string) bool {
	want, _ := phaseOf(a[1])
	phase, ok := p.w.Phase(a[0], p.group(a[2]))
	return ok && phase == want
}

func isFenced(p *player, a []string) bool {
	target, _ := p.w.Member(a[0])
	if len(a) == 3 && a[2] == "operator" {
		return p.told("", func(n noteView) bool {
			return n.Code == failover.NoteProvenOff && n.Peer == target && fencing.Proof(n.Arg) == fencing.Operator
		})
	}
	for _, f := range p.w.Fences()[p.fences:] {
		if f.Target == target && (len(a) == 1 || f.Proof == proofs[a[2]]) {
			return true
		}
	}
	return false
}

func isNotFenced(p *player, a []string) bool {
	target, _ := p.w.Member(a[0])
	for _, e := range p.w.Edges()[p.edges:] {
		if e.Target == target && e.Open {
			return false
		}
	}
	return true
}

func isCuts(p *player, a []string) bool {
	n := 0
	for _, e := range p.w.Edges()[p.edges:] {
		if e.Open {
			n++
		}
	}
	return strconv.Itoa(n) == a[0]
}

func presence(want failover.Presence) func(*player, []string) bool {
	return func(p *player, a []string) bool {
		is, ok := p.w.Presence(a[2], a[0])
		return ok && is == want
	}
}

func isTold(p *player, a []string) bool {
	code, _ := codeOf(a[1])
	return p.told(a[0], func(n noteView) bool { return n.Code == code })
}

func isWhy(p *player, a []string) bool {
	want, _ := codeOf(a[2])
	code, ok := p.w.Obstacle(a[0], p.group(a[1]))
	return ok && code == want
}

func asks(p *player, a []string) bool {
	s, ok := p.w.State(a[0])
	q := s.Incident.Question
	return ok && s.Incident.Open && q.Asked && !q.Approved && !q.Used && !q.Denied
}

func isIncident(p *player, a []string) bool {
	s, ok := p.w.State(a[0])
	return ok && s.Incident.Open == (a[1] == "open")
}

func isLocked(p *player, a []string) bool {
	s, ok := p.w.State(a[0])
	return ok && s.Locked
}

func isArmed(p *player, a []string) bool {
	s, ok := p.w.State(a[0])
	return ok && s.Armed
}

func isUp(p *player, a []string) bool {
	_, ok := p.w.State(a[0])
	return ok
}

// expect lets the world run until a condition is true, or demands that it stays true.
func (p *player) expect(c *condition, args []string, limit time.Duration, hold bool) error {
	until := p.w.Now() + limit
	for {
		is := c.holds(p, args)
		switch {
		case hold && !is:
			return fmt.Errorf("it does not hold any more after %v; %s", p.w.Now()-(until-limit), p.seen())
		case !hold && is:
			return nil
		}
		if !p.w.Step(until) {
			break
		}
	}
	if err := p.w.Err(); err != nil {
		return err
	}
	if is := c.holds(p, args); !is {
		return fmt.Errorf("it is not so after %v; %s", limit, p.seen())
	}
	return nil
}
