package main

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
)

// Whoever may use the control socket must get through to it; the files beside it are the daemon's own.
const (
	runMode   os.FileMode = 0o755
	stateMode os.FileMode = 0o700
)

const factsKind = "decision"

// lost says whether this process has lost the lock of its node to another one. From then on it writes nothing: what is
// there is the other's.
type lost struct{ err atomic.Pointer[error] }

func (l *lost) mark(err error) { l.err.Store(&err) }

func (l *lost) why() error {
	if err := l.err.Load(); err != nil {
		return *err
	}
	return nil
}

// facts is one kind of kept facts, in the form that the journal writes. It is safe for concurrent use.
type facts struct {
	dir   string
	mode  os.FileMode
	store interface {
		Save(kind string, v any) error
		Probe() error
	}
	lost *lost

	mu   sync.Mutex
	last any // that was saved; nil is nothing yet
}

// Save makes the directory again if somebody removed it. Each write is the whole of the facts, so nothing is missing.
func (f *facts) Save(v any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.save(v)
}

func (f *facts) save(v any) error {
	err := f.make(func() error { return f.store.Save(factsKind, v) })
	if err == nil {
		f.last = v
	}
	return err
}

// make does something in the directory, which it makes again if it has gone.
func (f *facts) make(do func() error) error {
	if err := f.lost.why(); err != nil {
		return err
	}
	err := do()
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if made := os.MkdirAll(f.dir, f.mode); made != nil {
		return errors.Join(err, made)
	}
	return do()
}

// again saves once more what was saved last: somebody removed it.
func (f *facts) again() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == nil {
		return nil
	}
	return f.save(f.last)
}

// Try finds out whether facts could be saved now.
func (f *facts) Try() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.make(f.store.Probe)
}
