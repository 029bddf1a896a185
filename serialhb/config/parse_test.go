package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sections complete a file that a test is not about.
var sections = map[string]string{
	"cluster": "[cluster]\nname = 'p'\nkey_file = '/etc/serialhb/key'\n",
	"node":    "[[node]]\nname = 'alpha'\n[[node]]\nname = 'bravo'\n",
	"link": `[[link]]
name = 'cable'
kind = 'serial'
alpha = '/dev/ttyS0'
bravo = '/dev/ttyS0'
[[link]]
name = 'lan'
kind = 'udp'
alpha = '192.0.2.1:6940'
bravo = '192.0.2.2:6940'
`,
	"fence": relayFor("alpha") + relayFor("bravo"),
	"group": `[[group]]
name = 'web'
[[group.resource]]
kind = 'exec'
name = 'server'
start = ['/bin/true']
stop = ['/bin/true']
status = ['/bin/false']
`,
}

func relayFor(target string) string {
	return strings.ReplaceAll(`[[fence]]
target = 'TARGET'
device = 'relay'
line = 'sim:RELAY_TARGET'
cut = 'energise'
sense = 'sim:SENSE_TARGET'
sense_off = 'low'
sense_side = 'dc'
fail_safe = true
`, "TARGET", target)
}

// complete appends sections in the order in which a person would write them.
func complete(text string, names ...string) string {
	for _, name := range []string{"cluster", "node", "link", "fence", "group"} {
		if slices.Contains(names, name) {
			text += "\n" + sections[name]
		}
	}
	return text
}

func whole() string { return complete("", "cluster", "node", "link", "fence", "group") }

func TestCompleteSectionsAreGood(t *testing.T) {
	if _, found := Parse([]byte(whole()), ""); len(found) > 0 {
		t.Fatal(found)
	}
}

// TestBadFiles: each file is wrong exactly where it says so, in a comment of the form "#! severity: text => fix".
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.toml")
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".toml"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text := string(data)
			if first, _, _ := strings.Cut(text, "\n"); strings.HasPrefix(first, "#+ ") {
				text = complete(text, strings.Fields(first)[1:]...)
			}
			f, found := Parse([]byte(text), path)
			want := markers(t, text)
			for _, w := range want {
				if !slices.ContainsFunc(found, w.is) {
					t.Errorf("line %d: nothing found like %v: %q => %q", w.Line, w.Severity, w.Text, w.Fix)
				}
			}
			for _, f := range found {
				if !slices.ContainsFunc(want, func(w marker) bool { return w.is(f) }) {
					t.Errorf("not expected: %v", f)
				}
				if f.Fix == "" || f.Text == "" || f.Key == "" {
					t.Errorf("half a finding: %+v", f)
				}
			}
			if c, refused := f.For("alpha"); HasErrors(found) == (c != nil) || HasErrors(found) != HasErrors(refused) {
				t.Errorf("For: %v, %v", c, refused)
			}
		})
	}
}

type marker struct{ Finding }

func (w marker) is(f Finding) bool {
	return f.Line == w.Line && f.Severity == w.Severity && strings.Contains(f.Text, w.Text) && strings.Contains(f.Fix, w.Fix)
}

func markers(t *testing.T, text string) (all []marker) {
	for i, line := range strings.Split(text, "\n") {
		for _, m := range strings.Split(line, "#! ")[1:] {
			severity, rest, _ := strings.Cut(strings.TrimSpace(m), ": ")
			text, fix, ok := strings.Cut(rest, " => ")
			s := slices.Index(severityNames[:], severity)
			if s < 0 || !ok {
				t.Fatalf("line %d: cannot read marker %q", i+1, m)
			}
			all = append(all, marker{Finding{Severity: Severity(s), Line: i + 1, Text: text, Fix: fix}})
		}
	}
	return all
}

func TestLoadTellsOfAFileThatCannotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.toml")
	f, found := Load(path)
	if f == nil || len(found) != 1 || found[0].Severity != Error || !strings.Contains(found[0].Text, path+" cannot be read: no such file") {
		t.Fatal(f, found)
	}
	if c, refused := f.For("alpha"); c != nil || !HasErrors(refused) {
		t.Error("For accepts a file that was not read")
	}
	if err := os.WriteFile(path, []byte(whole()), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, found := Load(path); len(found) > 0 || f.Name != path || f.RunDir != defaultRunDir {
		t.Error(f, found)
	}
	if err := os.WriteFile(path, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, found := Load(path); len(found) != 1 || !strings.Contains(found[0].Text, "more than") {
		t.Error(found)
	}
}

func TestForNamesTheNodesThereAre(t *testing.T) {
	f, _ := Parse([]byte(whole()), "x.toml")
	c, found := f.For("charlie")
	if c != nil || len(found) != 1 || found[0].Text != `x.toml has no node named "charlie"` || found[0].Fix != "give --node one of alpha, bravo" {
		t.Error(c, found)
	}
}

// A file in the making still tells how to reach the daemon.
func TestAFileWithErrorsStillNamesItsCluster(t *testing.T) {
	f, found := Parse([]byte("[cluster]\nname = 'p'\nrun_dir = '/run/x'\n[timing]\ninterval = 5\n[[node]]\nname = 'alpha'\n"), "")
	if !HasErrors(found) || f.Cluster != "p" || f.RunDir != "/run/x" || !slices.Equal(f.Nodes, []string{"alpha"}) {
		t.Error(f, found)
	}
}

func TestNodeNames(t *testing.T) {
	for names, want := range map[string]string{
		"alpha alpha":                      "stands twice",
		"alpha Alpha":                      "stands twice",
		"alpha kind":                       "is a word of [[link]]",
		"alpha -x":                         "cannot be used",
		"alpha a.b":                        "cannot be used",
		"alpha ä":                          "cannot be used",
		"alpha " + strings.Repeat("a", 64): "cannot be used",
		"alpha":                            "there are 1 nodes",
		"a b c d e":                        "there are 5 nodes",
	} {
		text := ""
		for _, n := range strings.Fields(names) {
			text += fmt.Sprintf("[[node]]\nname = %q\n", n)
		}
		_, found := Parse([]byte(complete(text, "cluster", "group")), "")
		last := 2 * len(strings.Fields(names))
		if !slices.ContainsFunc(found, func(f Finding) bool {
			return f.Severity == Error && strings.Contains(f.Text, want) && (f.Line >= last-1 && f.Line <= last || f.Line == 1)
		}) {
			t.Errorf("%s: %v", names, found)
		}
	}
}

func TestTooManyGroupsAndSenses(t *testing.T) {
	groups, fences := "", ""
	for i := range 17 {
		groups += strings.ReplaceAll(sections["group"], "web", fmt.Sprint("g", i))
	}
	for i := range 9 {
		fences += strings.ReplaceAll(relayFor("alpha"), "_alpha", fmt.Sprint("_A", i))
	}
	for text, want := range map[string]string{
		complete(groups, "cluster", "node", "link", "fence"):                   "there are 17 groups, and 16 is the most",
		complete(fences+relayFor("bravo"), "cluster", "node", "link", "group"): "bravo has more than 8 senses of alpha",
	} {
		if _, found := Parse([]byte(text), ""); errorsIn(found) != 1 || !strings.Contains(found[0].Text, want) || found[0].Line == 0 {
			t.Error(want, found)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte(Example("plant-7"))
	b.ReportAllocs()
	for b.Loop() {
		f, found := Parse(text, "")
		if c, _ := f.For("alpha"); c == nil {
			b.Fatal(found)
		}
	}
}
