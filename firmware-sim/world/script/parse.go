package script

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/world"
)

// Script is a story that can be played.
type Script struct {
	Name   string
	Config world.Config
	Steps  []Step
}

// Step is one line of a story.
type Step struct {
	Line int // from 1
	Text string

	verb *verb
	do   func(*player) error
}

// parser knows what the lines before have said.
type parser struct {
	config  world.Config
	started bool
	extra   []string // machines beyond the configured nodes
}

// errUsage says that the number or kind of words is wrong: the usage of the verb says what is right.
var errUsage = errors.New("usage")

// Parse reads a story. Every line is looked at; the error lists each that is wrong as "NAME:LINE: " and what would be
// right.
func Parse(name, text string) (Script, error) {
	p := parser{config: world.Default()}
	script := Script{Name: name}
	var errs []error
	number := 0
	for line := range strings.Lines(text) {
		number++
		words := fields(line)
		if len(words) == 0 {
			continue
		}
		step := Step{Line: number, Text: strings.Join(words, " ")}
		if err := p.step(&step, words); err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", name, number, err))
			continue
		}
		if step.do != nil {
			script.Steps = append(script.Steps, step)
		}
	}
	if !p.started && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s:%d: nothing is ever started; write a line with start alone", name, max(number, 1)))
	}
	script.Config = p.config
	return script, errors.Join(errs...)
}

// fields takes the words of a line. A comment begins with a # that begins a word.
func fields(line string) []string {
	words := strings.Fields(line)
	for i, w := range words {
		if strings.HasPrefix(w, "#") {
			return words[:i]
		}
	}
	return words
}

func (p *parser) step(s *Step, words []string) error {
	if words[0] == "config" {
		return p.configure(words[1:])
	}
	i := slices.IndexFunc(verbs, func(v verb) bool { return v.name == words[0] })
	if i < 0 {
		return fmt.Errorf("there is no verb %q; the verbs are config, %s", words[0], strings.Join(verbNames(), ", "))
	}
	s.verb = &verbs[i]
	begins := words[0] == "start" && len(words) == 1 || words[0] == "power-on"
	switch {
	case words[0] == "start" && begins && p.started:
		return errors.New("everything is on already; name a node")
	case !begins && !p.started && s.verb.acts:
		return errors.New("nothing is on yet; write a line with start alone, or power-on with some nodes, before it")
	}
	p.started = p.started || begins
	do, err := s.verb.parse(p, words[1:])
	if errors.Is(err, errUsage) {
		return fmt.Errorf("write: %s", strings.TrimSpace(s.verb.name+" "+s.verb.usage))
	}
	s.do = do
	return err
}

func (p *parser) node(word string) error {
	if slices.Contains(p.config.Nodes, word) || slices.Contains(p.extra, word) {
		return nil
	}
	return fmt.Errorf("there is no node %q; the nodes are %s", word, strings.Join(append(slices.Clone(p.config.Nodes), p.extra...), ", "))
}

func (p *parser) nodes(words []string) error {
	for _, w := range words {
		if err := p.node(w); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) group(word string) (uint8, error) {
	var names []string
	for i, g := range p.config.Groups {
		if g.Name == word {
			return uint8(i), nil
		}
		names = append(names, g.Name)
	}
	return 0, fmt.Errorf("there is no group %q; the groups are %s", word, strings.Join(names, ", "))
}

// maxTime keeps a story from running for ever.
const maxTime = 100 * 24 * time.Hour

// duration reads a time; days are written as 3d.
func duration(word string) (time.Duration, error) {
	text, days := strings.CutSuffix(word, "d")
	if days {
		text += "h"
	}
	d, err := time.ParseDuration(text)
	if days {
		d *= 24
	}
	if err != nil || d < 0 || d > maxTime {
		return 0, fmt.Errorf("%q is no duration; write for example 300ms, 20s, 8h or 3d, up to %v", word, maxTime)
	}
	return d, nil
}

// way reads A->B; nothing is both directions.
func (p *parser) way(words []string) (from, to string, err error) {
	if len(words) == 0 {
		return "", "", nil
	}
	from, to, ok := strings.Cut(strings.Join(words, ""), "->")
	if !ok {
		return "", "", errUsage
	}
	if err := p.nodes([]string{from, to}); err != nil {
		return "", "", err
	}
	if from == to {
		return "", "", fmt.Errorf("no way leads from %s to itself; name two nodes", from)
	}
	return from, to, nil
}

// wire reads RELAY_ALPHA or SENSE_ALPHA, with @bravo for the one that bravo has.
func (p *parser) wire(word string, prefixes ...string) (prefix, target, by string, err error) {
	name, by, _ := strings.Cut(word, "@")
	for _, prefix := range prefixes {
		upper, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		target := strings.ToLower(upper)
		if upper != strings.ToUpper(upper) || p.node(target) != nil || by != "" && p.node(by) != nil {
			break
		}
		return prefix, target, by, nil
	}
	var known []string
	for _, n := range p.config.Nodes {
		for _, prefix := range prefixes {
			known = append(known, prefix+strings.ToUpper(n))
		}
	}
	return "", "", "", fmt.Errorf("there is no %q; write one of %s, with @NODE for that node's own", word, strings.Join(known, ", "))
}
