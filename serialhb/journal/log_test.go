package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
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

const nowhere = "/no/such/directory"

func TestRecord(t *testing.T) {
	r := newRig(t)
	before := time.Now()
	if seq, err := r.Append("fence", entry{7, "<cut & hold>\n"}); err != nil || seq != 1 {
		t.Fatal(seq, err)
	}
	for rec, err := range r.Read(0) {
		if err != nil || rec.Seq != 1 || rec.Boot != bootA || rec.Kind != "fence" || rec.MonoNS <= 0 || rec.Wall.Before(before.Add(-time.Second)) || rec.Wall.After(time.Now().Add(time.Second)) {
			t.Errorf("%+v, %v", rec, err)
		}
		var e entry
		if err := json.Unmarshal(rec.Data, &e); err != nil || e != (entry{7, "<cut & hold>\n"}) {
			t.Errorf("%+v, %v", e, err)
		}
	}
	line := readFile(t, segmentPath(r.cfg.RunDir, 1))
	var object map[string]any
	if err := json.Unmarshal([]byte(line), &object); err != nil || strings.Count(line, "\n") != 1 {
		t.Errorf("%v: %q", err, line)
	}
	for _, key := range []string{"seq", "boot", "mono_ns", "wall", "kind", "data", "crc"} {
		if _, ok := object[key]; !ok {
			t.Errorf("no %s in %q", key, line)
		}
	}
	if _, err := r.Append("two words", nil); err == nil {
		t.Error("a kind of two words")
	}
	if _, err := r.Append("fence", strings.Repeat("x", maxRecord)); err == nil {
		t.Error("a record without bounds")
	}
	if _, err := r.Append("fence", func() {}); err == nil {
		t.Error("a record that is no JSON")
	}
	if seq, err := r.Append("fence", nil); err != nil || seq != 2 {
		t.Errorf("what was refused took a number: %d, %v", seq, err)
	}
}

func TestReadFrom(t *testing.T) {
	r := newRig(t)
	for n := range 10 {
		r.append(t, n)
		if n == 4 {
			r.flush(t)
		}
	}
	if got, _ := entries(t, r.cfg.RunDir, r.cfg.StateDir, 8); fmt.Sprint(got) != "[7 8 9]" {
		t.Errorf("%v", got)
	}
	want(t, r.cfg.RunDir, r.cfg.StateDir, 0, 9)
	count := 0
	for range r.Read(0) {
		if count++; count == 3 {
			break
		}
	}
	if count != 3 {
		t.Error("a reader that has enough")
	}
}

func TestFlushCarries(t *testing.T) {
	r := newRig(t)
	for n := range 100 {
		r.append(t, n)
	}
	r.flush(t)
	want(t, nowhere, r.cfg.StateDir, 0, 99)
	if s := r.Stats(); s.Last != 100 || s.Carried != 100 || s.Lost != 0 || s.Waiting != 0 || s.Err != nil || s.Bytes == 0 || s.Syncs == 0 {
		t.Errorf("%+v", s)
	}
}

func TestNumbersGoOn(t *testing.T) {
	r := newRig(t)
	r.append(t, 0)
	r.flush(t)
	r.fs.set(func(op, path string) error { // from now on nothing is carried
		if r.inState(op, path) {
			return syscall.EIO
		}
		return nil
	})
	r.append(t, 1)
	r.append(t, 2)
	r.die()

	r.open(t) // the daemon starts again
	r.append(t, 3)
	r.flush(t)
	want(t, nowhere, r.cfg.StateDir, 0, 3)
	r.die()

	if err := os.RemoveAll(r.cfg.RunDir); err != nil {
		t.Fatal(err)
	}
	r.cfg.BootID = bootB
	r.open(t) // the host starts again
	if seq, err := r.Append("fence", entry{N: 4}); seq != 5 || err != nil {
		t.Error(seq, err)
	}
	want(t, r.cfg.RunDir, r.cfg.StateDir, 0, 4)
}

// A disk that does not answer delays no Append, and everything arrives once it answers again.
func TestStuckDisk(t *testing.T) {
	r := newRig(t)
	release, entered := make(chan struct{}), make(chan struct{}, 1)
	r.fs.set(func(op, path string) error {
		if op == "sync" && r.inState(op, path) {
			select {
			case entered <- struct{}{}:
			default:
			}
			<-release
		}
		return nil
	})
	r.append(t, 0)
	<-entered
	for n := 1; n < 3000; n++ {
		r.append(t, n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	oneSentence(t, r.Flush(ctx), "does not answer")
	if s := r.Stats(); s.Stalled <= 0 || s.Carried != 0 || s.Last != 3000 {
		t.Errorf("%+v", s)
	}
	want(t, r.cfg.RunDir, nowhere, 0, 2999)
	close(release)
	r.flush(t)
	want(t, nowhere, r.cfg.StateDir, 0, 2999)
	if s := r.Stats(); s.Stalled != 0 || s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

// A disk that is stuck for longer than the run directory can hold loses records, and says how many.
func TestStuckForTooLong(t *testing.T) {
	r := newRig(t)
	r.append(t, 0)
	r.flush(t)
	r.failIn(r.cfg.StateDir, "sync", syscall.EIO)
	big := strings.Repeat("x", 10_000)
	const all = 400
	for n := 1; n < all; n++ {
		if _, err := r.Append("fence", entry{n, big}); err != nil {
			t.Fatal(err)
		}
	}
	oneSentence(t, r.Flush(t.Context()), "input/output error")
	if s := r.Stats(); !errors.Is(s.Err, syscall.EIO) || s.Lost != 0 || s.Carried != 1 {
		t.Errorf("%+v", s)
	}
	r.fs.set(nil)
	r.flush(t)
	got, wrong := entries(t, nowhere, r.cfg.StateDir, 0)
	s := r.Stats()
	if len(wrong) > 0 || s.Lost == 0 || uint64(len(got))+s.Lost != all || s.Err != nil {
		t.Errorf("%d records and %d lost are not %d; %v", len(got), s.Lost, all, wrong)
	}
}

func TestMissingRunDirectory(t *testing.T) {
	r := newRig(t)
	r.append(t, 0)
	r.flush(t)
	if err := os.RemoveAll(r.cfg.RunDir); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < 4; n++ {
		seq, err := r.Append("fence", entry{N: n})
		oneSentence(t, err, r.cfg.RunDir+" does not exist: create it")
		if !errors.Is(err, os.ErrNotExist) || seq != uint64(n+1) {
			t.Errorf("%d, %v", seq, err)
		}
	}
	if s := r.Stats(); s.Waiting != 3 {
		t.Errorf("%+v", s)
	}
	count := 0
	for range r.Read(0) {
		count++
	}
	if count != 4 {
		t.Errorf("%d of 4 can be read", count)
	}
	if err := r.Flush(t.Context()); err == nil {
		t.Error("flushed what is in memory only")
	}
	if err := os.Mkdir(r.cfg.RunDir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.append(t, 4)
	want(t, r.cfg.RunDir, nowhere, 1, 4)
	r.flush(t)
	want(t, nowhere, r.cfg.StateDir, 0, 4)
	if s := r.Stats(); s.Waiting != 0 || s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

// The carrier, too, writes what waits in memory, so that the last record of an incident does not wait for the next.
func TestFlushRetries(t *testing.T) {
	r := newRig(t)
	r.failIn(r.cfg.RunDir, "write", syscall.ENOSPC)
	_, err := r.Append("fence", entry{})
	oneSentence(t, err, r.cfg.RunDir+" is full")
	r.fs.set(nil)
	r.flush(t)
	want(t, r.cfg.RunDir, nowhere, 0, 0)
	want(t, nowhere, r.cfg.StateDir, 0, 0)
}

func TestMemoryIsBounded(t *testing.T) {
	r := newRig(t)
	r.failIn(r.cfg.RunDir, "open", syscall.EIO)
	const all = maxWaiting + 50
	for n := range all {
		if _, err := r.Append("fence", entry{N: n}); err == nil {
			t.Fatal("no error")
		}
	}
	if s := r.Stats(); s.Waiting != maxWaiting {
		t.Fatalf("%+v", s)
	}
	r.fs.set(nil)
	r.flush(t)
	want(t, nowhere, r.cfg.StateDir, 50, all-1)
	if s := r.Stats(); s.Lost != 50 {
		t.Errorf("%+v", s)
	}
	r.failIn(r.cfg.RunDir, "write", syscall.EIO)
	for range 100 {
		_, _ = r.Append("fence", entry{Text: strings.Repeat("x", 10_000)})
	}
	if s := r.Stats(); s.Waiting > maxWaitingBytes/10_000 || s.Waiting < maxWaitingBytes/10_500 {
		t.Errorf("%+v", s)
	}
}

// Half a line at the end is reported, spoils nothing else, and the numbers go on.
func TestTornLastLine(t *testing.T) {
	r := newRig(t)
	for n := range 3 {
		r.append(t, n)
	}
	r.die()
	path := segmentPath(r.cfg.RunDir, 1)
	whole := readFile(t, path)
	ends := strings.LastIndex(strings.TrimSuffix(whole, "\n"), "\n") + 1
	for cut := ends + 1; cut < len(whole)-1; cut += 7 {
		_ = os.RemoveAll(r.cfg.StateDir)
		for _, old := range segmentsOf(t, r.cfg.RunDir) {
			_ = os.Remove(old)
		}
		writeFile(t, path, []byte(whole[:cut]))
		got, wrong := entries(t, r.cfg.RunDir, nowhere, 0)
		var d *Damage
		if fmt.Sprint(got) != "[0 1]" || len(wrong) != 1 || !errors.As(wrong[0], &d) || !d.Torn || d.Offset != int64(ends) || d.Bytes != cut-ends {
			t.Fatalf("cut at %d: %v, %v", cut, got, wrong)
		}
		r.open(t)
		r.append(t, 3)
		r.flush(t)
		got, wrong = entries(t, r.cfg.RunDir, nowhere, 0)
		if fmt.Sprint(got) != "[0 1 3]" || len(wrong) != 1 || !errors.As(wrong[0], &d) || d.Torn {
			t.Fatalf("cut at %d, then written on: %v, %v", cut, got, wrong)
		}
		if got, wrong := entries(t, nowhere, r.cfg.StateDir, 0); fmt.Sprint(got) != "[0 1 3]" || len(wrong) > 0 {
			t.Fatalf("carried: %v, %v", got, wrong)
		}
		r.die()
	}
}

func TestBounds(t *testing.T) {
	r := newRig(t)
	big := strings.Repeat("x", 20_000)
	for n := range 700 { // 14 MB
		if _, err := r.Append("fence", entry{n, big}); err != nil {
			t.Fatal(err)
		}
		if n%20 == 0 {
			r.flush(t)
		}
	}
	r.flush(t)
	for dir, keep := range map[string]int{r.cfg.RunDir: keepInRun, r.cfg.StateDir: keepInState} {
		all := segmentsOf(t, dir)
		if len(all) != keep {
			t.Errorf("%d files in %s, not %d", len(all), dir, keep)
		}
		for _, path := range all {
			if info, err := os.Stat(path); err != nil || info.Size() > segmentSize || info.Mode() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
		}
	}
	got, wrong := entries(t, nowhere, r.cfg.StateDir, 0)
	if len(wrong) > 0 || len(got) < 300 || got[len(got)-1] != 699 || got[len(got)-1]-got[0] != len(got)-1 {
		t.Errorf("%d records, %v", len(got), wrong)
	}
	if s := r.Stats(); s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

// Whatever fails in the state directory, appending goes on, the failure is told, and afterwards all is there once.
func TestStateDirectoryFails(t *testing.T) {
	for _, op := range []string{"open", "write", "sync", "syncdir", "write and truncate", "sync and truncate", "readdir"} {
		t.Run(op, func(t *testing.T) {
			r := newRig(t)
			if op != "syncdir" && op != "open" && op != "readdir" {
				r.append(t, 0)
				r.flush(t)
			} else {
				r.append(t, 0)
			}
			r.fs.set(func(got, path string) error {
				if r.inState(got, path) && strings.Contains(op, got) && (got != "sync" || op != "syncdir") {
					return syscall.ENOSPC
				}
				return nil
			})
			for n := 1; n < 4; n++ {
				r.append(t, n)
				if err := r.Flush(t.Context()); (err == nil) == (r.Stats().Carried < uint64(n+1)) {
					t.Errorf("%v, %+v", err, r.Stats())
				}
			}
			r.fs.set(nil)
			r.append(t, 4)
			r.flush(t)
			got, _ := entries(t, nowhere, r.cfg.StateDir, 0)
			if fmt.Sprint(got) != "[0 1 2 3 4]" {
				t.Errorf("%v", got)
			}
			if s := r.Stats(); s.Err != nil || s.Lost != 0 || s.Carried != 5 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestFullStateDirectorySaysSo(t *testing.T) {
	dir := tinyDisk(t)
	l, err := OpenLog(LogConfig{RunDir: t.TempDir(), StateDir: dir, BootID: bootA})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close(context.Background()) }()
	for n := range 20 {
		if _, err := l.Append("fence", entry{n, strings.Repeat("x", 10_000)}); err != nil {
			t.Fatal(err)
		}
	}
	oneSentence(t, l.Flush(t.Context()), dir+" is full: free some space")
}

// Without the state directory the numbers come from the clock, so that the order stays right when it is back.
func TestStateDirectoryMissingAtTheStart(t *testing.T) {
	r := newRig(t)
	r.append(t, 0)
	r.flush(t)
	r.die()
	_ = os.RemoveAll(r.cfg.RunDir)
	away := r.cfg.StateDir + "-away"
	if err := os.Rename(r.cfg.StateDir, away); err != nil {
		t.Fatal(err)
	}
	writeFile(t, r.cfg.StateDir, nil) // a file where the directory should be
	r.open(t)
	if s := r.Stats(); s.Err == nil {
		t.Errorf("%+v", s)
	}
	r.append(t, 1)
	_ = os.Remove(r.cfg.StateDir)
	if err := os.Rename(away, r.cfg.StateDir); err != nil {
		t.Fatal(err)
	}
	r.append(t, 2)
	r.flush(t)
	want(t, nowhere, r.cfg.StateDir, 0, 2)
	want(t, r.cfg.RunDir, nowhere, 1, 2)
	if s := r.Stats(); s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

func TestClose(t *testing.T) {
	r := newRig(t)
	r.append(t, 0)
	for range 2 {
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	want(t, nowhere, r.cfg.StateDir, 0, 0)
	if _, err := r.Append("fence", nil); err == nil {
		t.Error("appended to a closed log")
	}
	if err := r.Flush(t.Context()); err == nil {
		t.Error("flushed a closed log")
	}
}

func TestConcurrentLog(t *testing.T) {
	r := newRig(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for n := range 200 {
				if _, err := r.Append("fence", entry{N: n}); err != nil {
					t.Error(err)
				}
				_ = r.Stats()
			}
		})
	}
	group.Go(func() {
		for range 20 {
			for range r.Read(0) {
			}
			if err := r.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	r.flush(t)
	if got, wrong := entries(t, nowhere, r.cfg.StateDir, 0); len(got) != 800 || len(wrong) != 0 {
		t.Errorf("%d, %v", len(got), wrong)
	}
}

// What a day costs the flash: nothing when nothing happens, a page now and then on a quiet day, and never more than a
// sync in five seconds and one for each new file, however much happens.
func TestWearOfADay(t *testing.T) {
	for name, c := range map[string]struct {
		every     time.Duration
		records   int
		syncs     uint64
		bytesEach uint64
	}{
		"nothing happens": {24 * time.Hour, 0, 0, 0},
		"one in an hour":  {time.Hour, 24, 24 + 1, 260},
		"one in a second": {time.Second, 3600, 3600/5 + 3, 260},
		"ten in a second": {100 * time.Millisecond, 6000, 600/5 + 4, 260},
	} {
		t.Run(name, func(t *testing.T) {
			root := memoryDir(t)
			synctest.Test(t, func(t *testing.T) {
				l, err := openLog(LogConfig{RunDir: root + "/run", StateDir: root + "/state", BootID: bootA}, realFiles{})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				for n := range c.records {
					time.Sleep(c.every)
					if _, err := l.Append("link-late", entry{n, "cable: no pulse for 310 ms"}); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(24 * time.Hour)
				s := l.Stats()
				if s.Carried != s.Last || s.Err != nil {
					t.Errorf("%+v", s)
				}
				t.Logf("%d records: %d bytes, %d syncs", c.records, s.Bytes, s.Syncs)
				if s.Syncs > c.syncs || s.Bytes > uint64(c.records)*c.bytesEach {
					t.Errorf("%d syncs, %d bytes", s.Syncs, s.Bytes)
				}
				if err := l.Close(t.Context()); err != nil {
					t.Error(err)
				}
				if after := l.Stats(); after.Syncs != s.Syncs {
					t.Errorf("closing wrote once more: %+v", after)
				}
			})
		})
	}
}

func BenchmarkLogAppend(b *testing.B) {
	root := memoryDir(b)
	l, err := OpenLog(LogConfig{RunDir: root, StateDir: b.TempDir(), BootID: bootA})
	if err != nil {
		b.Fatal(err)
	}
	e := entry{1, "cable: no pulse for 310 ms"}
	for b.Loop() {
		if _, err := l.Append("link-late", e); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := l.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}
