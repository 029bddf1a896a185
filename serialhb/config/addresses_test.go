package config

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/resource/address"
)

const addressFile = `
[[group]]
name = 'web'
[[group.resource]]
kind = 'address'
address = '192.0.2.10/24'
interface = { alpha = 'eth0', bravo = 'eno1' }
probe_wait = '0s'
announcements = 7
spacing = '2s'
refresh = '0s'
timeout = '4s'
[[group.resource]]
kind = 'address'
name = 'six'
address = '2001:db8::10/64'
interface = 'bond0.7'
`

func withAddress() string { return complete(addressFile, "cluster", "node", "link", "fence") }

func TestAddressOfANode(t *testing.T) {
	c := mustFor(t, withAddress(), "bravo")
	a, six := c.Groups[0].Resources[0], c.Groups[0].Resources[1]
	if a.Kind != "address" || a.Name != "192.0.2.10" || a.Address != netip.MustParsePrefix("192.0.2.10/24") || a.Interface != "eno1" ||
		a.ProbeWait != 0 || a.Announcements != 7 || a.Spacing != 2*time.Second || a.Refresh != 0 || a.Timeout != 4*time.Second {
		t.Errorf("%+v", a)
	}
	if six.Name != "six" || six.Interface != "bond0.7" || six.ProbeWait != address.DefaultProbeWait || six.Announcements != address.DefaultAnnouncements ||
		six.Spacing != address.DefaultSpacing || six.Refresh != address.DefaultRefresh || six.Timeout != address.DefaultTimeout {
		t.Errorf("%+v", six)
	}
	if alpha := mustFor(t, withAddress(), "alpha").Groups[0].Resources; alpha[0].Interface != "eth0" || alpha[1].Interface != "bond0.7" {
		t.Errorf("%+v", alpha)
	}
	if f := a.Finding(Error, "x", "y"); f.Line != 4 || f.Key != "group[1].resource[1]" {
		t.Errorf("%+v", f)
	}
	for _, f := range c.CheckCommands() {
		t.Errorf("an address has no commands: %v", f)
	}
}

func TestAddressesAndDigests(t *testing.T) {
	want := mustFor(t, withAddress(), "alpha").RestDigest
	for old, with := range map[string]string{"bravo = 'eno1'": "bravo = 'eth9'", "interface = 'bond0.7'": "interface = 'eth1'"} {
		if got := mustFor(t, strings.Replace(withAddress(), old, with, 1), "alpha").RestDigest; got != want {
			t.Errorf("%s changes the digest", with)
		}
	}
	for old, with := range map[string]string{
		"192.0.2.10/24": "192.0.2.10/25", "probe_wait = '0s'": "", "announcements = 7": "", "spacing = '2s'": "", "refresh = '0s'": "", "timeout = '4s'": "", "name = 'six'": "",
	} {
		if got := mustFor(t, strings.Replace(withAddress(), old, with, 1), "alpha").RestDigest; got == want {
			t.Errorf("%q for %s does not change the digest", with, old)
		}
	}
}

// The file refuses what the package refuses, and nothing else.
func TestAddressLimitsAreThoseOfThePackage(t *testing.T) {
	if minProbeWait != address.MinProbeWait || maxProbeWait != address.MaxProbeWait || maxAnnouncements != address.MaxAnnouncements ||
		minSpacing != address.MinSpacing || minRefresh != address.MinRefresh {
		t.Error("the limits differ")
	}
	for written, good := range map[string]bool{
		"192.0.2.10/24": true, "192.0.2.255/24": false, "192.0.2.0/24": false, "192.0.2.0/31": true, "10.0.0.1/0": false, "::1/128": false,
		"127.0.0.1/8": false, "::ffff:192.0.2.1/120": false, "2001:db8::1/64": true, "2001:db8::/64": true, "ff02::1/64": false, "0.0.0.0/8": false, "192.0.2.77/32": true,
		"192.0.2.10/33": false, "192.0.2.10": false, "255.255.255.255/32": false, "0.1.2.3/24": false, "224.0.0.1/24": false, "fe80::1%eth0/64": false,
	} {
		p, err := netip.ParsePrefix(written)
		if err == nil {
			_, err = address.New(address.Config{Address: p, Interface: "eth0"})
		}
		_, found := Parse([]byte(strings.Replace(withAddress(), "192.0.2.10/24", written, 1)), "")
		if (err == nil) != good || HasErrors(found) == good {
			t.Errorf("%s: the package says %v, the file %v", written, err, found)
		}
	}
	for _, timeout := range []string{"1.39s", "1.4s"} {
		d, err := time.ParseDuration(timeout)
		if err != nil {
			t.Fatal(err)
		}
		_, err = address.New(address.Config{Address: netip.MustParsePrefix("192.0.2.10/24"), Interface: "eth0", Timeout: d})
		_, found := Parse([]byte(strings.Replace(withAddress(), "interface = 'bond0.7'", "interface = 'bond0.7'\ntimeout = '"+timeout+"'", 1)), "")
		if (err == nil) == HasErrors(found) {
			t.Errorf("a time-out of %s: the package says %v, the file %v", timeout, err, found)
		}
	}
}

func TestChanged(t *testing.T) {
	text := withAddress() + agentFile
	old := mustFor(t, text, "alpha")
	for with, want := range map[string]string{
		"# a comment\n\n" + text: "",
		strings.Replace(text, "announcements = 7", "announcements = 8", 1):            "resources",
		strings.Replace(text, "alpha = 'eth0'", "alpha = 'eth7'", 1):                  "resources",
		strings.Replace(text, "bravo = 'eno1'", "bravo = 'eth7'", 1):                  "",
		strings.Replace(text, "sim:RELAY_bravo", "sim:OTHER", 1):                      "fence devices",
		strings.Replace(text, "alpha = '/dev/ttyS0'", "alpha = '/dev/ttyS9'", 1):      "links",
		"[timing]\nhealth_every = '1m'\n" + text:                                      "health_every",
		"[timing]\ninterval = '50ms'\n" + text:                                        "interval and detect_multiplier",
		"[log]\nformat = 'console'\n" + text:                                          "log format",
		strings.Replace(text, "[cluster]", "[cluster]\nrun_dir = '/r'", 1):            "state_dir and run_dir",
		strings.Replace(text, "[[group]]\nname = 'web'", "[[group]]\nname = 'w2'", 1): "resources",
	} {
		if got := strings.Join(mustFor(t, with, "alpha").Changed(old), ", "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	bravo := mustFor(t, text, "bravo")
	if got := mustFor(t, strings.Replace(text, "ip = '192.0.2.20'", "ip = '192.0.2.21'", 1), "bravo").Changed(bravo); len(got) != 1 || got[0] != "fence devices" {
		t.Error(got)
	}
}
