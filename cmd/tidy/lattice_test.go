package tidy

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// layer is a floor of the house. Imports go down, never up.
type layer int

// The layers of the design's section 7.
const (
	values   layer = iota // L0: pure
	settings              // L1: validated values, tiny interfaces
	adapter               // L2: one outside world each
	theLoop               // L3
	program               // L4
	testSide              // T: stands in for what we do not own; linked into no adapter
)

// room is a folder and what it may import. A path that ends in /... stands for the folder and all below it. Without std
// the whole standard library is allowed.
type room struct {
	path  string
	layer layer
	ours  []string // of this module
	std   []string
	other []string // other modules
}

var pureStd = []string{
	"bytes", "cmp", "crypto/hmac", "crypto/sha256", "encoding/binary", "errors", "fmt", "hash", "hash/crc32", "iter",
	"math", "math/bits", "slices", "strconv", "strings", "time",
}

var rooms = []room{
	{path: "serialhb/pulse", layer: values, std: pureStd},
	{path: "serialhb/detect", layer: values, std: pureStd, ours: []string{"serialhb/pulse"}},
	{path: "serialhb/failover", layer: values, std: pureStd, ours: []string{"serialhb/pulse", "fencing"}},

	{path: "gpio", layer: settings},
	{path: "serialhb/config", layer: settings,
		ours:  []string{"serialhb/pulse", "serialhb/detect", "serialhb/failover", "fencing", "gpio"},
		other: []string{"github.com/pelletier/go-toml/v2", "golang.org/x/sys"}},

	{path: "serialhb/clock", layer: settings, other: []string{"golang.org/x/sys"}},
	{path: "serialhb/process", layer: settings, other: []string{"golang.org/x/sys"}},
	{path: "serialhb/link", layer: adapter, ours: []string{"serialhb/pulse", "serialhb/clock", "serialhb/process"}, other: []string{"go.bug.st/serial", "golang.org/x/sys"}},
	{path: "serialhb/journal", layer: adapter, ours: []string{"serialhb/pulse", "serialhb/failover"}, other: []string{"golang.org/x/sys", "github.com/google/renameio/v2"}},
	{path: "serialhb/resource", layer: adapter, ours: []string{"serialhb/clock", "serialhb/process"}, other: []string{"golang.org/x/sys"}},
	{path: "serialhb/resource/address", layer: adapter, ours: []string{"serialhb/resource"},
		other: []string{"github.com/vishvananda/netlink", "github.com/mdlayher/arp", "github.com/mdlayher/ndp", "github.com/mdlayher/packet", "golang.org/x/net/bpf", "golang.org/x/sys"}},
	{path: "serialhb/notify", layer: adapter, other: []string{"golang.org/x/sys"}},
	{path: "serialhb/control", layer: adapter, other: []string{"golang.org/x/sys"}},
	{path: "fencing", layer: adapter, ours: []string{"gpio"}},
	{path: "fencing/agent", layer: adapter, ours: []string{"fencing", "serialhb/process"}, other: []string{"golang.org/x/sys"}},
	{path: "gpio/cdev", layer: adapter, ours: []string{"gpio"}, other: []string{"github.com/warthog618/go-gpiocdev", "golang.org/x/sys"}},
	{path: "gpio/modem", layer: adapter, ours: []string{"gpio"}, other: []string{"golang.org/x/sys"}},
	{path: "gpio/periph", layer: adapter, ours: []string{"gpio"}, other: []string{"periph.io/x/conn/v3", "periph.io/x/host/v3", "golang.org/x/sys"}},
	{path: "gpio/sim", layer: adapter, ours: []string{"gpio"}},

	{path: "serialhb/daemon", layer: theLoop,
		ours:  []string{"serialhb/pulse", "serialhb/detect", "serialhb/failover", "fencing", "serialhb/control"},
		other: []string{"github.com/rs/zerolog"}},

	{path: "cmd/serialhb/...", layer: program, ours: []string{"cmd/serialhb/...", "serialhb/...", "fencing/...", "gpio/...", "firmware-sim/..."}, other: programModules},
	{path: "cmd/hbsim/...", layer: program, ours: []string{"cmd/hbsim/...", "serialhb/...", "serialhb/failover/explore", "fencing/...", "gpio/...", "firmware-sim/...", "firmware-sim/boundary"}, other: programModules},
	{path: "cmd/...", layer: program, ours: []string{"serialhb/...", "fencing/...", "gpio/..."}, other: programModules},
	{path: ".ci/...", layer: program},

	{path: "serialhb/failover/explore", layer: testSide, std: pureStd, ours: []string{"serialhb/failover", "serialhb/pulse", "fencing"}},
	{path: "serialhb/link/linktest", layer: testSide, ours: []string{"serialhb/link", "serialhb/pulse"}},
	{path: "fencing/fencingtest", layer: testSide, ours: []string{"fencing"}},
	{path: "gpio/gpiotest", layer: testSide, ours: []string{"gpio"}},
	{path: "firmware-sim/rack/segment", layer: testSide, ours: []string{"firmware-sim/rack/mono", "firmware-sim/rack/netpath"}, other: []string{"github.com/vishvananda/netlink", "github.com/mdlayher/packet", "golang.org/x/net", "golang.org/x/sys"}},
	{path: "firmware-sim/boundary", layer: testSide, ours: []string{"firmware-sim/...", "serialhb/failover", "serialhb/journal"}, other: []string{"golang.org/x/sys"}},
	{path: "firmware-sim/...", layer: testSide,
		ours:  []string{"serialhb/pulse", "serialhb/detect", "serialhb/failover", "fencing", "gpio", "serialhb/control", "firmware-sim/...", "firmware-sim/rack/segment"},
		other: []string{"golang.org/x/sys", "github.com/creack/pty"}},
}

var programModules = []string{
	"github.com/alecthomas/kong", "github.com/rs/zerolog", "github.com/mattn/go-colorable", "github.com/mattn/go-isatty", "golang.org/x/sys",
	"golang.org/x/sync",
}

// sideways are the pairs of one floor, or one up, that the design allows, with the reason.
var sideways = map[string]string{
	"serialhb/detect > serialhb/pulse":              "a detector is fed pulses",
	"serialhb/failover > serialhb/pulse":            "a decision is made from pulses",
	"serialhb/failover > fencing":                   "kinds of proof; another law keeps it to the values of fencing",
	"serialhb/config > gpio":                        "names of lines",
	"serialhb/config > fencing":                     "descriptions of relays",
	"serialhb/resource/address > serialhb/resource": "an address is a resource, and says so in its states",
	"fencing/agent > fencing":                       "an agent is a device",
	"cmd/serialhb/... > cmd/serialhb/...":           "one program",
	"cmd/hbsim/... > cmd/hbsim/...":                 "one program",
}

var latticeLaw = law{
	name: "import lattice",
	why:  "imports only go down and adapters never meet, so that the decision can be run, checked and simulated without the world (cmd/tidy/lattice_test.go has the table)",
	find: func(t *tree) (out []finding) {
		for _, f := range t.shipped() {
			r, ok := roomOf(f.dir())
			if !ok {
				out = append(out, finding{f.path, "is in a folder that has no place in the lattice: give it a layer"})
				continue
			}
			for _, i := range f.imports() {
				if what := r.refuses(i.path); what != "" {
					out = append(out, finding{t.at(i.pos), what})
				}
			}
		}
		return out
	},
	keeps: files{
		"serialhb/detect/a.go":      "package detect\nimport (\"time\"; \"" + module + "/serialhb/pulse\")\n",
		"serialhb/detect/a_test.go": "package detect\nimport (\"os\"; \"" + module + "/firmware-sim/world\")\n",
		"fencing/a.go":              "package fencing\nimport (\"os\"; \"" + module + "/gpio\")\n",
		"cmd/serialhb/a.go":         "package main\nimport (\"" + module + "/gpio/cdev\"; \"" + module + "/firmware-sim/story\"; \"github.com/alecthomas/kong\")\n",
		"gpio/periph/a.go":          "package periph\nimport \"periph.io/x/conn/v3/gpio/gpioreg\"\n",
		"firmware-sim/world/w.go":   "package world\nimport \"" + module + "/serialhb/failover\"\n",
	},
	breaks: []breach{
		imports("the decision takes a clock's package", "serialhb/failover", "os", "may not import os"),
		imports("detection looks up", "serialhb/detect", module+"/serialhb/failover", "may not import serialhb/failover"),
		imports("pulse looks up", "serialhb/pulse", module+"/serialhb/detect", "may not import serialhb/detect"),
		imports("the config takes an adapter", "serialhb/config", module+"/serialhb/link", "may not import serialhb/link"),
		imports("two adapters meet", "serialhb/resource", module+"/serialhb/journal", "may not import serialhb/journal"),
		imports("two backends meet", "gpio/cdev", module+"/gpio/sim", "may not import gpio/sim"),
		imports("lines know of fences", "gpio", module+"/fencing", "may not import fencing"),
		imports("the loop takes an adapter", "serialhb/daemon", module+"/serialhb/link", "may not import serialhb/link"),
		imports("the loop parses flags", "serialhb/daemon", "github.com/alecthomas/kong", "may not import github.com/alecthomas/kong"),
		imports("an adapter logs", "serialhb/link", "github.com/rs/zerolog", "may not import github.com/rs/zerolog"),
		imports("an adapter links the simulator", "serialhb/link", module+"/firmware-sim/rack", "may not import firmware-sim/rack"),
		imports("the fence agent links the simulator", "cmd/fence_serialhb", module+"/firmware-sim/rack", "may not import firmware-sim/rack"),
		imports("the program links a test helper", "cmd/serialhb", module+"/fencing/fencingtest", "may not import fencing/fencingtest"),
		imports("a name that only begins alike", "serialhb/link", "go.bug.st/serialport", "may not import go.bug.st/serialport"),
		imports("C", "gpio/cdev", "C", "may not import C"),
		imports("a new folder", "serialhb/novelty", "fmt", "serialhb/novelty/bad.go is in a folder that has no place"),
	},
}

func imports(what, dir, path, says string) breach {
	return breach{what, files{dir + "/bad.go": "package bad\n\nimport _ \"" + path + "\"\n"}, says}
}

// roomOf is the narrowest room that a folder lies in.
func roomOf(dir string) (best room, ok bool) {
	for _, r := range rooms {
		if covers(r.path, dir) && (!ok || len(r.path) > len(best.path)) {
			best, ok = r, true
		}
	}
	return best, ok
}

func covers(pattern, dir string) bool {
	base, below := strings.CutSuffix(pattern, "/...")
	return dir == base || below && strings.HasPrefix(dir, base+"/")
}

// refuses says what is wrong with an import, or nothing.
func (r room) refuses(path string) string {
	allowed := false
	if dir, ours := strings.CutPrefix(path, module+"/"); ours {
		path, allowed = dir, r.mayTake(dir)
	} else if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
		allowed = slices.ContainsFunc(r.other, func(m string) bool { return path == m || strings.HasPrefix(path, m+"/") })
	} else {
		allowed = path != "C" && (r.std == nil || slices.Contains(r.std, path))
	}
	if allowed {
		return ""
	}
	return fmt.Sprintf("%s may not import %s", r.path, path)
}

func (r room) mayTake(dir string) bool {
	for _, p := range r.ours {
		// What stands for a whole floor does not stand for the test helpers that live there.
		if target, ok := roomOf(dir); covers(p, dir) && ok && (p == dir || target.layer != testSide || covers(target.path, strings.TrimSuffix(p, "/..."))) {
			return true
		}
	}
	return false
}

// The table itself goes down only.
func TestRoomsGoDown(t *testing.T) {
	used := map[string]bool{}
	for _, r := range rooms {
		for _, p := range r.ours {
			target, ok := roomOf(strings.TrimSuffix(p, "/..."))
			if !ok && strings.HasSuffix(p, "/...") {
				continue // a floor, not a room
			}
			pair := r.path + " > " + p
			switch {
			case !ok:
				t.Errorf("%s: no such room", pair)
			case target.layer < r.layer || r.layer == testSide:
			case target.layer == testSide && (r.path == "cmd/serialhb/..." || r.path == "cmd/hbsim/..."):
			case sideways[pair] != "":
				used[pair] = true
			default:
				t.Errorf("%s goes from layer %d to layer %d", pair, r.layer, target.layer)
			}
		}
	}
	for pair := range sideways {
		if !used[pair] {
			t.Errorf("the exception %s is not needed", pair)
		}
	}
}

// fencingValues are the files of fencing that are layer 0.
var fencingValues = []string{"fencing/proof.go", "fencing/plan.go", "fencing/sequence.go"}

var fencingValuesLaw = law{
	name: "values of fencing",
	why:  "the decision may know proofs and plans, and nothing of fencing that has a clock, a context or a line",
	find: func(t *tree) (out []finding) {
		for _, f := range t.within("serialhb/failover") {
			ast.Inspect(f.ast, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if !ok {
					return true
				}
				used := t.types.used(id)
				if used == nil || used.Pkg() == nil || used.Pkg().Path() != module+"/fencing" {
					return true
				}
				if from := t.fset.Position(used.Pos()).Filename; !slices.Contains(fencingValues, from) {
					out = append(out, finding{t.at(id.Pos()), "uses fencing's " + id.Name + ", which lives in " + from})
				}
				return true
			})
		}
		return out
	},
	keeps: files{
		"fencing/proof.go":       "package fencing\ntype Proof uint8\nfunc (Proof) Good() bool { return true }\n",
		"fencing/target.go":      "package fencing\ntype Target struct{ P Proof }\n",
		"serialhb/failover/a.go": "package failover\nimport \"" + module + "/fencing\"\nvar ok = fencing.Proof(1).Good()\n",
	},
	breaks: []breach{{"the decision takes a device", files{
		"fencing/proof.go":       "package fencing\ntype Proof uint8\n",
		"fencing/target.go":      "package fencing\ntype Target struct{ P Proof }\n",
		"serialhb/failover/a.go": "package failover\nimport f \"" + module + "/fencing\"\nvar target *f.Target\n",
	}, "serialhb/failover/a.go:3 uses fencing's Target, which lives in fencing/target.go"},
		{"by a method", files{
			"fencing/proof.go":       "package fencing\ntype Proof uint8\n",
			"fencing/target.go":      "package fencing\nfunc (Proof) Wait() {}\n",
			"serialhb/failover/a.go": "package failover\nimport \"" + module + "/fencing\"\nfunc wait(p fencing.Proof) { p.Wait() }\n",
		}, "uses fencing's Wait"}},
}
