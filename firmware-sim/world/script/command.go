package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/world"
	"github.com/serialhb/serialhb/serialhb/failover"
)

// commands are what a person may ask for, as on the command line; an incident is the one that is open there.
var commands = []struct {
	words string
	kind  failover.CommandKind
	args  string // g a group, n a node, ? what may be missing follows, s the number of a sense that is known broken
}{
	{"switchover", failover.CmdSwitchover, "g?n"},
	{"failback", failover.CmdFailback, "g"},
	{"approve", failover.CmdApprove, ""},
	{"deny", failover.CmdDeny, ""},
	{"confirm-off", failover.CmdConfirmOff, "n?s"},
	{"withdraw", failover.CmdWithdraw, "n?s"},
	{"standby on", failover.CmdStandbyOn, ""},
	{"standby off", failover.CmdStandbyOff, ""},
	{"maintenance on", failover.CmdMaintenanceOn, ""},
	{"maintenance off", failover.CmdMaintenanceOff, ""},
	{"arm", failover.CmdArm, ""},
	{"disarm", failover.CmdDisarm, ""},
	{"clear", failover.CmdClear, ""},
	{"fence off", failover.CmdFenceOff, "n"},
	{"fence on", failover.CmdFenceOn, "n"},
	{"leave", failover.CmdLeave, ""},
	{"restart", failover.CmdQuiet, ""},
}

// answerTime is how long a person waits for an answer.
const answerTime = 10 * time.Second

func parseRun(accepted bool) func(*parser, []string) (func(*player) error, error) {
	return func(p *parser, words []string) (func(*player) error, error) {
		if len(words) < 2 {
			return nil, errUsage
		}
		node, code := words[0], ""
		words = words[1:]
		if err := p.node(node); err != nil {
			return nil, err
		}
		if !accepted {
			code, words = words[0], words[1:]
		}
		if strings.Join(words, " ") == "reload" {
			return func(pl *player) error { return pl.reload(node, code) }, nil
		}
		if _, ok := codeOf(code); !ok && !accepted {
			return nil, fmt.Errorf("there is no code %q; serialhb/failover/code.go lists them", code)
		}
		c, err := p.command(words)
		if err != nil {
			return nil, err
		}
		return func(pl *player) error { return pl.command(node, c, code) }, nil
	}
}

// parseTry reads a command that may be accepted, refused, or heard by nobody.
func parseTry(p *parser, words []string) (func(*player) error, error) {
	if len(words) < 2 {
		return nil, errUsage
	}
	node := words[0]
	if err := p.node(node); err != nil {
		return nil, err
	}
	c, err := p.command(words[1:])
	if err != nil {
		return nil, err
	}
	return func(pl *player) error {
		pl.ask(node, c)
		return pl.w.Err()
	}, nil
}

func (p *parser) command(words []string) (c failover.Command, err error) {
	line := strings.Join(words, " ")
	var known []string
	for _, k := range commands {
		known = append(known, k.words)
		rest, ok := strings.CutPrefix(line+" ", k.words+" ")
		if !ok {
			continue
		}
		c.Kind, c.Peer = k.kind, failover.NoPeer
		args := strings.Fields(rest)
		kinds, more, _ := strings.Cut(k.args, "?")
		if len(args) < len(kinds) || len(args) > len(kinds)+len(more) {
			return c, fmt.Errorf("%s takes other words; a group, then a node, then the number of a broken sense, as far as it has them", k.words)
		}
		for i, a := range args {
			switch (kinds + more)[i] {
			case 'g':
				c.Group, err = p.group(a)
			case 'n':
				err = p.node(a)
				c.Peer = uint8(slices.Index(p.config.Nodes, a))
			case 's':
				n, bad := strconv.Atoi(a)
				if bad != nil || n < 0 || n >= failover.MaxSenses {
					return c, fmt.Errorf("there is no sense %q; write a number from 0 to %d", a, failover.MaxSenses-1)
				}
				c.Broken = 1 << n
			}
			if err != nil {
				return c, err
			}
		}
		return c, nil
	}
	return c, fmt.Errorf("there is no command %q; the commands are %s, reload", line, strings.Join(known, ", "))
}

// command asks, waits for the answer and compares it: accepted, or refused with a code.
func (p *player) command(node string, c failover.Command, code string) error {
	answer := p.ask(node, c)
	switch {
	case p.w.Err() != nil:
		return p.w.Err()
	case !answer.Done:
		return fmt.Errorf("nobody answers the command; %s", p.seen())
	case answer.OK && code != "":
		return fmt.Errorf("it was accepted; %s", p.seen())
	case !answer.OK && code == "":
		return fmt.Errorf("it was refused: %s; %s", answer.Code, p.seen())
	case !answer.OK && answer.Code.String() != code:
		return fmt.Errorf("it was refused for another reason: %s", answer.Code)
	}
	return nil
}

func (p *player) ask(node string, c failover.Command) *world.Answer {
	if s, ok := p.w.State(node); ok {
		c.Incident = s.Incident.ID
	}
	answer := p.w.Command(node, c)
	for until := p.w.Now() + answerTime; !answer.Done && p.w.Step(until); {
	}
	return answer
}

func (p *player) reload(node, code string) error {
	if why := p.w.Reload(node); why != code {
		return fmt.Errorf("the reload was answered with %q", why)
	}
	return nil
}
