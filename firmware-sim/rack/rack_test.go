package rack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
)

const patience = 20 * time.Second

func TestMain(m *testing.M) {
	// Built with the race detector every process would linger for a second at its end.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	if exit, ok := Hidden(os.Args[1:]); ok {
		os.Exit(exit)
	}
	if len(os.Args) == 3 && os.Args[1] == argLab {
		os.Exit(lab(os.Args[2]))
	}
	os.Exit(m.Run())
}

func TestStopAndStart(t *testing.T) {
	in := build(t, idle, nil)
	in.file("alpha", "trap")
	in.must(in.StopNode("alpha", patience))
	if got := in.status("alpha"); got != "stopped 0" {
		t.Errorf("after the leave: %s", got)
	}
	time.Sleep(3 * in.cfg.RestartDelay)
	if in.runs("alpha") {
		t.Error("a daemon that left in order was restarted")
	}
	in.must(in.StartNode("alpha"))
	in.pid("alpha")
	if err := in.StopNode("charlie", patience); err == nil {
		t.Error("a node that does not exist was stopped")
	}
}

func TestALeaveThatFailsIsAnError(t *testing.T) {
	in := build(t, `trap 'exit 3' TERM; echo x >$SERIALHB_RUN_DIR/up; while :; do sleep 0.02; done`, nil)
	in.file("alpha", "up")
	if err := in.StopNode("alpha", patience); err == nil || !strings.Contains(err.Error(), "stopped 3") {
		t.Errorf("exit code 3: %v", err)
	}
	if in.runs("alpha") {
		t.Error("it was restarted although it was stopped")
	}
}

func TestRestartsFollowTheExitCode(t *testing.T) {
	// The daemon ends with whatever code is put into the file, once.
	script := `f=$SERIALHB_RUN_DIR/code; while :; do if [ -e $f ]; then c=$(cat $f); rm $f; exit $c; fi; sleep 0.005; done`
	in := build(t, script, func(c *Config) { c.RestartDelay = 300 * time.Millisecond })
	exit := func(code int) (ended board.Event) {
		t.Helper()
		in.pid("alpha")
		path := filepath.Join(in.RunDir("alpha"), "code")
		in.must(os.WriteFile(path+".new", []byte(strconv.Itoa(code)), 0o644))
		in.must(os.Rename(path+".new", path))
		return in.wait(fmt.Sprintf("host alpha daemon exited %d", code))
	}
	started := func() board.Event {
		t.Helper()
		for {
			e := <-in.events
			if strings.HasPrefix(e.Value, "daemon started") && e.Name == "alpha" {
				return e
			}
		}
	}
	ended := exit(1)
	if d := started().At - ended.At; d < in.cfg.RestartDelay {
		t.Errorf("restarted after %s, which is less than the restart delay", d)
	}
	ended = exit(75)
	if d := started().At - ended.At; d >= in.cfg.RestartDelay {
		t.Errorf("the quiet restart took %s", d)
	}
	for _, stays := range []int{0, 74} {
		exit(stays)
		time.Sleep(in.cfg.RestartDelay + 100*time.Millisecond)
		if got, want := in.status("alpha"), fmt.Sprintf("stopped %d", stays); got != want {
			t.Errorf("after exit %d: %s, want %s", stays, got, want)
			continue
		}
		in.must(in.StartNode("alpha"))
	}
}

func TestKillDaemonLeavesTheRestAlone(t *testing.T) {
	in := build(t, `[ -e $SERIALHB_RUN_DIR/svc ] || { setsid sleep 1000 & echo $! >$SERIALHB_RUN_DIR/svc; }; `+idle, nil)
	svc, boot := in.file("alpha", "svc"), in.bootID("alpha")
	first := in.pid("alpha")
	in.must(in.KillDaemon("alpha"))
	in.until("a new daemon", func() bool { return in.runs("alpha") && in.pid("alpha") != first })
	in.must(in.HoldDaemon("alpha"))
	time.Sleep(5 * in.cfg.RestartDelay)
	if got := in.status("alpha"); got != "stopped -1" {
		t.Errorf("a held daemon: %s", got)
	}
	in.must(in.RestartDaemon("alpha"))
	second := in.pid("alpha")
	in.must(in.RestartDaemon("alpha"))
	if third := in.pid("alpha"); third == second {
		t.Error("restart-daemon left the old one")
	}
	if _, err := os.Stat("/proc/" + svc); err != nil {
		t.Errorf("the service is gone: %v", err)
	}
	if got := in.bootID("alpha"); got != boot {
		t.Error("the boot id changed without a power cut")
	}
}

func (in *installation) bootID(node string) string {
	in.Helper()
	id, err := in.BootID(node)
	in.must(err)
	if len(id) != 36 {
		in.Errorf("boot id %q is no UUID", id)
	}
	return id
}

func TestCableAndNet(t *testing.T) {
	in := build(t, idle, nil)
	a, err := os.OpenFile(in.Port("alpha", "bravo"), os.O_RDWR, 0)
	in.must(err)
	defer a.Close()
	b, err := os.OpenFile(in.Port("bravo", "alpha"), os.O_RDWR, 0)
	in.must(err)
	defer b.Close()
	in.must(in.CutCable("alpha", "bravo"))
	in.write(a, "lost", func() bool { s, err := in.CableStats("alpha", "bravo"); return err == nil && s.Cut > 0 })
	in.must(in.MendCable("alpha", "bravo"))
	in.write(a, "x", func() bool { s, err := in.CableStats("alpha", "bravo"); return err == nil && s.Delivered > 0 })
	in.must(in.Unplug("bravo", "alpha"))
	if _, err := os.Stat(in.Port("bravo", "alpha")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("unplugged: %v", err)
	}
	in.must(in.Replug("bravo", "alpha"))
	if _, err := os.Stat(in.Port("bravo", "alpha")); err != nil {
		t.Error(err)
	}
	in.must(in.Noise("alpha", "bravo", 1))
	in.must(in.ByteErrors("alpha", "bravo", 0.5))
	in.must(in.CutNet("alpha", "bravo"))
	in.must(in.DropNet("bravo", "alpha", 0.5))
	in.must(in.MendNet("alpha", "bravo"))
	for what, err := range map[string]error{
		"cable": in.CutCable("alpha", "charlie"),
		"net":   in.CutNet("charlie", "alpha"),
		"plug":  in.Unplug("alpha", "alpha"),
		"power": in.PowerOff("charlie"),
		"weld":  in.Weld("RELAY_CHARLIE"),
		"sense": in.Sense("SENSE_ALPHA", "odd"),
		"host":  in.Freeze("charlie"),
	} {
		if err == nil {
			t.Errorf("%s: a fault at a place that does not exist was accepted", what)
		}
	}
}

func (in *installation) write(f *os.File, text string, done func() bool) {
	in.Helper()
	in.until("bytes pass", func() bool {
		_, err := f.WriteString(text)
		in.must(err)
		return done()
	})
}

func TestNothingWorksBeforeStart(t *testing.T) {
	r := assemble(t, idle, nil)
	defer r.Close()
	if r.PowerOff("alpha") == nil || r.Freeze("alpha") == nil {
		t.Error("a verb before Start was accepted")
	}
}

func TestTheEndOfTheBoardIsTheEndOfEverything(t *testing.T) {
	r := assemble(t, `setsid sleep 1000 & `+idle, nil)
	in := &installation{T: t, Rack: r}
	in.must(r.Start())
	in.until("four processes and their sleeps", func() bool { return len(in.processesOf("alpha")) >= 2 && len(in.processesOf("bravo")) >= 2 })
	in.must(r.board.cmd.Process.Kill())
	in.until("all are gone", func() bool { return len(processes(t, r.cfg.Dir)) == 0 })
	if err := r.Close(); err == nil {
		t.Error("Close does not say that the board had died")
	}
}

func TestADaemonDiesWithItsSupervisor(t *testing.T) {
	r := assemble(t, idle, nil)
	in := &installation{T: t, Rack: r}
	in.must(r.Start())
	in.pid("alpha")
	in.must(r.hosts["alpha"].cmd.Process.Kill())
	in.until("the daemon is gone", func() bool { return len(in.processesOf("alpha")) == 0 })
	in.must(r.PowerOff("alpha"))
	in.until("the supplies are empty", func() bool { s, err := r.State(); return err == nil && s.Hosts["alpha"].Power == "dying" })
	if s, err := r.State(); err != nil || !s.Senses["SENSE_ALPHA"].Level {
		t.Error("the sense reads off, and nobody can know whether that is true")
	}
	if err := r.Close(); err == nil {
		t.Error("Close does not say that a supervisor had died")
	}
}

// argLab makes the test program a lab that can be killed: it starts a rack in a folder and sleeps.
const argLab = "lab-to-be-killed"

func lab(dir string) int {
	exe, err := os.Executable()
	if err != nil {
		return 1
	}
	r, err := New(Config{Binary: exe, Dir: dir, Nodes: []string{"alpha", "bravo"}, Baud: 9600,
		NodeCommand: func(string) (argv, env []string) {
			return []string{"/bin/sh", "-c", `setsid sleep 1000 & ` + idle}, []string{"PATH=" + os.Getenv("PATH")}
		}})
	if err == nil {
		err = r.Start()
	}
	fmt.Println(err)
	time.Sleep(time.Hour)
	return 0
}

func TestAKilledLabLeavesNobodyBehind(t *testing.T) {
	dir, err := os.MkdirTemp("", "rack")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(os.Args[0], argLab, dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, err := out.Read(b); string(b[:n]) != "<nil>\n" {
		t.Errorf("the lab did not start: %s %v", b[:n], err)
	}
	in := &installation{T: t, Rack: &Rack{}}
	in.until("everything runs", func() bool { return len(processes(t, dir)) >= 8 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	in.until("everything is gone", func() bool { return len(processes(t, dir)) == 0 })
	cmd.Wait()
}
