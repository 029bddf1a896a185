package tidy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// promiseFile is where the promises stand, and promiseHead where they begin.
const (
	promiseFile = "serialhb/failover/README.md"
	promiseHead = "## What it promises"
)

var (
	quoted     = regexp.MustCompile("`([^`]+)`")
	testName   = regexp.MustCompile(`^(Test|Fuzz)[A-Z]\w*$`)
	scopeNamed = regexp.MustCompile("scopes? ((?:`[a-z0-9-]+`(?:, | and )?)+)")
	fieldRule  = regexp.MustCompile(`S-(\d\d)`)
	// emptyAnswer is a rule of the field in the table with nothing in the cell beside it.
	emptyAnswer = regexp.MustCompile(`\| S-(\d\d) [^|]*\|\s*\|`)
	promised    = regexp.MustCompile(`(?m)^\| P(\d+) \|(.*)$`)
)

// fieldRules is how many rules of the field have to be answered.
const fieldRules = 52

var promiseLaw = law{
	name: "promises are proved",
	why:  "a promise whose proof does not exist is a hope",
	find: func(t *tree) (out []finding) {
		text, ok := t.text(promiseFile)
		_, part, begins := strings.Cut(text, "\n"+promiseHead+"\n")
		if !ok || !begins {
			return []finding{{promiseFile, "has no part " + promiseHead}}
		}
		part, _, _ = strings.Cut(part, "\n## ")
		for _, q := range quoted.FindAllStringSubmatch(part, -1) {
			if !t.proof(q[1]) {
				out = append(out, finding{promiseFile, fmt.Sprintf("names %s, which there is not", q[1])})
			}
		}
		for _, list := range scopeNamed.FindAllStringSubmatch(part, -1) {
			for _, q := range quoted.FindAllStringSubmatch(list[1], -1) {
				if scopes, _ := t.text("serialhb/failover/explore/scope.go"); !strings.Contains(scopes, fmt.Sprintf("{Name: %q,", q[1])) {
					out = append(out, finding{promiseFile, fmt.Sprintf("names the scope %s, which there is not", q[1])})
				}
			}
		}
		for i, p := range promised.FindAllStringSubmatch(part, -1) {
			if p[1] != fmt.Sprint(i+1) {
				out = append(out, finding{promiseFile, fmt.Sprintf("has P%s in the place of P%d", p[1], i+1)})
			}
			cells := strings.Split(strings.TrimSuffix(strings.TrimSpace(p[2]), "|"), "|")
			if !proves(cells[len(cells)-1]) {
				out = append(out, finding{promiseFile, fmt.Sprintf("proves P%s by nothing", p[1])})
			}
		}
		return append(out, unanswered(part)...)
	},
	keeps: files{promiseFile: wholePromise, "a/a_test.go": "package a\n\nfunc TestA(t *testing.T) {}\n", "serialhb/failover/testdata/b.txt": "",
		"firmware-sim/story/stories/netns/c.story": "", "serialhb/failover/explore/scope.go": "package explore\n\nvar _ = []Scope{{Name: \"pair\",}}\n"},
	breaks: []breach{
		{"no promises", files{promiseFile: "# failover\n"}, "has no part"},
		{"a test", files{promiseFile: wholePromise}, "names TestA, which there is not"},
		{"a story", files{promiseFile: wholePromise}, "names c.story, which there is not"},
		{"a scope", files{promiseFile: wholePromise}, "names the scope pair, which there is not"},
		{"a rule of the field", files{promiseFile: strings.Replace(wholePromise, "S-17", "", 1)}, "does not answer S-17"},
		{"no proof", files{promiseFile: wholePromise + "| P2 | nobody runs `arm`, `TestA` | `hope` |\n"}, "proves P2 by nothing"},
		{"an empty answer", files{promiseFile: strings.Replace(wholePromise, "S-17", "| S-17 one | |", 1)}, "does not answer S-17"},
		{"out of order", files{promiseFile: wholePromise + "| P3 | hope | `TestA` |\n"}, "has P3 in the place of P2"},
	},
}

// wholePromise is a README that keeps the law in the small.
var wholePromise = func() string {
	var rules []string
	for n := range fieldRules {
		rules = append(rules, fmt.Sprintf("S-%02d", n+1))
	}
	return "# failover\n\n" + promiseHead + "\n\n" + strings.Join(rules, " ") + "\n\n| P1 | well | scope `pair`; `TestA`, `b.txt`, `c.story` |\n"
}()

// proves says whether a cell of the table names a test, a story or a scope. Whether that exists is seen elsewhere.
func proves(cell string) bool {
	for _, q := range quoted.FindAllStringSubmatch(cell, -1) {
		if name, _, _ := strings.Cut(q[1], "/"); testName.MatchString(name) || strings.HasSuffix(q[1], ".txt") || strings.HasSuffix(q[1], ".story") {
			return true
		}
	}
	return scopeNamed.MatchString(cell)
}

// unanswered are the rules of the field of which nothing is said.
func unanswered(part string) (out []finding) {
	said := map[string]bool{}
	for _, r := range fieldRule.FindAllStringSubmatch(part, -1) {
		said[r[1]] = true
	}
	for _, r := range emptyAnswer.FindAllStringSubmatch(part, -1) {
		said[r[1]] = false
	}
	for n := range fieldRules {
		if name := fmt.Sprintf("%02d", n+1); !said[name] {
			out = append(out, finding{promiseFile, "does not answer S-" + name})
		}
	}
	return out
}

// proof says whether what a promise names exists. What is neither a test nor a story is no name of a proof.
func (t *tree) proof(name string) bool {
	switch {
	case testName.MatchString(name):
		return slices.ContainsFunc(t.files, func(f *file) bool {
			return strings.HasSuffix(f.path, "_test.go") && strings.Contains(f.text, "\nfunc "+name+"(")
		})
	case strings.HasPrefix(name, "."): // a kind of file
		return true
	case strings.HasSuffix(name, ".txt"):
		_, ok := t.text("serialhb/failover/testdata/" + name)
		return ok
	case strings.HasSuffix(name, ".story"):
		return slices.ContainsFunc(t.files, func(f *file) bool {
			return strings.HasPrefix(f.path, "firmware-sim/story/stories/") && strings.HasSuffix(f.path, "/"+name)
		})
	}
	return true
}

// text gives a file of the tree.
func (t *tree) text(path string) (string, bool) {
	i := slices.IndexFunc(t.files, func(f *file) bool { return f.path == path })
	if i < 0 {
		return "", false
	}
	return t.files[i].text, true
}
