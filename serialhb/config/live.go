package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// CheckLive looks at what can be known on this machine before the daemon runs: keys, ports, directories and commands. It
// opens no port, since that would move its modem lines, and it changes nothing. root is where the file system of the node
// is: "/" on the node itself. own is the process of this node's daemon, which may have the ports; 0 is none.
func (c *Config) CheckLive(root string, own int) []Finding {
	return c.checkLive(&live{root: root, own: own, writable: func(path string) error { return unix.Access(path, unix.W_OK|unix.X_OK) }})
}

func (c *Config) checkLive(l *live) []Finding {
	l.findings = c.checkKeys(l.root)
	for _, link := range c.Links {
		if link.Kind == Serial {
			l.port(link)
		}
	}
	l.directory(c.lines.runDir, c.RunDir)
	if l.directory(c.lines.stateDir, c.StateDir) {
		l.lasting(c.lines.stateDir, c.StateDir)
	}
	l.commands(c.Groups)
	l.optionFiles(c.Fences)
	return l.sorted()
}

// CheckCommands looks at the programs of the services as they are on this machine.
func (c *Config) CheckCommands() []Finding {
	l := &live{root: "/"}
	l.commands(c.Groups)
	return l.sorted()
}

type live struct {
	findings
	root string
	own  int
	// writable says whether this user may write to a directory.
	writable func(path string) error
}

func (l *live) at(path string) string { return filepath.Join(l.root, path) }

func (l *live) commands(groups []Group) {
	for _, g := range groups {
		for _, r := range g.Resources {
			if r.Kind != execKind {
				continue
			}
			l.command(r.start, r.Start)
			l.command(r.stop, r.Stop)
			l.command(r.status, r.Status)
		}
	}
}

// directory says whether the daemon can use a directory, or make it.
func (l *live) directory(at place, path string) bool {
	info, err := os.Stat(l.at(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		parent := filepath.Dir(path)
		for parent != "/" && missing(l.at(parent)) {
			parent = filepath.Dir(parent)
		}
		if err := l.writable(l.at(parent)); err != nil {
			l.warn(at, fmt.Sprintf("run install -d -m 750 -o USER %s with the user of the daemon, unless its service unit makes it", path), "%s = %q does not exist, and %s cannot be written to: %v", at.name(), path, parent, err)
		}
		return false
	case err != nil:
		l.bad(at, "correct the path", "%s = %q cannot be looked at: %v", at.name(), path, cause(err))
		return false
	case !info.IsDir():
		l.bad(at, "name a directory", "%s = %q is no directory", at.name(), path)
		return false
	}
	if err := l.writable(l.at(path)); err != nil {
		l.bad(at, "give it to the user of the daemon, and run this check as that user", "%s = %q cannot be written to: %v", at.name(), path, err)
	}
	return true
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// lasting warns of durable facts that would be gone after a reboot.
func (l *live) lasting(at place, path string) {
	var st unix.Statfs_t
	if err := unix.Statfs(l.at(path), &st); err != nil {
		l.bad(at, "correct the path", "state_dir = %q cannot be looked at: %v", path, err)
		return
	}
	// The type is signed, and on 32-bit machines too narrow for one of the values.
	if kind := uint32(st.Type); kind == unix.TMPFS_MAGIC || kind == unix.RAMFS_MAGIC {
		l.warn(at, fmt.Sprintf("write state_dir = %q, or another directory on a disk", defaultStateDir), "state_dir = %q is in memory, so who was last active is forgotten at a reboot", path)
	}
}

// Permission bits.
const (
	writableByOthers = 0o022
	anyExecute       = 0o111
)

// command looks at a program and at the directories on the way to it, links resolved: whoever may write there decides
// what a takeover runs. The daemon looks again before each run.
func (l *live) command(at place, argv []string) {
	path := argv[0]
	real, err := filepath.EvalSymlinks(l.at(path))
	if err != nil {
		l.bad(at, "install it, or correct the path", "%s cannot be found: %v", path, cause(err))
		return
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		l.bad(at, "install it, or correct the path", "%s cannot be looked at: %v", path, cause(err))
		return
	case !info.Mode().IsRegular():
		l.bad(at, "name a program", "%s is no ordinary file", path)
		return
	case info.Mode().Perm()&anyExecute == 0:
		l.bad(at, "run chmod +x "+path, "%s is not executable", path)
		return
	}
	for p := real; ; p = filepath.Dir(p) {
		if shared(p, p == filepath.Dir(real)) {
			l.bad(at, "run chmod go-w "+p, "others than its owner may write to %s, and so change what %s runs", p, at.name())
			return
		}
		if p == filepath.Clean(l.root) || p == filepath.Dir(p) {
			return
		}
	}
}

// shared says whether others than the owner of a path, or root's group, may write to it. In a sticky directory nobody can
// replace what is not theirs, which will do for all but the one that holds the program.
func shared(path string, holdsProgram bool) bool {
	info, err := os.Stat(path)
	if err != nil {
		return true
	}
	if info.IsDir() && info.Mode()&os.ModeSticky != 0 && !holdsProgram {
		return false
	}
	writable := info.Mode().Perm() & writableByOthers
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Gid == 0 {
		writable &^= 0o020
	}
	return writable != 0
}
