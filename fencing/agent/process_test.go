package agent

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
)

// The agent hears all options and then its action, and nothing by its command line or its environment.
func TestWhatAnAgentHears(t *testing.T) {
	p := newPlug(t, "on")
	c := p.config(do{"status": `echo "$argc" >$dir/argc; tr '\0' '\n' </proc/$$/environ >$dir/env; ls -l /proc/$$/fd >$dir/fds; pwd >$dir/pwd; exit 0`})
	c.Params["password"], c.Params["ip"], c.Params["plug"] = "s=e c#ü", "192.0.2.20", ""
	// Something that a library left open.
	p.write("leak", "")
	leak, err := syscall.Open(filepath.Join(p.dir, "leak"), syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(leak)
	if s := p.agent(c).Status(context.Background()); s.Power != fencing.On || s.Err != nil {
		t.Fatal(s.Err)
	}
	want := "dir=" + p.dir + "\ndo_status=" + c.Params["do_status"] + "\nip=192.0.2.20\npassword=s=e c#ü\nplug=\naction=status\n"
	if got := p.read("calls"); got != want {
		t.Errorf("the agent read\n%swant\n%s", got, want)
	}
	if got := p.read("argc"); got != "0\n" {
		t.Errorf("the agent has %s arguments", got)
	}
	env := strings.Fields(p.read("env"))
	if slices.Sort(env); !slices.Equal(env, []string{"HOME=/", "LC_ALL=C.UTF-8", environment[0]}) {
		t.Errorf("environment %q", env)
	}
	if fds := p.read("fds"); !strings.Contains(fds, "pipe:") || strings.Contains(fds, "leak") {
		t.Errorf("the agent has the descriptors\n%s", fds)
	}
	if got := p.read("pwd"); got != "/\n" {
		t.Errorf("the agent works in %s", got)
	}
}

func TestNothingReadsTheOptions(t *testing.T) {
	for _, path := range []string{"/bin/true", "/bin/false"} {
		end, err := program{path: path, input: bytes.Repeat([]byte("x"), maxInput), keep: keepText}.run(context.Background())
		if err != nil || (end.code == 0) != (path == "/bin/true") {
			t.Errorf("%s: code %d, %v", path, end.code, err)
		}
	}
}

// maxInput is the most that a config lets through, and the action.
const maxInput = 33 << 10

// Of the output the beginning is kept.
func TestOutputIsBounded(t *testing.T) {
	p := newPlug(t, "on")
	a := p.agent(p.config(do{"off": "echo begin; head -c 3000000 /dev/zero"}))
	end, err := a.call(context.Background(), off, time.Minute)
	if err != nil || len(end.out.bytes) != keepText || !end.out.cut || !strings.HasPrefix(string(end.out.bytes), "begin") {
		t.Errorf("%d bytes, cut %t, %v", len(end.out.bytes), end.out.cut, err)
	}
}

// An off does not outlive the program that decided on it.
func TestAgentDiesWithUs(t *testing.T) {
	p := newPlug(t, "on")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	owner := exec.Command(self)
	owner.Env = append(os.Environ(), "AGENT_TEST_DIES="+p.dir, "AGENT_TEST_PATH="+fakePath)
	owner.Stderr = os.Stderr
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	p.waitFor("here")
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	p.mustBeGone("here")
}

// dieWhileCutting is the program that TestAgentDiesWithUs kills.
func dieWhileCutting(dir string) {
	a, err := New(Config{Name: "board", Path: os.Getenv("AGENT_TEST_PATH"), Params: map[string]string{
		"dir": dir, "do_off": "echo $$ >$dir/here; while :; do sleep 1; done",
	}})
	if err != nil {
		panic(err)
	}
	a.Off(context.Background(), fencing.Query{})
	os.Exit(1)
}

// What a password is never reaches people, also where the output was cut.
func TestSecrets(t *testing.T) {
	for _, name := range []string{"password", "passwd", "snmp_priv_passwd", "api_token", "secret_key", "password_script", "community", "apikey", "Ssh_Password"} {
		if !fencing.SecretOption(name) {
			t.Errorf("%s is shown", name)
		}
	}
	for _, name := range []string{"ip", "username", "plug", "ssl_insecure"} {
		if fencing.SecretOption(name) {
			t.Errorf("%s is hidden", name)
		}
	}
	const secret = "hunter two/äö"
	p := newPlug(t, "on")
	for _, says := range []string{
		`echo "login with $password failed"`, `echo "login with $password failed" >&2`, `echo "GET /?p=hunter+two%2F%C3%A4%C3%B6 refused"`,
		`printf '%4090s%s' x "$password" >&2`,
	} {
		c := p.config(do{"off": says + "; exit 1", "monitor": says + "; exit 1"})
		c.Params["password"] = secret
		a := p.agent(c)
		p.set("on")
		got := a.Off(context.Background(), fencing.Query{})
		all := a.Monitor(context.Background()).Error() + got.Err.Error()
		for _, s := range got.Steps {
			all += s.Text
		}
		if !strings.Contains(all, hidden) || strings.Contains(all, "hunter") {
			t.Errorf("%s: %s", says, all)
		}
	}
	if _, err := New(Config{Name: "board", Path: "/x", Params: map[string]string{"password": secret + "\n"}}); err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("%v", err)
	}
}

func TestProgramsThatAreRefused(t *testing.T) {
	p := newPlug(t, "on")
	sub := filepath.Join(p.dir, "sub")
	fake := filepath.Join(sub, "fence_fake")
	script, err := os.ReadFile(fakePath)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	open := filepath.Join(p.dir, "open")
	must(os.MkdirAll(sub, 0o755))
	must(os.MkdirAll(open, 0o755))
	must(os.Chmod(open, 0o777))
	must(os.WriteFile(fake, script, 0o755))
	must(os.Symlink(fake, filepath.Join(p.dir, "link")))
	must(os.Symlink(fake, filepath.Join(open, "link")))
	must(os.Symlink(filepath.Join(open, "link"), filepath.Join(p.dir, "detour")))
	must(os.Symlink("loop", filepath.Join(p.dir, "loop")))
	modes := func(file, dir, above os.FileMode) {
		must(os.Chmod(fake, file))
		must(os.Chmod(sub, dir))
		must(os.Chmod(p.dir, above))
	}
	for _, c := range []struct {
		name, path       string
		file, dir, above os.FileMode
		says             string
	}{
		{"good", fake, 0o755, 0o755, 0o755, ""},
		{"good, by a link", filepath.Join(p.dir, "link"), 0o700, 0o755, 0o755, ""},
		{"missing", fake + "x", 0o755, 0o755, 0o755, "no such file or directory: install the agent or correct the path"},
		{"not executable", fake, 0o644, 0o755, 0o755, "chmod +x"},
		{"a directory", sub, 0o755, 0o755, 0o755, "it is no program"},
		{"world-writable", fake, 0o757, 0o755, 0o755, "everybody may write to " + fake},
		{"in a world-writable directory", fake, 0o755, 0o777, 0o755, "everybody may write to " + sub},
		{"in a world-writable sticky directory", fake, 0o755, 0o777 | os.ModeSticky, 0o755, "everybody may write to " + sub},
		{"below a world-writable directory", fake, 0o755, 0o755, 0o777, "everybody may write to " + p.dir},
		{"below a world-writable sticky directory", fake, 0o755, 0o755, 0o777 | os.ModeSticky, ""},
		{"by a link in a world-writable directory", filepath.Join(open, "link"), 0o755, 0o755, 0o755, "everybody may write to " + open},
		{"by a link to such a link", filepath.Join(p.dir, "detour"), 0o755, 0o755, 0o755, "everybody may write to " + open},
		{"a circle", filepath.Join(p.dir, "loop"), 0o755, 0o755, 0o755, "find "},
	} {
		modes(c.file, c.dir, c.above)
		config := p.config(nil)
		config.Path = c.path
		s := p.agent(config).Status(context.Background())
		if (c.says == "") != (s.Err == nil) || s.Err != nil && (!strings.Contains(s.Err.Error(), c.says) || s.Power != fencing.Unknown) {
			t.Errorf("%s: %v, %v", c.name, s.Power, s.Err)
		}
	}
	modes(0o755, 0o755, 0o755)
	must(os.WriteFile(fake, []byte("#!/no/such/interpreter\n"), 0o755))
	if got := p.agent(Config{Name: "board", Path: fake}).Off(context.Background(), fencing.Query{}); !errors.Is(got.Err, os.ErrNotExist) {
		t.Errorf("without its interpreter: %v", got.Err)
	}
}

// An agent that is removed, or exchanged, between two runs: what it said before proves nothing now.
func TestAgentIsExchangedBetweenRuns(t *testing.T) {
	for name, c := range map[string]struct{ script, says string }{
		"removed":             {"", "install the agent or correct the path"},
		"no program any more": {"#!/no/such/interpreter\n", "no such file"},
		"says off to all":     {"#!/bin/sh\nexit 2\n", "exit code 2"},
		"says done to all":    {"#!/bin/sh\nexit 0\n", StaysOn.Error()},
		"cannot start":        {"#!/bin/sh\nexit 127\n", "exit code 127"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlug(t, "on")
			script, err := os.ReadFile(fakePath)
			if err != nil {
				t.Fatal(err)
			}
			put := func(text string) {
				t.Helper()
				next := filepath.Join(p.dir, "next")
				if err := errors.Join(os.WriteFile(next, []byte(text), 0o755), os.Rename(next, filepath.Join(p.dir, "fence_fake"))); err != nil {
					t.Fatal(err)
				}
			}
			put(string(script))
			config := p.config(nil)
			config.Path, config.PowerTimeout = filepath.Join(p.dir, "fence_fake"), 300*ms
			a := p.agent(config)
			if err := a.Check(context.Background()); err != nil {
				t.Fatal(err)
			}
			if c.script == "" {
				err = os.Remove(config.Path)
			} else {
				put(c.script)
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Off(context.Background(), fencing.Query{}); got.Proof.IsOff() || got.Err == nil || !strings.Contains(got.Err.Error(), c.says) {
				t.Errorf("%v, %v", got.Proof, got.Err)
			}
			put(string(script))
			if got := a.Off(context.Background(), fencing.Query{}); got.Proof != fencing.Agent {
				t.Errorf("the right one is back: %v, %v", got.Proof, got.Err)
			}
		})
	}
}

// The bound that the config works with covers what a run that hangs takes to end.
func TestAgentEnd(t *testing.T) {
	if sum := termGrace + killGrace + 2*drainGrace; sum > fencing.AgentEnd {
		t.Errorf("it may take %v", sum)
	}
}
