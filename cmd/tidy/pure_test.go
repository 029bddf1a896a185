package tidy

import (
	"go/ast"
	"go/types"
	"path"
	"slices"
	"strings"
)

// pureRooms are the folders of layer 0, with all that lies in them: what is explored is explored without a clock and without
// chance, too. Of fencing only some files belong to it.
var pureRooms = []string{"serialhb/pulse", "serialhb/detect", "serialhb/failover", "serialhb/failover/explore"}

func (t *tree) pure() []*file {
	return slices.DeleteFunc(t.shipped(), func(f *file) bool {
		return !slices.Contains(pureRooms, f.dir()) && !slices.Contains(fencingValues, f.path)
	})
}

// bannedImports are packages that layer 0 may not import, and what to do instead.
var bannedImports = map[string]string{
	"os":           "take the bytes or the fact as an argument; an adapter reads it",
	"net":          "an adapter has the socket; take what arrived as an argument",
	"sync":         "the loop owns the value; there is nothing to guard",
	"sync/atomic":  "the loop owns the value; there is nothing to guard",
	"context":      "an event says that something was given up; a value cannot be cancelled",
	"math/rand":    "take the random value as an argument, or no replay gives the same end",
	"math/rand/v2": "take the random value as an argument, or no replay gives the same end",
	"crypto/rand":  "take the random value as an argument, or no replay gives the same end",
	"log":          "return an action or a note; the daemon tells people",
	"log/slog":     "return an action or a note; the daemon tells people",
	"reflect":      "compare values with ==; a state is comparable",
	"unsafe":       "there is no need for it",
}

// bannedUses are names that layer 0 may not use, and what to do instead.
var bannedUses = map[string]string{
	"time.Now":       "take now as an argument",
	"time.Since":     "take now as an argument and subtract",
	"time.Until":     "take now as an argument and subtract",
	"time.Sleep":     "return when to look again, or an action that asks for a timer",
	"time.After":     "return an action that asks for a timer",
	"time.AfterFunc": "return an action that asks for a timer",
	"time.NewTimer":  "return an action that asks for a timer",
	"time.NewTicker": "return an action that asks for a timer",
	"time.Tick":      "return an action that asks for a timer",
}

const pureWhy = "layer 0 gives the same end from the same beginning in the daemon, the simulator, the model checker and a replay"

var pureImportsLaw = law{
	name: "imports of layer 0",
	why:  pureWhy,
	find: func(t *tree) (out []finding) {
		for _, f := range t.pure() {
			for _, i := range f.imports() {
				if instead, banned := bannedImports[i.path]; banned {
					out = append(out, finding{t.at(i.pos), "imports " + i.path + ": " + instead})
				} else if slices.Contains(fencingValues, f.path) && i.path != "time" {
					out = append(out, finding{t.at(i.pos), "imports " + i.path + ": the relay sequence needs durations and nothing else"})
				}
			}
		}
		return out
	},
	keeps: files{
		"serialhb/failover/a.go":      "package failover\nimport (\"time\"; \"fmt\")\n",
		"serialhb/failover/a_test.go": "package failover\nimport \"os\"\n",
		"fencing/sequence.go":         "package fencing\nimport \"time\"\n",
		"fencing/relay.go":            "package fencing\nimport \"context\"\n",
	},
	breaks: []breach{
		imports("os", "serialhb/pulse", "os", "bad.go:3 imports os: take"),
		imports("net", "serialhb/failover", "net", "imports net:"),
		imports("sync", "serialhb/failover", "sync", "imports sync:"),
		imports("context", "serialhb/failover", "context", "imports context:"),
		imports("random", "serialhb/detect", "math/rand", "imports math/rand:"),
		imports("random, new", "serialhb/detect", "math/rand/v2", "imports math/rand/v2:"),
		imports("log", "serialhb/detect", "log", "imports log:"),
		imports("reflect", "serialhb/detect", "reflect", "imports reflect:"),
		imports("unsafe", "serialhb/detect", "unsafe", "imports unsafe:"),
		imports("the model checker draws", "serialhb/failover/explore", "math/rand/v2", "imports math/rand/v2:"),
		imports("the model checker waits", "serialhb/failover/explore", "sync", "imports sync:"),
		{"the sequence prints", files{"fencing/sequence.go": "package fencing\nimport \"fmt\"\n"}, "imports fmt:"},
		{"the plan waits", files{"fencing/plan.go": "package fencing\nimport \"context\"\n"}, "imports context:"},
	},
}

var pureUseLaw = law{
	name: "clocks, goroutines and maps in layer 0",
	why:  pureWhy,
	find: func(t *tree) (out []finding) {
		for _, f := range t.pure() {
			ast.Inspect(f.ast, func(n ast.Node) bool {
				if n == nil {
					return true
				}
				if what := t.impure(n); what != "" {
					out = append(out, finding{t.at(n.Pos()), what})
				}
				return true
			})
		}
		return out
	},
	keeps: files{
		"serialhb/detect/a.go": "package detect\nimport \"time\"\nvar names = map[int]string{}\n" +
			"func f(now time.Duration) (n int) { for i := range 3 { n += i + len(names[i]) }; for range []int{1} { n++ }; return n }\n",
		"serialhb/detect/a_test.go": "package detect\nimport \"time\"\nvar now = time.Now()\n",
		"fencing/relay.go":          "package fencing\nimport \"time\"\nvar now = time.Now()\n",
	},
	breaks: []breach{
		inPure("a clock", "import \"time\"\nfunc f() { _ = time.Now() }", "bad.go:3 uses time.Now: take now"),
		inPure("a clock as a value", "import \"time\"\nvar clock = time.Now", "uses time.Now"),
		inPure("a clock by another name", "import t \"time\"\nvar clock = t.Since", "uses time.Since"),
		inPure("a clock by no name", "import . \"time\"\nvar clock = Now", "hides where its names come from"),
		inPure("sleep", "import \"time\"\nfunc f() { time.Sleep(1) }", "uses time.Sleep"),
		inPure("after", "import \"time\"\nfunc f() { <-time.After(1) }", "uses time.After"),
		inPure("timer", "import \"time\"\nvar x = time.NewTimer(1)", "uses time.NewTimer"),
		inPure("ticker", "import \"time\"\nvar x = time.NewTicker(1)", "uses time.NewTicker"),
		inPure("tick", "import \"time\"\nvar x = time.Tick(1)", "uses time.Tick"),
		inPure("goroutine", "func f() { go f() }", "bad.go:2 starts a goroutine"),
		inPure("map", "func f() { for range map[int]int{} {} }", "ranges over a map"),
		inPure("map behind a name", "type m map[int]string\ntype s struct{ m m }\nfunc f(x *s) { for k := range x.m { _ = k } }", "bad.go:4 ranges over a map"),
		inPure("map from a function", "func g() map[int]int { return nil }\nfunc f() { for range g() {} }", "ranges over a map"),
		inPure("map of something from elsewhere", "import \"time\"\nvar m map[int]time.Duration\nfunc f() { for range m {} }", "ranges over a map"),
		inPure("map as a type parameter", "func f[M ~map[K]V, K comparable, V any](m M) { for range m {} }", "ranges over a map"),
		inPure("who knows what", "import \"maps\"\nfunc f(m map[int]int) { for range maps.Keys(m) {} }", "bad.go:3 ranges over something"),
		{"map of another package", files{
			"serialhb/pulse/a.go":  "package pulse\nvar M map[int]int\n",
			"serialhb/detect/b.go": "package detect\nimport \"" + module + "/serialhb/pulse\"\nfunc f() { for range pulse.M {} }\n",
		}, "ranges over a map"},
		{"the sequence looks at a clock", files{"fencing/sequence.go": "package fencing\nimport \"time\"\nvar x = time.Now\n"}, "uses time.Now"},
	},
}

func inPure(what, body, says string) breach {
	return breach{what, files{"serialhb/failover/bad.go": "package failover\n" + body + "\n"}, says}
}

// impure says what is wrong with a node, or nothing.
func (t *tree) impure(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "starts a goroutine: return an action; the loop starts what has to run beside it"
	case *ast.RangeStmt:
		switch over := t.types.of(n.X); {
		case over == nil || over == types.Typ[types.Invalid]:
			return "ranges over something whose type cannot be told here: put it into a variable that names its type"
		case mapInside(over):
			return "ranges over a map: the order differs from run to run; use an array or a sorted slice"
		}
	case *ast.ImportSpec:
		if n.Name != nil && n.Name.Name == "." {
			return "hides where its names come from: import it by name"
		}
	case *ast.SelectorExpr:
		id, ok := n.X.(*ast.Ident)
		if !ok {
			return ""
		}
		if pkg, ok := t.types.used(id).(*types.PkgName); ok {
			name := pkg.Imported().Path() + "." + n.Sel.Name
			if instead, banned := bannedUses[name]; banned {
				return "uses " + name + ": " + instead
			}
		}
	}
	return ""
}

// mapInside says whether a type is a map, or a type parameter that may be one.
func mapInside(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Map:
		return true
	case *types.Union:
		for term := range u.Terms() {
			if mapInside(term.Type()) {
				return true
			}
		}
	case *types.Interface:
		for e := range u.EmbeddedTypes() {
			if mapInside(e) {
				return true
			}
		}
	}
	return false
}

// typing knows the types of our own code. Packages from elsewhere are empty to it, so that nothing has to be found or
// fetched: what comes out of them has no type.
type typing struct {
	t    *tree
	info types.Info
	done map[string]*types.Package
}

func newTyping(t *tree) *typing {
	y := &typing{t: t, done: map[string]*types.Package{}, info: types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
	}}
	for _, dir := range append(slices.Clone(pureRooms), "fencing") {
		_, _ = y.Import(module + "/" + dir)
	}
	return y
}

// Import implements [types.Importer].
func (y *typing) Import(name string) (*types.Package, error) {
	if p := y.done[name]; p != nil {
		return p, nil
	}
	var parsed []*ast.File
	if dir, ours := strings.CutPrefix(name, module+"/"); ours {
		for _, f := range y.t.within(dir) {
			parsed = append(parsed, f.ast)
		}
	}
	y.done[name] = types.NewPackage(name, packageName(name)) // also ends a circle
	if len(parsed) > 0 {
		c := types.Config{Importer: y, Error: func(error) {}} // half a type is better than none
		p, _ := c.Check(name, y.t.fset, parsed, &y.info)
		y.done[name] = p
	}
	y.done[name].MarkComplete()
	return y.done[name], nil
}

func packageName(name string) string {
	base := path.Base(name)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		return path.Base(path.Dir(name))
	}
	return base
}

func (y *typing) of(e ast.Expr) types.Type        { return y.info.Types[e].Type }
func (y *typing) used(id *ast.Ident) types.Object { return y.info.Uses[id] }
