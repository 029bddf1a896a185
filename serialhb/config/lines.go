package config

import (
	"bytes"
	"sort"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lineIndex gives the line, from 1, on which each key, table and list element of a document stands. Its keys are paths
// made by join and index. The values themselves come from the stable decoder, which tells no lines; should the two ever
// disagree, a finding has the line of its table and is no less true.
type lineIndex map[string]int

func join(path, name string) string { return extend(path, name) }

func index(path string, i int) string { return extend(path, "["+strconv.Itoa(i)+"]") }

// maxPath is far longer than the path of any key of ours, in bytes. What lies deeper in a document shares the line of
// what it lies in: thousands of nested names would take their square in memory.
const maxPath = 1 << 10

func extend(path, part string) string {
	if len(path)+len(part) > maxPath {
		return path
	}
	return path + "\x00" + part
}

type lineWalk struct {
	parser unstable.Parser
	starts []int // offsets at which the lines begin
	lines  lineIndex
	count  map[string]int // tables so far in each list of tables
}

// indexLines reads a document that is known to be good TOML.
func indexLines(data []byte) lineIndex {
	w := &lineWalk{starts: []int{0}, lines: lineIndex{}, count: map[string]int{}}
	for at := 0; ; {
		next := bytes.IndexByte(data[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
		w.starts = append(w.starts, at)
	}
	w.parser.Reset(data)
	table := ""
	for w.parser.NextExpression() {
		e := w.parser.Expression()
		switch e.Kind {
		case unstable.Table:
			table = w.header(e)
		case unstable.ArrayTable:
			table = w.element(e)
		case unstable.KeyValue:
			w.pair(table, e)
		}
	}
	return w.lines
}

func (w *lineWalk) line(n *unstable.Node) int {
	offset := int(n.Raw.Offset)
	return sort.Search(len(w.starts), func(i int) bool { return w.starts[i] > offset })
}

func (w *lineWalk) note(path string, line int) {
	if _, noted := w.lines[path]; !noted {
		w.lines[path] = line
	}
}

// header walks the parts of a table's name; a part that is a list means its last table.
func (w *lineWalk) header(e *unstable.Node) (path string) {
	for it := e.Key(); it.Next(); {
		path = join(path, string(it.Node().Data))
		w.note(path, w.line(it.Node()))
		if n := w.count[path]; n > 0 {
			path = index(path, n-1)
		}
	}
	return path
}

func (w *lineWalk) element(e *unstable.Node) (path string) {
	for it := e.Key(); it.Next(); {
		path = join(path, string(it.Node().Data))
		line := w.line(it.Node())
		w.note(path, line)
		if it.IsLast() {
			w.count[path]++
		}
		if n := w.count[path]; n > 0 {
			path = index(path, n-1)
		}
		w.note(path, line)
	}
	return path
}

func (w *lineWalk) pair(path string, e *unstable.Node) {
	line := 0
	for it := e.Key(); it.Next(); {
		path = join(path, string(it.Node().Data))
		line = w.line(it.Node())
		w.note(path, line)
	}
	w.value(path, line, e.Value())
}

func (w *lineWalk) value(path string, line int, v *unstable.Node) {
	switch v.Kind {
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			w.pair(path, it.Node())
		}
	case unstable.Array:
		i := 0
		for it := v.Children(); it.Next(); i++ {
			element := it.Node()
			at := line
			if element.Raw.Length > 0 {
				at = w.line(element)
			}
			w.note(index(path, i), at)
			w.value(index(path, i), at, element)
		}
	}
}
