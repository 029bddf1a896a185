package tidy

import (
	"fmt"
	"go/ast"
	"path"
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
	ofPackage  = regexp.MustCompile("`([a-z0-9/-]+)`: `((?:Test|Fuzz)[A-Z]\\w*)`")
	scopeNamed = regexp.MustCompile("scopes? ((?:`[a-z0-9-]+`(?:, | and )?)+)")
	storyNamed = regexp.MustCompile("`([a-z0-9-]+\\.story)`(\u2020?)")
	fieldRule  = regexp.MustCompile(`S-(\d\d)`)
	// emptyAnswer is a rule of the field in the table with nothing in the cell beside it.
	emptyAnswer = regexp.MustCompile(`\| S-(\d\d) [^|]*\|\s*\|`)
	promised    = regexp.MustCompile(`(?m)^\| P(\d+) \|(.*)$`)
)

// Folders of the stories of real processes: all of them, and those that go test plays.
const (
	storyFolder  = "firmware-sim/story/stories/"
	playedFolder = storyFolder + "netns/"
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
		out = append(t.unproved(part), t.unplayed(part)...)
		for i, p := range promised.FindAllStringSubmatch(part, -1) {
			if p[1] != fmt.Sprint(i+1) {
				out = append(out, finding{promiseFile, fmt.Sprintf("has P%s in the place of P%d", p[1], i+1)})
			}
			cells := strings.Split(strings.TrimSuffix(strings.TrimSpace(p[2]), "|"), "|")
			last := cells[len(cells)-1]
			if !proves(last) {
				out = append(out, finding{promiseFile, fmt.Sprintf("proves P%s by nothing", p[1])})
			}
			for _, q := range quoted.FindAllStringSubmatch(scopeNamed.ReplaceAllString(last, ""), -1) {
				if kind(q[1]) == "" {
					out = append(out, finding{promiseFile, fmt.Sprintf("proves P%s by %s, which is no test, story, scope or package", p[1], q[1])})
				}
			}
		}
		return append(out, unanswered(part)...)
	},
	keeps: promises(wholePromise),
	breaks: []breach{
		{"no promises", files{promiseFile: "# failover\n"}, "has no part"},
		{"a test", files{promiseFile: wholePromise}, "names TestA, which there is not"},
		{"a test of another package", promises(strings.Replace(wholePromise, "`b/c`: `TestB`", "`a`: `TestB`", 1)), "names TestB of a, which there is not"},
		{"a test that is none", with(promises(wholePromise), "a/a_test.go", "package a\n\nfunc TestA() {}\n"), "names TestA, which there is not"},
		{"a test in a comment", with(promises(wholePromise), "a/a_test.go", "package a\n\n/*\nfunc TestA(t *testing.T) {}\n*/\n"), "names TestA, which there is not"},
		{"a test of many packages", with(promises(wholePromise), "d/d_test.go", "package d\n\nfunc TestA(t *testing.T) {}\n"), "names TestA, which a and d have: say whose"},
		{"a story", files{promiseFile: wholePromise}, "names c.story, which there is not"},
		{"a story of the decision", files{promiseFile: wholePromise}, "names b.txt, which there is not"},
		{"a story that nobody plays", promises(strings.Replace(wholePromise, "\u2020", "", 1)), "names e.story, which go test does not play, without a dagger"},
		{"a story that is played", promises(strings.Replace(wholePromise, "`c.story`", "`c.story`\u2020", 1)), "names c.story, which go test plays, with a dagger"},
		{"a scope", files{promiseFile: wholePromise}, "names the scope pair, which there is not"},
		{"a package", promises(strings.Replace(wholePromise, "`b/c`: ", "`b/e`, `b/c`: ", 1)), "names b/e, which there is not"},
		{"a word", promises(strings.Replace(wholePromise, "`b.txt`", "`b.txt`, `hope`", 1)), "proves P1 by hope, which is no"},
		{"a rule of the field", files{promiseFile: strings.Replace(wholePromise, "S-17", "", 1)}, "does not answer S-17"},
		{"no proof", files{promiseFile: wholePromise + "| P2 | nobody runs `arm`, `TestA` | `hope` |\n"}, "proves P2 by nothing"},
		{"an empty answer", files{promiseFile: strings.Replace(wholePromise, "S-17", "| S-17 one | |", 1)}, "does not answer S-17"},
		{"out of order", files{promiseFile: wholePromise + "| P3 | hope | `TestA` |\n"}, "has P3 in the place of P2"},
	},
}

// promises are the files of a tree in which a README is true, if it is the whole one.
func promises(page string) files {
	return files{promiseFile: page, "a/a_test.go": "package a\n\nfunc TestA(t *testing.T) {}\n", "b/c/b_test.go": "package c\n\nfunc TestB(f *testing.T) {}\n",
		"serialhb/failover/testdata/b.txt": "", playedFolder + "c.story": "", storyFolder + "e.story": "",
		"serialhb/failover/explore/scope.go": "package explore\n\nvar _ = []Scope{{Name: \"pair\",}}\n"}
}

func with(content files, path, text string) files {
	content[path] = text
	return content
}

// wholePromise is a README that keeps the law in the small.
var wholePromise = func() string {
	var rules []string
	for n := range fieldRules {
		rules = append(rules, fmt.Sprintf("S-%02d", n+1))
	}
	return "# failover\n\n" + promiseHead + "\n\n" + strings.Join(rules, " ") + "\n\n| P1 | well | | scope `pair`; `TestA`, `b/c`: `TestB`, `b.txt`, `c.story`, `e.story`\u2020 |\n"
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

// kind says what the name of a proof names: a test, a story of the decision, one of real processes, or a folder. Any other
// word has none.
func kind(name string) string {
	switch {
	case testName.MatchString(name):
		return "test"
	case strings.HasPrefix(name, "."): // a kind of file, or what the CI plays
		return "dot"
	case strings.HasSuffix(name, ".txt"):
		return "txt"
	case strings.HasSuffix(name, ".story"):
		return "story"
	case strings.Contains(name, "/") && !strings.Contains(name, " "):
		return "path"
	}
	return ""
}

// unproved are the tests, stories, folders and scopes that are named and that there are not.
func (t *tree) unproved(part string) (out []finding) {
	say := func(format string, a ...any) { out = append(out, finding{promiseFile, fmt.Sprintf(format, a...)}) }
	for _, q := range ofPackage.FindAllStringSubmatch(part, -1) {
		if !slices.ContainsFunc(t.testsNamed(q[2]), func(dir string) bool { return dir == q[1] || strings.HasPrefix(dir, q[1]+"/") }) {
			say("names %s of %s, which there is not", q[2], q[1])
		}
	}
	for _, q := range quoted.FindAllStringSubmatch(ofPackage.ReplaceAllString(part, "`$1`"), -1) {
		name, there := q[1], true
		switch kind(name) {
		case "test":
			in := t.testsNamed(name)
			there = len(in) > 0
			if len(in) > 1 {
				say("names %s, which %s have: say whose", name, strings.Join(in, " and "))
			}
		case "txt":
			_, there = t.text("serialhb/failover/testdata/" + name)
		case "story":
			there = t.any(func(p string) bool { return strings.HasPrefix(p, storyFolder) && path.Base(p) == name })
		case "path":
			there = t.any(func(p string) bool {
				p += "/"
				return strings.HasPrefix(p, name+"/") || strings.HasPrefix(p, path.Dir(promiseFile)+"/"+name+"/")
			})
		}
		if !there {
			say("names %s, which there is not", name)
		}
	}
	scopes, _ := t.text("serialhb/failover/explore/scope.go")
	for _, list := range scopeNamed.FindAllStringSubmatch(part, -1) {
		for _, q := range quoted.FindAllStringSubmatch(list[1], -1) {
			if !strings.Contains(scopes, fmt.Sprintf("{Name: %q,", q[1])) {
				say("names the scope %s, which there is not", q[1])
			}
		}
	}
	return out
}

// unplayed are the stories of real processes that a reader would take for played by go test, and are not, or the other way round.
func (t *tree) unplayed(part string) (out []finding) {
	for _, q := range storyNamed.FindAllStringSubmatch(part, -1) {
		_, played := t.text(playedFolder + q[1])
		switch {
		case played && q[2] != "":
			out = append(out, finding{promiseFile, fmt.Sprintf("names %s, which go test plays, with a dagger", q[1])})
		case !played && q[2] == "":
			out = append(out, finding{promiseFile, fmt.Sprintf("names %s, which go test does not play, without a dagger", q[1])})
		}
	}
	return out
}

// testsNamed are the folders with a test function of a name.
func (t *tree) testsNamed(name string) (dirs []string) {
	for _, f := range t.files {
		if f.ast == nil || !f.isTest() || slices.Contains(dirs, f.dir()) {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == name && len(fn.Type.Params.List) == 1 {
				dirs = append(dirs, f.dir())
			}
		}
	}
	return dirs
}

func (t *tree) any(is func(path string) bool) bool {
	return slices.ContainsFunc(t.files, func(f *file) bool { return is(f.path) })
}

// text gives a file of the tree.
func (t *tree) text(path string) (string, bool) {
	i := slices.IndexFunc(t.files, func(f *file) bool { return f.path == path })
	if i < 0 {
		return "", false
	}
	return t.files[i].text, true
}
