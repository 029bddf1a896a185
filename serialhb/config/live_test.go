package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// host is a directory that looks like the file system of a node on which all is well.
func host(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, d := range []string{"dev", "bin", "etc/serialhb", "run/serialhb", "var/lib/serialhb", "sys/class/tty/console", "proc/tty", "proc/77/fd", "proc/78/fd"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// A device that every machine has; nothing opens it.
	link(t, "/dev/null", filepath.Join(root, "dev/ttyS0"))
	var st syscall.Stat_t
	if err := syscall.Stat("/dev/null", &st); err != nil {
		t.Fatal(err)
	}
	drivers := fmt.Sprintf("/dev/tty /dev/tty 5 0 system:/dev/tty\nserial /dev/ttyS %d 1-%d serial\n", unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev)))
	write(t, root+"/proc/tty/drivers", drivers, 0o444)
	for _, program := range []string{"true", "false"} {
		write(t, filepath.Join(root, "bin", program), "#!/bin/sh\n", 0o755)
	}
	if err := WriteKey(filepath.Join(root, "etc/serialhb/key")); err != nil {
		t.Fatal(err)
	}
	return root
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestCheckLive(t *testing.T) {
	lines := map[string]int{
		"cluster.key_file": 4, "cluster.run_dir": 2, "cluster.state_dir": 2, "link[1].alpha": 14,
		"group[1].resource[1].start": 46, "group[1].resource[1].stop": 47, "group[1].resource[1].status": 48,
	}
	null := func(t *testing.T) uint64 {
		var st syscall.Stat_t
		if err := syscall.Stat("/dev/null", &st); err != nil {
			t.Fatal(err)
		}
		return uint64(st.Rdev)
	}
	for name, c := range map[string]struct {
		change func(t *testing.T, root string)
		want   []string // severity and text; none: all is well
	}{
		"all is well": {func(*testing.T, string) {}, nil},
		"no port": {func(t *testing.T, root string) { remove(t, root, "dev/ttyS0") },
			[]string{"warning: link[1].alpha: link cable: /dev/ttyS0 cannot be found"}},
		"no device": {func(t *testing.T, root string) { remove(t, root, "dev/ttyS0"); write(t, root+"/dev/ttyS0", "", 0o600) },
			[]string{"error: link[1].alpha: link cable: /dev/ttyS0 is no terminal"}},
		"no terminal": {func(t *testing.T, root string) { remove(t, root, "dev/ttyS0"); link(t, "/dev/zero", root+"/dev/ttyS0") },
			[]string{"error: link[1].alpha: link cable: /dev/ttyS0 is no terminal"}},
		"no terminal, and nobody lists them": {func(t *testing.T, root string) { remove(t, root, "proc/tty/drivers") },
			[]string{"error: link[1].alpha: link cable: /dev/ttyS0 is no terminal"}},
		"drivers that nobody understands": {func(t *testing.T, root string) {
			remove(t, root, "proc/tty/drivers")
			write(t, root+"/proc/tty/drivers", "new\n\nserial /dev/ttyS 1 many serial\n", 0o444)
		}, nil},
		"console": {func(t *testing.T, root string) {
			write(t, root+"/sys/class/tty/console/active", "tty0 ttyS9\n", 0o644)
			if err := os.MkdirAll(root+"/sys/class/tty/ttyS9", 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, root+"/sys/class/tty/ttyS9/dev", fmt.Sprintf("%d:%d\n", unix.Major(null(t)), unix.Minor(null(t))), 0o644)
		}, []string{"error: link[1].alpha: link cable: /dev/ttyS0 is the kernel's console ttyS9"}},
		"another console": {func(t *testing.T, root string) {
			write(t, root+"/sys/class/tty/console/active", "ttyS9\n", 0o644)
			if err := os.MkdirAll(root+"/sys/class/tty/ttyS9", 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, root+"/sys/class/tty/ttyS9/dev", "4:64\n", 0o644)
		}, nil},
		"held": {func(t *testing.T, root string) {
			link(t, "/dev/zero", root+"/proc/77/fd/0")
			link(t, "/dev/null", root+"/proc/77/fd/5")
			write(t, root+"/proc/77/comm", "minicom\n", 0o644)
		}, []string{"error: link[1].alpha: link cable: /dev/ttyS0 is in use by minicom (process 77)"}},
		"held by another daemon": {func(t *testing.T, root string) {
			link(t, "/dev/null", root+"/proc/77/fd/5")
			write(t, root+"/proc/77/comm", "serialhb\n", 0o644)
		}, []string{"warning: link[1].alpha: link cable: /dev/ttyS0 is in use by process 77, which is called serialhb too"}},
		"held by the daemon of this node": {func(t *testing.T, root string) {
			link(t, "/dev/null", root+"/proc/78/fd/5")
			write(t, root+"/proc/78/comm", "serialhb\n", 0o644)
		}, nil},
		"held by both": {func(t *testing.T, root string) {
			link(t, "/dev/null", root+"/proc/78/fd/5")
			link(t, "/dev/null", root+"/proc/77/fd/5")
			write(t, root+"/proc/77/comm", "minicom\n", 0o644)
		}, []string{"error: link[1].alpha: link cable: /dev/ttyS0 is in use by minicom (process 77)"}},
		"another device held": {func(t *testing.T, root string) {
			link(t, "/dev/zero", root+"/proc/77/fd/0")
			write(t, root+"/proc/77/fd/1", "", 0o600)
			link(t, "none", root+"/proc/77/fd/2")
		}, nil},
		"held by somebody without a name": {func(t *testing.T, root string) { link(t, "/dev/null", root+"/proc/77/fd/0") },
			[]string{"error: link[1].alpha: link cable: /dev/ttyS0 is in use by process 77"}},
		"no key": {func(t *testing.T, root string) { remove(t, root, "etc/serialhb/key") },
			[]string{"error: cluster.key_file: key ROOT/etc/serialhb/key: no such file"}},
		"run directory to come": {func(t *testing.T, root string) { remove(t, root, "run/serialhb"); remove(t, root, "run") }, nil},
		"run directory is a file": {func(t *testing.T, root string) {
			remove(t, root, "run/serialhb")
			write(t, root+"/run/serialhb", "", 0o644)
		}, []string{`error: cluster.run_dir: run_dir = "/run/serialhb" is no directory`}},
		"state directory behind a file": {func(t *testing.T, root string) {
			remove(t, root, "var/lib/serialhb")
			remove(t, root, "var/lib")
			write(t, root+"/var/lib", "", 0o644)
		}, []string{`error: cluster.state_dir: state_dir = "/var/lib/serialhb" cannot be looked at: not a directory`}},
		"no command": {func(t *testing.T, root string) { remove(t, root, "bin/false") },
			[]string{"error: group[1].resource[1].status: /bin/false cannot be found"}},
		"not executable": {func(t *testing.T, root string) { write(t, root+"/bin/false", "", 0o644) },
			[]string{"error: group[1].resource[1].status: /bin/false is not executable"}},
		"a directory": {func(t *testing.T, root string) {
			remove(t, root, "bin/false")
			if err := os.Mkdir(root+"/bin/false", 0o755); err != nil {
				t.Fatal(err)
			}
		}, []string{"error: group[1].resource[1].status: /bin/false is no ordinary file"}},
		"others write": {func(t *testing.T, root string) { write(t, root+"/bin/false", "", 0o757) },
			[]string{"error: group[1].resource[1].status: others than its owner may write to ROOT/bin/false"}},
		"others write through a link": {func(t *testing.T, root string) {
			remove(t, root, "bin/false")
			if err := os.Mkdir(root+"/open", 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, root+"/open/false", "", 0o755)
			link(t, "../open/false", root+"/bin/false")
			if err := os.Chmod(root+"/open", os.ModeSticky|0o777); err != nil {
				t.Fatal(err)
			}
		}, []string{"error: group[1].resource[1].status: others than its owner may write to ROOT/open"}},
		"sticky above": {func(t *testing.T, root string) {
			remove(t, root, "bin/false")
			if err := os.MkdirAll(root+"/open/mine", 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, root+"/open/mine/false", "", 0o755)
			link(t, "../open/mine/false", root+"/bin/false")
			if err := os.Chmod(root+"/open", os.ModeSticky|0o777); err != nil {
				t.Fatal(err)
			}
		}, nil},
		"others write above": {func(t *testing.T, root string) {
			if err := os.Chmod(root+"/bin", 0o777); err != nil {
				t.Fatal(err)
			}
		}, []string{"error: group[1].resource[1].start: others", "error: group[1].resource[1].stop: others", "error: group[1].resource[1].status: others"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := host(t)
			c.change(t, root)
			var got []string
			for _, f := range mustFor(t, whole(), "alpha").CheckLive(root, 78) {
				if strings.Contains(f.Text, "is in memory") { // where temporary files are
					continue
				}
				if f.Fix == "" {
					t.Errorf("half a finding: %+v", f)
				}
				if want := lines[f.Key]; f.Line != want {
					t.Errorf("%v does not stand in line %d", f, want)
				}
				got = append(got, strings.ReplaceAll(fmt.Sprintf("%v: %s: %s", f.Severity, f.Key, f.Text), root, "ROOT"))
			}
			for i := range max(len(got), len(c.want)) {
				if i >= len(got) || i >= len(c.want) || !strings.HasPrefix(got[i], c.want[i]) {
					t.Fatalf("\n got %q\nwant %q", got, c.want)
				}
			}
		})
	}
}

func remove(t *testing.T, root, path string) {
	t.Helper()
	if err := os.Remove(filepath.Join(root, path)); err != nil {
		t.Fatal(err)
	}
}

func TestCheckLiveTellsOfAStateDirectoryInMemory(t *testing.T) {
	var st unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &st); err != nil || st.Type != unix.TMPFS_MAGIC {
		t.Skip("no file system in memory here")
	}
	dir, err := os.MkdirTemp("/dev/shm", "serialhb-config-")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	root := host(t)
	remove(t, root, "var/lib/serialhb")
	link(t, dir, root+"/var/lib/serialhb")
	found := mustFor(t, whole(), "alpha").CheckLive(root, 78)
	if len(found) != 1 || found[0].Severity != Warning || !strings.Contains(found[0].Text, "is in memory") {
		t.Error(found)
	}
}

// Whoever runs the tests may be root, who may write everywhere, so the answer is made up.
func TestCheckLiveTellsOfDirectoriesThatCannotBeWritten(t *testing.T) {
	root := host(t)
	remove(t, root, "run/serialhb")
	var asked []string
	found := mustFor(t, whole(), "alpha").checkLive(&live{root: root, writable: func(path string) error {
		asked = append(asked, strings.TrimPrefix(path, root))
		return os.ErrPermission
	}})
	if len(asked) != 2 || asked[0] != "/run" || asked[1] != "/var/lib/serialhb" {
		t.Errorf("asked for %v", asked)
	}
	if len(found) < 2 || found[0].Severity != Warning || !strings.Contains(found[0].Text, `run_dir = "/run/serialhb" does not exist, and /run cannot be written to`) ||
		found[1].Severity != Error || !strings.Contains(found[1].Text, `state_dir = "/var/lib/serialhb" cannot be written to`) {
		t.Error(found)
	}
}

// The group of root may write; any other group decides what a takeover runs.
func TestCheckLiveAndTheGroupOfACommand(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives files away")
	}
	for gid, bad := range map[int]bool{0: false, 12345: true} {
		root := host(t)
		write(t, root+"/bin/false", "", 0o775)
		if err := os.Chown(root+"/bin/false", 0, gid); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(root+"/bin/false", 0o775); err != nil {
			t.Fatal(err)
		}
		if found := mustFor(t, whole(), "alpha").CheckLive(root, 78); HasErrors(found) != bad {
			t.Errorf("group %d: %v", gid, found)
		}
	}
}
