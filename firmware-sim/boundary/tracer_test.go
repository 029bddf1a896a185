package boundary

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// The test binary is also the tracer, and a victim that writes one file as facts are written.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	if exit, ok := Hidden(os.Args[1:]); ok {
		os.Exit(exit)
	}
	if len(os.Args) == 3 && os.Args[1] == "victim" {
		if err := suffer(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// suffer waits for a line, and then writes a file while other threads are at work.
func suffer(dir string) error {
	fmt.Println("here")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	for range 4 {
		go func() {
			for {
				_, _ = os.Stat(dir)
			}
		}()
	}
	f, err := os.Create(filepath.Join(dir, "a.tmp"))
	if err != nil {
		return err
	}
	if _, err := f.WriteString("facts"); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, "a.tmp"), filepath.Join(dir, "a")); err != nil {
		return err
	}
	if err := exec.Command("/bin/true").Run(); err != nil {
		return err
	}
	fmt.Println("done")
	return nil
}

// itself is the path of this test, where processes may be traced.
func itself(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := Possible(self); err != nil {
		t.Skip(err)
	}
	return self
}

// victim starts one and gives it to a tracer; run lets it go on and gives what it said after that.
func victim(t *testing.T, want *Boundary, delay time.Duration) (dir string, at *tracing, run func() string) {
	t.Helper()
	self := itself(t)
	dir = t.TempDir()
	cmd := exec.Command(self, "victim", dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "here\n" {
		t.Fatalf("%q %v", line, err)
	}
	if at, err = follow(self, cmd.Process.Pid, dir, self, want, delay); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = at.end() })
	return dir, at, func() string {
		if _, err := io.WriteString(in, "go\n"); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(lines)
		if err != nil {
			t.Fatal(err)
		}
		return string(rest)
	}
}

// all reads what the tracer says until the process has gone.
func all(t *testing.T, at *tracing) (passed []Boundary, killed bool) {
	t.Helper()
	for {
		s, err := at.next(time.After(traceTime))
		switch {
		case err != nil:
			t.Fatal(err)
		case s.Gone:
			return passed, killed
		case s.Nameless != "":
			t.Errorf("%s is in no list of calls", s.Nameless)
		case s.Passed != nil:
			passed = append(passed, *s.Passed)
		}
		killed = killed || s.Killed != 0
	}
}

func TestEveryCallThatChangesSomethingIsSeenInItsOrder(t *testing.T) {
	_, at, run := victim(t, nil, 0)
	if said := run(); said != "done\n" {
		t.Errorf("%q", said)
	}
	passed, killed := all(t, at)
	if killed {
		t.Error("somebody was killed")
	}
	var got []string
	for _, b := range passed {
		if strings.HasPrefix(b.About, "a.tmp") {
			got = append(got, b.Side+" "+b.Call+" "+b.About)
		}
	}
	want := []string{}
	for _, call := range []string{"openat a.tmp", "write a.tmp", "fsync a.tmp", "close a.tmp", "rename a.tmp to a"} {
		want = append(want, "entry "+call, "exit "+call)
	}
	if child := (Boundary{Call: "clone", About: "a child", Nth: 1, Side: Exit}); !slices.Contains(passed, child) {
		t.Errorf("no child in %v", passed)
	}
	if !slices.Equal(got, want) {
		t.Errorf("seen\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What was killed at the entry of a call has not made it; at the exit it has, and did nothing after it.
func TestDeathIsExactlyThere(t *testing.T) {
	for _, c := range []struct {
		b     Boundary
		left  string // the names in the folder
		wrote string // in the file
	}{
		{Boundary{Call: "openat", About: "a.tmp", Nth: 1, Side: Entry}, "", ""},
		{Boundary{Call: "openat", About: "a.tmp", Nth: 1, Side: Exit}, "a.tmp", ""},
		{Boundary{Call: "write", About: "a.tmp", Nth: 1, Side: Entry}, "a.tmp", ""},
		{Boundary{Call: "write", About: "a.tmp", Nth: 1, Side: Exit}, "a.tmp", "facts"},
		{Boundary{Call: "rename", About: "a.tmp to a", Nth: 1, Side: Entry}, "a.tmp", "facts"},
		{Boundary{Call: "rename", About: "a.tmp to a", Nth: 1, Side: Exit}, "a", "facts"},
	} {
		t.Run(c.b.String(), func(t *testing.T) {
			dir, at, run := victim(t, &c.b, 0)
			if said := run(); said != "" {
				t.Errorf("it went on and said %q", said)
			}
			passed, killed := all(t, at)
			if !killed || passed[len(passed)-1] != c.b {
				t.Fatalf("killed %t after %v", killed, passed)
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, e := range entries {
				names = append(names, e.Name())
			}
			if got := strings.Join(names, " "); got != c.left {
				t.Fatalf("left %q, not %q", got, c.left)
			}
			if c.left == "" {
				return
			}
			if text, err := os.ReadFile(filepath.Join(dir, c.left)); err != nil || string(text) != c.wrote {
				t.Errorf("%q %v", text, err)
			}
		})
	}
}

// A thread that is held there holds up what comes after it, and nothing else, until all are killed.
func TestAHeldThreadStandsStillUntilTheDeath(t *testing.T) {
	b := Boundary{Call: "fsync", About: "a.tmp", Nth: 1, Side: Entry}
	_, at, run := victim(t, &b, 100*time.Millisecond)
	before := mono.Now()
	if said := run(); said != "" {
		t.Errorf("it went on and said %q", said)
	}
	if took := mono.Now() - before; took < 100*time.Millisecond {
		t.Errorf("it lived for %s", took)
	}
	if passed, killed := all(t, at); !killed || passed[len(passed)-1] != b {
		t.Errorf("killed %t after %v", killed, passed)
	}
}

func TestAProcessLivesOnAfterItsTracer(t *testing.T) {
	_, at, run := victim(t, nil, 0)
	if err := at.end(); err != nil {
		t.Fatal(err)
	}
	if said := run(); said != "done\n" {
		t.Errorf("%q", said)
	}
}
