package config

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"
)

// check turns raw values into a model and tells what is wrong with them. After a finding it goes on with a value that
// does no harm, so that the next finding is true too; with an error the model is never used.
type check struct {
	findings
	raw    *rawFile
	model  model
	moving map[netip.Addr]place // addresses of resources so far
}

// all looks at the sections; each uses what those before it found.
func (c *check) all() {
	c.nodes()
	c.cluster()
	c.groups()
	c.interval()
	c.links()
	c.fences()
	c.timing()
	c.limits()
	c.log()
	c.model.digest()
}

type option[T any] struct {
	word string
	v    T
}

// choose gives what a word stands for, the first option's value if there is no word.
func choose[T any](c *check, t text, options ...option[T]) T {
	if !t.set {
		return options[0].v
	}
	var words []string
	for _, o := range options {
		if o.word == t.v {
			return o.v
		}
		words = append(words, fmt.Sprintf("%s = %q", t.name(), o.word))
	}
	c.bad(t.place, "write "+strings.Join(words, " or "), "%s = %q is unknown", t.name(), t.v)
	return options[0].v
}

// demand is choose for a word that must be there: the first option is what is assumed where it is not.
func demand[T any](c *check, t text, why string, options ...option[T]) T {
	if !t.given {
		var words []string
		for _, o := range options {
			words = append(words, fmt.Sprintf("%s = %q", t.name(), o.word))
		}
		c.bad(t.place, "write "+strings.Join(words, " or "), "%s is missing: %s", t.name(), why)
	}
	return choose(c, t, options...)
}

// between gives a time that lies between two others, both included.
func (c *check) between(s span, usual, low, high time.Duration) time.Duration {
	switch {
	case !s.set:
		return usual
	case s.v < low:
		c.bad(s.place, fmt.Sprintf("write %s = %q or more", s.name(), low), "%s = %q is less than %v", s.name(), s.v, low)
	case s.v > high:
		c.bad(s.place, fmt.Sprintf("write %s = %q or less", s.name(), high), "%s = %q is more than %v", s.name(), s.v, high)
	default:
		return s.v
	}
	return usual
}

// within does the same for a number.
func (c *check) within(n number, usual, low, high int) int {
	switch {
	case !n.set:
		return usual
	case n.v < int64(low) || n.v > int64(high):
		c.bad(n.place, fmt.Sprintf("write a number from %d to %d, usually %s = %d", low, high, n.name(), usual), "%s = %d is out of range", n.name(), n.v)
		return usual
	}
	return int(n.v)
}

// times does the same for a factor.
func (c *check) times(f factor, usual, low, high float64) float64 {
	switch {
	case !f.set:
		return usual
	case !(f.v >= low && f.v <= high): // nan is neither
		c.bad(f.place, fmt.Sprintf("write a number from %.1f to %.1f, usually %s = %.1f", low, high, f.name(), usual), "%s = %v is out of range", f.name(), f.v)
		return usual
	}
	return f.v
}

// maxName keeps names short enough for socket paths and words in records.
const maxName = 63

// isName says whether a name can stand in paths, in records and as a key of a table.
func isName(s string) bool {
	if s == "" || len(s) > maxName || s[0] == '-' || s[0] == '_' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	})
}

// named checks a name that must be there, and says whether it can be used. Names that differ only in case are told apart
// by no person in a hurry.
func (c *check) named(t text, usual string, taken map[string]bool) bool {
	switch {
	case !t.given:
		c.bad(t.place, fmt.Sprintf("write name = %q", usual), "name is missing")
	case !t.set:
	case !isName(t.v):
		c.bad(t.place, fmt.Sprintf("write a name such as %q, with letters, digits, - and _ only and up to %d of them", usual, maxName), "name = %q cannot be used", t.v)
	case taken[strings.ToLower(t.v)]:
		c.bad(t.place, "choose another name", "name = %q stands twice", t.v)
	default:
		taken[strings.ToLower(t.v)] = true
		return true
	}
	return false
}

// foreign refuses keys of another kind of thing: a key that is given has to have an effect.
func (c *check) foreign(keys []place, word, theirs, ours string) {
	for _, p := range keys {
		if p.given {
			c.bad(p, fmt.Sprintf("remove it, or write %s = %q", word, theirs), "%s has no meaning for %s = %q", p.name(), word, ours)
		}
	}
}

// path gives an absolute path.
func (c *check) path(t text, usual string) string {
	if !t.set {
		return usual
	}
	if !filepath.IsAbs(t.v) || strings.IndexByte(t.v, 0) >= 0 {
		c.bad(t.place, "write the whole path, beginning with /", "%s = %q is no absolute path", t.name(), t.v)
		return usual
	}
	return filepath.Clean(t.v)
}

// nodeList gives the indices that names stand for, in their order.
func (c *check) nodeList(l list) []int {
	all := []int{}
	seen := map[int]bool{}
	for _, t := range l.v {
		i, ok := c.node(t)
		switch {
		case !ok:
		case seen[i]:
			c.bad(t.place, "name each node once", "%s names %s twice", l.name(), t.v)
		default:
			seen[i] = true
			all = append(all, i)
		}
	}
	return all
}

// node finds a node by name and tells if there is none.
func (c *check) node(t text) (int, bool) {
	if !t.set {
		return 0, false
	}
	for i, n := range c.model.nodes {
		if n.Name == t.v {
			return i, true
		}
	}
	c.bad(t.place, "use "+orList(c.names()), "%s names %q, which is no node", t.name(), t.v)
	return 0, false
}

func (c *check) names() []string {
	var all []string
	for _, n := range c.model.nodes {
		all = append(all, n.Name)
	}
	return all
}

// orList joins words for a person.
func orList(words []string) string {
	if len(words) == 0 {
		return "a [[node]]"
	}
	return strings.Join(words, " or ")
}
