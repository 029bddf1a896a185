package main

import (
	"context"
	"fmt"
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
	run  string

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

func startProcess(t *testing.T, stderr *os.File) *process {
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
	key, file := filepath.Join(dir, "key"), filepath.Join(dir, "serialhb.toml")
	if err := config.WriteKey(key); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, peer: peer, run: filepath.Join(dir, "run")}
	text := fmt.Sprintf(processConfig, key, filepath.Join(dir, "state"), p.run, mine, peer.LocalAddr().String())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(os.Args[0], "run", "--config", file, "--node", "alpha")
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.Stderr = stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.ended = make(chan struct{})
	go func() { defer close(p.ended); p.cmd.Wait() }()
	t.Cleanup(func() { p.cmd.Process.Kill(); <-p.ended })
	p.ask = control.Dial(filepath.Join(p.run, "lab", "alpha.sock"))
	t.Cleanup(p.ask.Close)
	return p
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

func TestRunDirectoryThatVanishesIsMadeAgain(t *testing.T) {
	p := startProcess(t, nil)
	if err := p.pulse(20 * time.Second); err != nil {
		t.Fatalf("no first pulse: %v", err)
	}
	dir := filepath.Join(p.run, "lab")
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o055 != 0o055 {
		t.Errorf("the socket's directory is %v (%v): nobody else gets through to the socket", info.Mode(), err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := p.ask.Status(ctx); err != nil { // the connection stays, though its name goes
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if res, err := p.command("maintenance-on"); err != nil || !res.OK {
		t.Fatalf("%+v %v", res, err)
	}
	facts := filepath.Join(dir, "alpha", "decision.facts")
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(facts); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%s is not there again", facts)
		}
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.ends(20 * time.Second); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}
