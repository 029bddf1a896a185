package journal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plant-7")
	held, err := Lock(dir, "alpha")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Lock(dir, "alpha")
	oneSentence(t, err, fmt.Sprintf("run by process %d already", os.Getpid()))
	other, err := Lock(dir, "bravo")
	if err != nil {
		t.Fatalf("another node: %v", err)
	}
	defer other.Release()

	// A service that we start must not keep the lock.
	child := exec.Command("/bin/sleep", "1000")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	if err := errors.Join(held.Release(), held.Release()); err != nil {
		t.Fatal(err)
	}
	if held, err = Lock(dir, "alpha"); err != nil {
		t.Fatalf("after the release: %v", err)
	}
	held.Release()
}

// A file that is left behind does not lock, whatever number stands in it.
func TestStaleLockFile(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "alpha.lock"), []byte("1\n"))
	held, err := Lock(dir, "alpha")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	if got := readFile(t, filepath.Join(dir, "alpha.lock")); got != fmt.Sprintln(os.Getpid()) {
		t.Errorf("%q", got)
	}
}

// Two files of one name, one after the other, must not make two holders.
func TestRemovedLockFileIsNotALock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alpha.lock")
	writeFile(t, path, nil)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !stillNamed(f, path) {
		t.Error("the file that is there")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if stillNamed(f, path) {
		t.Error("a file that was removed")
	}
	writeFile(t, path, nil)
	if stillNamed(f, path) {
		t.Error("another file of that name")
	}
}

// A run directory that was removed lets anybody in; whoever holds the lock notices and takes it again.
func TestLockIsTakenAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plant-7")
	held, err := Lock(dir, "alpha")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	if again, err := held.Renew(); again || err != nil {
		t.Fatalf("nothing has happened: again %t, %v", again, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if again, err := held.Renew(); !again || err != nil {
		t.Fatalf("the directory was removed: again %t, %v", again, err)
	}
	_, err = Lock(dir, "alpha")
	oneSentence(t, err, fmt.Sprintf("run by process %d already", os.Getpid()))
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := held.Renew(); err == nil {
		t.Error("what was given back is renewed")
	}
}

// Another daemon may be faster. Then the lock is lost, and not shared.
func TestLockThatSomebodyElseTook(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plant-7")
	held, err := Lock(dir, "alpha")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	other, err := Lock(dir, "alpha")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if again, err := held.Renew(); again || !errors.Is(err, ErrTaken) {
			t.Fatalf("again %t, %v, want %v", again, err, ErrTaken)
		}
	}
	if err := other.Release(); err != nil {
		t.Fatal(err)
	}
	if again, err := held.Renew(); !again || err != nil {
		t.Fatalf("it is free: again %t, %v", again, err)
	}
}

func TestLockNeedsAName(t *testing.T) {
	for _, node := range []string{"", "..", "a/b", ".hidden"} {
		if _, err := Lock(t.TempDir(), node); err == nil {
			t.Errorf("%q accepted", node)
		}
	}
	if _, err := Lock(t.TempDir(), "alpha.example.org"); err != nil {
		t.Errorf("a host name: %v", err)
	}
}

func TestBootID(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "boot_id")
	writeFile(t, path, []byte(bootA+"\n"))
	if id, err := BootID(path); err != nil || id != bootA {
		t.Errorf("%q, %v", id, err)
	}
	for _, bad := range []string{"", "\n", "-\n", "two words\n"} {
		writeFile(t, path, []byte(bad))
		id, err := BootID(path)
		if id != "" {
			t.Errorf("%q read as %q", bad, id)
		}
		oneSentence(t, err, "--boot-id")
	}
	_, err := BootID(filepath.Join(dir, "none"))
	oneSentence(t, err, "--boot-id")
	if id, err := BootID(BootIDPath); err != nil || len(id) != 36 {
		t.Errorf("this machine: %q, %v", id, err)
	}
}

func TestBootHash(t *testing.T) {
	if h := BootHash("abc"); h != 0xba7816 {
		t.Errorf("%06x", h)
	}
}
