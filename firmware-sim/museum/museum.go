// Package museum keeps bugs: mutants of the real source, each of the sort that people make, and shows that the checks find
// them. A check that finds nothing has proved nothing.
//
// A mutant is a few lines of one file in the place of others, given to the compiler as an overlay: shipped code has no flag
// and no build tag for it. mutants.txt holds them all; its head says how they are written. What catches one is a test of
// the rings of evidence: the model checker (serialhb/failover/explore), the simulated world (firmware-sim/world/script), or
// where neither has the part in it, the test of the part.
package museum

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Mutant is one bug.
type Mutant struct {
	Name    string
	Rules   []string // of the design, as section.number, that it breaks
	About   string
	File    string   // from the root of the module
	Changes []Change // in it; more than one where a rule is kept in two places
	By      []Ring   // that catch it, the fastest first; none if it is Equal
	Equal   string   // why no check can tell it from the original
}

// Change is lines of a file that follow each other, and what takes their place.
type Change struct{ Old, New []string }

// Ring is a test, or a part of one, with flags of its own.
type Ring struct {
	Package string
	Run     string
	Flags   string // separated by spaces
}

func (r Ring) String() string { return r.Package + " " + r.Run }

//go:embed mutants.txt
var text string

// Mutants are all that are kept.
func Mutants() ([]Mutant, error) { return parse(text) }

// parse reads mutants. Errors name the line.
func parse(text string) ([]Mutant, error) {
	var all []Mutant
	var m *Mutant
	for i, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.TrimSpace(line) == "", strings.HasPrefix(line, "#"):
			continue
		case word == "mutant":
			all = append(all, Mutant{Name: rest})
			m = &all[len(all)-1]
			continue
		case m == nil:
			return nil, fmt.Errorf("line %d: a mutant begins with a line \"mutant NAME\"", i+1)
		}
		switch word {
		case "rule":
			m.Rules = append(m.Rules, strings.Fields(rest)...)
		case "about":
			m.About = rest
		case "file":
			m.File = rest
		case "-":
			if n := len(m.Changes); n == 0 || len(m.Changes[n-1].New) > 0 {
				m.Changes = append(m.Changes, Change{})
			}
			c := &m.Changes[len(m.Changes)-1]
			c.Old = append(c.Old, rest)
		case "+":
			if len(m.Changes) == 0 {
				return nil, fmt.Errorf("line %d: what is put in stands behind what it takes the place of", i+1)
			}
			c := &m.Changes[len(m.Changes)-1]
			c.New = append(c.New, rest)
		case "by":
			where, run, ok := strings.Cut(rest, " ")
			if !ok {
				return nil, fmt.Errorf("line %d: say \"by PACKAGE TEST [FLAGS]\"", i+1)
			}
			run, flags, _ := strings.Cut(run, " ")
			m.By = append(m.By, Ring{where, run, flags})
		case "equal":
			m.Equal = rest
		default:
			return nil, fmt.Errorf("line %d: %q is none of mutant, rule, about, file, -, +, by, equal", i+1, word)
		}
	}
	for i := range all {
		if m := &all[i]; m.File == "" || len(m.Changes) == 0 || len(m.Rules) == 0 || len(m.By) == 0 == (m.Equal == "") {
			return nil, fmt.Errorf("mutant %s: it needs a rule, a file, lines to take away, and either who catches it or why nobody can", m.Name)
		}
	}
	return all, nil
}

// Mutate gives the file with the mutant in it. The lines to take away must be in it exactly once, at any depth of
// indentation: a source that has changed says so here, and not by a mutant that is no longer one.
func (m *Mutant) Mutate(source []byte) ([]byte, error) {
	lines := strings.Split(string(source), "\n")
	for i := range m.Changes {
		c := &m.Changes[i]
		at, err := c.place(lines)
		if err != nil {
			return nil, fmt.Errorf("mutant %s: what it takes away %w of %s", m.Name, err, m.File)
		}
		lines = slices.Concat(lines[:at], c.New, lines[at+len(c.Old):])
	}
	return []byte(strings.Join(lines, "\n")), nil
}

// place is the line at which the lines to take away begin.
func (c *Change) place(lines []string) (int, error) {
	at := -1
	for i := range lines {
		switch {
		case !c.stands(lines[i:]):
		case at >= 0:
			return 0, fmt.Errorf("stands at line %d and at line %d", at+1, i+1)
		default:
			at = i
		}
	}
	if at < 0 {
		return 0, errors.New("is no part any more")
	}
	return at, nil
}

func (c *Change) stands(lines []string) bool {
	if len(lines) < len(c.Old) {
		return false
	}
	for i, old := range c.Old {
		if strings.TrimSpace(lines[i]) != strings.TrimSpace(old) {
			return false
		}
	}
	return true
}

// Overlay writes the mutant of the source under root into dir, and gives the file that go build takes as its overlay.
func (m *Mutant) Overlay(root, dir string) (string, error) {
	original := filepath.Join(root, filepath.FromSlash(m.File))
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	mutated, err := m.Mutate(source)
	if err != nil {
		return "", err
	}
	replaced := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(replaced, mutated, 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: replaced}})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, overlay, 0o600)
}
