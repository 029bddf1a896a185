package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
)

const agentFile = `
[[fence]]
target = 'alpha'
level = 2
device = 'exec'
agent = 'fence_ipmilan'
off_timeout = '31s'
on_timeout = '32s'
status_timeout = '11s'
monitor_timeout = '12s'
power_timeout = '13s'
hold_off = '4s'
poll = '1s'
[fence.options]
ip = '192.0.2.20'
lanplus = true
ipport = 623
`

func withAgent(more string) string {
	return whole() + strings.Replace(agentFile, "[fence.options]", more+"\n[fence.options]", 1)
}

func TestAgentOfANode(t *testing.T) {
	c := mustFor(t, withAgent("options_file = '/etc/serialhb/alpha.options'"), "bravo")
	levels := c.Levels(0)
	if len(levels) != 2 {
		t.Fatal(levels)
	}
	const s = time.Second
	f := levels[1][0]
	want := fencing.AgentConfig{Name: "alpha-agent-2", Path: "fence_ipmilan", Params: map[string]string{"ip": "192.0.2.20", "lanplus": "true", "ipport": "623"},
		Timeouts: fencing.AgentTimeouts{Off: 31 * s, On: 32 * s, Status: 11 * s, Monitor: 12 * s}, Poll: s, PowerTimeout: 13 * s, HoldOff: 4 * s}
	if f.Name != want.Name || f.Sense != -1 || f.OptionsFile != "/etc/serialhb/alpha.options" || fmt.Sprintf("%+v", *f.Agent) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v", f)
	}
	for name, value := range want.Params {
		if f.Agent.Params[name] != value {
			t.Errorf("%s = %q", name, f.Agent.Params[name])
		}
	}
	if f.Agent.Timeouts != want.Timeouts || f.Agent.Poll != want.Poll || f.Agent.PowerTimeout != want.PowerTimeout || f.Agent.HoldOff != want.HoldOff {
		t.Errorf("%#v", f.Agent.Timeouts)
	}
	if got := LevelTime(levels[1]); got != f.Agent.OffTime()+levelGrace || c.FenceTime(0) != LevelTime(levels[0])+got {
		t.Errorf("a level of the agent may take %v", got)
	}
	if !c.Decision.Members[0].Fenceable || c.Timing.FenceDelay > 10*s {
		t.Errorf("%+v: an agent that is tried second makes nobody wait", c.Timing)
	}
	// It makes the lighter side wait where it is what is tried at once.
	only := strings.Replace(strings.Replace(withAgent(""), relayFor("alpha"), "", 1), "level = 2\n", "", 1)
	if got := mustFor(t, only, "bravo").Timing.FenceDelay; got != 1500*time.Millisecond+17*s {
		t.Errorf("the delay is %v", got)
	}
	finding := f.Finding(Error, "options.ip", "x", "y")
	if want := 1 + strings.Count(strings.Split(withAgent("options_file = ''"), "ip = '192.0.2.20'")[0], "\n"); finding.Line != want || finding.Key != "fence[3].options.ip" {
		t.Errorf("%+v, want line %d", finding, want)
	}
	if other := f.Finding(Error, "options.password", "x", "y"); other.Key != "fence[3]" || other.Line == 0 {
		t.Errorf("%+v", other)
	}
}

// Agents of one board wait for each other, and each has the time for that.
func TestAgentsOfOneBoard(t *testing.T) {
	text := whole() + agentFile + strings.NewReplacer("level = 2", "level = 3").Replace(agentFile)
	c := mustFor(t, text, "bravo")
	levels := c.Levels(0)
	a, b := &levels[1][0], &levels[2][0]
	if a.Time() != a.Agent.OffTime()+b.Agent.OffTime() || c.FenceTime(0) != LevelTime(levels[0])+2*LevelTime(levels[1]) {
		t.Errorf("%v of %v", a.Time(), a.Agent.OffTime())
	}
	if got := c.LookTime(0); got != a.Agent.CheckTime()+b.Agent.OffTime() {
		t.Errorf("a look takes %v", got)
	}
	text = whole() + agentFile + strings.NewReplacer("level = 2", "level = 3", "ipport = 623", "ipport = 624").Replace(agentFile)
	c = mustFor(t, text, "bravo")
	if f := c.Levels(0)[1][0]; f.Time() != f.Agent.OffTime() || c.LookTime(0) != f.Agent.CheckTime() {
		t.Errorf("two boards: %v of %v", f.Time(), f.Agent.OffTime())
	}
	if got := mustFor(t, whole(), "bravo").LookTime(0); got != relayLookTime {
		t.Errorf("a look at a relay takes %v", got)
	}
}

func TestWhatNeedsItsSense(t *testing.T) {
	for more, want := range map[string]bool{"": true, "proof = 'assumed'": false, "mirror = 'sim:M'\nmirror_open = 'low'": false} {
		text := strings.Replace(whole(), relayFor("alpha"), relayFor("alpha")+more+"\n", 1)
		if f := mustFor(t, text, "bravo").Levels(0)[0][0]; f.NeedsSense() != want || f.Sense < 0 {
			t.Errorf("%q: %+v", more, f)
		}
	}
	f := mustFor(t, withAgent(""), "bravo").Levels(0)[1][0]
	if f.NeedsSense() {
		t.Error("an agent has no sense")
	}
}

// What an agent is worth is in the digest, what it is told is not.
func TestAgentsAndDigests(t *testing.T) {
	want := mustFor(t, withAgent(""), "alpha")
	for old, with := range map[string]string{"ip = '192.0.2.20'": "password = 'secret'", "agent = 'fence_ipmilan'": "agent = '/opt/fence_ipmilan'"} {
		if got := mustFor(t, strings.Replace(withAgent(""), old, with, 1), "alpha"); got.RestDigest != want.RestDigest {
			t.Errorf("%s changes the digest", with)
		}
	}
	for old, with := range map[string]string{"hold_off = '4s'": "", "agent = 'fence_ipmilan'": "agent = 'fence_apc'", "poll = '1s'": "", "off_timeout = '31s'": "", "level = 2": "level = 3"} {
		if got := mustFor(t, strings.Replace(withAgent(""), old, with, 1), "alpha"); got.RestDigest == want.RestDigest {
			t.Errorf("%q for %s does not change the digest", with, old)
		}
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	text := strings.Replace(withAgent(""), "lanplus = true", "password = 'hunter2'", 1)
	c := mustFor(t, text, "bravo")
	for _, f := range []string{"%v", "%+v", "%#v"} {
		if got := fmt.Sprintf(f, *c.Levels(0)[1][0].Agent); strings.Contains(got, "hunter2") || !strings.Contains(got, "password") {
			t.Errorf("%s: %s", f, got)
		}
	}
	path := filepath.Join(t.TempDir(), "serialhb.toml")
	write(t, path, text, 0o644)
	f, found := Load(path)
	if c, _ := f.For("bravo"); c != nil || errorsIn(found) != 1 || !strings.Contains(fmt.Sprint(found), "password is a secret, and others than its owner may read "+path) || strings.Contains(fmt.Sprint(found), "hunter2") {
		t.Error(found)
	}
	write(t, path, text, 0o600)
	if f, found := Load(path); f.errors != 0 || len(found) != 1 || found[0].Severity != Hint {
		t.Error(found)
	}
	write(t, path, withAgent(""), 0o644)
	if _, found := Load(path); len(found) != 0 {
		t.Error("a file without secrets may be read by all: ", found)
	}
}

func TestReadOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "options")
	write(t, path, "# a comment\n\npassword=a=b c\n username=admin\n", 0o600)
	if got, err := ReadOptions(path); err != nil || len(got) != 2 || got["password"] != "a=b c" || got["username"] != "admin" {
		t.Error(got, err)
	}
	for text, says := range map[string]string{
		"password\n":             "line 1 is no option",
		"password=1\npassword=2": "line 2 gives the option password again",
		"action=on":              "line 1: remove the option action",
		"ip=1\n\npass=\"hush\"":  "line 3: the value of the option pass stands in quotation marks",
	} {
		write(t, path, text, 0o600)
		if got, err := ReadOptions(path); got != nil || err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	write(t, path, "password=x\n", 0o640)
	if _, err := ReadOptions(path); err == nil || !strings.Contains(err.Error(), "run chmod 600 "+path) {
		t.Error(err)
	}
	if _, err := ReadOptions(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "no ordinary file") {
		t.Error(err)
	}
}

func TestCheckLiveReadsTheOptions(t *testing.T) {
	root := host(t)
	c := mustFor(t, withAgent("options_file = '/etc/serialhb/alpha.options'"), "bravo")
	check := func(says string) {
		t.Helper()
		var got []string
		for _, f := range c.CheckLive(root, 78) {
			if f.Key == "fence[3].options_file" && f.Severity == Error && f.Line > 0 && f.Fix != "" {
				got = append(got, f.Text)
			}
		}
		if fmt.Sprint(got) == "[]" && says == "" || says != "" && strings.Contains(fmt.Sprint(got), says) {
			return
		}
		t.Errorf("%q, want %q", got, says)
	}
	check("no such file")
	path := filepath.Join(root, "etc/serialhb/alpha.options")
	write(t, path, "ip=192.0.2.21\n", 0o600)
	check("the option ip stands in the configuration too")
	write(t, path, "ipaddr=192.0.2.21\npassword=x\n", 0o600)
	check("the option ipaddr is no secret, and agents of one board have to be known as such")
	write(t, path, "password=x\n", 0o600)
	check("")
	full, err := c.Levels(0)[1][0].AgentConfig(root)
	if err != nil || full.Params["password"] != "x" || full.Params["ip"] != "192.0.2.20" || c.Levels(0)[1][0].Agent.Params["password"] != "" {
		t.Error(full.Params, err)
	}
	if err := os.Chmod(path, 0o604); err != nil {
		t.Fatal(err)
	}
	check("others than its owner may use it")
}
