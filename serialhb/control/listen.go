package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxPath is what fits into a socket address with its closing zero, less one for the name it is born under.
	maxPath = 106
	// lockTime is how long a starting daemon waits for another one that is just starting.
	lockTime = 2 * time.Second
	// liveTime is how long the owner of a socket that exists may take to accept.
	liveTime = time.Second
)

// Server is the daemon's end of the control socket. Make it with [Listen], run it with [Server.Serve], end it with
// [Server.Close].
type Server struct {
	path  string
	mode  fs.FileMode
	group string
	door  door
	entry *entry

	beat   time.Duration // between two empty lines to a follower
	ctx    context.Context
	end    context.CancelFunc
	served chan struct{} // closed when Serve has returned, or will never run
	begun  sync.Once
	closed sync.Once
	err    error // of Close
}

// Listen takes the socket at path, with a mode and a group (a name or a number; "" leaves the daemon's own). A socket
// left by a daemon that has died is replaced. It is refused if a daemon still holds it, frozen ones included, and if
// the directory is missing. Nobody is answered before [Server.Serve].
func Listen(path string, mode fs.FileMode, group string) (*Server, error) {
	b, err := listen(path, mode, group)
	if err != nil {
		return nil, fmt.Errorf("control: listen on %s: %w", path, err)
	}
	ctx, end := context.WithCancel(context.Background())
	return &Server{
		path: path, mode: mode, group: group, door: newDoor(b.gid), entry: &entry{path: path, now: b},
		beat: beatTime, ctx: ctx, end: end, served: make(chan struct{}),
	}, nil
}

// Renew listens again if the socket's name has gone or is another file's, as after somebody removed the run directory:
// nobody would find the daemon any more. again says that it had to. Connections that are open stay. An error says why it
// cannot be, and a later Renew may succeed. It may be called from any goroutine, and does nothing once the server ends.
func (s *Server) Renew() (again bool, err error) {
	if s.ctx.Err() != nil || s.entry.named() {
		return false, nil
	}
	b, err := listen(s.path, s.mode, s.group)
	if err != nil {
		return false, fmt.Errorf("control: listen again on %s: %w", s.path, err)
	}
	return s.entry.replace(b), nil
}

func listen(path string, mode fs.FileMode, group string) (*bound, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("the path has %d bytes and a socket takes %d; choose a shorter run_dir", len(path), maxPath)
	}
	gid := -1
	if group != "" {
		id, err := groupID("/etc/group", group)
		if err != nil {
			return nil, err
		}
		gid = int(id)
	}
	unlock, err := lockDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := vacate(path); err != nil {
		return nil, err
	}
	return bind(path, mode, gid)
}

// lockDir keeps two daemons that start together from each taking the other's fresh socket for a stale one.
func lockDir(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(dir, unix.O_DIRECTORY|os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the run directory %s is missing; create it, or start the daemon through systemd, which does", dir)
	}
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(lockTime); ; time.Sleep(10 * time.Millisecond) {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || time.Now().After(until) {
			f.Close()
			return nil, fmt.Errorf("the run directory %s is locked by another program: %w", dir, err)
		}
	}
}

// vacate refuses a path that is in use. A stale socket may stay: [bind] replaces it.
func vacate(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("something that is no socket lies there; remove it")
	}
	conn, err := net.DialTimeout("unix", path, liveTime)
	if errors.Is(err, unix.ECONNREFUSED) {
		return nil
	}
	if err != nil { // a full queue, say: somebody is there and does not accept
		return fmt.Errorf("it cannot be told whether another daemon of this node runs (%w); stop it first", err)
	}
	defer conn.Close()
	cred, err := credentials(conn.(*net.UnixConn))
	if err != nil {
		return fmt.Errorf("another daemon of this node runs (%w); stop it first", err)
	}
	return fmt.Errorf("another daemon of this node runs, pid %d; stop it first", cred.Pid)
}

// bind makes the socket under another name, so that nobody ever sees it with a wrong mode or group.
func bind(path string, mode fs.FileMode, gid int) (b *bound, err error) {
	born := path + "~"
	if err := os.Remove(born); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: born, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it would remove a name that is gone, and not the one that is there
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close(), gone(os.Remove(born)))
		}
	}()
	if gid >= 0 {
		if err := os.Chown(born, -1, gid); err != nil {
			return nil, fmt.Errorf("give the socket to its group: %w; run the daemon as root or as a member", err)
		}
	}
	if err := os.Chmod(born, mode); err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Stat(born, &st); err != nil {
		return nil, err
	}
	info, err := os.Lstat(born)
	if err != nil {
		return nil, err
	}
	if err := os.Rename(born, path); err != nil {
		return nil, err
	}
	return &bound{UnixListener: l, file: info, gid: st.Gid}, nil
}
