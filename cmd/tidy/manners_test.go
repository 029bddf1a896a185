package tidy

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// timeless are the folders whose tests know simulated time only.
var timeless = append([]string{"serialhb/daemon"}, pureRooms...)

var sleepLaw = law{
	name: "no sleeping tests",
	why:  "a test that waits for a real clock is slow on a quiet machine and wrong on a busy one; inside a synctest bubble the clock is simulated",
	find: func(t *tree) (out []finding) {
		for _, f := range t.files {
			if f.ast == nil || !f.isTest() || !slices.Contains(timeless, f.dir()) || f.takes("testing/synctest") {
				continue
			}
			ast.Inspect(f.ast, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Sleep" && f.isPackage(s.X, "time") {
					out = append(out, finding{t.at(s.Pos()), "sleeps: hand in the time, or use testing/synctest"})
				}
				return true
			})
		}
		return out
	},
	keeps: files{
		"serialhb/daemon/a_test.go": "package daemon\nimport (\"time\"; \"testing/synctest\")\nfunc f() { time.Sleep(1); synctest.Wait() }\n",
		"serialhb/link/a_test.go":   "package link\nimport \"time\"\nfunc f() { time.Sleep(1) }\n",
		"serialhb/pulse/a_test.go":  "package pulse\nfunc f() { bed.Sleep(1) }\n",
	},
	breaks: []breach{
		{"the loop", files{"serialhb/daemon/a_test.go": "package daemon\nimport \"time\"\nfunc f() { time.Sleep(1) }\n"}, "serialhb/daemon/a_test.go:3 sleeps"},
		{"detection", files{"serialhb/detect/a_test.go": "package detect\nimport \"time\"\nvar f = time.Sleep\n"}, "sleeps"},
		{"by another name", files{"serialhb/failover/a_test.go": "package failover\nimport clock \"time\"\nvar f = clock.Sleep\n"}, "sleeps"},
	},
}

func (f *file) takes(path string) bool {
	return slices.ContainsFunc(f.imports(), func(s spec) bool { return s.path == path })
}

// isPackage says whether an expression is the name of an import.
func (f *file) isPackage(e ast.Expr, path string) bool {
	id, ok := e.(*ast.Ident)
	if !ok {
		return false
	}
	for _, i := range f.ast.Imports {
		if i.Path.Value == strconv.Quote(path) && (i.Name == nil && id.Name == packageName(path) || i.Name != nil && i.Name.Name == id.Name) {
			return true
		}
	}
	return false
}

var skipLaw = law{
	name: "skips with a reason",
	why:  "a test that was left out looks like one that passed, unless it says what this machine lacks",
	find: func(t *tree) (out []finding) {
		for _, f := range t.files {
			if f.ast == nil || !f.takes("testing") {
				continue
			}
			ast.Inspect(f.ast, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				if s, ok := call.Fun.(*ast.SelectorExpr); ok && silent(s.Sel.Name, call.Args) {
					out = append(out, finding{t.at(call.Pos()), s.Sel.Name + " gives no reason: say what is missing"})
				}
				return true
			})
		}
		return out
	},
	keeps: files{
		"gpio/a_test.go": "package gpio\nimport \"testing\"\nfunc f(t *testing.T, why string) { t.Skip(\"no chip here\"); t.Skip(why); t.Skipf(\"no %s here\", why) }\n",
		"gpio/a.go":      "package gpio\nfunc f(s scanner) { s.Skip() }\n",
	},
	breaks: []breach{
		skips("no word", "t.Skip()"),
		skips("an empty word", "t.Skip(\"\")"),
		skips("blanks", "t.Skip(` `)"),
		skips("an empty format", "t.Skipf(\"\")"),
		skips("only a value", "t.Skipf(\"%v\", 1)"),
		skips("now", "t.SkipNow()"),
		{"outside a test file", files{"gpio/gpiotest/a.go": "package gpiotest\nimport \"testing\"\nfunc f(t *testing.T) { t.Skip() }\n"}, "gpio/gpiotest/a.go:3 Skip gives no reason"},
	},
}

func skips(what, call string) breach {
	return breach{what, files{"gpio/a_test.go": "package gpio\nimport \"testing\"\nfunc f(t *testing.T) { " + call + " }\n"}, "gpio/a_test.go:3 Skip"}
}

// silent says whether a call skips a test and gives no word of its own for it. A variable may hold a reason.
func silent(name string, args []ast.Expr) bool {
	switch name {
	case "SkipNow":
		return true
	case "Skip", "Skipf":
		if len(args) == 0 {
			return true
		}
		lit, ok := args[0].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return false
		}
		words, err := strconv.Unquote(lit.Value)
		return err != nil || strings.Trim(words, " \t\n%+vsdq") == ""
	}
	return false
}
