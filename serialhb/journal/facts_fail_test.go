package journal

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOrderOfSaving(t *testing.T) {
	for name, c := range map[string]struct {
		durable bool
		want    string
	}{
		"volatile": {false, "open write close rename"},
		"durable":  {true, "open write sync close rename syncdir"},
	} {
		var trace []string
		fs := &faulty{before: func(op, _ string) error { trace = append(trace, op); return nil }}
		s := store{dir: t.TempDir(), boot: bootA, files: fs, durable: c.durable}
		if err := s.save("ownership", young); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(trace, " "); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// The process dies before its n-th step, in the middle of it if it writes. What is found afterwards is the old fact or
// the new one.
func TestDeathAtEveryStep(t *testing.T) {
	for _, durable := range []bool{false, true} {
		for n := 1; ; n++ {
			dir := t.TempDir()
			fs := &faulty{}
			s := store{dir: dir, boot: bootA, files: fs, durable: durable}
			if err := s.save("ownership", old); err != nil {
				t.Fatal(err)
			}
			step, renamed := 0, false
			fs.set(func(op, _ string) error {
				if step++; step >= n {
					return errDead
				}
				renamed = renamed || op == "rename"
				return nil
			})
			err := s.save("ownership", young)
			want := old
			if renamed {
				want = young
			}
			after := volatileIn(t, dir, bootA)
			if got := mustLoad(t, after, "ownership"); got != want {
				t.Errorf("durable %v, death at step %d: %+v", durable, n, got)
			}
			if err := after.Save("ownership", young); err != nil {
				t.Errorf("what was left stands in the way: %v", err)
			}
			if left := names(t, dir); !slices.Equal(left, []string{"ownership.facts"}) {
				t.Errorf("left %q", left)
			}
			if err == nil {
				if !renamed || n < 5 {
					t.Fatalf("step %d: no error, renamed %v", n, renamed)
				}
				break
			}
		}
	}
}

// Any single step that fails is an error, and the old fact stands unless the name was already changed.
func TestEveryFailureIsAnError(t *testing.T) {
	for _, op := range []string{"open", "write", "sync", "close", "rename", "syncdir"} {
		dir := t.TempDir()
		fs := &faulty{}
		s := store{dir: dir, boot: bootA, files: fs, durable: true}
		if err := s.save("ownership", old); err != nil {
			t.Fatal(err)
		}
		fs.set(func(got, _ string) error {
			if got == op {
				return syscall.EIO
			}
			return nil
		})
		if err := s.save("ownership", young); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v", op, err)
		}
		want := old
		if op == "syncdir" {
			want = young
		}
		if got := mustLoad(t, durableIn(t, dir, bootA), "ownership"); got != want {
			t.Errorf("%s: %+v", op, got)
		}
		if left := names(t, dir); len(left) != 1 {
			t.Errorf("%s: left %q", op, left)
		}
	}
}

func TestFullDisk(t *testing.T) {
	dir := tinyDisk(t)
	d := durableIn(t, dir, bootA)
	if err := d.Save("ownership", old); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal("the disk does not fill: ", err)
	}
	err := d.Save("ownership", young)
	oneSentence(t, err, dir+" is full: free some space")
	if !errors.Is(err, syscall.ENOSPC) || mustLoad(t, d, "ownership") != old {
		t.Errorf("%v", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := d.Save("ownership", young); err != nil || mustLoad(t, d, "ownership") != young {
		t.Errorf("with space again: %v", err)
	}
}

// A probe says what saving would meet, and leaves everything as it was.
func TestProbe(t *testing.T) {
	dir := t.TempDir()
	fs := &faulty{}
	s := store{dir: dir, boot: bootA, files: fs, durable: true}
	if err := s.save("ownership", old); err != nil {
		t.Fatal(err)
	}
	for _, failing := range []string{"", "open", "write", "sync", "close"} {
		fs.set(func(op, _ string) error {
			if op == failing {
				return syscall.ENOSPC
			}
			return nil
		})
		err := s.probe()
		if failing == "" && err != nil {
			t.Error(err)
		} else if failing != "" {
			oneSentence(t, err, dir+" is full: free some space")
		}
		if left := names(t, dir); len(left) != 1 {
			t.Errorf("%s: left %q", failing, left)
		}
	}
	if got := mustLoad(t, durableIn(t, dir, bootA), "ownership"); got != old {
		t.Errorf("%+v", got)
	}
}

func TestProbeOfAFullDisk(t *testing.T) {
	dir := tinyDisk(t)
	d := durableIn(t, dir, bootA)
	if err := d.Probe(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal("the disk does not fill: ", err)
	}
	oneSentence(t, d.Probe(), dir+" is full: free some space")
}

func TestReadOnlyDisk(t *testing.T) {
	dir := tinyDisk(t)
	d := durableIn(t, dir, bootA)
	if err := d.Save("ownership", old); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "modes.facts"), nil)
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skip("cannot make it read-only: ", err)
	}
	oneSentence(t, d.Save("ownership", young), dir+" is read-only: mount it writable")
	if got := mustLoad(t, d, "ownership"); got != old {
		t.Errorf("%+v", got)
	}
	// A bad file that cannot be put aside is reported all the same.
	var v fact
	r, err := d.Load("modes", &v)
	oneSentence(t, err, "read-only")
	if r.Finding != Empty || r.KeptAs != "" {
		t.Errorf("%+v", r)
	}
}

func TestMissingDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	v := volatileIn(t, dir, bootA)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	oneSentence(t, v.Save("ownership", old), dir+" does not exist: create it")
	if exists(dir) {
		t.Error("it was made behind everybody's back")
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
