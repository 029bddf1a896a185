package agent

import (
	"context"
	"slices"
	"strings"
	"testing"
)

const ours = `<?xml version="1.0" ?>
<resource-agent name="fence_fake" shortdesc="Fake" >
<longdesc>Long</longdesc>
<parameters>
	<parameter name="action" unique="0" required="1"><content type="string" default="reboot" /></parameter>
	<parameter name="ip" unique="0" required="1" obsoletes="ipaddr"><content type="string" /><shortdesc lang="en">Address of the board</shortdesc></parameter>
	<parameter name="ipaddr" unique="0" required="1" deprecated="1"><content type="string" /><shortdesc lang="en">Address of the board</shortdesc></parameter>
	<parameter name="plug" unique="0" required="1"><content type="string" /><shortdesc lang="en">Outlet</shortdesc></parameter>
	<parameter name="ipport" unique="0" required="1"><content type="integer" default="623" /></parameter>
	<parameter name="password" unique="0" required="0"><content type="string" /></parameter>
	<parameter name="lanplus" unique="0" required="0"><content type="boolean" /></parameter>
	<parameter name="power_wait" unique="0" required="0"><content type="second" default="2" /></parameter>
	<parameter name="auth" unique="0" required="0"><content type="select"><option value="md5" /><option value="none" /></content></parameter>
</parameters>
<actions>
	<action name="on" automatic="0"/><action name="off" /><action name="status" /><action name="monitor" />
</actions>
</resource-agent>`

func TestCheckParams(t *testing.T) {
	m, err := parseMetadata(text{bytes: []byte(ours)})
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(m.Parameters, func(p Parameter) bool { return p.Name == "auth" }); m.Name != "fence_fake" || m.Short != "Fake" || m.Fabric || len(m.Parameters) != 9 ||
		!slices.Equal(m.Actions, []string{"on", "off", "status", "monitor"}) || !slices.Equal(m.Parameters[i].Choices, []string{"md5", "none"}) ||
		m.Parameters[1].Obsoletes != "ipaddr" || !m.Parameters[2].Deprecated || m.Parameters[4].Default != "623" {
		t.Errorf("%+v", m)
	}
	good := map[string]string{"ip": "192.0.2.20", "plug": "7"}
	with := func(more ...string) map[string]string {
		all := map[string]string{"ip": good["ip"], "plug": good["plug"]}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	for _, c := range []struct {
		params map[string]string
		says   []string
	}{
		{good, nil},
		{map[string]string{"ipaddr": "192.0.2.20", "plug": "7"}, nil},
		{with("lanplus", "TRUE", "ipport", "624", "power-wait", "3", "auth", "MD5", "nodename", "bravo"), nil},
		{map[string]string{"plug": "7"}, []string{"fence_fake needs the option ip: Address of the board"}},
		{nil, []string{"fence_fake needs the option ip: Address of the board", "fence_fake needs the option plug: Outlet"}},
		{with("pasword", "x"), []string{"fence_fake has no option pasword: write password"}},
		{with("pcmk_host_list", "x"), []string{"fence_fake has no option pcmk_host_list: remove it"}},
		{with("lanplus", "maybe"), []string{"lanplus of fence_fake has to be 1 or 0"}},
		{with("ipport", "6 23"), []string{"ipport of fence_fake has to be a whole number"}},
		{with("power_wait", "2s"), []string{"power_wait of fence_fake has to be a whole number of seconds"}},
		{with("auth", "sha"), []string{"auth of fence_fake has to be one of md5, none"}},
	} {
		a, err := New(Config{Name: "board", Path: "/x", Params: c.params})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.CheckParams(m); !slices.Equal(got, c.says) {
			t.Errorf("%v: %q", c.params, got)
		}
	}
	a, err := New(Config{Name: "board", Path: "/x", Params: good})
	if err != nil {
		t.Fatal(err)
	}
	for old, change := range map[string]struct{ to, says string }{
		`<action name="status" />`:  {"", "fence_fake has no action status: it cannot tell whether the power is off, so nothing that it does can be proven: use another agent"},
		`<action name="monitor" />`: {"", "fence_fake has no action monitor: it cannot be checked while all is well: use another agent"},
		`automatic="0"`:             {`automatic="1"`, "fence_fake takes storage away and leaves the node running, which is no proof of off: use an agent that cuts power"},
	} {
		m, err := parseMetadata(text{bytes: []byte(strings.Replace(ours, old, change.to, 1))})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.CheckParams(m); !slices.Equal(got, []string{change.says}) {
			t.Errorf("%s: %q", old, got)
		}
	}
}

func TestMetadataOfAFake(t *testing.T) {
	p := newPlug(t, "on")
	p.write("xml", ours)
	a := p.agent(p.config(nil))
	if _, err := a.Metadata(context.Background()); err == nil || !strings.Contains(err.Error(), "action metadata failed with exit code 1") {
		t.Errorf("%v", err)
	}
	if got := p.read("calls"); got != "" {
		t.Errorf("the agent was told %q", got)
	}
	for says, t2 := range map[string]text{
		"no XML of a fence agent": {bytes: []byte("Usage: fence_fake")},
		"more than":               {bytes: []byte(ours), cut: true},
		"names no actions":        {bytes: []byte(`<resource-agent name="x"></resource-agent>`)},
	} {
		if _, err := parseMetadata(t2); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"pasword", "password", 1}, {"kitten", "sitting", 3}, {"ip", "ipaddr", 4}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%s, %s: %d", c.a, c.b, got)
		}
	}
}
