package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/journal"
)

// long is how long a test waits for what must happen; on a quiet machine it takes a fraction.
const long = 30 * time.Second

func (p *process) nodeDir() string { return filepath.Join(p.run, "lab", "alpha") }

// up waits for the first pulse.
func (p *process) up() {
	p.t.Helper()
	if err := p.pulse(long); err != nil {
		p.t.Fatalf("no first pulse: %v", err)
	}
}

// Somebody cleans up /run while the daemon runs. Nothing of it may be missing for long: neither what it wrote, nor the way
// to it, nor what keeps a second daemon away.
func TestRunDirectoryThatVanishesIsMadeAgain(t *testing.T) {
	p := startProcess(t, nil)
	p.up()
	dir := filepath.Join(p.run, "lab")
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o055 != 0o055 {
		t.Errorf("the socket's directory is %v (%v): nobody else gets through to the socket", info.Mode(), err)
	}
	if res, err := p.command("maintenance-on"); err != nil || !res.OK { // there are facts from now on
		t.Fatalf("%+v %v", res, err)
	}
	for range 2 {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		p.within(long, "somebody new finds the daemon", func() bool {
			c := control.Dial(filepath.Join(dir, "alpha.sock"))
			defer c.Close()
			s, err := c.Status(context.Background())
			return err == nil && s.PID == p.cmd.Process.Pid
		})
		if _, err := journal.Lock(p.nodeDir(), "alpha"); !errors.Is(err, journal.ErrTaken) || !strings.Contains(err.Error(), strconv.Itoa(p.cmd.Process.Pid)) {
			t.Errorf("a second daemon is not kept away: %v", err)
		}
		if _, err := os.Stat(filepath.Join(p.nodeDir(), "decision.facts")); err != nil {
			t.Error(err)
		}
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.ends(long); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	if _, err := os.Lstat(filepath.Join(dir, "alpha.sock")); err == nil {
		t.Error("the socket is left behind")
	}
}

// The first of two daemons that find the same node lost its lock while it was stopped. It must touch nothing any more.
func TestDaemonThatLostItsLockEnds(t *testing.T) {
	p := newProcess(t)
	var said bytes.Buffer
	p.start(&said)
	p.up()
	if res, err := p.command("maintenance-on"); err != nil || !res.OK {
		t.Fatalf("%+v %v", res, err)
	}
	first, ended := p.cmd, p.ended
	if err := errors.Join(first.Process.Signal(syscall.SIGSTOP), os.RemoveAll(filepath.Join(p.run, "lab"))); err != nil {
		t.Fatal(err)
	}
	p.start(nil)
	second := p.cmd
	p.within(long, "the second daemon answers", func() bool {
		s, err := p.ask.Status(context.Background())
		return err == nil && s.PID == second.Process.Pid
	})
	if err := first.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	p.cmd, p.ended = first, ended
	if code := p.ends(long); code != exitStay {
		t.Errorf("exit code %d, want %d", code, exitStay)
	}
	if got := said.String(); !strings.Contains(got, "serialhb: another daemon of this node took its place") || !strings.Contains(got, strconv.Itoa(second.Process.Pid)) {
		t.Errorf("its last words are %q", got)
	}
	s, err := p.ask.Status(context.Background())
	if err != nil || s.PID != second.Process.Pid {
		t.Errorf("the second daemon: pid %d, %v", s.PID, err)
	}
	if _, err := journal.Lock(p.nodeDir(), "alpha"); !errors.Is(err, journal.ErrTaken) {
		t.Errorf("the second daemon has no lock: %v", err)
	}
}

// What is lost writes nothing into a place that is another daemon's by now.
func TestLostPlacesAreNotWritten(t *testing.T) {
	dir := t.TempDir()
	v, err := journal.NewVolatile(dir, "boot-1")
	if err != nil {
		t.Fatal(err)
	}
	gone := &lost{}
	f := &facts{dir: dir, mode: runMode, store: v, lost: gone}
	if err := f.Save(failover.Volatile{Moves: 1}); err != nil {
		t.Fatal(err)
	}
	why := errors.New("taken")
	gone.mark(why)
	for _, err := range []error{f.Save(failover.Volatile{Moves: 2}), f.again(), f.Try()} {
		if !errors.Is(err, why) {
			t.Errorf("wrote: %v", err)
		}
	}
	var got failover.Volatile
	if r, err := v.Load(factsKind, &got); err != nil || !r.Trusted() || got.Moves != 1 {
		t.Errorf("%+v, %v, %v", got, r, err)
	}
	if _, err := (recorder{nil, gone}).Append("note", 1); !errors.Is(err, why) {
		t.Errorf("recorded: %v", err)
	}
}

// Who was told to leave and cannot say goodbye must not be started again; who was told to restart must.
func TestEndWithAnUnwritableRunDirectory(t *testing.T) {
	for command, want := range map[string]int{"leave": exitStay, "restart": exitQuiet} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			p := newProcess(t)
			var said bytes.Buffer
			p.start(&said)
			p.up()
			if _, err := p.ask.Status(context.Background()); err != nil { // the connection stays, though its name goes
				t.Fatal(err)
			}
			p.within(long, "a file stands in the place of the directory", func() bool { // the daemon makes it anew
				return errors.Join(os.RemoveAll(p.nodeDir()), os.WriteFile(p.nodeDir(), nil, 0o600)) == nil
			})
			p.within(long, "it agrees", func() bool { // it looks first what runs
				res, err := p.command(command)
				return err == nil && res.OK
			})
			if code := p.ends(long); code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
			if told := strings.Contains(said.String(), "serialhb: "+errNoGoodbye.Error()); told != (want == exitStay) {
				t.Errorf("its last words are %q", &said)
			}
		})
	}
}

// A service whose program is missing is told by check and by the start alike, and not at the takeover.
func TestMissingProgramIsToldAtTheStart(t *testing.T) {
	p := newProcess(t)
	none := filepath.Join(p.dir, "none")
	p.configure(strings.Replace(p.text, `start = ["/bin/true"]`, `start = ["`+none+`"]`, 1))
	h := &person{}
	if code := h.run("check", "--config", p.file, "--node", "alpha"); code != exitRefused {
		t.Errorf("check: exit %d", code)
	}
	sentence := none + " cannot be found: "
	if !strings.Contains(h.out.String(), sentence) {
		t.Errorf("check says %q", &h.out)
	}
	var said bytes.Buffer
	p.start(&said)
	if code := p.ends(long); code != exitRefused || !strings.Contains(said.String(), sentence) {
		t.Errorf("exit code %d: %s", code, &said)
	}

	// An owner whose program vanished is restarted: if it stayed away, its peer would cut it and the service with it.
	boot := filepath.Join(p.dir, "boot")
	if err := os.WriteFile(boot, []byte("boot-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := journal.NewVolatile(p.nodeDir(), "boot-1")
	if err != nil {
		t.Fatal(err)
	}
	var held failover.Volatile
	held.Groups[0].Held = true
	if err := v.Save(factsKind, held); err != nil {
		t.Fatal(err)
	}
	p.start(nil, "--boot-id", boot)
	p.up()
	p.within(long, "the alarm", func() bool { return strings.Contains(p.alarm("command-unfit"), sentence) })
	if err := os.Symlink("/bin/true", none); err != nil {
		t.Fatal(err)
	}
	p.within(long, "the end of the alarm", func() bool { return p.alarm("command-unfit") == "" })
	if err := os.Remove(none); err != nil {
		t.Fatal(err)
	}
	p.cmd.Process.Kill()
	<-p.ended

	// In the next boot the same facts say nothing any more.
	if err := os.WriteFile(boot, []byte("boot-2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start(nil, "--boot-id", boot)
	if code := p.ends(long); code != exitRefused {
		t.Errorf("exit code %d in the next boot", code)
	}
}

func TestBootIDThatCannotBeReadIsToldWithWhatToDo(t *testing.T) {
	p := newProcess(t)
	var said bytes.Buffer
	p.start(&said, "--boot-id", filepath.Join(p.dir, "none"))
	if code := p.ends(long); code != exitRefused || !strings.Contains(said.String(), "mount /proc, or name with --boot-id") {
		t.Errorf("exit code %d: %s", code, &said)
	}
}

// A disk that filled up while the daemon was away is told at the start, not when the next fact has to be kept.
func TestFullDiskIsToldAtTheStart(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system needs root")
	}
	p := newProcess(t)
	p.configure(strings.Replace(p.text, "[[node]]", "[timing]\nstart_window = \"10m\"\n[[node]]", 1)) // so long nothing has to be kept
	if err := os.Mkdir(p.state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", p.state, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("cannot mount a small file system here: ", err)
	}
	t.Cleanup(func() { unix.Unmount(p.state, unix.MNT_DETACH) })
	p.start(nil)
	p.up()
	if res, err := p.command("maintenance-on"); err != nil || !res.OK { // there are facts on disk from now on
		t.Fatalf("%+v %v", res, err)
	}
	// A daemon that is killed in the middle of a write leaves a page behind that the next one frees: that disk is full in
	// the next round only.
	filler := filepath.Join(p.state, "filler")
	told := func() bool { return strings.Contains(p.alarm("keep-failed"), "is full: free some space") }
	for round := 0; !told(); round++ {
		if round == 5 {
			t.Fatal("no alarm tells of a full disk")
		}
		p.cmd.Process.Kill()
		<-p.ended
		f, err := os.OpenFile(filler, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = f.Write(make([]byte, 4096))
		}
		f.Close()
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal("the disk does not fill: ", err)
		}
		p.start(nil)
		p.up()
		for end := time.Now().Add(5 * time.Second); !told() && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	p.within(long, "the end of the alarm", func() bool { return p.alarm("keep-failed") == "" })
}
