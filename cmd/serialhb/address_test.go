package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/firmware-sim/rack"
	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/control"
)

// segment is two servers and a client on a bridge, each in a network namespace that ends with the process that holds it.
type segment struct {
	t    *testing.T
	pids map[string]int
}

const addressNodes = "[[node]]\nname = \"alpha\"\n[[node]]\nname = \"bravo\"\n"

func newNetwork(t *testing.T) *segment {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes network namespaces")
	}
	s := &segment{t: t, pids: map[string]int{}}
	for _, name := range []string{"switch", "alpha", "bravo", "client"} {
		hold := exec.Command("unshare", "-n", "cat")
		in, err := hold.StdinPipe()
		if err == nil {
			err = hold.Start()
		}
		if err != nil {
			t.Skip("no network segment can be made here: ", err)
		}
		t.Cleanup(func() { in.Close(); hold.Wait() })
		s.pids[name] = hold.Process.Pid
	}
	for name, pid := range s.pids {
		s.await(name, pid)
	}
	if out, err := s.command("switch", "ip", "link", "add", "br0", "type", "bridge").CombinedOutput(); err != nil {
		t.Skipf("no network segment can be made here: %v: %s", err, out)
	}
	s.ip("switch", "link", "set", "br0", "up")
	for i, name := range []string{"alpha", "bravo", "client"} {
		s.ip("switch", "link", "add", "port-"+name, "type", "veth", "peer", "name", "eth0", "netns", fmt.Sprint(s.pids[name]))
		s.ip("switch", "link", "set", "port-"+name, "master", "br0", "up")
		s.ip(name, "link", "set", "lo", "up")
		s.ip(name, "link", "set", "eth0", "address", mac(name), "up")
		s.ip(name, "address", "add", fmt.Sprintf("192.0.2.%d/24", i+1), "dev", "eth0")
	}
	return s
}

// await waits until a holder has its own namespace: before that it is in ours.
func (s *segment) await(name string, pid int) {
	s.t.Helper()
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if at, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)); err == nil && at != own {
			return
		}
		if time.Now().After(end) {
			s.t.Skip("no network segment can be made here: no namespace for ", name)
		}
	}
}

func mac(name string) string {
	return map[string]string{"alpha": "02:00:00:00:00:01", "bravo": "02:00:00:00:00:02", "client": "02:00:00:00:00:03"}[name]
}

func (s *segment) command(in string, argv ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{fmt.Sprintf("--net=/proc/%d/ns/net", s.pids[in])}, argv...)...)
}

func (s *segment) ip(in string, argv ...string) {
	s.t.Helper()
	if out, err := s.command(in, append([]string{"ip"}, argv...)...).CombinedOutput(); err != nil {
		s.t.Fatalf("ip %s: %v: %s", strings.Join(argv, " "), err, out)
	}
}

// greet has the client speak to an address, so that it looks for it.
func (s *segment) greet(address string) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		done <- func() error {
			space, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", s.pids["client"]))
			if err != nil {
				return err
			}
			defer space.Close()
			if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
				return err
			}
			c, err := net.Dial("udp", address)
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = io.WriteString(c, "hello")
			return err
		}()
	}()
	if err := <-done; err != nil {
		s.t.Error(err)
	}
}

// believes is where the client takes an address to be.
func (s *segment) believes(address string) string {
	out, err := s.command("client", "ip", "-j", "neighbour", "show", "to", address).Output()
	if err != nil {
		s.t.Error(err)
	}
	var all []struct{ LLAddr string }
	if json.Unmarshal(out, &all) != nil || len(all) == 0 {
		return ""
	}
	return all[0].LLAddr
}

// server is one node of the pair: its daemon, and the supervisor that the board asks about its power.
type server struct {
	name   string
	daemon *exec.Cmd
	ended  chan struct{}
	ask    *control.Client
}

// The whole way of an address: two daemons in two namespaces, the owner loses its power, and the client's cache moves to
// the other one, though the client itself says nothing.
func TestAddressMovesWithItsGroup(t *testing.T) {
	s := newNetwork(t)
	dir := t.TempDir()
	socket := filepath.Join(dir, "board.sock")
	runBoard(t, dir, socket)
	key := filepath.Join(dir, "key")
	if err := config.WriteKey(key); err != nil {
		t.Fatal(err)
	}
	alpha, bravo := s.serve("alpha", dir, key, socket), s.serve("bravo", dir, key, socket)
	for _, n := range []*server{alpha, bravo} {
		eventually(t, n.name+" is armed", func() bool {
			r, err := n.ask.Command(t.Context(), control.Request{Command: "arm"})
			return err == nil && r.OK
		})
	}
	eventually(t, "alpha owns web", func() bool { return alpha.owns(t) })
	s.greet("192.0.2.10:9")
	eventually(t, "the client finds alpha", func() bool { return s.believes("192.0.2.10") == mac("alpha") })
	eventually(t, "bravo hears alpha", func() bool {
		st, err := bravo.ask.Status(t.Context())
		return err == nil && st.Members[0].Presence == "heard" && st.Members[0].CanFence
	})

	began := time.Now()
	c, err := board.Dial(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Ask("ctl", "mains", "alpha", "off"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the client's cache moves", func() bool { return s.believes("192.0.2.10") == mac("bravo") })
	t.Logf("the client's cache moved %v after the mains went", time.Since(began).Round(time.Millisecond))
	eventually(t, "bravo owns web", func() bool { return bravo.owns(t) })

	// A daemon that ends in maintenance leaves the address, and the next one goes on with it.
	if r, err := bravo.ask.Command(t.Context(), control.Request{Command: "maintenance-on"}); err != nil || !r.OK {
		t.Fatal(r, err)
	}
	if r, err := bravo.ask.Command(t.Context(), control.Request{Command: "leave"}); err != nil || !r.OK {
		t.Fatal(r, err)
	}
	<-bravo.ended
	if out, err := s.command("bravo", "ip", "-o", "address", "show", "to", "192.0.2.10").Output(); err != nil || !strings.Contains(string(out), "192.0.2.10/24") {
		t.Errorf("the address went with the daemon: %s, %v", out, err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(40 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen: ", what)
		}
	}
}

func (n *server) owns(t *testing.T) bool {
	s, err := n.ask.Status(t.Context())
	return err == nil && len(s.Groups) == 1 && s.Groups[0].Phase == "active"
}

// runBoard runs the board's process, which ends with the test.
func runBoard(t *testing.T, dir, socket string) {
	t.Helper()
	file := filepath.Join(dir, "board.json")
	cfg := board.Standard([]string{"alpha", "bravo"}, board.Options{HoldUp: 20 * time.Millisecond})
	cfg.Socket = socket
	text, err := json.Marshal(cfg)
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := exec.Command(os.Args[0], rack.ArgBoard, file)
	b.Env = append(os.Environ(), asProgram+"=1")
	b.Stderr = os.Stderr
	in, err := b.StdinPipe()
	if err == nil {
		err = b.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); b.Wait() })
	eventually(t, "the board is there", func() bool {
		c, err := board.Dial(socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// serve starts a node in its namespace.
func (s *segment) serve(name, dir, key, socket string) *server {
	s.t.Helper()
	own := filepath.Join(dir, name)
	if err := os.Mkdir(own, 0o755); err != nil {
		s.t.Fatal(err)
	}
	boot, file, run := filepath.Join(own, "boot_id"), filepath.Join(own, "serialhb.toml"), filepath.Join(own, "run")
	text := fmt.Sprintf("[cluster]\nname = \"lab\"\nkey_file = %q\nstate_dir = %q\nrun_dir = %q\n", key, filepath.Join(own, "state"), run) + addressNodes +
		"[[link]]\nname = \"lan\"\nkind = \"udp\"\nalpha = \"192.0.2.1:6940\"\nbravo = \"192.0.2.2:6940\"\n"
	for _, target := range []string{"alpha", "bravo"} {
		upper := strings.ToUpper(target)
		text += fmt.Sprintf("[[fence]]\ntarget = %q\ndevice = \"relay\"\nline = \"sim:RELAY_%s\"\ncut = \"energise\"\nsense = \"sim:SENSE_%s\"\n"+
			"sense_off = \"low\"\nfail_safe = true\nsense_side = \"dc\"\nmode = \"off\"\n", target, upper, upper)
	}
	text += "[[group]]\nname = \"web\"\n[[group.resource]]\nkind = \"address\"\naddress = \"192.0.2.10/24\"\ninterface = { alpha = \"eth0\", bravo = \"eth0\" }\n"
	for path, content := range map[string]string{file: text, boot: "boot-of-" + name + "\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	n := &server{name: name, ended: make(chan struct{}), ask: control.Dial(filepath.Join(run, "lab", name+".sock"))}
	s.t.Cleanup(n.ask.Close)
	n.daemon = s.command(name, os.Args[0], "run", "--config", file, "--node", name, "--boot-id", boot)
	n.daemon.Env = append(os.Environ(), asProgram+"=1", board.Env+"="+socket)
	log, err := os.Create(filepath.Join(own, "log"))
	if err != nil {
		s.t.Fatal(err)
	}
	n.daemon.Stderr = log
	if err := n.daemon.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { defer close(n.ended); n.daemon.Wait(); log.Close() }()
	s.t.Cleanup(func() {
		n.daemon.Process.Kill()
		<-n.ended
		if text, err := os.ReadFile(log.Name()); err == nil && s.t.Failed() {
			s.t.Logf("%s:\n%s", name, text)
		}
	})
	s.supervise(n, socket)
	return n
}

// supervise does to a node what the loss of its power does: its daemon ends, its card is dark, and the board hears of it.
func (s *segment) supervise(n *server, socket string) {
	s.t.Helper()
	c, err := board.Dial(socket)
	if err == nil {
		_, err = c.Ask("host", n.name)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.t.Cleanup(func() { cancel(); c.Close(); <-done })
	go func() {
		defer close(done)
		for {
			said, err := c.Hear()
			if err != nil {
				return
			}
			if said == "power off" && ctx.Err() == nil {
				n.daemon.Process.Kill()
				<-n.ended
				if out, err := s.command("switch", "ip", "link", "set", "port-"+n.name, "down").CombinedOutput(); err != nil {
					s.t.Errorf("%v: %s", err, out)
				}
				if c.Say("dead") != nil {
					return
				}
			}
		}
	}()
}
