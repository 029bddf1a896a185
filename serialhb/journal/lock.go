package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// ErrTaken is wrapped where another process holds the lock.
var ErrTaken = errors.New("stop that one first, or run another node")

// Held is a lock that this process has taken. Its methods may be called from any goroutine.
type Held struct {
	dir, node string

	mu   sync.Mutex
	file *os.File // nil once it was given back
}

// Lock takes the run directory for one daemon of a node. The lock ends with [Held.Release] or with the process, however
// it ends. A second daemon gets an error that names the first one's process and wraps [ErrTaken].
func Lock(dir, node string) (*Held, error) {
	if !isWord(strings.ReplaceAll(node, ".", "-")) || node[0] == '.' {
		return nil, fmt.Errorf("journal: lock node: %q is no name for a node", node)
	}
	h := &Held{dir: dir, node: node}
	f, err := h.take()
	if err != nil {
		return nil, err
	}
	h.file = f
	return h, nil
}

// Renew takes the lock again if its file was removed, with its directory perhaps: whoever came now would find nothing that
// keeps it away. again says that it had to. What was held before is held until the new file is. An error that wraps
// [ErrTaken] says that another process was faster: this one must not write there any more. After any other error nobody
// has the lock, and a later Renew may get it.
func (h *Held) Renew() (again bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil {
		return false, fmt.Errorf("journal: lock node %s: it was given back", h.node)
	}
	if stillNamed(h.file, h.path()) {
		return false, nil
	}
	f, err := h.take()
	if err != nil {
		return false, err
	}
	_ = h.file.Close() // it locks a file without a name
	h.file = f
	return true, nil
}

// Release gives the lock back. It may be called again.
func (h *Held) Release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil {
		return nil
	}
	f := h.file
	h.file = nil
	_ = f.Truncate(0) // who held it is of no interest any more
	return f.Close()
}

func (h *Held) path() string { return filepath.Join(h.dir, h.node+".lock") }

// take opens and locks the file that others will find.
func (h *Held) take() (*os.File, error) {
	if err := makeDir(h.dir); err != nil {
		return nil, err
	}
	for {
		f, err := os.OpenFile(h.path(), os.O_RDWR|os.O_CREATE, fileMode)
		if err != nil {
			return nil, fmt.Errorf("journal: lock node %s: %w", h.node, explain(err, h.dir))
		}
		if err := flock(f); err != nil {
			defer f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, fmt.Errorf("journal: lock node %s: %s: %w", h.node, holder(f), ErrTaken)
			}
			return nil, fmt.Errorf("journal: lock node %s: %w", h.node, err)
		}
		if !stillNamed(f, h.path()) {
			f.Close()
			continue
		}
		if err := sign(f); err != nil {
			f.Close()
			return nil, fmt.Errorf("journal: lock node %s: %w", h.node, explain(err, h.dir))
		}
		return f, nil
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
