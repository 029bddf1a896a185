package tidy

import (
	"fmt"
	"go/ast"
	"maps"
	"path"
	"slices"
	"strings"
)

var docLaw = law{
	name: "package doc",
	why:  "who opens a folder has to learn in one sentence what belongs there",
	find: func(t *tree) (out []finding) {
		documented := map[string]bool{}
		for _, f := range t.files {
			if f.ast != nil {
				documented[f.dir()] = documented[f.dir()] || describes(f.ast)
			}
		}
		for _, dir := range slices.Sorted(maps.Keys(documented)) {
			if !documented[dir] {
				out = append(out, finding{dir, "has no package doc: begin one file with \"// Package NAME ...\", for a program with its name"})
			}
		}
		return out
	},
	keeps: files{
		"gpio/a.go":         "// Package gpio is lines.\npackage gpio\n",
		"gpio/b.go":         "package gpio\n",
		"cmd/serialhb/a.go": "// Serialhb is the program.\npackage main\n",
	},
	breaks: []breach{
		{"none", files{"gpio/a.go": "package gpio\n"}, "gpio has no package doc"},
		{"a comment that is none", files{"gpio/a.go": "// Package gpio is lines.\n\npackage gpio\n"}, "gpio has no package doc"},
		{"of another package", files{"gpio/a.go": "// Package line is lines.\npackage gpio\n"}, "gpio has no package doc"},
		{"only the name", files{"gpio/a.go": "// Package gpio\npackage gpio\n"}, "gpio has no package doc"},
		{"a program", files{"cmd/serialhb/a.go": "package main\n"}, "cmd/serialhb has no package doc"},
	},
}

func describes(f *ast.File) bool {
	if f.Doc == nil {
		return false
	}
	name := strings.TrimSuffix(f.Name.Name, "_test")
	if name == "main" {
		return strings.TrimSpace(f.Doc.Text()) != ""
	}
	rest, ok := strings.CutPrefix(f.Doc.Text(), "Package "+name+" ")
	return ok && strings.TrimSpace(rest) != ""
}

// topFolders and topFiles are the top level, all of it but dotfiles.
var (
	topFolders = []string{"serialhb", "gpio", "fencing", "cmd", "firmware-sim", "udev"}
	topFiles   = []string{"go.mod", "go.sum", "README.md", "LICENSE"}
)

var readmeLaw = law{
	name: "README in every room",
	why:  "documents live in the room they speak of",
	find: func(t *tree) (out []finding) {
		for _, dir := range topFolders {
			if !t.has(dir+"/", "README.md") && t.has(dir+"/", "") {
				out = append(out, finding{dir, "has no README.md"})
			}
		}
		return out
	},
	keeps:  files{"gpio/README.md": "# gpio\n", "gpio/a.go": "package gpio\n"},
	breaks: []breach{{"none", files{"gpio/a.go": "package gpio\n", "gpio/cdev/README.md": "# cdev\n"}, "gpio has no README.md"}},
}

// has says whether a file of this name lies right in a folder, or with no name whether anything lies below it.
func (t *tree) has(dir, name string) bool {
	return slices.ContainsFunc(t.files, func(f *file) bool {
		return f.path == dir+name || name == "" && strings.HasPrefix(f.path, dir)
	})
}

var topLevelLaw = law{
	name: "top level",
	why:  "the first look at the house shows its rooms and nothing else",
	find: func(t *tree) (out []finding) {
		seen := map[string]bool{}
		for _, f := range t.files {
			top, _, below := strings.Cut(f.path, "/")
			if seen[top] {
				continue
			}
			seen[top] = true
			if !strings.HasPrefix(top, ".") && !slices.Contains(map[bool][]string{true: topFolders, false: topFiles}[below], top) {
				out = append(out, finding{top, "does not belong at the top: put it into the room it is about"})
			}
		}
		for _, name := range slices.Concat(topFolders, topFiles) {
			if !seen[name] {
				out = append(out, finding{name, "is missing at the top"})
			}
		}
		return out
	},
	keeps: topWith(".gitignore", ".ci/run"),
	breaks: []breach{
		{"a folder more", topWith("internal/a.go"), "internal does not belong at the top"},
		{"a file more", topWith("NOTES.md"), "NOTES.md does not belong at the top"},
		{"a program at the top", topWith("main.go"), "main.go does not belong at the top"},
		{"a file where a folder belongs", files{"gpio": ""}, "gpio does not belong at the top"},
		{"a folder missing", files{"README.md": ""}, "udev is missing at the top"},
		{"a file missing", files{"udev/README.md": ""}, "LICENSE is missing at the top"},
	},
}

func topWith(more ...string) files {
	all := files{}
	for _, dir := range topFolders {
		all[dir+"/README.md"] = ""
	}
	for _, name := range append(slices.Clone(topFiles), more...) {
		all[name] = ""
	}
	return all
}

var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "base", "lib"}

var nameLaw = law{
	name: "package names",
	why:  "a name that says nothing attracts what belongs nowhere",
	find: func(t *tree) (out []finding) {
		for _, f := range t.files {
			if f.ast == nil {
				continue
			}
			for _, name := range []string{strings.TrimSuffix(f.ast.Name.Name, "_test"), path.Base(f.dir())} {
				if slices.Contains(emptyNames, name) {
					out = append(out, finding{f.path, "is in a package called " + name + ": name it after what it is about"})
					break
				}
			}
		}
		return out
	},
	keeps: files{"gpio/a.go": "package gpio\n", "gpio/utility.go": "package gpio\n"},
	breaks: []breach{
		{"util", files{"gpio/util/a.go": "package util\n"}, "gpio/util/a.go is in a package called util"},
		{"common", files{"gpio/common/a.go": "package common\n"}, "called common"},
		{"helpers", files{"gpio/x/a.go": "package helpers\n"}, "called helpers"},
		{"by the folder", files{"gpio/helpers/a.go": "package x\n"}, "called helpers"},
		{"of tests", files{"gpio/x/a_test.go": "package helpers_test\n"}, "called helpers"},
	},
}

// Lengths in lines.
const (
	functionLines = 80
	fileLines     = 500
)

var functionLaw = law{
	name: "length of functions",
	why:  "what does not fit on a screen is not read in one piece",
	find: func(t *tree) (out []finding) {
		for _, f := range t.shipped() {
			for _, d := range f.ast.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if lines := t.fset.Position(fn.End()).Line - t.fset.Position(fn.Pos()).Line + 1; lines > functionLines {
					out = append(out, finding{t.at(fn.Pos()), fmt.Sprintf("%s has %d lines, the limit is %d", fn.Name.Name, lines, functionLines)})
				}
			}
		}
		return out
	},
	keeps: files{
		"gpio/a.go":      function("gpio", "f", functionLines),
		"gpio/a_test.go": function("gpio", "f", functionLines+1),
	},
	breaks: []breach{
		{"too long", files{"gpio/a.go": function("gpio", "f", functionLines+1)}, "gpio/a.go:2 f has 81 lines, the limit is 80"},
	},
}

func function(pkg, name string, lines int) string {
	return "package " + pkg + "\nfunc " + name + "() {" + strings.Repeat("\n", lines-1) + "}\n"
}

var fileLaw = law{
	name: "length of files",
	why:  "a file is one screenful of ideas",
	find: func(t *tree) (out []finding) {
		for _, f := range t.shipped() {
			if lines := strings.Count(f.text, "\n"); lines > fileLines {
				out = append(out, finding{f.path, fmt.Sprintf("has %d lines, the limit is %d: split it by what its parts are about", lines, fileLines)})
			}
		}
		return out
	},
	keeps:  files{"gpio/a.go": "package gpio" + strings.Repeat("\n", fileLines), "gpio/a_test.go": "package gpio" + strings.Repeat("\n", fileLines+1)},
	breaks: []breach{{"too long", files{"gpio/a.go": "package gpio" + strings.Repeat("\n", fileLines+1)}, "gpio/a.go has 501 lines"}},
}
