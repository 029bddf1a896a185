package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

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
	if n := lines(t, r.cfg.StateDir); n != 4 {
		t.Errorf("%d lines for 4 records", n)
	}
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

func TestRemovedRunDirectoryIsMadeAgain(t *testing.T) {
	r := newRig(t)
	r.append(t, 0)
	r.flush(t)
	if err := os.RemoveAll(r.cfg.RunDir); err != nil {
		t.Fatal(err)
	}
	r.append(t, 1)
	want(t, r.cfg.RunDir, nowhere, 1, 1)
	if s := r.Stats(); s.Waiting != 0 || s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

// A run directory that does not answer holds whoever appends, and neither a flush nor the end beyond its time.
func TestStuckRunDirectory(t *testing.T) {
	for _, how := range []string{"flush", "close"} {
		t.Run(how, func(t *testing.T) {
			r := newRig(t)
			r.append(t, 0)
			release, entered, appended := make(chan struct{}), make(chan struct{}, 1), make(chan error, 1)
			r.fs.set(func(op, path string) error {
				if op == "write" && strings.HasPrefix(path, r.cfg.RunDir) {
					select {
					case entered <- struct{}{}:
					default:
					}
					<-release
				}
				return nil
			})
			go func() {
				_, err := r.Append("fence", entry{N: 1})
				appended <- err
			}()
			<-entered
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			told := make(chan error, 1)
			go func() {
				if how == "flush" {
					told <- r.Flush(ctx)
				} else {
					told <- r.Close(ctx)
				}
			}()
			select {
			case err := <-told:
				oneSentence(t, err, how+" log: "+r.cfg.RunDir+" does not answer")
			case <-time.After(patience):
				t.Error("it waits for ever")
			}
			close(release)
			if err := <-appended; err != nil {
				t.Error(err)
			}
			want(t, r.cfg.RunDir, nowhere, 0, 1)
		})
	}
}

func TestMissingRunDirectory(t *testing.T) {
	r := newRig(t)
	r.append(t, 0)
	r.flush(t)
	r.failIn(r.cfg.RunDir, "makedir", os.ErrNotExist)
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
