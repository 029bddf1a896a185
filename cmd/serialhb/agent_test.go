package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/fencing/agent"
	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/resource/address"
)

// agentScript is a fence agent whose outlet is the file that its option outlet names. It wants a password.
const agentScript = `#!/bin/sh
while IFS='=' read -r name value; do
	case $name in
	action) action=$value ;;
	outlet) outlet=$value ;;
	password) password=$value ;;
	esac
done
case $action in
metadata)
	cat <<'END'
<?xml version="1.0" ?>
<resource-agent name="fence_test" shortdesc="a file">
<parameters>
<parameter name="outlet" required="1"><content type="string"/><shortdesc lang="en">the file</shortdesc></parameter>
<parameter name="password" required="0"><content type="string"/><shortdesc lang="en">the password</shortdesc></parameter>
<parameter name="lanplus" required="0"><content type="boolean"/><shortdesc lang="en">nothing</shortdesc></parameter>
</parameters>
<actions><action name="on"/><action name="off"/><action name="status"/><action name="monitor"/><action name="metadata"/><action name="validate-all"/></actions>
</resource-agent>
END
	exit 0 ;;
esac
[ "$password" = open-sesame ] || { echo "wrong password $password" >&2; exit 1; }
case $action in
on|off) echo "$action" >"$outlet" ;;
status|monitor) [ "$(cat "$outlet")" = on ] || exit 2 ;;
esac
`

// agentRig is a configuration whose second level for bravo is that agent.
type agentRig struct {
	t                         *testing.T
	agent, outlet, opts, file string
	text                      string
}

func newAgentRig(t *testing.T) *agentRig {
	t.Helper()
	dir := t.TempDir()
	r := &agentRig{t: t, agent: filepath.Join(dir, "fence_test"), outlet: filepath.Join(dir, "outlet"), opts: filepath.Join(dir, "bravo.options"), file: checkFile(t, "/dev/serialhb-none")}
	r.write(r.agent, agentScript, 0o755)
	r.write(r.outlet, "on\n", 0o600)
	r.write(r.opts, "password=open-sesame\n", 0o600)
	text, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	r.text = string(text) + fmt.Sprintf(`
[[fence]]
target = "bravo"
level = 2
device = "exec"
agent = %q
options_file = %q
options = { outlet = %q, lanplus = true }
hold_off = "50ms"
poll = "10ms"
`, r.agent, r.opts, r.outlet)
	r.write(r.file, r.text, 0o644)
	return r
}

func (r *agentRig) write(path, text string, mode os.FileMode) {
	r.t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		r.t.Fatal(err)
	}
}

func (r *agentRig) config() *config.Config {
	r.t.Helper()
	f, found := config.Load(r.file)
	c, more := f.For("alpha")
	if c == nil {
		r.t.Fatal(found, more)
	}
	return c
}

// line is where a text stands in the file.
func (r *agentRig) line(text string) int {
	return 1 + strings.Count(r.text[:strings.LastIndex(r.text, text)], "\n")
}

func (r *agentRig) check() []config.Finding { return thisMachine().check(r.t.Context(), r.config()) }

func TestCheckAsksTheAgent(t *testing.T) {
	r := newAgentRig(t)
	if found := r.check(); len(found) != 0 {
		t.Fatalf("all is well, and check finds %v", found)
	}
	whole := r.text
	for name, c := range map[string]struct {
		old, new, key, at, says, fix string
	}{
		"another name":     {"lanplus = true", "lanpls = true", "fence[3].options.lanpls", "options = {", "fence_test has no option lanpls", "write lanplus"},
		"an ill-typed one": {"lanplus = true", "lanplus = 'x'", "fence[3].options.lanplus", "options = {", "lanplus of fence_test has to be 1 or 0", "correct it"},
		"one missing":      {"outlet =", "password2 =", "fence[3].options.password2", "options = {", "has no option password2", "write password"},
		"no agent":         {r.agent, r.agent + "2", "fence[3].agent", "agent =", "cannot read what bravo-agent-2 can do: find " + r.agent + "2: no such file", "name a fence agent"},
		"no such name":     {fmt.Sprintf("%q", r.agent), `"fence_nobody_has_this"`, "fence[3].agent", "agent =", "find fence_nobody_has_this: it is in none of", "install the package fence-agents"},
	} {
		cut := strings.LastIndex(whole, c.old)
		r.text = whole[:cut] + c.new + whole[cut+len(c.old):]
		r.write(r.file, r.text, 0o600)
		if found := r.check(); !slices.ContainsFunc(found, func(f config.Finding) bool {
			return f.Severity == config.Error && f.Key == c.key && f.Line == r.line(c.at) && strings.Contains(f.Text, c.says) && strings.Contains(f.Fix, c.fix)
		}) {
			t.Errorf("%s: %v", name, found)
		}
	}
	r.text = whole
	r.write(r.file, whole, 0o644)
	r.write(r.opts, "password=hunter2\n", 0o600)
	found := r.check()
	if len(found) != 1 || found[0].Key != "fence[3].options" || !strings.Contains(found[0].Text, "the agent refuses its options") || !strings.Contains(found[0].Text, "wrong password ***") {
		t.Errorf("%v", found)
	}
	r.write(r.opts, "password=open-sesame\n", 0o644)
	h := &person{}
	expect(t, h, exitRefused, fmt.Sprintf("%s:%d: error: fence[3].options_file: the options in %s: others than its owner may use it", r.file, r.line("options_file"), r.opts), "has errors", "check", "--config", r.file, "--node", "alpha")
	if strings.Contains(h.out.String(), "sesame") {
		t.Errorf("check shows a secret: %s", &h.out)
	}
}

func TestPowerOfAnAgent(t *testing.T) {
	r := newAgentRig(t)
	c := r.config()
	table, end, err := lines(c)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	p, err := openPower(c, table, &agent.Boards{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.target.Levels) != 2 || p.target.Levels[1].Timeout != config.LevelTime(c.Levels(1)[1]) || len(p.Senses()) != 1 {
		t.Fatalf("%+v", p.target)
	}
	if q := p.queries(1); len(q) != 1 {
		t.Errorf("an agent has no sense to trust: %+v", q)
	}
	if health := p.Health(t.Context()); len(health) != 2 || !health[0].NeedsSense || health[0].Sense != 0 || health[1].NeedsSense {
		t.Errorf("%+v", health)
	}
	p.devices, p.fences, p.target.Levels = p.devices[1:], p.fences[1:], p.target.Levels[1:] // without the relay's hardware
	health := p.Health(t.Context())
	if len(health) != 1 || len(health[0].Ill) != 0 || health[0].Off || health[0].Level != 2 || health[0].Device != "bravo-agent-2" {
		t.Fatalf("%+v", health)
	}
	if got := p.Status(t.Context()); len(got) != 1 || got[0] != "level 2, bravo-agent-2: the agent reports on" {
		t.Errorf("%q", got)
	}
	var told []string
	proof, err := p.Off(t.Context(), 0, func(s string) { told = append(told, s) })
	if proof != fencing.Agent || err != nil || len(told) < 3 {
		t.Fatalf("%v, %v, %q", proof, err, told)
	}
	if health := p.Health(t.Context()); !health[0].Off || len(health[0].Ill) != 0 {
		t.Errorf("%+v", health)
	}
	if err := p.Restore(t.Context()); err != nil {
		t.Error(err)
	}
	if health := p.Health(t.Context()); health[0].Off {
		t.Errorf("%+v", health)
	}
}

// Two outlets of one power strip that serves one session at a time, and the times that go with that.
func TestPowersOfOneBoard(t *testing.T) {
	r := newAgentRig(t)
	session := filepath.Join(t.TempDir(), "session")
	r.write(r.agent, strings.Replace(agentScript, "[ \"$password\"", fmt.Sprintf("mkdir %[1]s 2>/dev/null || { echo busy >&2; exit 1; }; trap 'rmdir %[1]s' EXIT; sleep 0.05\n[ \"$password\"", session), 1), 0o755)
	first := strings.LastIndex(r.text, "[[fence]]")
	one := strings.Replace(r.text[first:], "options = {", "options = { ip = '10.0.0.20',", 1)
	r.text = r.text[:first] + one + one
	r.write(r.file, r.text, 0o644)
	c := r.config()
	table, end, err := lines(c)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	var o daemon.Options
	if err := openPowers(c, table, &o); err != nil {
		t.Fatal(err)
	}
	if o.Power[0] != nil || o.LookTime[1] != c.LookTime(1) || o.FenceTime[1] != c.FenceTime(1) || o.LookTime[1] < time.Minute {
		t.Fatalf("%v, %v", o.LookTime, o.FenceTime)
	}
	for range 3 {
		agents := 0
		for _, h := range o.Power[1].Health(t.Context()) {
			if strings.Contains(h.Device, "agent") {
				if agents++; len(h.Ill) != 0 {
					t.Errorf("%+v", h)
				}
			}
		}
		if agents != 2 {
			t.Fatalf("%d agents", agents)
		}
	}
}

// What is missing on this machine keeps no daemon from its start: each use says what it is.
func TestAgentThatCannotBeUsed(t *testing.T) {
	r := newAgentRig(t)
	r.write(r.opts, "password=open-sesame\n", 0o640)
	open := func() fencing.Device {
		t.Helper()
		d, err := openDevice(gpio.Table{}, &agent.Boards{}, r.config().Levels(1)[1][0])
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := open()
	all := []error{d.On(t.Context()), d.Open(t.Context()), d.Status(t.Context()).Err, d.Off(t.Context(), fencing.Query{}).Err, d.Secure(t.Context(), fencing.Query{}).Err}
	for i, err := range append(all, fencing.Health(t.Context(), d)...) {
		if err == nil || !strings.Contains(err.Error(), "bravo-agent-2 cannot be used") || !strings.Contains(err.Error(), "run chmod 600") {
			t.Errorf("%d: %v", i, err)
		}
	}
	r.text = strings.Replace(r.text, fmt.Sprintf("%q", r.agent), `"fence_nobody_has_this"`, 1)
	r.write(r.file, r.text, 0o644)
	r.write(r.opts, "password=open-sesame\n", 0o600)
	if ill := fencing.Health(t.Context(), open()); len(ill) == 0 || !strings.Contains(ill[0].Error(), "/usr/sbin/fence_nobody_has_this") {
		t.Errorf("%v", ill)
	}
}

// A real daemon tells of an agent that does not answer, soon after its start, and knows what it cannot do.
func TestDaemonTellsOfAnAgent(t *testing.T) {
	r := newAgentRig(t)
	r.write(r.opts, "password=wrong\n", 0o600)
	p := newProcess(t)
	only := strings.Split(p.text, "[[fence]]") // the second one cuts bravo
	p.configure(only[0] + "[[fence]]" + only[1] + fmt.Sprintf("[[fence]]\ntarget = \"bravo\"\ndevice = \"exec\"\nagent = %q\noptions_file = %q\noptions = { outlet = %q }\n",
		r.agent, r.opts, r.outlet) + "[[group]]" + strings.Join(strings.Split(p.text, "[[group]]")[1:], "[[group]]"))
	p.start(nil)
	p.within(30*time.Second, "an alarm", func() bool { return strings.Contains(p.alarm("device-ill bravo"), "bravo-agent-1") })
	if text := p.alarm("device-ill bravo"); strings.Contains(text, "wrong\"") || !strings.Contains(text, "password ***") {
		t.Error(text)
	}
	s, err := p.ask.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m := s.Members[1]; m.CanFence {
		t.Errorf("%+v", m)
	}
	if res, err := p.ask.Command(t.Context(), control.Request{Command: "fence-status", Node: "bravo"}); err != nil || !strings.Contains(res.Text, "level 1, bravo-agent-1: the agent reports unknown") {
		t.Errorf("%+v, %v", res, err)
	}
}

// A relay and a heartbeat on one adapter fail together.
func TestCheckFindsOneAdapter(t *testing.T) {
	r := newAgentRig(t)
	sys := t.TempDir()
	port := filepath.Join(t.TempDir(), "ttyUSB0")
	link := func(to, at string) {
		t.Helper()
		os.Remove(at)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.Symlink(to, at)); err != nil {
			t.Fatal(err)
		}
	}
	link(port, port+"-by-path")
	r.write(port, "", 0o600)
	r.text = strings.ReplaceAll(r.text, "/dev/serialhb-none", port+"-by-path")
	r.write(r.file, r.text, 0o644)
	for _, dir := range []string{"usb1", "usb1/1-1", "usb1/1-2"} {
		dir = filepath.Join(sys, "devices", dir)
		if err := os.MkdirAll(filepath.Join(dir, "x:1.0/gpiochip3"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, "x:1.1/ttyUSB0/tty/ttyUSB0"), 0o755); err != nil {
			t.Fatal(err)
		}
		r.write(filepath.Join(dir, "idVendor"), "0403\n", 0o644)
		r.write(filepath.Join(dir, "busnum"), "1\n", 0o644)
	}
	m := machine{sys: sys, chip: func(label string) (string, error) {
		if label != "amdpt" {
			return "", errors.New("no such chip")
		}
		return "gpiochip3", nil
	}}
	found := func() []config.Finding { return m.check(t.Context(), r.config()) }
	if all := found(); len(all) != 0 {
		t.Errorf("nothing is plugged in: %v", all)
	}
	link("../../../devices/usb1/1-1/x:1.0/gpiochip3", filepath.Join(sys, "bus/gpio/devices/gpiochip3"))
	link("../../devices/usb1/1-2/x:1.1/ttyUSB0/tty/ttyUSB0", filepath.Join(sys, "class/tty/ttyUSB0"))
	if all := found(); len(all) != 0 {
		t.Errorf("two adapters on one hub: %v", all)
	}
	link("../../devices/usb1/1-1/x:1.1/ttyUSB0/tty/ttyUSB0", filepath.Join(sys, "class/tty/ttyUSB0"))
	all := found()
	if len(all) != 1 || all[0].Severity != config.Warning || all[0].Key != "fence[2].line" || !strings.Contains(all[0].Text, "the relay for bravo and the port of link cable hang on one USB adapter (1-1)") {
		t.Errorf("%v", all)
	}
}

func TestCheckLooksAtAddresses(t *testing.T) {
	file := checkFile(t, "/dev/serialhb-none")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	more := "\n[[group.resource]]\nkind = \"address\"\naddress = \"192.0.2.10/24\"\ninterface = \"no-such-card\"\n"
	if err := os.WriteFile(file, append(text, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &person{}
	expect(t, h, exitRefused, fmt.Sprintf("%s:%d: error: group[1].resource[2]: the address 192.0.2.10: ", file, strings.Count(string(text), "\n")+2), "has errors", "check", "--config", file, "--node", "alpha")
	if !strings.Contains(h.out.String(), "no-such-card") {
		t.Errorf("check: %s", &h.out)
	}
	expect(t, &person{}, exitDone, "has no errors", "", "check", "--config", file, "--offline")
}

// Every alarm of an address has an end of its own, and nothing ends what it did not begin.
func TestNewsOfAddresses(t *testing.T) {
	begun, ended := map[string]bool{}, map[string]bool{}
	for _, kind := range []address.Kind{address.SecondOwner, address.LinkLost, address.LinkBack, address.Removed, address.Returned, address.Unannounced,
		address.Announced, address.Cleaned, address.Mended, address.Deafened, address.Hearing} {
		n := addressNews("ip", address.Event{Kind: kind, Text: "text"})
		if n.Service != "ip" || n.Code != string(kind) || n.Text != "text" {
			t.Errorf("%s: %+v", kind, n)
		}
		if n.Alarm && n.Lasts == 0 {
			begun[n.Code] = true
		}
		if n.Ends != "" {
			ended[n.Ends] = true
		}
	}
	if fmt.Sprint(begun) != fmt.Sprint(ended) || len(begun) != 4 {
		t.Errorf("begun %v, ended %v", begun, ended)
	}
}

var (
	_ daemon.Prober    = (*services)(nil)
	_ daemon.Announcer = (*services)(nil)
	_ daemon.Keeper    = (*services)(nil)
	_ daemon.Closer    = (*services)(nil)
)
