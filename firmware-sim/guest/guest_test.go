package guest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestConsole(t *testing.T) {
	for _, c := range []struct {
		said  string
		told  string
		ended bool
		exit  int
	}{
		{said: "one\r\ntwo\r\n\r\n" + lastLine + "3\r\n[ 4.0] reboot: Power down\r\n", told: "one\ntwo\n\n[ 4.0] reboot: Power down\n", ended: true, exit: 3},
		{said: "it says " + lastLine + "0\n", told: "it says " + lastLine + "0\n"},
		{said: lastLine + "soon\n", told: lastLine + "soon\n"},
		{said: "half a line", told: "half a line\n"},
	} {
		for _, size := range []int{1, 7, len(c.said)} {
			var out bytes.Buffer
			con := console{out: &out}
			for rest := []byte(c.said); len(rest) > 0; rest = rest[min(size, len(rest)):] {
				if n, err := con.Write(rest[:min(size, len(rest))]); err != nil || n != min(size, len(rest)) {
					t.Fatal(n, err)
				}
			}
			con.flush()
			if out.String() != c.told || con.ended != c.ended || con.exit != c.exit || con.err != nil {
				t.Errorf("%q by %d: told %q, ended %t, exit %d, %v", c.said, size, &out, con.ended, con.exit, con.err)
			}
		}
	}
}

// emulator puts a shell script in the place of the emulator.
func emulator(t *testing.T, script string) Machine {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, Emulator), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("TMPDIR", dir)
	return Machine{Kernel: "/no/kernel", Init: filepath.Join(dir, Emulator), Command: []string{"true"}, Processors: 1, Memory: 64, Out: &bytes.Buffer{}}
}

func TestRunTellsHowItEnded(t *testing.T) {
	for _, c := range []struct {
		script string
		exit   int
		want   string
	}{
		{"echo '" + lastLine + "0'", 0, ""},
		{"echo '" + lastLine + "137'", 137, ""},
		{"echo Kernel panic", 0, "it stopped before its command ended; it said last: Kernel panic"},
		{"exit 0", 0, "it said last: nothing"},
		{"echo '" + lastLine + "0'; echo could not load the kernel >&2; exit 1", 0, "exit status 1: could not load the kernel"},
	} {
		m := emulator(t, c.script)
		exit, err := Run(t.Context(), m)
		if exit != c.exit || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: exit %d, %v", c.script, exit, err)
		}
		if left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "guest-*")); len(left) > 0 {
			t.Errorf("%s: left behind: %q", c.script, left)
		}
	}
}

func TestALimitEndsTheGuest(t *testing.T) {
	m := emulator(t, "echo $$; exec sleep 600")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, errors.New("it took longer than promised"))
	defer cancel()
	_, err := Run(ctx, m)
	if err == nil || !strings.Contains(err.Error(), "it took longer than promised") {
		t.Error(err)
	}
	pid := strings.TrimSpace(m.Out.(*bytes.Buffer).String())
	if _, err := os.Stat("/proc/" + pid); pid == "" || err == nil {
		t.Errorf("process %q still runs: %v", pid, err)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Run(t.Context(), Machine{}); !errors.Is(err, ErrNoEmulator) {
		t.Error(err)
	}
	if _, err := Kernel(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "apt-get is missing; run `apt-get update` on a Debian machine, or name a kernel") {
		t.Error(err)
	}
	if _, err := Zones(t.Context()); err == nil || !strings.Contains(err.Error(), "find time zones") {
		t.Error(err)
	}
}

func TestTheNewestKernelIsTaken(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"vmlinuz-6.1.0-9", "vmlinuz-6.12.1", "vmlinuz-6.1.0-56"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		// The newest is the one that was fetched last, whatever its number looks like.
		old := time.Now().Add(-time.Hour)
		if name != "vmlinuz-6.12.1" {
			if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("PATH", "")
	if file, err := Kernel(t.Context(), dir); err != nil || filepath.Base(file) != "vmlinuz-6.12.1" {
		t.Error(file, err)
	}
}

func TestTheDependencyIsTheKernel(t *testing.T) {
	said := kernelPackage + "\n  Depends: linux-image-6.1.0-56-cloud-amd64\n  Recommends: other\n"
	if name := dependency(said); name != "linux-image-6.1.0-56-cloud-amd64" {
		t.Error(name)
	}
	if name := dependency("  Suggests: other\n"); name != "" {
		t.Error(name)
	}
}

func TestZones(t *testing.T) {
	all, err := Zones(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, f := range all {
		if found[f.Path] = true; !bytes.HasPrefix(f.Text, []byte("TZif")) {
			t.Errorf("%s is no time zone", f.Path)
		}
	}
	for _, path := range []string{"/etc/localtime", zoneFolder + "/UTC", zoneFolder + "/Asia/Kathmandu"} {
		if !found[path] {
			t.Errorf("%s is not there", path)
		}
	}
}

func TestInitIsTheFirstProcessOnly(t *testing.T) {
	if err := Init(); err == nil || !strings.Contains(err.Error(), "first process of a guest") {
		t.Error(err)
	}
}

// A real machine: its command is told by its second, ordinary process that it is no first one, and says so.
func TestAGuestBootsAndRunsACommand(t *testing.T) {
	if testing.Short() {
		t.Skip("boots an emulated machine: run without -short")
	}
	if _, err := exec.LookPath(Emulator); err != nil {
		t.Skip("no emulator: install the Debian package qemu-system-x86")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	kernel, err := Kernel(t.Context(), filepath.Join(cache, "hbsim"))
	if err != nil {
		t.Skip("no Debian kernel for a guest: ", err)
	}
	program := filepath.Join(t.TempDir(), "hbsim")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "github.com/serialhb/serialhb/cmd/hbsim")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var out bytes.Buffer
	ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Minute, errors.New("it did not end"))
	defer cancel()
	exit, err := Run(ctx, Machine{Kernel: kernel, Init: program, Files: []File{{Path: "/bin/hbsim", Mode: 0o755, From: program}},
		Command: []string{"hbsim", "guest-init"}, Processors: 2, Memory: 512, Out: &out})
	if err != nil || exit != 1 || !strings.Contains(out.String(), "this is the first process of a guest") {
		t.Errorf("exit %d, %v\n%s", exit, err, &out)
	}
}
