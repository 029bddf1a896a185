package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	bootA = "0f9e2c1a-6b1d-4c55-9d3e-aa11bb22cc33"
	bootB = "7c44d0d2-11aa-4b0e-8a77-001122334455"
	// patience is how long a test waits for what must happen. It is never waited out when all is well.
	patience = 30 * time.Second
)

var errDead = errors.New("the process is dead")

// faulty is the real file system with something in the way. before sees each operation and may fail, delay or note it.
type faulty struct {
	realFiles
	mu     sync.Mutex
	before func(op, path string) error
}

func (f *faulty) set(before func(op, path string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = before
}

func (f *faulty) meet(op, path string) error {
	f.mu.Lock()
	before := f.before
	f.mu.Unlock()
	if before == nil {
		return nil
	}
	return before(op, path)
}

func (f *faulty) Open(path string, flag int) (file, error) {
	if err := f.meet("open", path); err != nil {
		return nil, err
	}
	out, err := f.realFiles.Open(path, flag)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file: out, fs: f, path: path}, nil
}

func (f *faulty) Rename(from, to string) error {
	if err := f.meet("rename", to); err != nil {
		return err
	}
	return f.realFiles.Rename(from, to)
}

func (f *faulty) Remove(path string) error {
	if err := f.meet("remove", path); err != nil {
		return err
	}
	return f.realFiles.Remove(path)
}

func (f *faulty) SyncDir(dir string) error {
	if err := f.meet("syncdir", dir); err != nil {
		return err
	}
	return f.realFiles.SyncDir(dir)
}

func (f *faulty) MakeDir(dir string) error {
	if err := f.meet("makedir", dir); err != nil {
		return err
	}
	return f.realFiles.MakeDir(dir)
}

func (f *faulty) ReadDir(dir string) ([]os.DirEntry, error) {
	if err := f.meet("readdir", dir); err != nil {
		return nil, err
	}
	return f.realFiles.ReadDir(dir)
}

type faultyFile struct {
	file
	fs   *faulty
	path string
}

// Write leaves half of the content when it is made to fail, as a full disk does.
func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.fs.meet("write", f.path); err != nil {
		n, _ := f.file.Write(p[:len(p)/2])
		return n, err
	}
	return f.file.Write(p)
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.fs.meet("truncate", f.path); err != nil {
		return err
	}
	return f.file.Truncate(size)
}

func (f *faultyFile) Sync() error {
	if err := f.fs.meet("sync", f.path); err != nil {
		return err
	}
	return f.file.Sync()
}

func (f *faultyFile) Close() error {
	err := f.fs.meet("close", f.path)
	if closeErr := f.file.Close(); err == nil {
		err = closeErr
	}
	return err
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// names lists a directory.
func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// tinyDisk is a file system of some pages, all of it ours. It needs root.
func tinyDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system needs root")
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("cannot mount a small file system here: ", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// oneSentence fails unless the error is one line that holds the words.
func oneSentence(t *testing.T, err error, words string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is not one sentence with %q", fmt.Sprint(err), words)
	}
}

// memoryDir is a directory in memory, like the run directory, if there is one.
func memoryDir(tb testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "journal-test-")
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func segmentsOf(t testing.TB, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, segmentPrefix+"*"+segmentSuffix))
	if err != nil {
		t.Fatal(err)
	}
	return all
}
