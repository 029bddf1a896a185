package rack

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
)

// idle is a daemon that leaves in order when it is asked to.
const idle = `trap 'exit 0' TERM; echo x >$SERIALHB_RUN_DIR/trap; while :; do sleep 0.02; done`

// installation is a rack under test, with a stream of what happens on its board.
type installation struct {
	*testing.T
	*Rack
	events <-chan board.Event
	past   []board.Event
}

// build makes a rack of alpha and bravo whose daemons are shell scripts, and starts it.
func build(t *testing.T, script string, shape func(*Config)) *installation {
	t.Helper()
	in := &installation{T: t, Rack: assemble(t, script, shape)}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if left := processes(t, in.cfg.Dir); len(left) != 0 {
			t.Errorf("left behind: %q", left)
		}
	})
	if err := in.Start(); err != nil {
		t.Fatal(err)
	}
	events, stop, err := in.Watch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop() })
	in.events = events
	in.until("both daemons run", func() bool { return in.runs("alpha") && in.runs("bravo") })
	return in
}

func assemble(t *testing.T, script string, shape func(*Config)) *Rack {
	t.Helper()
	dir, err := os.MkdirTemp("", "rack")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Binary: exe, Dir: dir, Nodes: []string{"alpha", "bravo"}, Baud: 115200, RestartDelay: 20 * time.Millisecond,
		NodeCommand: func(string) (argv, env []string) {
			return []string{"/bin/sh", "-c", script}, []string{"PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE")}
		},
	}
	if shape != nil {
		shape(&cfg)
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (in *installation) must(err error) {
	in.Helper()
	if err != nil {
		in.Fatal(err)
	}
}

func (in *installation) until(what string, ok func() bool) {
	in.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			for _, node := range in.Nodes() {
				log, _ := os.ReadFile(in.Log(node))
				in.Logf("%s: %s", node, log)
			}
			in.Fatalf("waited in vain: %s", what)
		}
	}
}

func (in *installation) status(node string) string {
	in.Helper()
	text, err := in.Status(node)
	in.must(err)
	return text
}

func (in *installation) runs(node string) bool {
	in.Helper()
	return strings.HasPrefix(in.status(node), "running ")
}

func (in *installation) pid(node string) int {
	in.Helper()
	in.until(node+" runs", func() bool { return in.runs(node) })
	pid, err := strconv.Atoi(strings.TrimPrefix(in.status(node), "running "))
	in.must(err)
	return pid
}

// wait returns the next event that reads "kind name value".
func (in *installation) wait(text string) board.Event {
	in.Helper()
	for {
		select {
		case e, ok := <-in.events:
			if !ok {
				in.Fatalf("no more events, waited for %q", text)
			}
			in.past = append(in.past, e)
			if e.Kind+" "+e.Name+" "+e.Value == text {
				return e
			}
		case <-time.After(patience):
			in.Fatalf("waited in vain for %q; seen %v", text, in.past)
		}
	}
}

// file waits for a file in a node's run directory and returns its text.
func (in *installation) file(node, name string) string {
	in.Helper()
	path := filepath.Join(in.RunDir(node), name)
	in.until(path+" appears", func() bool { b, err := os.ReadFile(path); return err == nil && len(b) > 0 })
	b, err := os.ReadFile(path)
	in.must(err)
	return strings.TrimSpace(string(b))
}

// processes lists all processes whose command or environment names mark; those of a node name their SERIALHB_NODE.
func processes(t *testing.T, marks ...string) []string {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, dir := range dirs {
		cmd, _ := os.ReadFile(dir + "/cmdline")
		env, _ := os.ReadFile(dir + "/environ")
		all := append(cmd, env...)
		hit := dir != "/proc/"+strconv.Itoa(os.Getpid())
		for _, mark := range marks {
			hit = hit && bytes.Contains(all, []byte(mark))
		}
		if hit {
			found = append(found, filepath.Base(dir)+" "+string(bytes.ReplaceAll(cmd, []byte{0}, []byte(" "))))
		}
	}
	return found
}

func (in *installation) processesOf(node string) []string {
	in.Helper()
	return processes(in.T, "SERIALHB_BOARD="+in.BoardSocket(), "SERIALHB_NODE="+node)
}
