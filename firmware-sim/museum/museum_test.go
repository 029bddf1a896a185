package museum

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every mutant can still be made of the source as it is.
func TestMutantsFitTheSource(t *testing.T) {
	all, err := Mutants()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for i := range all {
		m := &all[i]
		if names[m.Name] {
			t.Errorf("two mutants are called %s", m.Name)
		}
		names[m.Name] = true
		source, err := os.ReadFile(filepath.Join("../..", m.File))
		if err != nil {
			t.Error(err)
			continue
		}
		mutated, err := m.Mutate(source)
		if err != nil {
			t.Error(err)
		} else if string(mutated) == string(source) {
			t.Errorf("mutant %s changes nothing", m.Name)
		}
	}
}

func TestMutate(t *testing.T) {
	m := Mutant{Name: "x", File: "f.go", Changes: []Change{{[]string{"b", "c"}, []string{"d"}}, {[]string{"z"}, nil}}}
	for source, want := range map[string]string{
		"a\n\tb\n\tc\ne\nz":    "a\nd\ne",
		"a\nb\nz":              "is no part any more of f.go",
		"a\nb\nc":              "is no part any more of f.go",
		"b\nc\nb\nc\nz":        "stands at line 1 and at line 3 of f.go",
		"z\nb \n  c\nwhatever": "d\nwhatever",
	} {
		got, err := m.Mutate([]byte(source))
		switch {
		case err != nil && !strings.Contains(err.Error(), want):
			t.Errorf("%q: %v, want %q", source, err, want)
		case err == nil && string(got) != want:
			t.Errorf("%q became %q, want %q", source, got, want)
		}
	}
}

func TestParseNamesTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"rule 4.2":                        "line 1: a mutant begins",
		"mutant a\nfile f\nwhat":          `line 3: "what" is none of`,
		"mutant a\nby here":               "line 2: say \"by PACKAGE TEST [FLAGS]\"",
		"mutant a\n+ x":                   "line 2: what is put in stands behind",
		"mutant a\nrule 1.1\nfile f\n- x": "mutant a: it needs",
		"mutant a\nrule 1.1\nfile f\n- x\nby p T\nequal because": "mutant a: it needs",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	two, err := parse("mutant a\nrule 1.1\nfile f\n- a\n- b\n+ c\n- d\n- e\nby p T\n")
	if err != nil || len(two[0].Changes) != 2 || len(two[0].Changes[0].Old) != 2 || len(two[0].Changes[1].Old) != 2 || two[0].Changes[1].New != nil {
		t.Errorf("%+v, %v", two, err)
	}
	all, err := parse("mutant a\nrule 1.1 2.2\nabout b c\nfile f\n- x y\n+ z\nby p T/s -n=2 -m\n")
	if err != nil || len(all) != 1 || all[0].Changes[0].Old[0] != "x y" || all[0].By[0] != (Ring{"p", "T/s", "-n=2 -m"}) || all[0].About != "b c" || len(all[0].Rules) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestComplaint(t *testing.T) {
	for said, want := range map[string]string{
		"=== RUN   T\n    x_test.go:27: web runs on 2 hosts:\n": "web runs on 2 hosts",
		"    x_test.go:40: \n    x_test.go:42: it is not so\n":  "it is not so",
		"=== RUN T\npanic: failover: a coil\n":                  "panic: failover: a coil",
		"FAIL":                                                  "it failed",
	} {
		if got := complaint(said); got != want {
			t.Errorf("%q gave %q, want %q", said, got, want)
		}
	}
	if got := anchored("TestA/b-1"); got != "^TestA$/^b-1$" {
		t.Error(got)
	}
}

// Rules of which no mutant is kept, and why.
var without = map[string]string{
	"3.7": "modem lines come with issue \"Real iron\"",
}

// Each numbered rule of the design's sections 2, 3 and 4 has a mutant, or a reason.
func TestEveryRuleHasAMutant(t *testing.T) {
	all, err := Mutants()
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for i := range all {
		for _, r := range all[i].Rules {
			has[r] = true
		}
	}
	for section, rules := range map[int]int{2: 9, 3: 8, 4: 18} {
		for n := range rules {
			rule := fmt.Sprintf("%d.%d", section, n+1)
			if !has[rule] && without[rule] == "" {
				t.Errorf("no mutant breaks rule %s", rule)
			}
			if has[rule] && without[rule] != "" {
				t.Errorf("rule %s has a mutant: the reason is not needed", rule)
			}
		}
	}
}

// Whoever is said to catch a mutant is there.
func TestRingsAreThere(t *testing.T) {
	all, err := Mutants()
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		for _, ring := range all[i].By {
			name, part, _ := strings.Cut(ring.Run, "/")
			files, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(ring.Package), "*_test.go"))
			if err != nil || len(files) == 0 {
				t.Errorf("mutant %s: there are no tests in %s", all[i].Name, ring.Package)
			}
			found := false
			for _, file := range files {
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				found = found || strings.Contains(string(source), "func "+name+"(t *testing.T)")
			}
			if !found {
				t.Errorf("mutant %s: there is no %s in %s", all[i].Name, name, ring.Package)
			}
			for prefix, file := range map[string]string{"TestStories/": ".txt", "TestPathsHold/": ".path"} {
				if !strings.HasPrefix(ring.Run, prefix) {
					continue
				}
				if _, err := os.Stat(filepath.Join("../..", filepath.FromSlash(ring.Package), "testdata", part+file)); err != nil {
					t.Errorf("mutant %s: %v", all[i].Name, err)
				}
			}
		}
	}
}

func TestWhatARingSaid(t *testing.T) {
	said := "=== RUN   TestRoamsHold\n    roam_test.go:31: web runs on 2 hosts:\n        scope roam\n        alpha lit\n        bravo lit\n        \n--- FAIL: TestRoamsHold (0.1s)\n"
	if got, want := complaint(said), "web runs on 2 hosts"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := path(said), "scope roam\nalpha lit\nbravo lit\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := path("    a_test.go:3: two owners\n--- FAIL\n"); got != "" {
		t.Errorf("%q", got)
	}
}
