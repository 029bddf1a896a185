package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/serialhb/serialhb"

// tree is the source of the house, or a piece made up for a self-test. Paths have slashes and begin at the top.
type tree struct {
	fset  *token.FileSet
	files []*file
	types *typing
}

type file struct {
	path string
	text string
	ast  *ast.File // nil if it is not Go, or does not parse
	err  error     // why it does not
}

func newTree(content files) *tree {
	t := &tree{fset: token.NewFileSet()}
	for _, p := range slices.Sorted(maps.Keys(content)) {
		f := &file{path: p, text: content[p]}
		if f.isGo() {
			f.ast, f.err = parser.ParseFile(t.fset, p, f.text, parser.ParseComments|parser.SkipObjectResolution)
			if f.err != nil {
				f.ast = nil
			}
		}
		t.files = append(t.files, f)
	}
	t.types = newTyping(t)
	return t
}

func (f *file) isGo() bool      { return strings.HasSuffix(f.path, ".go") }
func (f *file) isTest() bool    { return strings.HasSuffix(f.path, "_test.go") }
func (f *file) dir() string     { return path.Dir(f.path) }
func (f *file) imports() []spec { return importsOf(f.ast) }

type spec struct {
	path string
	pos  token.Pos
}

func importsOf(a *ast.File) (out []spec) {
	if a == nil {
		return nil
	}
	for _, i := range a.Imports {
		out = append(out, spec{strings.Trim(i.Path.Value, "`\""), i.Pos()})
	}
	return out
}

// at is a position as people write it.
func (t *tree) at(p token.Pos) string {
	where := t.fset.Position(p)
	return fmt.Sprintf("%s:%d", where.Filename, where.Line)
}

// shipped are the Go files that are no tests.
func (t *tree) shipped() (out []*file) {
	for _, f := range t.files {
		if f.ast != nil && !f.isTest() {
			out = append(out, f)
		}
	}
	return out
}

// within are the shipped files of one folder.
func (t *tree) within(dir string) []*file {
	return slices.DeleteFunc(t.shipped(), func(f *file) bool { return f.dir() != dir })
}

// readTree reads the house: all that a commit would hold. Folders that begin with a dot belong to tools, but for .ci,
// which is ours.
func readTree(t *testing.T) *tree {
	t.Helper()
	top := topFolder(t)
	ignored := ignores(t, filepath.Join(top, ".gitignore"))
	content := files{}
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == top {
			return err
		}
		rel, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && rel != ".ci":
			return fs.SkipDir
		case d.IsDir() && ignored(rel):
			return fs.SkipDir
		case !d.Type().IsRegular() || ignored(rel):
			return nil
		}
		text, err := os.ReadFile(name)
		content[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	house := newTree(content)
	// A walk that went astray would find no fault with anything.
	for _, room := range []string{"serialhb/pulse", "serialhb/detect", "serialhb/failover", "fencing", "gpio"} {
		if len(house.within(room)) == 0 {
			t.Fatalf("no Go files were found in %s", room)
		}
	}
	return house
}

func topFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if mod, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			if !bytes.HasPrefix(mod, []byte("module "+module+"\n")) {
				t.Fatalf("%s/go.mod is of another module", dir)
			}
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above this folder")
		}
		dir = up
	}
}

// ignores reads the two sorts of lines that our .gitignore has: /name at the top, and *.ending anywhere.
func ignores(t *testing.T, name string) func(string) bool {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var tops, endings []string
	for line := range strings.Lines(string(text)) {
		switch line = strings.TrimSpace(line); {
		case line == "" || line[0] == '#':
		case line[0] == '/' && !strings.ContainsAny(line[1:], "*?[/"):
			tops = append(tops, line[1:])
		case strings.HasPrefix(line, "*.") && !strings.ContainsAny(line[2:], "*?[/"):
			endings = append(endings, line[1:])
		default:
			t.Fatalf("%s has the line %q: teach this test to read it", name, line)
		}
	}
	return func(rel string) bool {
		return slices.Contains(tops, rel) || slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(rel, e) })
	}
}
