package config

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/serialhb/serialhb/fencing"
)

// maxOptionsFile bounds a file of options, in bytes.
const maxOptionsFile = 64 << 10

// ReadOptions reads the options of a fence agent from a file that only its owner may read: a line NAME=VALUE for each,
// empty lines and those that begin with # left out. The value is all that follows the first =. The error is one sentence
// that says what to do, and never shows a value.
func ReadOptions(path string) (map[string]string, error) {
	bad := func(format string, args ...any) (map[string]string, error) {
		return nil, fmt.Errorf("config: read options %s: %w", path, fmt.Errorf(format, args...))
	}
	// Without waiting: a pipe in its place would hold up the daemon for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bad("%w; write it with a line NAME=VALUE for each option, and run chmod 600 on it", cause(err))
	case err != nil:
		return bad("%w; let the user of the daemon read it", cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return bad("%w; look at its disk", cause(err))
	case !info.Mode().IsRegular():
		return bad("it is no ordinary file; name the file with the options")
	case info.Mode().Perm()&forOthers != 0:
		return bad("others than its owner may use it (mode %04o); run chmod 600 %s", info.Mode().Perm(), path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxOptionsFile+1))
	switch {
	case err != nil:
		return bad("%w; look at its disk", cause(err))
	case len(data) > maxOptionsFile:
		return bad("it has more than %d bytes; name the file with the options", maxOptionsFile)
	}
	all, err := parseOptions(data)
	if err != nil {
		return bad("%w", err)
	}
	return all, nil
}

func parseOptions(data []byte) (map[string]string, error) {
	all := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxOptionsFile+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok {
			return nil, fmt.Errorf("line %d is no option; write it like NAME=VALUE", n)
		}
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("line %d gives the option %s again; remove one of the two", n, name)
		}
		one := fencing.AgentConfig{Name: "agent", Path: "/", Params: map[string]string{name: value}}
		if _, err := one.Complete(); err != nil {
			return nil, fmt.Errorf("line %d: %w; correct it", n, err)
		}
		all[name] = value
	}
	return all, lines.Err()
}

// AgentConfig is the whole description of the agent of a device, with what its file of options adds; Path is as it is in
// the file. root is where the file system of the node is. The error is one sentence that says what to do.
func (f *Fence) AgentConfig(root string) (fencing.AgentConfig, error) {
	full := *f.Agent
	full.Params = maps.Clone(f.Agent.Params)
	if f.OptionsFile == "" {
		return full, nil
	}
	more, err := ReadOptions(filepath.Join(root, f.OptionsFile))
	if err != nil {
		return full, err
	}
	for name, value := range more {
		if _, twice := full.Params[name]; twice {
			return full, fmt.Errorf("config: read options %s: the option %s stands in the configuration too; remove one of the two", f.OptionsFile, name)
		}
		if slices.Contains(fencing.AddressOptions, name) || name == "ipport" {
			return full, fmt.Errorf("config: read options %s: the option %s is no secret, and agents of one board have to be known as such; move it to [fence.options]", f.OptionsFile, name)
		}
		full.Params[name] = value
	}
	return full, nil
}

func (l *live) optionFiles(all []Fence) {
	for i := range all {
		if all[i].Agent == nil {
			continue
		}
		if _, err := all[i].AgentConfig(l.root); err != nil {
			text, fix := sentence(err, "config: read options ")
			l.findings = append(l.findings, all[i].Finding(Error, "options_file", "the options in "+text, fix))
		}
	}
}
