package tidy

import (
	"fmt"
	"go/format"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var formatLaw = law{
	name: "gofmt",
	why:  "one form for all, and a difference shows what was changed",
	find: func(t *tree) (out []finding) {
		for _, f := range t.files {
			if !f.isGo() {
				continue
			}
			if f.err != nil {
				out = append(out, finding{f.path, "does not parse: " + f.err.Error()})
				continue
			}
			if tidy, err := format.Source([]byte(f.text)); err != nil || string(tidy) != f.text {
				out = append(out, finding{f.path, "is not formatted: gofmt -w " + f.path})
			}
		}
		return out
	},
	keeps: files{"gpio/a.go": "package gpio\n\nvar x = 1\n", "gpio/README.md": "package  gpio"},
	breaks: []breach{
		{"spaces", files{"gpio/a.go": "package gpio\n\nvar  x = 1\n"}, "gpio/a.go is not formatted"},
		{"a test", files{"gpio/a_test.go": "package gpio\n\nvar  x = 1\n"}, "gpio/a_test.go is not formatted"},
		{"not Go", files{"gpio/a.go": "package gpio\n\nvar x = \n"}, "gpio/a.go does not parse"},
	},
}

// The words are put together here so that this file does not break its own law.
var (
	leftovers = []string{"TO" + "DO", "FIX" + "ME", "X" + "XX"}
	leftover  = regexp.MustCompile(`\b(` + strings.Join(leftovers, "|") + `)\b`)
)

var leftoverLaw = law{
	name: "no leftovers",
	why:  "what is not done is an issue that somebody owns, not a word in a file",
	find: func(t *tree) []finding {
		return t.grep(leftover, leftovers, func(f *file) bool { return f.path != "go.sum" })
	},
	keeps: files{
		"gpio/a.go": "package gpio\n\n// todos of a user are none of ours; XX" + "XX neither\n",
		"go.sum":    "example.com/m v1.0.0 h1:a/X" + "XX/b=\n",
	},
	breaks: []breach{
		{"in code", files{"gpio/a.go": "package gpio\n\n// TO" + "DO: later\n"}, "gpio/a.go:3 has TO" + "DO"},
		{"in a test", files{"gpio/a_test.go": "package gpio // FIX" + "ME\n"}, "gpio/a_test.go:1 has FIX" + "ME"},
		{"in a text", files{"gpio/README.md": "\nX" + "XX look\n"}, "gpio/README.md:2 has X" + "XX"},
		{"as a context", files{"gpio/a.go": "package gpio\n\nvar c = context.TO" + "DO()\n"}, "has TO" + "DO"},
	},
}

// machine is a path that exists on one machine only. What precedes it must not be part of a longer path.
var (
	machines = []string{"/home/", "/work/", "/root/", "/tmp/", "/Users/"}
	machine  = regexp.MustCompile(`(?:^|[^\w.~-])(` + strings.Join(machines, "|") + `)`)
)

var machineLaw = law{
	name: "no machine's paths",
	why:  "what names somebody's folder works on that machine only, and tells of it; tests may make up paths",
	find: func(t *tree) []finding {
		return t.grep(machine, machines, func(f *file) bool { return !f.isTest() && !strings.Contains(f.path, "/testdata/") })
	},
	keeps: files{
		"gpio/a.go":            "package gpio\n\nvar run = \"/run/serialhb/\" // not /var/tmp/ nor firmware-sim/work/ nor ~/tmp/\n",
		"gpio/a_test.go":       "package gpio\n\nvar name = \"/tmp/x\"\n",
		"gpio/testdata/x.toml": "key = \"/home/x\"\n",
	},
	breaks: []breach{
		{"home", files{"gpio/a.go": "package gpio\n\nvar key = \"/home/me/key\"\n"}, "gpio/a.go:3 has /home/"},
		{"work", files{"udev/README.md": "see /work/notes\n"}, "udev/README.md:1 has /work/"},
		{"tmp", files{".ci/run": "#!/bin/sh\ncp x >/tmp/x\n"}, ".ci/run:2 has /tmp/"},
		{"root", files{"README.md": "/root/go/bin\n"}, "has /root/"},
		{"another system", files{"README.md": "(/Users/me/x)\n"}, "has /Users/"},
	},
}

// grep finds what a pattern matches in text files, by its last group. Only files that hold one of the words are searched:
// the pattern alone is slow.
func (t *tree) grep(pattern *regexp.Regexp, words []string, in func(*file) bool) (out []finding) {
	for _, f := range t.files {
		holds := func(word string) bool { return strings.Contains(f.text, word) }
		if !in(f) || !slices.ContainsFunc(words, holds) || !utf8.ValidString(f.text) || strings.Contains(f.text, "\x00") {
			continue
		}
		n := 0
		for line := range strings.Lines(f.text) {
			n++
			if m := pattern.FindStringSubmatch(line); m != nil {
				out = append(out, finding{fmt.Sprintf("%s:%d", f.path, n), "has " + m[len(m)-1]})
			}
		}
	}
	return out
}
