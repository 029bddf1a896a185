package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// places are where agents are installed.
var places = []string{"/usr/local/sbin", "/usr/sbin", "/sbin"}

// Find returns the absolute path of an agent that is called by its name alone, such as fence_ipmilan. A name with a slash
// in it has to be a whole path already.
func Find(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	if name == "" || strings.Contains(name, "/") {
		return "", fmt.Errorf("agent: find %q: give its name or its whole path", name)
	}
	for _, dir := range places {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return filepath.Join(dir, name), nil
		}
	}
	return "", fmt.Errorf("agent: find %s: it is in none of %s: install the package fence-agents or correct the name", name, strings.Join(places, ", "))
}

// maxLinks is how many links may lead from one to the next, as in the kernel.
const maxLinks = 40

// checkProgram refuses an agent that is not there or that somebody besides root and its owner could exchange: at the
// file, or at a directory that leads to it or to a link to it. It is done before every run, for it costs microseconds.
func checkProgram(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("find %s: %w: install the agent or correct the path", path, cause(err))
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return fmt.Errorf("find %s: %w: install the agent or correct the path", path, cause(err))
	case !info.Mode().IsRegular():
		return fmt.Errorf("run %s: it is no program: correct the path", path)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("run %s: it is not executable: chmod +x it", path)
	}
	if err := checkWriters(real, info); err != nil {
		return err
	}
	ways := []string{real}
	for at := filepath.Clean(path); len(ways) <= maxLinks; {
		ways = append(ways, at)
		to, err := os.Readlink(at)
		if err != nil {
			break // no link
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(at), to)
		}
		at = to
	}
	for _, way := range ways {
		if err := checkDirectories(filepath.Dir(way)); err != nil {
			return err
		}
	}
	return nil
}

// checkDirectories checks a directory and all above it. In a sticky one nobody can exchange what is not theirs, which
// will do for those above.
func checkDirectories(holds string) error {
	for dir := holds; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("check %s: %w", dir, cause(err))
		}
		if info.Mode()&os.ModeSticky == 0 || dir == holds {
			if err := checkWriters(dir, info); err != nil {
				return err
			}
		}
		if dir == "/" {
			return nil
		}
	}
}

func checkWriters(path string, info os.FileInfo) error {
	perm := info.Mode().Perm()
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case perm&0o002 != 0:
		return fmt.Errorf("everybody may write to %s, so anybody could decide who gets cut: chmod go-w it", path)
	case perm&0o020 != 0 && (!ok || st.Gid != 0):
		return fmt.Errorf("its group may write to %s: chmod g-w it", path)
	}
	return nil
}

// cause drops the path from a file error whose sentence names it already.
func cause(err error) error {
	if pe, ok := err.(*os.PathError); ok {
		return pe.Err
	}
	return err
}
