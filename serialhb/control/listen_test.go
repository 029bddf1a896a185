package control

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestListenRefuses(t *testing.T) {
	dir := t.TempDir()
	live := filepath.Join(dir, "live")
	s, err := Listen(live, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none", "s"): "is missing",
		live:                            "another daemon of this node runs, pid " + strconv.Itoa(os.Getpid()),
		file:                            "is no socket",
		filepath.Join(dir, strings.Repeat("long", 30)): "shorter run_dir",
	} {
		if other, err := Listen(path, 0o600, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
			if err == nil {
				other.Close()
			}
		}
	}
	if _, err := Listen(filepath.Join(dir, "s"), 0o600, "no-such-group"); err == nil || !strings.Contains(err.Error(), "no group") {
		t.Errorf("unknown group: %v", err)
	}
	if !exists(live) || !exists(file) {
		t.Error("a refused Listen removed something")
	}
}

// The live socket of a daemon that does not accept, because it is stopped, is not stale.
func TestFrozenDaemonIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for range 3 { // from some try on its queue is full
		if s, err := Listen(path, 0o600, ""); err == nil || !strings.Contains(err.Error(), "stop it first") {
			t.Errorf("got %v, %v", s, err)
		}
	}
}

func TestStaleSocketIsReplacedAndTheNewOneIsRight(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for _, name := range []string{path, path + "~"} { // one of a daemon that died, one of a daemon that died while it began
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: name}), unix.Listen(fd, 1), unix.Close(fd)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Listen(path, 0o640, strconv.Itoa(os.Getgid()))
	if err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || st.Mode&0o777 != 0o640 || int(st.Gid) != os.Getgid() {
		t.Errorf("mode %o, gid %d, %v", st.Mode&0o777, st.Gid, err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if exists(path) || exists(path+"~") {
		t.Error("Close without Serve left the socket")
	}
	if err := s.Serve(&script{}); err == nil {
		t.Error("a closed server serves")
	}
}

// Whoever replaced the socket by force keeps it.
func TestCloseLeavesAnotherSocketAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	other, err := Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := s.Close(); err != nil || !exists(path) {
		t.Errorf("close: %v, the other socket is there: %t", err, exists(path))
	}
}
