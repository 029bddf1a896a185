package resource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMuchOutputIsDrained(t *testing.T) {
	e := newExec(t, ExecConfig{Start: sh("head -c 20000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 7")})
	err := e.Start(t.Context())
	var ce *CommandError
	if !errors.As(err, &ce) || ce.Code != 7 {
		t.Fatal(err)
	}
	if len(ce.Output) != tailSize || !strings.HasSuffix(ce.Output, "xxx\nthe end\n") {
		t.Errorf("a tail of %d bytes, ending in %q", len(ce.Output), ce.Output[max(0, len(ce.Output)-20):])
	}
	if !strings.HasSuffix(err.Error(), `"the end"`) {
		t.Errorf("%v", err)
	}
}

func TestTail(t *testing.T) {
	for _, chunk := range []int{1, 7, 4095, 4096, 4097, 10000} {
		var all strings.Builder
		var tl tail
		for i := 0; all.Len() < 30000; i++ {
			p := strings.Repeat(string(rune('a'+i%26)), chunk)
			all.WriteString(p)
			tl.add([]byte(p))
		}
		if s := all.String(); tl.String() != s[len(s)-tailSize:] {
			t.Errorf("chunks of %d: wrong tail", chunk)
		}
	}
}

func TestLastLineFitsASentence(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"\n\n":                           "",
		"one\ntwo\n\n":                   "two",
		"bad \xff byte\r\n":              "bad ? byte",
		strings.Repeat("y", 300):         "..." + strings.Repeat("y", 200),
		"x\n" + strings.Repeat("ä", 150): "..." + strings.Repeat("ä", 100),
	} {
		if got := lastLine(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// A background child holds standard output, writes far more than a pipe holds, and must neither delay the start nor
// block nor die.
func TestBackgroundChildKeepsItsOutput(t *testing.T) {
	dir := t.TempDir()
	e := newExec(t, ExecConfig{Dir: dir, StartTimeout: patience,
		Start: sh("(until test -e go; do sleep 0.01; done; head -c 3000000 /dev/zero && touch wrote) & exit 0")})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go"), "", 0o600)
	eventually(t, "the child wrote everything", func() bool { return exists(filepath.Join(dir, "wrote")) })
}

// ticker is a service that talks all the time and counts its lines in a file. It ends by itself.
const ticker = `i=0; while [ $i -lt 2000 ] && ! [ -e end ]; do i=$((i+1)); echo "line $i" || exit 1; echo $i >tmp && mv tmp count; sleep 0.01; done`

func TestServiceOutlivesTheDaemon(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		until  string // the file that says that it is time to kill the daemon
	}{
		"after the start":     {"(" + ticker + ") & exit 0", "returned"},
		"in the middle of it": {ticker, "count"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			daemon := startHelper(t, dir, c.script)
			t.Cleanup(func() { write(t, filepath.Join(dir, "end"), "", 0o600); time.Sleep(50 * time.Millisecond) })
			count := filepath.Join(dir, "count")
			eventually(t, "the service runs", func() bool { return exists(filepath.Join(dir, c.until)) && exists(count) })
			if err := daemon.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = daemon.Wait()
			at := number(count)
			eventually(t, "the service goes on after the daemon's death", func() bool { return number(count) > at+20 })
		})
	}
}

// longCommand runs a script whose time is cut short as soon as the file "ready" is there.
func longCommand(t *testing.T, dir, script string, grace time.Duration) (ending, error) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		for !exists(filepath.Join(dir, "ready")) && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		cancel(ErrTimeout)
	}()
	return command{argv: sh(script), dir: dir, grace: grace, env: []string{"PATH=" + searchPath}}.run(ctx)
}

func TestIgnoredTermIsKilled(t *testing.T) {
	dir := t.TempDir()
	end, err := longCommand(t, dir, `trap "" TERM; sleep 1000 & echo $! >child; touch ready; while :; do sleep 0.1; done`, 100*time.Millisecond)
	if !errors.Is(err, ErrTimeout) || end.signal != syscall.SIGKILL || end.code != -1 {
		t.Errorf("%+v, %v", end, err)
	}
	eventually(t, "its child is gone too", func() bool { return !runs(number(filepath.Join(dir, "child"))) })
}

// The leader dies of SIGTERM at once; a child that takes a moment to leave in order gets that moment.
func TestGraceIsForTheWholeGroup(t *testing.T) {
	dir := t.TempDir()
	end, err := longCommand(t, dir, `(trap "sleep 0.3; touch tidied; exit 0" TERM; touch ready; while :; do sleep 0.01; done) & wait`, patience)
	if !errors.Is(err, ErrTimeout) || end.signal != syscall.SIGTERM {
		t.Errorf("%+v, %v", end, err)
	}
	if !exists(filepath.Join(dir, "tidied")) {
		t.Error("the child was not given its time")
	}
}

// A time-out whose command exits with 0 when told to end is a time-out all the same.
func TestPoliteTimeOutIsStillAFailure(t *testing.T) {
	dir := t.TempDir()
	began := time.Now()
	end, err := longCommand(t, dir, `trap "exit 0" TERM; touch ready; while :; do sleep 0.01; done`, patience)
	if !errors.Is(err, ErrTimeout) || end.code != 0 {
		t.Errorf("%+v, %v", end, err)
	}
	if time.Since(began) >= patience {
		t.Error("it waited for a group in which nobody was left")
	}
}

// runs says whether a process exists and is no zombie.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestNoDescriptorIsInherited(t *testing.T) {
	fd, err := unix.Open("/dev/null", unix.O_RDONLY, 0) // as a careless library opens it
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	e := newExec(t, ExecConfig{Status: []string{"/bin/ls", "-o", "/proc/self/fd"}})
	end, err := e.run(t.Context(), ActionStatus, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(end.output) {
		if f := strings.Fields(line); len(f) > 2 && f[len(f)-2] == "->" {
			got = append(got, f[len(f)-3]+" "+strings.TrimRight(f[len(f)-1], "[]0123456789"))
		}
	}
	// The last one is the directory that is being listed.
	if len(got) != 4 || got[0] != "0 /dev/null" || got[1] != "1 pipe:" || got[2] != "2 pipe:" || !strings.HasPrefix(got[3], "3 /proc") {
		t.Errorf("the child has %q", got)
	}
}

func TestChildHasItsOwnSession(t *testing.T) {
	e := newExec(t, ExecConfig{Status: sh(`read -r line </proc/$$/stat; set -- $line; echo "$1 $5 $6"`)})
	end, err := e.run(t.Context(), ActionStatus, nil)
	f := strings.Fields(end.output)
	if err != nil || len(f) != 3 || f[0] != f[1] || f[0] != f[2] {
		t.Errorf("pid, group and session are %q, %v", end.output, err)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	e := newExec(t, ExecConfig{Status: sh("echo hello; exit 3"), Start: sh("sleep 0.2 & exit 1")})
	missing := newExec(t, ExecConfig{Dir: "/no/such/directory"})
	round := func() {
		_, _ = e.Probe(t.Context())
		_ = e.Start(t.Context())
		_ = missing.Start(t.Context())
	}
	round()
	before := openFiles(t)
	for range 20 {
		round()
	}
	// Each start leaves a child that its reader, a child of ours too, outlives by a moment.
	eventually(t, "all children are reaped", func() bool { return children(t) == 0 })
	eventually(t, fmt.Sprintf("no more than %d descriptors", before), func() bool { return openFiles(t) <= before })
}

func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// children counts the processes of ours, zombies too.
func children(t *testing.T) int {
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(lists) == 0 {
		t.Skip("this kernel does not list children")
	}
	n := 0
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		n += len(strings.Fields(string(text)))
	}
	return n
}

func BenchmarkStart(b *testing.B) {
	e, err := NewExec(ExecConfig{Name: "web", Start: []string{"/bin/true"}, Stop: []string{"/bin/true"}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := e.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
