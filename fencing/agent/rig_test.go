package agent

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

// fakeAgent is an agent that does what its own options say. do_ACTION is a command line for an action; without it the
// agent behaves, and keeps its power in a file.
const fakeAgent = `#!/bin/sh
argc=$#
options=
while IFS= read -r line; do
	options="$options$line
"
	case $line in
	action=*) action=${line#*=} ;;
	dir=*) dir=${line#*=} ;;
	password=*) password=${line#*=} ;;
	do_*) eval "${line%%=*}=\${line#*=}" ;;
	esac
done
if [ -n "$dir" ]; then printf '%s' "$options" >>"$dir/calls"; fi
power() { printf %s "$1" >"$dir/power"; }
reads() { case $(cat "$dir/power") in on) exit 0 ;; off) exit 2 ;; *) exit 1 ;; esac; }
first() { [ ! -e "$dir/$1" ] && : >"$dir/$1"; }
eval "todo=\$do_$action"
case ${todo:-$action} in
on) power on ;;
off) power off ;;
status) reads ;;
monitor) ;;
metadata) exit 1 ;;
*) eval "$todo" ;;
esac
`

var fakePath string

// The agent is written before any test begins: a program cannot be run while another thread's child still holds it open
// for writing.
func TestMain(m *testing.M) {
	if dir := os.Getenv("AGENT_TEST_DIES"); dir != "" {
		dieWhileCutting(dir)
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "agent")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		fakePath = filepath.Join(dir, "fence_fake")
		if err := os.WriteFile(fakePath, []byte(fakeAgent), 0o755); err != nil {
			panic(err)
		}
		if err := os.Chmod(fakePath, 0o755); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

// plug is what the fake agent switches.
type plug struct {
	t   *testing.T
	dir string
}

func newPlug(t *testing.T, power string) plug {
	p := plug{t, t.TempDir()}
	p.set(power)
	return p
}

func (p plug) set(power string) { p.write("power", power) }

func (p plug) write(name, content string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p plug) read(name string) string {
	b, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	return string(b)
}

// waitFor waits until a file is there and has something in it.
func (p plug) waitFor(name string) string {
	p.t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(5 * ms) {
		if s := p.read(name); s != "" {
			return s
		}
	}
	p.t.Fatalf("the agent never wrote %s", name)
	return ""
}

// actions lists what the agent was asked, in order.
func (p plug) actions() (all []string) {
	for s := bufio.NewScanner(strings.NewReader(p.read("calls"))); s.Scan(); {
		if action, ok := strings.CutPrefix(s.Text(), "action="); ok {
			all = append(all, action)
		}
	}
	return all
}

// do are options of the fake agent: what it does instead of behaving, by action.
type do = map[string]string

func (p plug) config(d do) Config {
	params := map[string]string{"dir": p.dir}
	for action, todo := range d {
		params["do_"+action] = todo
	}
	return Config{
		Name: "board", Path: fakePath, Params: params, Poll: 10 * ms, PowerTimeout: 10 * time.Second, HoldOff: 50 * ms,
		Timeouts: Timeouts{Off: 20 * time.Second, On: 20 * time.Second, Status: 20 * time.Second, Monitor: 20 * time.Second},
	}
}

func (p plug) agent(c Config) *Agent {
	p.t.Helper()
	c.Params = maps.Clone(c.Params)
	a, err := New(c)
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// alive says whether a process is there and not only waiting to be reaped.
func alive(pid string) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%s/stat", strings.TrimSpace(pid)))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return rest != "" && rest[0] != 'Z' && rest[0] != 'X'
}

func (p plug) mustBeGone(name string) {
	p.t.Helper()
	pid := p.waitFor(name)
	for begin := time.Now(); alive(pid); time.Sleep(5 * ms) {
		if time.Since(begin) > 20*time.Second {
			p.t.Fatalf("process %s is still there", pid)
		}
	}
}
