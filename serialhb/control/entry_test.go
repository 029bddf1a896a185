package control

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Somebody removed the run directory of a daemon that lives: it is found again, and whoever was inside stays.
func TestRenewListensAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plant-7")
	path := filepath.Join(dir, "alpha.sock")
	mustMake(t, dir)
	s, err := Listen(path, 0o640, "")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(&script{status: Status{Node: "alpha", Taken: noon(0)}}) }()
	inside := Dial(path)
	defer inside.Close()
	ask := func(c *Client) error {
		got, err := c.Status(context.Background())
		if err == nil && got.Node != "alpha" {
			t.Errorf("answered %+v", got)
		}
		return err
	}
	if err := ask(inside); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Renew(); again || err != nil {
		t.Fatalf("nothing has happened: again %t, %v", again, err)
	}
	for range 2 {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if again, err := s.Renew(); again || err == nil || !strings.Contains(err.Error(), "is missing") {
			t.Fatalf("without a directory: again %t, %v", again, err)
		}
		mustMake(t, dir)
		if again, err := s.Renew(); !again || err != nil {
			t.Fatalf("again %t, %v", again, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%v, %v", info, err)
		}
		newcomer := Dial(path)
		if err := errors.Join(ask(newcomer), ask(inside)); err != nil {
			t.Error(err)
		}
		newcomer.Close()
	}
	if err := errors.Join(s.Close(), <-done); err != nil {
		t.Error(err)
	}
	if again, err := s.Renew(); again || err != nil || exists(path) {
		t.Errorf("after the end: again %t, %v, the socket is there: %t", again, err, exists(path))
	}
}

// What bears the name by now may be another daemon's: it is left alone while it lives, and replaced when it is dead.
func TestRenewLeavesALiveSocketAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alpha.sock")
	s, err := Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	other, err := Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Renew(); again || err == nil || !strings.Contains(err.Error(), "another daemon of this node runs") {
		t.Errorf("again %t, %v", again, err)
	}
	if err := other.entry.now.Close(); err != nil { // it dies and leaves its name
		t.Fatal(err)
	}
	if again, err := s.Renew(); !again || err != nil {
		t.Errorf("again %t, %v", again, err)
	}
}

// A name that is taken while the server ends would never be taken away.
func TestEntryThatEndsIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alpha.sock")
	s, err := Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.entry.remove(); err != nil {
		t.Fatal(err)
	}
	fresh, err := listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	if s.entry.replace(fresh) || exists(path) {
		t.Errorf("replaced; the socket is there: %t", exists(path))
	}
}

func mustMake(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}
