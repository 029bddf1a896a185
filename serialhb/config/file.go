package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// File is a file that was read. It is not changed afterwards and may be read from any goroutine.
type File struct {
	Name string // as it was given
	// Cluster, RunDir and Nodes are what the file says as far as it could be read, so that a running daemon can be
	// reached although somebody is just editing its file.
	Cluster, RunDir string
	Nodes           []string

	model  *model
	errors int
}

// Load reads a file. The File is never nil; with an error among the findings, [File.For] refuses.
func Load(path string) (*File, []Finding) {
	data, mode, err := readFile(path)
	if err != nil {
		return &File{Name: path, errors: 1}, []Finding{{
			Severity: Error, Key: "file",
			Text: fmt.Sprintf("%s cannot be read: %v", path, err),
			Fix:  "name the file with --config, or write one with serialhb example",
		}}
	}
	f, found := Parse(data, path)
	if mode.Perm()&forOthers != 0 && f.model != nil && len(f.model.secrets) > 0 {
		all := findings(found)
		all.bad(f.model.secrets[0], fmt.Sprintf("put it into a file of its own with options_file = \"/etc/serialhb/NAME.options\", or run chmod 600 %s", path),
			"%s is a secret, and others than its owner may read %s (mode %04o)", f.model.secrets[0].name(), path, mode.Perm())
		f.errors++
		found = all.sorted()
	}
	return f, found
}

// readFile reads at most a little more than a file may have.
func readFile(path string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, cause(err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return data, info.Mode(), cause(err)
}

// cause drops the path from a file error whose sentence names it already.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// Parse does the same for the bytes of a file; name is for people.
func Parse(data []byte, name string) (*File, []Finding) {
	raw, found, readable := decode(data)
	f := &File{Name: name, Cluster: raw.Cluster.Name.v, RunDir: raw.Cluster.RunDir.v}
	if f.RunDir == "" {
		f.RunDir = defaultRunDir
	}
	for _, n := range raw.Node {
		f.Nodes = append(f.Nodes, n.Name.v)
	}
	if readable {
		c := &check{raw: raw, findings: found}
		c.all()
		found = c.findings
		f.model = &c.model
	}
	f.errors = errorsIn(found)
	return f, found.sorted()
}

// For gives the values of one node. The Config is nil if there is a finding: the file has errors, or no such node.
func (f *File) For(node string) (*Config, []Finding) {
	if f.errors > 0 {
		return nil, []Finding{{
			Severity: Error, Key: "file",
			Text: fmt.Sprintf("%s has %d error(s)", f.Name, f.errors),
			Fix:  "run serialhb check --config " + f.Name + " and correct what it names",
		}}
	}
	for me, n := range f.model.nodes {
		if n.Name == node {
			return f.model.config(me), nil
		}
	}
	return nil, []Finding{{
		Severity: Error, Key: "node",
		Text: fmt.Sprintf("%s has no node named %q", f.Name, node),
		Fix:  "give --node one of " + strings.Join(f.Nodes, ", "),
	}}
}
