package control

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"sync"
)

// bound is a listening socket with the file that it was given as its name.
type bound struct {
	*net.UnixListener
	file fs.FileInfo
	gid  uint32
}

// entry is where visitors come in. The socket behind it can be replaced by one that bears the name again.
type entry struct {
	path string

	mu     sync.Mutex
	now    *bound
	ending bool // nothing replaces it any more
}

var _ net.Listener = (*entry)(nil)

func (e *entry) current() *bound {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

// Accept takes the next visitor, of whatever socket is the entry by then.
func (e *entry) Accept() (net.Conn, error) {
	for {
		from := e.current()
		conn, err := from.Accept()
		if err == nil || e.current() == from {
			return conn, err
		}
	}
}

func (e *entry) Addr() net.Addr { return e.current().Addr() }

func (e *entry) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ending = true
	return e.now.Close()
}

// named says whether visitors find this entry under its name.
func (e *entry) named() bool { return e.current().bears(e.path) }

// replace puts a new socket in the place of the one that lost its name. false is that the entry ended meanwhile.
func (e *entry) replace(fresh *bound) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ending {
		_ = errors.Join(fresh.Close(), fresh.remove(e.path)) // nobody was let in yet
		return false
	}
	_ = e.now.Close() // it can fail in no way that matters: nobody finds it
	e.now = fresh
	return true
}

// remove takes the name away, unless it is another daemon's by now.
func (e *entry) remove() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ending = true
	return e.now.remove(e.path)
}

// bears says whether a name is that of this socket.
func (b *bound) bears(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && os.SameFile(info, b.file)
}

func (b *bound) remove(path string) error {
	if !b.bears(path) {
		return nil
	}
	return gone(os.Remove(path))
}

// gone passes on any error but that of a file that is not there.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
