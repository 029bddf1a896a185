package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// maxFile bounds a file, in bytes: nobody writes so much, and a stray device or log file is refused before it is read.
const maxFile = 256 << 10

// wholeFile is the place of what has no line.
var wholeFile = place{key: "file"}

// decoder fills raw values from a document. It goes on after a finding, so that one run of check tells them all.
type decoder struct {
	findings
	lines lineIndex
}

// decode reads a document. The findings are about its form only; syntax is false if there was nothing to read.
func decode(data []byte) (raw *rawFile, found findings, syntax bool) {
	d := &decoder{}
	raw = &rawFile{}
	if len(data) > maxFile {
		d.bad(wholeFile, "name the configuration file itself", "the file has more than %d bytes", maxFile)
		return raw, d.findings, false
	}
	var document map[string]any
	if err := toml.Unmarshal(data, &document); err != nil {
		d.syntax(err)
		return raw, d.findings, false
	}
	d.lines = indexLines(data)
	d.table(reflect.ValueOf(raw).Elem(), place{line: 1}, "", document)
	return raw, d.findings, true
}

func (d *decoder) syntax(err error) {
	at := wholeFile
	var de *toml.DecodeError
	if errors.As(err, &de) {
		at.line, _ = de.Position()
		if key := strings.Join(de.Key(), "."); strings.TrimSpace(key) != "" {
			at.key = key
		}
	}
	d.bad(at, "correct this line, or compare it with what serialhb example prints", "this is no TOML: %s", strings.TrimPrefix(err.Error(), "toml: "))
}

// table fills a struct of raw values.
func (d *decoder) table(into reflect.Value, at place, path string, value map[string]any) {
	into.Addr().Interface().(interface{ locate(place) }).locate(at)
	known := map[string]bool{}
	var rest ends
	var restInto reflect.Value
	for i := range into.NumField() {
		name, _, _ := strings.Cut(into.Type().Field(i).Tag.Get("toml"), ",")
		field := into.Field(i)
		switch {
		case field.Type() == reflect.TypeFor[place]():
		case name == "":
			rest, restInto = ends{}, field
		default:
			known[name] = true
			v, set := value[name]
			d.field(field, at, path, name, v, set)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(value)) {
		switch {
		case known[name]:
		case rest != nil:
			t := text{place: d.place(at, path, name)}
			t.take(d, t.place, "", value[name])
			rest[name] = t
		default:
			d.unknown(d.place(at, path, name), name, slices.Sorted(maps.Keys(known)))
		}
	}
	if rest != nil {
		restInto.Set(reflect.ValueOf(rest))
	}
}

func (d *decoder) field(field reflect.Value, table place, path, name string, value any, set bool) {
	at := d.place(table, path, name)
	at.given = set
	if l, ok := field.Addr().Interface().(leaf); ok {
		l.locate(at)
		if set {
			l.take(d, at, join(path, name), value)
		}
		return
	}
	if field.Kind() == reflect.Slice {
		d.tables(field, at, join(path, name), value)
		return
	}
	inner, ok := value.(map[string]any)
	if set && !ok {
		d.unfit(at, value, "a table", "["+at.key+"] on a line of its own and its keys below")
	}
	d.table(field, at, join(path, name), inner)
}

func (d *decoder) tables(field reflect.Value, at place, path string, value any) {
	if value == nil {
		return
	}
	all, ok := value.([]any)
	if !ok {
		d.unfit(at, value, "a list of tables", "[["+at.key+"]] on a line of its own, once for each")
		return
	}
	field.Set(reflect.MakeSlice(field.Type(), len(all), len(all)))
	for i, value := range all {
		one := place{line: at.line, key: fmt.Sprintf("%s[%d]", at.key, i+1)}
		if line := d.lines[index(path, i)]; line > 0 {
			one.line = line
		}
		inner, ok := value.(map[string]any)
		if !ok {
			d.unfit(one, value, "a table", "[["+at.key+"]] on a line of its own, once for each")
		}
		d.table(field.Index(i), one, index(path, i), inner)
	}
}

// place is that of a key in a table; a key that is not there has the line of the table.
func (d *decoder) place(table place, path, name string) place {
	at := place{line: table.line, key: name}
	if strings.TrimSpace(name) == "" {
		at.key = strconv.Quote(name)
	}
	if table.key != "" {
		at.key = table.key + "." + at.key
	}
	if line := d.lines[join(path, name)]; line > 0 {
		at.line = line
	}
	return at
}

func (d *decoder) unfit(at place, value any, want, write string) {
	d.bad(at, "write "+write, "%s = %s is not %s", at.name(), show(value), want)
}

func (d *decoder) noUnit(at place, written, bare string) {
	d.bad(at, fmt.Sprintf(`write %s = "%sms" if milliseconds are meant, "%ss" if seconds`, at.name(), bare, bare),
		"%s = %s has no unit", at.name(), written)
}

func (d *decoder) unknown(at place, name string, known []string) {
	fix := "remove it; the keys here are " + strings.Join(known, ", ")
	if near := nearest(name, known); near != "" {
		fix = "write " + near + ", or remove it"
	}
	d.bad(at, fix, "there is no key %q here", name)
}

// nearest is the word that a person most likely meant, or empty.
func nearest(written string, known []string) string {
	best, fewest := "", max(2, len(written)/3)+1
	for _, word := range known {
		if n := distance(written, word); n < fewest {
			best, fewest = word, n
		}
	}
	return best
}

// distance counts the letters to insert, remove or change to come from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
