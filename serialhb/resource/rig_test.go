package resource

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen. It is never waited out when all is well.
const patience = 30 * time.Second

// helperDir makes the test binary play the daemon: it starts one resource and stays.
const helperDir = "RESOURCE_TEST_HELPER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		helper(dir)
	}
	os.Exit(m.Run())
}

func helper(dir string) {
	script, err := os.ReadFile(filepath.Join(dir, "script"))
	if err != nil {
		os.Exit(1)
	}
	e, err := NewExec(ExecConfig{Name: "web", Start: sh(string(script)), Stop: sh("exit 0"), Dir: dir})
	if err != nil {
		os.Exit(1)
	}
	if err := e.Start(context.Background()); err != nil {
		os.Exit(1)
	}
	if err := os.WriteFile(filepath.Join(dir, "returned"), nil, 0o600); err != nil {
		os.Exit(1)
	}
	select {}
}

// startHelper runs the script as a start command under a daemon of its own.
func startHelper(t *testing.T, dir, script string) *exec.Cmd {
	t.Helper()
	write(t, filepath.Join(dir, "script"), script, 0o600)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

func sh(script string) []string { return []string{"/bin/sh", "-c", script} }

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// newExec makes a resource whose commands run in dir, with time-outs long enough for any machine.
func newExec(t *testing.T, cfg ExecConfig) *Exec {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "web"
	}
	if cfg.Start == nil {
		cfg.Start = sh("exit 0")
	}
	if cfg.Stop == nil {
		cfg.Stop = sh("exit 0")
	}
	if cfg.StatusTimeout == 0 {
		cfg.StatusTimeout = patience
	}
	e, err := NewExec(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// number reads a file with one number, -1 if there is none yet.
func number(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return -1
	}
	return n
}
