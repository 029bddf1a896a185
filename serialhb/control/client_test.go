package control

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestNoDaemon(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "no", "dir"), stale} {
		if _, err := Dial(path).Status(t.Context()); !errors.Is(err, ErrNoDaemon) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// frozen listens and never answers.
func frozen(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "frozen")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return path
}

func TestFrozenDaemonIsATimeout(t *testing.T) {
	c := Dial(frozen(t))
	ctx := context.Background()
	none := func(Event) error { return nil }
	for name, ask := range map[string]func() error{
		"status":  func() error { _, err := c.Status(ctx); return err },
		"why":     func() error { _, err := c.Why(ctx, 0); return err },
		"command": func() error { _, err := c.Command(ctx, Request{Command: "arm"}); return err },
		"events":  func() error { return c.Events(ctx, 0, none) },
		"follow":  func() error { return c.Follow(ctx, 0, none) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			err := ask()
			if took := time.Since(began); !errors.Is(err, ErrTimeout) || took < answerTime || took > 15*time.Second {
				t.Errorf("after %v: %v", took, err)
			}
			if unknown := strings.Contains(err.Error(), "not known whether"); unknown != (name == "command") {
				t.Errorf("sentence: %v", err)
			}
		})
	}
}

func TestFullQueueIsATimeout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for {
		conn, err := net.Dial("unix", path)
		if err != nil {
			break
		}
		defer conn.Close()
	}
	if _, err := Dial(path).Status(t.Context()); !errors.Is(err, ErrTimeout) {
		t.Errorf("got %v", err)
	}
}

// A caller who gives up is not told that the daemon is late.
func TestOwnEndOfContext(t *testing.T) {
	c := Dial(frozen(t))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Status(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout) {
		t.Errorf("got %v", err)
	}
}

// An answer that breaks off is the end of the daemon, not an empty answer.
func TestBrokenAnswers(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":      "",
		"half a head":  "HTTP/1.1 200 OK\r\n",
		"half a body":  "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"node\":\"alpha\"",
		"half a chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
	} {
		path := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan bool)
		go func() {
			defer close(done)
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			io.WriteString(conn, text)
			conn.Close()
		}()
		if err := Dial(path).Events(t.Context(), 0, func(Event) error { return nil }); !errors.Is(err, ErrNoDaemon) {
			t.Errorf("%s: %v", name, err)
		}
		<-done
		l.Close()
	}
}

// TestStranger visits as nobody: once kept out by the mode of the socket, once let in by it and turned away by the
// daemon.
func TestStranger(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	dir, err := os.MkdirTemp("", "control")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "visitor")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(binary, self, 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name   string
		mode   os.FileMode
		groups []uint32
		want   string
	}{
		{"mode", 0o660, nil, "true you may not talk to the daemon"},
		{"daemon", 0o666, nil, "true user nobody (uid 65534) may not talk to this daemon: become root, or join the group with gid 0"},
		{"member", 0o660, []uint32{0}, "false <nil>"},
	} {
		path := filepath.Join(dir, x.name)
		s, err := Listen(path, x.mode, "")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- s.Serve(&script{status: wellStatus()}) }()
		cmd := exec.Command(binary)
		cmd.Env = []string{"CONTROL_TEST_VISIT=" + path}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534, Groups: x.groups}}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), x.want) {
			t.Errorf("%s: %v, %s", x.name, err, out)
		}
		if err := errors.Join(s.Close(), <-done); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkStatus(b *testing.B) {
	path := filepath.Join(b.TempDir(), "s")
	s, err := Listen(path, 0o600, "")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(&script{status: wellStatus()}) }()
	c := Dial(path)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Status(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
	if err := errors.Join(s.Close(), <-done); err != nil {
		b.Error(err)
	}
}
