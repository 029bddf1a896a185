package story

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Nodes are the nodes of the lab. They are fixed: a lab is a pair.
var Nodes = []string{"alpha", "bravo"}

// Service is the name of the lab's service and of its resource group.
const Service = "web"

// Script is a parsed story.
type Script struct {
	Name  string
	Steps []Step
}

// Step is one line of a script.
type Step struct {
	Line  int    // from 1
	Text  string // as written, blanks reduced to one
	Order Order

	// Settings are those in force, for the step that switches the rack on.
	Settings Settings
	// Expect is set for the verbs expect and never.
	Expect *Expectation
}

// Order is a verb with its arguments. Which fields are set depends on the verb; see [Verbs].
type Order struct {
	Verb     string
	Nodes    []string
	From, To string        // a direction; empty is both
	Name     string        // a relay or a sense, the key of a setting, or a time zone
	Mode     string        // what a sense is to do, the value of a setting, or hold
	For      time.Duration // below 0 for a clock that is set back
	Rate     float64       // of noise in bytes per second; of byte errors, 0 to 1
	Words    []string      // a command of serialhb, or the text of say
	Times    int           // what repeat says
	Perhaps  bool          // it need not be possible
}

// Expectation is what must come true within D, or, with Hold, must stay true for all of D.
type Expectation struct {
	Condition string
	Args      []string
	D         time.Duration
	Hold      bool

	condition *condition
}

// Parse reads a script. All lines are looked at, so that err lists every line that is wrong, each as "NAME:LINE: " and
// one sentence that says what would be right. Nothing has started then.
func Parse(name, text string) (Script, error) {
	p := parser{settings: Defaults()}
	script := Script{Name: name}
	var errs []error
	number, body := 0, 0 // body is where the steps of a repeat begin
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
		switch step.Order.Verb {
		case "repeat":
			body = len(script.Steps) + 1
		case "end":
			once := slices.Clone(script.Steps[body:])
			for ; p.repeat > 1; p.repeat-- {
				script.Steps = append(script.Steps, once...)
			}
			p.repeat = 0
		}
		script.Steps = append(script.Steps, step)
	}
	if p.repeat > 0 {
		errs = append(errs, fmt.Errorf("%s:%d: repeat has no end; write a line with end", name, script.Steps[body-1].Line))
	}
	if len(errs) == 0 && !p.started {
		errs = append(errs, fmt.Errorf("%s:%d: the story never starts the rack; write a line with start alone", name, max(number, 1)))
	}
	return script, errors.Join(errs...)
}

// netOnly are the words that speak of the service address: they need a network with one, as `serialhb lab --netns` makes.
var netOnly = map[string]bool{"squat": true, "unsquat": true, "card": true, "announced": true, "address": true, "no-address": true, "believed": true}

// needs returns the first step with one of these words.
func (s Script) needs(words map[string]bool) (Step, bool) {
	for _, step := range s.Steps {
		if words[step.Order.Verb] || step.Expect != nil && words[step.Expect.Condition] {
			return step, true
		}
	}
	return Step{}, false
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

// parser knows what the lines before have done, so that a line out of place is found before anything starts.
type parser struct {
	settings Settings
	on       bool // the rack
	started  bool
	repeat   int // how often the lines are told, 0 outside of repeat
}

func (p *parser) step(s *Step, words []string) error {
	if words[0] == "perhaps" && len(words) > 1 {
		words, s.Order.Perhaps = words[1:], true
		if !acts(words[0]) || len(words) == 1 && (words[0] == "start" || words[0] == "stop") {
			return fmt.Errorf("perhaps stands before a verb that does something to a node or a wire, not before %q", words[0])
		}
	}
	s.Order.Verb = words[0]
	i := slices.IndexFunc(verbs, func(v verb) bool { return v.name == words[0] })
	if i < 0 {
		return fmt.Errorf("there is no verb %q%s", words[0], suggest(words[0], verbNames()))
	}
	v := verbs[i]
	if err := v.parse(p, s, words[1:]); err != nil {
		if errors.Is(err, errUsage) {
			err = fmt.Errorf("write: %s", strings.TrimSpace(v.name+" "+v.usage))
		}
		return err
	}
	if v.needsRack && !p.on {
		return errors.New("nothing runs here yet; write a line with start alone before it")
	}
	if s.Order.Verb == "start" && len(s.Order.Nodes) == 0 {
		if p.on {
			return errors.New("the rack is on already; name a node, or write a line with stop alone before it")
		}
		p.on, p.started = true, true
		s.Settings = p.settings
	}
	if s.Order.Verb == "stop" && len(s.Order.Nodes) == 0 {
		p.on = false
	}
	return nil
}

// errUsage says that the number or the kind of words is wrong: the usage of the verb says what is right.
var errUsage = errors.New("usage")

func node(word string) error {
	if slices.Contains(Nodes, word) {
		return nil
	}
	return fmt.Errorf("there is no node %q; the nodes are %s", word, strings.Join(Nodes, " and "))
}

// relays and senses that the nodes of the lab use.
func (p *parser) relay(word string) error { return p.line(word, "relay", "RELAY_", "RELAY2_") }

func (p *parser) sense(word string) error { return p.line(word, "sense", "SENSE_", "MIRROR2_") }

func (p *parser) line(word, kind, first, second string) error {
	var names []string
	for _, n := range Nodes {
		names = append(names, first+strings.ToUpper(n))
	}
	if p.settings.Level2 == "on" {
		for _, n := range Nodes {
			names = append(names, second+strings.ToUpper(n))
		}
	}
	if slices.Contains(names, word) {
		return nil
	}
	return fmt.Errorf("there is no %s %q; the %ss are %s", kind, word, kind, strings.Join(names, ", "))
}

// suggest names the word that was probably meant, or where to find all.
func suggest(word string, known []string) string {
	for _, k := range known {
		if strings.HasPrefix(k, word) || strings.HasPrefix(word, k) || near(k, word) {
			return fmt.Sprintf("; did you mean %s?", k)
		}
	}
	return "; `serialhb lab --verbs` lists what there is"
}

// near says whether one word becomes the other by changing, dropping or adding one letter.
func near(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	return a[min(i+1, len(a)):] == b[i:] || len(a) == len(b) && a[min(i+1, len(a)):] == b[min(i+1, len(b)):]
}
