// Package tidy is the law of the house as tests. It has no program; README.md says what belongs here.
package tidy

import (
	"fmt"
	"strings"
	"testing"
)

// law is a property of the source tree.
type law struct {
	name string
	why  string // said with each finding
	find func(*tree) []finding

	keeps  files
	breaks []breach
}

// finding is one place that breaks a law.
type finding struct {
	where string
	what  string
}

// files are a tree in the small: text by path.
type files map[string]string

// breach is a tree that breaks a law, and what has to be said of it.
type breach struct {
	what  string
	files files
	says  string // part of a finding, with its place
}

func laws() []law {
	return []law{
		latticeLaw, pureImportsLaw, pureUseLaw, fencingValuesLaw,
		docLaw, readmeLaw, topLevelLaw, nameLaw, functionLaw, fileLaw,
		formatLaw, leftoverLaw, machineLaw, promiseLaw,
		sleepLaw, skipLaw,
	}
}

func TestLaws(t *testing.T) {
	house := readTree(t)
	for _, l := range laws() {
		t.Run(l.name, func(t *testing.T) {
			for _, f := range l.find(house) {
				t.Errorf("%s %s\n\twhy: %s", f.where, f.what, l.why)
			}
		})
	}
}

// A law that cannot fail is none.
func TestLawsCanFail(t *testing.T) {
	for _, l := range laws() {
		t.Run(l.name, func(t *testing.T) {
			if l.why == "" || len(l.keeps) == 0 || len(l.breaks) == 0 {
				t.Fatal("a law needs a reason, a tree that keeps it and one that breaks it")
			}
			for _, f := range l.find(newTree(l.keeps)) {
				t.Errorf("a tree that keeps the law: %s %s", f.where, f.what)
			}
			for _, b := range l.breaks {
				if got := said(l.find(newTree(b.files))); !strings.Contains(got, b.says) {
					t.Errorf("%s: found %q, want %q", b.what, got, b.says)
				}
			}
		})
	}
}

func said(findings []finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s\n", f.where, f.what)
	}
	return b.String()
}
