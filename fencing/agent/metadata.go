package agent

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Metadata is what an agent tells of itself.
type Metadata struct {
	Name       string
	Short      string
	Parameters []Parameter
	Actions    []string
	// Fabric: off takes the target's storage away and leaves it running.
	Fabric bool
}

// Parameter is an option of an agent.
type Parameter struct {
	Name     string
	Short    string
	Required bool
	Type     string // string, boolean, integer, second, select
	Default  string
	Choices  []string // of a select
	// Obsoletes is the old name of the same option.
	Obsoletes  string
	Deprecated bool
}

// document is the XML of fence-agents.
type document struct {
	XMLName    xml.Name `xml:"resource-agent"`
	Name       string   `xml:"name,attr"`
	Short      string   `xml:"shortdesc,attr"`
	Parameters []struct {
		Name       string `xml:"name,attr"`
		Required   string `xml:"required,attr"`
		Obsoletes  string `xml:"obsoletes,attr"`
		Deprecated string `xml:"deprecated,attr"`
		Short      string `xml:"shortdesc"`
		Content    struct {
			Type    string `xml:"type,attr"`
			Default string `xml:"default,attr"`
			Options []struct {
				Value string `xml:"value,attr"`
			} `xml:"option"`
		} `xml:"content"`
	} `xml:"parameters>parameter"`
	Actions []struct {
		Name      string `xml:"name,attr"`
		Automatic string `xml:"automatic,attr"`
		OnTarget  string `xml:"on_target,attr"`
	} `xml:"actions>action"`
}

// Metadata asks the agent for its options and actions. It tells the agent none of ours and touches no board.
func (a *Agent) Metadata(ctx context.Context) (m Metadata, err error) {
	var found error
	err = a.turn.look(ctx, func(ctx context.Context) {
		var end ending
		if end, found = a.call(ctx, metadata, a.c.Timeouts.Status); found != nil {
			return
		}
		if end.code != 0 {
			found = a.failed(metadata, end)
			return
		}
		m, found = parseMetadata(end.out)
	})
	if err == nil {
		err = found
	}
	if err != nil {
		return Metadata{}, fmt.Errorf("agent: read what %s can do: %w", a.c.Name, err)
	}
	return m, nil
}

// oneLine is a text as one line that can be read: what an agent says of itself ends up in our sentences.
func oneLine(s string) string {
	return brief(strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || r == utf8.RuneError || !unicode.IsPrint(r)
	}), " "))
}

func parseMetadata(t text) (Metadata, error) {
	if t.cut {
		return Metadata{}, fmt.Errorf("it wrote more than %d bytes: use another agent", len(t.bytes))
	}
	var d document
	if err := xml.Unmarshal(t.bytes, &d); err != nil {
		return Metadata{}, fmt.Errorf("it is no XML of a fence agent: %s", oneLine(err.Error()))
	}
	m := Metadata{Name: oneLine(d.Name), Short: oneLine(d.Short)}
	for _, p := range d.Parameters {
		one := Parameter{
			Name: oneLine(p.Name), Short: oneLine(p.Short), Required: p.Required == "1", Type: p.Content.Type, Default: p.Content.Default,
			Obsoletes: p.Obsoletes, Deprecated: p.Deprecated == "1",
		}
		for _, o := range p.Content.Options {
			one.Choices = append(one.Choices, oneLine(o.Value))
		}
		m.Parameters = append(m.Parameters, one)
	}
	for _, act := range d.Actions {
		m.Actions = append(m.Actions, act.Name)
		m.Fabric = m.Fabric || act.Name == on && (act.Automatic == "1" || act.OnTarget == "1")
	}
	if len(m.Actions) == 0 {
		return Metadata{}, errors.New("it names no actions")
	}
	return m, nil
}

// Validate has the agent look at its own options without touching its board, which finds what its metadata cannot say,
// such as a missing password. It returns nil for an agent that cannot do so.
func (a *Agent) Validate(ctx context.Context, m Metadata) error {
	if !slices.Contains(m.Actions, validate) {
		return nil
	}
	var found error
	err := a.turn.look(ctx, func(ctx context.Context) { found = a.must(ctx, validate, a.c.Timeouts.Status) })
	if err == nil {
		err = found
	}
	if err != nil {
		return fmt.Errorf("agent: check the options of %s: %w", a.c.Name, err)
	}
	return nil
}

// CheckParams compares the config with what the agent says of itself. Each problem is one sentence.
func (a *Agent) CheckParams(m Metadata) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if m.Fabric {
		bad("%s takes storage away and leaves the node running, which is no proof of off: use an agent that cuts power", m.Name)
	}
	for _, need := range []struct{ action, why string }{
		{off, "cannot switch off"}, {on, "cannot give the power back"},
		{status, "cannot tell whether the power is off, so nothing that it does can be proven"}, {monitor, "cannot be checked while all is well"},
	} {
		if !slices.Contains(m.Actions, need.action) {
			bad("%s has no action %s: it %s: use another agent", m.Name, need.action, need.why)
		}
	}
	given := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(a.c.Params)) {
		given[plain(name)] = true
		p, ok := m.parameter(name)
		switch {
		case ok:
			if says := p.refuses(a.c.Params[name]); says != "" {
				bad("%s of %s has to be %s", name, m.Name, says)
			}
		case name == "nodename": // part of the interface, whether an agent cares or not
		default:
			bad("%s has no option %s: %s", m.Name, name, m.instead(name))
		}
	}
	for _, p := range m.Parameters {
		if p.Required && !p.Deprecated && p.Default == "" && plain(p.Name) != "action" && !given[plain(p.Name)] && !given[plain(p.Obsoletes)] {
			bad("%s needs the option %s: %s", m.Name, p.Name, p.Short)
		}
	}
	return problems
}

// plain is a name in the form in which agents compare names.
func plain(name string) string { return strings.ReplaceAll(name, "-", "_") }

func (m Metadata) parameter(name string) (Parameter, bool) {
	for _, p := range m.Parameters {
		if plain(p.Name) == plain(name) {
			return p, true
		}
	}
	return Parameter{}, false
}

// instead is what to do about an option that there is not.
func (m Metadata) instead(name string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, p := range m.Parameters {
		if d := distance(plain(name), plain(p.Name)); d < least && !p.Deprecated {
			best, least = p.Name, d
		}
	}
	if best == "" {
		return "remove it"
	}
	return "write " + best
}

// distance is the number of letters to change, add or remove that make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

var booleans = []string{"1", "yes", "on", "true", "0", "no", "off", "false"}

// refuses says what a value has to be if it is not. It does not say the value, which may be a secret.
func (p Parameter) refuses(value string) string {
	is := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, value) })
	}
	switch p.Type {
	case "boolean":
		if !is(booleans) {
			return "1 or 0"
		}
	case "integer", "second":
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return map[string]string{"integer": "a whole number", "second": "a whole number of seconds"}[p.Type]
		}
	case "select":
		if !is(p.Choices) {
			return "one of " + brief(strings.Join(p.Choices, ", "))
		}
	}
	return ""
}
