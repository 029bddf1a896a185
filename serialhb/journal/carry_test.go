package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

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
	// Reading from any number begins with that number, whichever file it is in.
	firsts, err := segments(realFiles{}, r.cfg.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, first := range firsts[1:] {
		for from := first - 1; from <= first+1; from++ {
			for rec, err := range ReadLog(nowhere, r.cfg.StateDir, from) {
				if err != nil || rec.Seq != from {
					t.Fatalf("from %d: %d, %v", from, rec.Seq, err)
				}
				break
			}
		}
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
			if n := lines(t, r.cfg.StateDir); n != 5 && !strings.Contains(op, "truncate") {
				t.Errorf("%d lines for 5 records", n)
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
	r.fs.set(func(op, path string) error {
		if op == "readdir" && r.inState(op, path) {
			return syscall.EIO
		}
		return nil
	})
	r.reopen(t)
	if s := r.Stats(); !errors.Is(s.Err, syscall.EIO) {
		t.Errorf("%+v", s)
	}
	r.append(t, 1)
	r.fs.set(nil)
	r.append(t, 2)
	r.flush(t)
	want(t, nowhere, r.cfg.StateDir, 0, 2)
	want(t, r.cfg.RunDir, nowhere, 1, 2)
	if s := r.Stats(); s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

// The start waits for a state directory that does not answer, but not for ever.
func TestStateDirectoryStuckAtTheStart(t *testing.T) {
	r := newRig(t)
	r.append(t, 0)
	r.flush(t)
	r.die()
	_ = os.RemoveAll(r.cfg.RunDir)
	release := make(chan struct{})
	r.fs.set(func(op, path string) error {
		if op == "readdir" && r.inState(op, path) {
			<-release
		}
		return nil
	})
	r.reopen(t)
	r.append(t, 1)
	close(release)
	r.flush(t)
	want(t, nowhere, r.cfg.StateDir, 0, 1)
}

// With the run directory gone while the state directory fails, records are lost; that is counted, not passed over.
func TestLossIsCounted(t *testing.T) {
	r := newRig(t)
	r.append(t, 0)
	r.flush(t)
	r.failIn(r.cfg.StateDir, "write", syscall.EIO)
	for n := 1; n < 4; n++ {
		r.append(t, n)
	}
	if err := r.Flush(t.Context()); err == nil {
		t.Fatal("no error")
	}
	for _, path := range segmentsOf(t, r.cfg.RunDir) {
		_ = os.Remove(path)
	}
	r.fs.set(nil)
	r.flush(t)
	if s := r.Stats(); s.Lost != 3 || s.Carried != 1 {
		t.Errorf("%+v", s)
	}
	r.append(t, 4)
	r.flush(t)
	if s := r.Stats(); s.Lost != 3 || s.Carried != 5 {
		t.Errorf("%+v", s)
	}
	if got, wrong := entries(t, nowhere, r.cfg.StateDir, 0); fmt.Sprint(got) != "[0 4]" || len(wrong) > 0 {
		t.Errorf("%v, %v", got, wrong)
	}
}

// The daemon died between the content and the name: the next one makes sure of the name before it counts on it.
func TestNameIsSyncedAfterEachOpening(t *testing.T) {
	r := newRig(t)
	for n := range 2 {
		r.append(t, n)
		r.flush(t)
		if s := r.Stats(); s.Syncs != 2 {
			t.Errorf("%+v", s)
		}
		r.die()
		r.reopen(t)
	}
}

// A file may bear the number that is due although it holds nothing but what failures left.
func TestFullFileOfTheSameNumber(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, segmentPath(dir, 5), []byte(strings.Repeat("x", segmentSize-1)+"\n"))
	a := appender{files: realFiles{}, dir: dir, keep: keepInState}
	defer a.close()
	if err := a.write(appendLine(nil, Record{Seq: 5, Boot: bootA, Kind: "fence", Data: []byte(`{"n":1}`)}), 5); err != nil {
		t.Fatal(err)
	}
	if got, wrong := entries(t, nowhere, dir, 5); fmt.Sprint(got) != "[1]" || len(wrong) != 1 {
		t.Errorf("%v, %v", got, wrong)
	}
}

// A failure of the name counts like one of the content: it is done again.
func TestNameIsSyncedAgainAfterAFailure(t *testing.T) {
	r := newRig(t)
	r.failIn(r.cfg.StateDir, "syncdir", syscall.EIO)
	r.append(t, 0)
	if err := r.Flush(t.Context()); err == nil {
		t.Fatal("no error")
	}
	named := false
	r.fs.set(func(op, path string) error {
		named = named || op == "syncdir" && r.inState(op, path)
		return nil
	})
	r.flush(t)
	if !named {
		t.Error("nobody synced the name")
	}
}

// Nobody has to ask: what a dead daemon left, and what a disk refused for a while, is carried by itself.
func TestCarryingGoesOnByItself(t *testing.T) {
	root := memoryDir(t)
	cfg := LogConfig{RunDir: root + "/run", StateDir: root + "/state", BootID: bootA}
	if err := os.Mkdir(cfg.RunDir, 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, segmentPath(cfg.RunDir, 1), appendLine(nil, Record{Seq: 1, Boot: bootA, Kind: "fence", Data: []byte(`{"n":0}`)}))
	synctest.Test(t, func(t *testing.T) {
		fs := &faulty{}
		l, err := openLog(cfg, fs)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * carryEvery)
		want(t, nowhere, cfg.StateDir, 0, 0)

		fs.set(func(op, path string) error {
			if op == "write" && strings.HasPrefix(path, cfg.StateDir) {
				return syscall.EIO
			}
			return nil
		})
		if _, err := l.Append("fence", entry{N: 1}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * carryEvery)
		if s := l.Stats(); s.Err == nil || s.Carried != 1 {
			t.Errorf("%+v", s)
		}
		fs.set(nil)
		time.Sleep(2 * carryEvery)
		want(t, nowhere, cfg.StateDir, 0, 1)
		if err := l.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// The carrier may look in the middle of a write. Half a line is left for the next time.
func TestHalfALineIsNotPassedOver(t *testing.T) {
	r := newRig(t)
	r.append(t, 0)
	r.flush(t)
	line := string(appendLine(nil, Record{Seq: 2, Boot: bootA, Kind: "fence", Data: []byte(`{"n":1}`)}))
	path := segmentPath(r.cfg.RunDir, 1)
	first := readFile(t, path)
	writeFile(t, path, []byte(first+line[:30]))
	r.flush(t)
	writeFile(t, path, []byte(first+line))
	r.flush(t)
	want(t, nowhere, r.cfg.StateDir, 0, 1)
}

// Should the state directory turn out late to be ahead of the clock, the numbers follow it.
func TestNumbersFollowALateStateDirectory(t *testing.T) {
	r := newRig(t)
	r.append(t, 0)
	r.flush(t)
	r.die()
	_ = os.RemoveAll(r.cfg.RunDir)
	const ahead = 1 << 60
	writeFile(t, segmentPath(r.cfg.StateDir, ahead), appendLine(nil, Record{Seq: ahead, Boot: bootB, Kind: "fence", Data: []byte(`{"n":1}`)}))
	r.failIn(r.cfg.StateDir, "readdir", syscall.EIO)
	r.reopen(t)
	r.fs.set(nil)
	r.flush(t)
	if seq, err := r.Append("fence", entry{N: 2}); seq != ahead+1 || err != nil {
		t.Error(seq, err)
	}
	r.flush(t)
	want(t, nowhere, r.cfg.StateDir, 0, 2)
}
