package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Lock takes the run directory for one daemon of a node. The lock ends with release or with the process, however it
// ends. A second daemon gets an error that names the first one's process.
func Lock(dir, node string) (release func() error, err error) {
	if !isWord(strings.ReplaceAll(node, ".", "-")) || node[0] == '.' {
		return nil, fmt.Errorf("journal: lock node: %q is no name for a node", node)
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, node+".lock")
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
		if err != nil {
			return nil, fmt.Errorf("journal: lock node %s: %w", node, explain(err, dir))
		}
		if err := flock(f); err != nil {
			defer f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, fmt.Errorf("journal: lock node %s: %s: stop that one first, or run another node", node, holder(f))
			}
			return nil, fmt.Errorf("journal: lock node %s: %w", node, err)
		}
		if !stillNamed(f, path) {
			f.Close()
			continue
		}
		if err := sign(f); err != nil {
			f.Close()
			return nil, fmt.Errorf("journal: lock node %s: %w", node, explain(err, dir))
		}
		return func() error {
			_ = f.Truncate(0)
			return f.Close()
		}, nil
	}
}

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR {
			return err
		}
	}
}

// stillNamed says whether the file is the one that others will find: it may have been removed while we waited for it.
func stillNamed(f *os.File, path string) bool {
	have, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(have, named)
}

func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func holder(f *os.File) string {
	text := make([]byte, 32)
	n, _ := f.ReadAt(text, 0)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n]))); err == nil {
		return fmt.Sprintf("it is run by process %d already", pid)
	}
	return "it is run by another process already"
}
