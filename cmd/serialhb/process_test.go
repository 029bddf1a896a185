package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/control"
)

// asProgram makes the test binary be the program itself.
const asProgram = "SERIALHB_TEST_AS_PROGRAM"

func init() {
	if os.Getenv(asProgram) != "" {
		os.Unsetenv(asProgram)
		main()
	}
}

// process is a real daemon of node alpha. Its only peer is a socket of the test, which counts its pulses.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	peer net.PacketConn
	ask  *control.Client

	dir, run, state, key, file string
	text                       string // of the configuration

	ended chan struct{}
}

const processConfig = `
[cluster]
name = "lab"
key_file = %q
state_dir = %q
run_dir = %q

[[node]]
name = "alpha"
[[node]]
name = "bravo"

[[link]]
name = "lan"
kind = "udp"
alpha = %q
bravo = %q

[[fence]]
target = "alpha"
device = "relay"
line = "sim:RELAY_ALPHA"
cut = "energise"
sense = "sim:SENSE_ALPHA"
sense_off = "low"
sense_bias = "up"
fail_safe = true
sense_side = "dc"
hold_up = "500ms"
mode = "reboot"

[[fence]]
target = "bravo"
device = "relay"
line = "sim:RELAY_BRAVO"
cut = "energise"
sense = "sim:SENSE_BRAVO"
sense_off = "low"
sense_bias = "up"
fail_safe = true
sense_side = "dc"
hold_up = "500ms"
mode = "reboot"

[[group]]
name = "web"
prefer = ["alpha", "bravo"]

[[group.resource]]
kind = "exec"
name = "web"
start = ["/bin/true"]
stop = ["/bin/true"]
status = ["/bin/sh", "-c", "exit 3"]
`

// newProcess prepares a daemon and its files, and starts nothing.
func newProcess(t *testing.T) *process {
	t.Helper()
	dir := t.TempDir()
	peer, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mine := free.LocalAddr().String()
	free.Close()
	p := &process{t: t, peer: peer, dir: dir, run: filepath.Join(dir, "run"), state: filepath.Join(dir, "state"), key: filepath.Join(dir, "key"), file: filepath.Join(dir, "serialhb.toml")}
	if err := config.WriteKey(p.key); err != nil {
		t.Fatal(err)
	}
	p.configure(fmt.Sprintf(processConfig, p.key, p.state, p.run, mine, peer.LocalAddr().String()))
	p.ask = control.Dial(filepath.Join(p.run, "lab", "alpha.sock"))
	t.Cleanup(p.ask.Close)
	return p
}

// configure writes the configuration.
func (p *process) configure(text string) {
	p.t.Helper()
	if err := os.WriteFile(p.file, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.text = text
}

// start runs the daemon, which is killed at the end of the test. more are further words of its command line.
func (p *process) start(stderr io.Writer, more ...string) {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0], append([]string{"run", "--config", p.file, "--node", "alpha"}, more...)...)
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	if stderr != nil {
		p.cmd.Stderr = stderr
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	cmd, ended := p.cmd, make(chan struct{})
	p.ended = ended
	go func() { defer close(ended); cmd.Wait() }()
	p.t.Cleanup(func() { cmd.Process.Kill(); <-ended })
}

func startProcess(t *testing.T, stderr *os.File) *process {
	t.Helper()
	p := newProcess(t)
	if stderr == nil {
		p.start(nil)
	} else {
		p.start(stderr)
	}
	return p
}

// within waits until something is as it should be.
func (p *process) within(d time.Duration, what string, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("not within %v: %s", d, what)
		}
	}
}

// alarm gives the text of an alarm that the daemon tells, "" if there is none.
func (p *process) alarm(code string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := p.ask.Status(ctx)
	if err != nil {
		return ""
	}
	for _, a := range s.Alarms {
		if a.Code == code {
			return a.Text
		}
	}
	return ""
}

// A reload that comes while the daemon still opens its files must not end it.
func TestEarlyReloadDoesNotEndTheDaemon(t *testing.T) {
	p := startProcess(t, nil)
	lock := filepath.Join(p.run, "lab", "alpha", "alpha.lock")
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Microsecond) {
		if _, err := os.Stat(lock); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it does not start")
		}
	}
	for range 50 {
		p.cmd.Process.Signal(syscall.SIGHUP)
		time.Sleep(100 * time.Microsecond)
	}
	if err := p.pulse(20 * time.Second); err != nil {
		t.Fatalf("no pulse after the reloads: %v", err)
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.ends(20 * time.Second); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// pulse waits for the next datagram.
func (p *process) pulse(within time.Duration) error {
	p.peer.SetReadDeadline(time.Now().Add(within))
	_, _, err := p.peer.ReadFrom(make([]byte, 2048))
	return err
}

func (p *process) command(name string) (control.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return p.ask.Command(ctx, control.Request{Command: name})
}

// ends says with which code the process ended, or fails.
func (p *process) ends(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		p.t.Fatal("the process does not end")
		return -1
	}
}

// A sink that takes nothing is the commonest of all: a terminal on hold, a log collector that hangs.
func TestStuckLogSinkDelaysNoPulse(t *testing.T) {
	unread, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer unread.Close()
	defer stderr.Close()
	if _, err := unix.FcntlInt(stderr.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	p := startProcess(t, stderr)
	if err := p.pulse(20 * time.Second); err != nil {
		t.Fatalf("no first pulse: %v", err)
	}
	for i := range 60 { // each is several lines
		if _, err := p.command([]string{"maintenance-on", "maintenance-off"}[i%2]); err != nil {
			t.Fatalf("command %d: %v", i, err)
		}
	}
	if waiting, err := unix.IoctlGetInt(int(unread.Fd()), unix.TIOCINQ); err != nil || waiting < 3500 {
		t.Fatalf("the pipe holds %d bytes (%v), so nothing was stuck", waiting, err)
	}
	for { // what came during the commands
		if p.pulse(time.Millisecond) != nil {
			break
		}
	}
	for i := range 20 {
		if err := p.pulse(time.Second); err != nil { // ten times the interval, for busy machines
			t.Fatalf("pulse %d with a stuck sink: %v", i, err)
		}
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.ends(20 * time.Second); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}
