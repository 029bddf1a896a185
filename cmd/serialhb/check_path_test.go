package main

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/resource/address"
)

// A board that is reached over what leads to its target cannot be asked when that fails.
func TestCheckFindsTheWayToABoard(t *testing.T) {
	r := newAgentRig(t)
	whole, opts := strings.Replace(r.text, "options = { outlet", "options = { ip = 'AT', outlet", 1), "password=open-sesame\n"
	r.write(r.agent, strings.Replace(agentScript, `<parameter name="lanplus"`, `<parameter name="ip" required="0"><content type="string"/><shortdesc lang="en">its address</shortdesc></parameter>
<parameter name="lanplus"`, 1), 0o755)
	// The example's link lan has alpha at 192.0.2.1 and bravo at 192.0.2.2.
	ways := map[string]address.Way{
		"192.0.2.2": {Interface: "eth0"}, "192.0.2.20": {Interface: "eth0"}, "10.0.0.20": {Interface: "eth1"},
		"10.1.0.20": {Interface: "eth1", Via: netip.MustParseAddr("192.0.2.2")}, "10.2.0.20": {Interface: "eth2", Via: netip.MustParseAddr("10.2.0.1")},
		"192.0.2.1": {Interface: "lo", Here: true}, "10.3.0.1": {Interface: "lo", Here: true},
	}
	m := machine{sys: t.TempDir(), chip: func(string) (string, error) { return "", errors.New("no such chip") },
		wayTo: func(at netip.Addr) (address.Way, error) {
			if w, ok := ways[at.String()]; ok {
				return w, nil
			}
			return address.Way{}, errors.New("network is unreachable")
		},
		lookUp: func(_ context.Context, name string) ([]netip.Addr, error) {
			at := map[string]string{"bmc-bravo": "192.0.2.20", "bravo": "::ffff:192.0.2.2", "board": "10.0.0.20"}[name]
			if at == "" {
				return nil, errors.New("no such host")
			}
			return []netip.Addr{netip.MustParseAddr(at)}, nil
		}}
	const shared = "is reached over eth0, as bravo is by link lan, so one fault there takes the heartbeat and the means to cut"
	for _, c := range []struct{ at, says string }{
		{"192.0.2.20", "the board that cuts bravo, at 192.0.2.20, " + shared},
		{"192.0.2.20:623", shared},
		{"bmc-bravo", "at 192.0.2.20, " + shared},
		{"10.0.0.20", ""},
		{"board", ""},
		{"10.2.0.20", ""},
		{"no-such-name", ""},
		{"10.1.0.20", "is reached through bravo, the peer itself by link lan"},
		{"bravo", "at 192.0.2.2, is bravo itself by link lan"},
		{"192.0.2.2", ""}, // the file says so itself
		{"10.3.0.1", "is this machine itself"},
		{"192.0.2.1", ""},
		{"10.9.0.20", "cannot be reached from here: network is unreachable"},
	} {
		r.text = strings.Replace(whole, "AT", c.at, 1)
		r.write(r.opts, opts, 0o600)
		r.write(r.file, r.text, 0o644)
		found := m.check(t.Context(), r.config())
		if c.says == "" && len(found) == 0 {
			continue
		}
		if len(found) != 1 || c.says == "" || found[0].Severity != config.Warning || found[0].Key != "fence[3].options.ip" || !strings.Contains(found[0].Text, c.says) || found[0].Fix == "" {
			t.Errorf("%s: %v", c.at, found)
		}
	}
}
