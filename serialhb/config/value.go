package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// place is where something stands in the file, or would stand if it were there: then it is the line of its table.
type place struct {
	line  int
	key   string
	given bool // it stands in the file
	set   bool // and it was fit
}

func (p *place) locate(at place) { *p = at }

// name is the key without its table.
func (p place) name() string { return p.key[strings.LastIndexByte(p.key, '.')+1:] }

// The values that a key can have. Each knows its place.
type (
	text struct {
		place
		v string
	}
	number struct {
		place
		v int64
	}
	factor struct {
		place
		v float64
	}
	truth struct {
		place
		v bool
	}
	span struct {
		place
		v time.Duration
	}
	list struct {
		place
		v []text
	}
	// wires is one line for every node that needs it, or one for each by its name.
	wires struct {
		place
		all string
		by  map[string]text
	}
	// cards is the same for names of network interfaces.
	cards struct{ wires }
	// table holds words of somebody else. Numbers and truths are kept as they would be written in text.
	table struct {
		place
		v map[string]text
	}
	// ends holds the keys of a table that are no words of ours.
	ends map[string]text
)

func (l list) strings() []string {
	all := make([]string, len(l.v))
	for i, t := range l.v {
		all[i] = t.v
	}
	return all
}

// leaf is a value that the decoder fills. An unfit value is told to the decoder and leaves the leaf unset.
type leaf interface {
	locate(place)
	take(d *decoder, at place, path string, value any)
}

func (t *text) take(d *decoder, at place, _ string, value any) {
	s, ok := value.(string)
	if !ok {
		d.unfit(at, value, "text", at.name()+` = "..."`)
		return
	}
	t.v, t.set = s, true
}

func (n *number) take(d *decoder, at place, _ string, value any) {
	i, ok := value.(int64)
	if !ok {
		d.unfit(at, value, "a whole number", at.name()+" = 3, without quotes")
		return
	}
	n.v, n.set = i, true
}

func (f *factor) take(d *decoder, at place, _ string, value any) {
	switch v := value.(type) {
	case float64:
		f.v = v
	case int64:
		f.v = float64(v)
	default:
		d.unfit(at, value, "a number", at.name()+" = 1.5, without quotes")
		return
	}
	f.set = true
}

func (b *truth) take(d *decoder, at place, _ string, value any) {
	v, ok := value.(bool)
	if !ok {
		d.unfit(at, value, "true or false", at.name()+" = true or "+at.name()+" = false")
		return
	}
	b.v, b.set = v, true
}

func (s *span) take(d *decoder, at place, _ string, value any) {
	written, ok := value.(string)
	if !ok {
		if bare, is := bareNumber(value); is {
			d.noUnit(at, bare, bare)
			return
		}
		d.unfit(at, value, "a time with its unit", at.name()+` = "100ms"`)
		return
	}
	v, err := time.ParseDuration(written)
	if _, bare := strconv.ParseFloat(written, 64); bare == nil {
		d.noUnit(at, strconv.Quote(written), written)
		return
	}
	if err != nil {
		d.bad(at, fmt.Sprintf(`write it like %s = "100ms", "2s", "5m" or "1h30m"`, at.name()), "%s = %s is no time", at.name(), show(value))
		return
	}
	s.v, s.set = v, true
}

func bareNumber(value any) (string, bool) {
	switch n := value.(type) {
	case int64:
		return strconv.FormatInt(n, 10), true
	case float64:
		return strconv.FormatFloat(n, 'g', -1, 64), true
	}
	return "", false
}

func (l *list) take(d *decoder, at place, path string, value any) {
	all, ok := value.([]any)
	if !ok {
		d.unfit(at, value, "a list of texts", at.name()+` = ["...", "..."]`)
		return
	}
	for i, value := range all {
		element := text{place: at}
		if line := d.lines[index(path, i)]; line > 0 {
			element.line = line
		}
		element.take(d, element.place, "", value)
		l.v = append(l.v, element)
	}
	l.set = true
}

func (w *wires) take(d *decoder, at place, path string, value any) {
	w.byNode(d, at, path, value, "line", "cdev:LABEL/NAME")
}

func (c *cards) take(d *decoder, at place, path string, value any) {
	c.byNode(d, at, path, value, "name", "eth0")
}

// byNode reads one text for all nodes, or a table of them by node.
func (w *wires) byNode(d *decoder, at place, path string, value any, what, such string) {
	switch v := value.(type) {
	case string:
		w.all, w.set = v, true
	case map[string]any:
		w.by, w.set = map[string]text{}, true
		for name, value := range v {
			t := text{place: d.place(at, path, name)}
			t.take(d, t.place, "", value)
			w.by[name] = t
		}
	default:
		d.unfit(at, value, fmt.Sprintf("a %s, or a table of %ss by node", what, what), fmt.Sprintf("%s = %q or %s = { NODE = %q }", at.name(), such, at.name(), such))
	}
}

func (t *table) take(d *decoder, at place, path string, value any) {
	all, ok := value.(map[string]any)
	if !ok {
		d.unfit(at, value, "a table", fmt.Sprintf(`%s = { NAME = "VALUE" }`, at.name()))
		return
	}
	t.v, t.set = map[string]text{}, true
	for _, name := range slices.Sorted(maps.Keys(all)) {
		one := text{place: d.place(at, path, name)}
		switch v := all[name].(type) {
		case int64, bool:
			one.v, one.set = fmt.Sprint(v), true
		default:
			one.take(d, one.place, "", v)
		}
		t.v[name] = one
	}
}

// show is a value as a sentence names it.
func show(value any) string {
	switch v := value.(type) {
	case string:
		return strconv.Quote(v)
	case []any:
		return "[...]"
	case map[string]any:
		return "{...}"
	}
	return fmt.Sprint(value)
}
