package journal

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

type entry struct {
	N    int    `json:"n"`
	Text string `json:"text,omitempty"`
}

// rig is a log with faulty directories.
type rig struct {
	*Log
	cfg LogConfig
	fs  *faulty
}

func newRig(t testing.TB) *rig {
	t.Helper()
	root := memoryDir(t)
	r := &rig{cfg: LogConfig{RunDir: filepath.Join(root, "run"), StateDir: filepath.Join(root, "state"), BootID: bootA}}
	r.open(t)
	return r
}

func (r *rig) open(t testing.TB) {
	t.Helper()
	r.fs = &faulty{}
	r.reopen(t)
}

// reopen leaves in the way what is in the way.
func (r *rig) reopen(t testing.TB) {
	t.Helper()
	l, err := openLog(r.cfg, r.fs)
	if err != nil {
		t.Fatal(err)
	}
	r.Log = l
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = l.Close(ctx)
	})
}

// die ends the log as SIGKILL would: it touches no file any more.
func (r *rig) die() {
	r.fs.set(func(string, string) error { return errDead })
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	close(r.carrier.quit)
	<-r.carrier.done
	r.run.close()
	r.fs.set(nil)
}

func (r *rig) append(t testing.TB, n int) {
	t.Helper()
	if _, err := r.Append("fence", entry{N: n}); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) flush(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) inState(op, path string) bool { return strings.HasPrefix(path, r.cfg.StateDir) }

// failIn fails one operation in one directory, for good.
func (r *rig) failIn(dir, op string, err error) {
	r.fs.set(func(got, path string) error {
		if got == op && strings.HasPrefix(path, dir) {
			return err
		}
		return nil
	})
}

// entries reads the numbers of a log's records, and what was wrong.
func entries(t testing.TB, runDir, stateDir string, from uint64) (numbers []int, wrong []error) {
	t.Helper()
	last := uint64(0)
	for rec, err := range ReadLog(runDir, stateDir, from) {
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if rec.Seq <= last {
			t.Errorf("record %d after %d", rec.Seq, last)
		}
		last = rec.Seq
		var e entry
		if err := json.Unmarshal(rec.Data, &e); err != nil {
			t.Error(err)
		}
		numbers = append(numbers, e.N)
	}
	return numbers, wrong
}

// want compares with the numbers from first to last, and nothing wrong.
func want(t testing.TB, runDir, stateDir string, first, last int) {
	t.Helper()
	got, wrong := entries(t, runDir, stateDir, 0)
	if len(wrong) > 0 {
		t.Errorf("wrong: %v", wrong)
	}
	if len(got) != last-first+1 {
		t.Fatalf("%d records, not %d", len(got), last-first+1)
	}
	for i, n := range got {
		if n != first+i {
			t.Fatalf("at %d stands %d", first+i, n)
		}
	}
}

// lines counts what stands in a directory, doublets and all.
func lines(t testing.TB, dir string) int {
	n := 0
	for _, path := range segmentsOf(t, dir) {
		n += strings.Count(readFile(t, path), "\n")
	}
	return n
}

const nowhere = "/no/such/directory"
