package resource

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckCommand(t *testing.T) {
	root := t.TempDir()
	mkdir := func(name string, mode os.FileMode) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name string, mode os.FileMode) { write(t, filepath.Join(root, name), "#!/bin/sh\n", mode) }
	link := func(name, target string) {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	mkdir("good", 0o755)
	mkdir("open", 0o777)
	mkdir("open/inner", 0o755)
	mkdir("sticky", 0o777|os.ModeSticky)
	mkdir("sticky/inner", 0o755)
	file("good/run", 0o755)
	file("good/plain", 0o644)
	file("good/world", 0o757)
	file("open/run", 0o755)
	file("open/inner/run", 0o755)
	file("sticky/run", 0o755)
	file("sticky/inner/run", 0o755)
	link("good/link", "run")
	link("good/up", "../good/run")
	link("good/to-open", "../open/inner/run")
	link("good/circle", "circle")
	link("open/link", "../good/run")
	link("linked-dir", "open/inner")

	for name, want := range map[string]string{
		"good/run":             "",
		"good/../good/run":     "",
		"good/link":            "",
		"good/up":              "",
		"sticky/inner/run":     "",
		"good/plain":           "chmod +x it",
		"good/world":           "everybody may write to " + root + "/good/world: chmod go-w it",
		"good/missing":         "no such file",
		"good/circle":          "circle",
		"good":                 "directory",
		"good/run/more":        "no directory",
		"open/run":             "everybody may write to " + root + "/open:",
		"open/inner/run":       "everybody may write to " + root + "/open:",
		"good/to-open":         "everybody may write to " + root + "/open:",
		"open/link":            "everybody may write to " + root + "/open:",
		"linked-dir/run":       "everybody may write to " + root + "/open:",
		"linked-dir/../../run": "everybody may write to " + root + "/open:",
		"sticky/run":           "everybody may write to " + root + "/sticky:",
	} {
		err := checkCommand(root + "/" + name)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if strings.HasPrefix(want, "everybody") && !errors.Is(err, ErrUnsafe) {
			t.Errorf("%s: %v is not ErrUnsafe", name, err)
		}
	}
	if err := checkCommand("/dev/null"); err == nil {
		t.Error("a device passed for a program")
	}
}

func TestGroupWritableIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run")
	write(t, path, "#!/bin/sh\n", 0o775)
	if os.Geteuid() == 0 {
		if err := os.Chown(path, 0, 12345); err != nil {
			t.Skip("cannot give a file to a group here: ", err)
		}
	}
	if err := checkCommand(path); !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), "chmod g-w") {
		t.Error(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(path, 0, 0); err != nil {
			t.Fatal(err)
		}
		if err := checkCommand(path); err != nil {
			t.Errorf("root's own group: %v", err)
		}
	}
}

// What others can change is refused for every action, at the check and at the run.
func TestUnsafeCommandDoesNotRun(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run")
	ran := filepath.Join(dir, "ran")
	write(t, path, "#!/bin/sh\ntouch "+ran+"\n", 0o757)
	e := newExec(t, ExecConfig{Start: []string{path}, Stop: []string{path}, Status: []string{path}})
	if err := e.Check(); !errors.Is(err, ErrUnsafe) || strings.Count(err.Error(), "refused") != 3 || strings.Contains(err.Error(), "\n") {
		t.Errorf("check: %v", err)
	}
	if err := e.Start(t.Context()); !errors.Is(err, ErrUnsafe) {
		t.Errorf("start: %v", err)
	}
	if err := e.Stop(t.Context()); !errors.Is(err, ErrUnsafe) {
		t.Errorf("stop: %v", err)
	}
	if state, err := e.Probe(t.Context()); state != Unknown || !errors.Is(err, ErrUnsafe) {
		t.Errorf("probe: %v, %v", state, err)
	}
	if exists(ran) {
		t.Fatal("it ran")
	}
	write(t, path, "#!/bin/sh\ntouch "+ran+"\n", 0o755)
	if err := e.Check(); err != nil {
		t.Errorf("check: %v", err)
	}
	if state, err := e.Probe(t.Context()); state != Running || err != nil || !exists(ran) {
		t.Errorf("probe: %v, %v", state, err)
	}
}

func TestCheckFindsAMissingDirectory(t *testing.T) {
	if err := newExec(t, ExecConfig{Status: sh("exit 0"), Dir: "/no/such/directory"}).Check(); err == nil {
		t.Error("accepted")
	}
}
