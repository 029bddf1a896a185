package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Severity says how bad a finding is.
type Severity uint8

// The severities. Error is the zero value: nobody takes a finding without one for harmless.
const (
	// Error: nothing may run with this file.
	Error Severity = iota
	// Warning: it runs, and something will not work as a person would expect.
	Warning
	// Hint: it could be better.
	Hint
)

var severityNames = [...]string{"error", "warning", "hint"}

func (s Severity) String() string { return severityNames[s] }

// MarshalText gives the name of the severity, for JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Finding is one thing that is wrong or could be better. Text says what, in one sentence; Fix says what to do about it,
// in one sentence, with a value that would work where there is one.
type Finding struct {
	Severity Severity `json:"severity"`
	Line     int      `json:"line"` // from 1; 0 is the file as a whole
	Key      string   `json:"key"`  // such as timing.interval or link[2].baud, tables of a list counted from 1
	Text     string   `json:"text"`
	Fix      string   `json:"fix"`
}

// String is the finding on one line, without the name of the file.
func (f Finding) String() string {
	where := ""
	if f.Line > 0 {
		where = fmt.Sprintf("line %d: ", f.Line)
	}
	return fmt.Sprintf("%s%v: %s: %s; %s", where, f.Severity, f.Key, f.Text, f.Fix)
}

// HasErrors says whether any finding is an error.
func HasErrors(all []Finding) bool { return errorsIn(all) > 0 }

func errorsIn(all []Finding) (n int) {
	for _, f := range all {
		if f.Severity == Error {
			n++
		}
	}
	return n
}

// findings collects. The line and the key come from the place in the file.
type findings []Finding

func (all *findings) add(s Severity, at place, fix, format string, args ...any) {
	*all = append(*all, Finding{Severity: s, Line: at.line, Key: legible(at.key), Text: legible(fmt.Sprintf(format, args...)), Fix: legible(fix)})
}

// legible takes out what would break the line or drive a terminal: names and values are what the file says.
func legible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

func (all *findings) bad(at place, fix, format string, args ...any) {
	all.add(Error, at, fix, format, args...)
}

func (all *findings) warn(at place, fix, format string, args ...any) {
	all.add(Warning, at, fix, format, args...)
}

func (all *findings) hint(at place, fix, format string, args ...any) {
	all.add(Hint, at, fix, format, args...)
}

// sorted is in the order of the file.
func (all findings) sorted() []Finding {
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return all
}
