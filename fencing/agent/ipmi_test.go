package agent

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
)

// bmc is a management board that speaks IPMI on a port of the loopback interface, and a host behind it: a process.
type bmc struct {
	t    *testing.T
	dir  string
	port int
	sim  *exec.Cmd
}

const bmcPassword = "hunter2-board"

// chassis is what the board does to the host. It lies when there is a file that says so.
const chassis = `#!/bin/sh
dir=$1 op=$3
up() { kill -0 "$(cat "$dir/pid")" 2>/dev/null; }
shift 3
case $op in
get) for what; do
	case $what in
	power) if up; then echo power:1; elif [ -e "$dir/says-on" ]; then echo power:1; else echo power:0; fi ;;
	*) echo "$what:0" ;;
	esac
done ;;
set) case "$1 $2" in
	"power 0") [ -e "$dir/stays-on" ] || kill -9 "$(cat "$dir/pid")" ;;
	"power 1") up || { sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >"$dir/pid"; } ;;
	esac ;;
esac
`

func newBMC(t *testing.T) *bmc {
	t.Helper()
	for program, of := range map[string]string{"ipmi_sim": "openipmi", "ipmitool": "ipmitool"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s of the package %s", program, of)
		}
	}
	b := &bmc{t: t, dir: t.TempDir(), port: freePort(t)}
	b.write("chassis", chassis, 0o755)
	b.write("emu", "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nmc_enable 0x20\n", 0o644)
	b.write("lan.conf", fmt.Sprintf(`name "bmc"
set_working_mc 0x20
startlan 1
addr 127.0.0.1 %d
priv_limit admin
allowed_auths_callback none md2 md5 straight
allowed_auths_user none md2 md5 straight
allowed_auths_operator none md2 md5 straight
allowed_auths_admin none md2 md5 straight
guid a123456789abcdefa123456789abcdef
endlan
chassis_control "%s %s 0x20"
user 2 true "admin" "%s" admin 10 none md2 md5 straight
`, b.port, filepath.Join(b.dir, "chassis"), b.dir, bmcPassword), 0o644)
	host := exec.Command("sleep", "1000")
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = host.Wait() }()
	b.write("pid", strconv.Itoa(host.Process.Pid), 0o644)
	t.Cleanup(func() { b.kill() })
	b.start()
	return b
}

func freePort(t *testing.T) int {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

func (b *bmc) write(name, text string, mode os.FileMode) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), mode); err != nil {
		b.t.Fatal(err)
	}
}

// start switches the board on and waits until it answers.
func (b *bmc) start() {
	b.t.Helper()
	state := filepath.Join(b.dir, "state")
	if err := os.MkdirAll(state, 0o755); err != nil {
		b.t.Fatal(err)
	}
	b.sim = exec.Command("ipmi_sim", "-c", filepath.Join(b.dir, "lan.conf"), "-f", filepath.Join(b.dir, "emu"), "-s", state, "-n")
	if err := b.sim.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(b.stop)
	for begin := time.Now(); ; time.Sleep(50 * ms) {
		ask := exec.Command("ipmitool", "-I", "lanplus", "-C", "3", "-N", "1", "-R", "1", "-H", "127.0.0.1", "-p", strconv.Itoa(b.port), "-U", "admin", "-P", bmcPassword, "chassis", "power", "status")
		out, err := ask.CombinedOutput()
		if err == nil {
			return
		}
		if time.Since(begin) > 30*time.Second {
			b.t.Fatalf("the board does not answer: %s", out)
		}
	}
}

func (b *bmc) stop() {
	if b.sim != nil {
		_ = b.sim.Process.Kill()
		_ = b.sim.Wait()
		b.sim = nil
	}
}

func (b *bmc) pid() int {
	text, err := os.ReadFile(filepath.Join(b.dir, "pid"))
	n, bad := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || bad != nil {
		b.t.Fatal(err, bad)
	}
	return n
}

// runs says whether anything of the host does.
func (b *bmc) runs() bool { return alive(strconv.Itoa(b.pid())) }

func (b *bmc) kill() { _ = syscall.Kill(b.pid(), syscall.SIGKILL) }

func (b *bmc) agent(more map[string]string, adjust func(*Config)) *Agent {
	b.t.Helper()
	// Without a cipher of its own ipmitool asks a board for its ciphers first, which this one does not answer.
	params := map[string]string{"ip": "127.0.0.1", "ipport": strconv.Itoa(b.port), "username": "admin", "password": bmcPassword, "lanplus": "1", "cipher": "3"}
	for name, value := range more {
		params[name] = value
	}
	c := real(b.t, "fence_ipmilan", params).Config()
	c.PowerTimeout = 2 * time.Second
	if adjust != nil {
		adjust(&c)
	}
	a, err := New(c)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

// A real agent, a real protocol, and a host that is really off when it says so.
func TestIPMI(t *testing.T) {
	t.Parallel()
	b := newBMC(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	a := b.agent(nil, nil)
	m, err := a.Metadata(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if problems := a.CheckParams(m); len(problems) != 0 {
		t.Errorf("%q", problems)
	}
	if err := a.Validate(ctx, m); err != nil {
		t.Error(err)
	}
	if ill := fencing.Health(ctx, a); len(ill) != 0 || !b.runs() {
		t.Fatalf("%v", ill)
	}
	got := a.Off(ctx, fencing.Query{})
	if got.Proof != fencing.Agent || b.runs() {
		t.Fatalf("%v, %v; the host runs: %v", got.Proof, got.Err, b.runs())
	}
	if s := a.Status(ctx); s.Power != fencing.Off || s.Proof != fencing.Agent {
		t.Errorf("%+v", s)
	}
	if err := a.On(ctx); err != nil || !b.runs() {
		t.Fatalf("%v; the host runs: %v", err, b.runs())
	}
	if s := a.Status(ctx); s.Power != fencing.On || s.Proof.IsOff() {
		t.Errorf("%+v", s)
	}
}

func TestIPMIThatCannotProve(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a board that does not answer: not with -short")
	}
	b := newBMC(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	fails := func(name string, a *Agent, says string) {
		t.Helper()
		got := a.Off(ctx, fencing.Query{})
		if got.Proof.IsOff() || got.Err == nil || !strings.Contains(got.Err.Error(), says) || strings.Contains(got.Err.Error(), bmcPassword) {
			t.Errorf("%s: %v, %v", name, got.Proof, got.Err)
		}
		if s := a.Status(ctx); s.Proof.IsOff() {
			t.Errorf("%s: %+v", name, s)
		}
	}
	wrong := b.agent(map[string]string{"password": "another-password"}, nil)
	fails("a wrong password", wrong, NoStatus.Error())
	if ill := fencing.Health(ctx, wrong); len(ill) != 2 {
		t.Errorf("a wrong password: %v", ill)
	}
	b.write("stays-on", "", 0o644)
	fails("a board that does nothing", b.agent(map[string]string{"power_timeout": "2"}, nil), "")
	if !b.runs() {
		t.Fatal("the host is off: this shows nothing")
	}
	if err := os.Remove(filepath.Join(b.dir, "stays-on")); err != nil {
		t.Fatal(err)
	}
	b.write("says-on", "", 0o644)
	fails("a board that cuts and reports on", b.agent(map[string]string{"power_timeout": "2"}, nil), "")
	if b.runs() {
		t.Fatal("the host runs: this shows nothing")
	}
	short := func(c *Config) {
		c.Timeouts = Timeouts{Off: 2 * time.Second, On: 2 * time.Second, Status: 2 * time.Second, Monitor: 2 * time.Second}
	}
	a := b.agent(nil, short)
	if s := a.Status(ctx); s.Power != fencing.On {
		t.Fatalf("%+v", s)
	}
	b.stop()
	begin := time.Now()
	fails("a board that is gone", a, "")
	if ill := fencing.Health(ctx, a); len(ill) != 2 || time.Since(begin) > time.Minute {
		t.Errorf("a board that is gone: %v after %v", ill, time.Since(begin))
	}
}

// A board that dies together with its host, as one that is fed by it: no answer is no proof.
func TestIPMIBoardDiesWithItsHost(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a board that does not answer: not with -short")
	}
	b := newBMC(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	a := b.agent(nil, func(c *Config) {
		c.HoldOff = time.Hour // until the board is gone
		c.Timeouts.Status = 3 * time.Second
	})
	off := make(chan struct{})
	go func() {
		defer close(off)
		for b.runs() {
			time.Sleep(10 * ms)
		}
		b.stop()
	}()
	got := a.Off(ctx, fencing.Query{})
	if <-off; got.Proof.IsOff() || got.Err == nil || b.runs() {
		t.Errorf("%v, %v; the host runs: %v", got.Proof, got.Err, b.runs())
	}
}
