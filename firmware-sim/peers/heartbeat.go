package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/cable"
	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// heartbeat is Linux-HA heartbeat 3 with an R1 style resource over one serial cable, as the ha.cf that it ships
// describes it. No STONITH device is configured.
type heartbeat struct{ keepalive, deadtime time.Duration }

// initdead is how long a node waits for the other after its start: the example in ha.cf(5).
const initdead = 30 * time.Second

var heartbeatPaths = []string{"/usr/libexec/heartbeat/heartbeat", "/usr/lib/heartbeat/heartbeat"}

func (p heartbeat) name() string           { return "heartbeat" }
func (p heartbeat) timing() string         { return fmt.Sprintf("%s, dead after %s", p.keepalive, p.deadtime) }
func (p heartbeat) version(*bench) string  { return packaged("heartbeat") }
func (p heartbeat) missing() string        { return needs("heartbeat", heartbeatPaths...) }
func (p heartbeat) stands(s scenario) bool { return true }

func (p heartbeat) play(ctx context.Context, b *bench, s scenario) (o observation, err error) {
	dir, err := b.folder(p.name())
	if err != nil {
		return o, err
	}
	pair := &heartbeats{dir: dir, nodes: helpers{}}
	defer func() {
		err = errors.Join(err, pair.close(), b.keep(dir, p, s))
	}()
	if err := pair.start(b, p); err != nil {
		return o, err
	}
	if err := owned(ctx, pair, initdead-5*time.Second, 5*time.Second); err != nil {
		return o, err
	}
	return watch(ctx, pair, s)
}

type heartbeats struct {
	dir   string
	cable *cable.Cable
	nodes helpers
}

func (h *heartbeats) ledger() string { return filepath.Join(h.dir, "ledger") }

func (h *heartbeats) start(b *bench, p heartbeat) (err error) {
	ports := filepath.Join(h.dir, "ports")
	if err := os.Mkdir(ports, 0o755); err != nil {
		return fmt.Errorf("peers: make folder: %w", err)
	}
	if h.cable, err = cable.New(cable.Config{Ends: [2]string{owner, standby}, Dir: ports, Baud: 115200, Seed: 1}); err != nil {
		return err
	}
	for _, name := range []string{owner, standby} {
		at, err := h.furnish(b.self, name, p)
		if err != nil {
			return err
		}
		if h.nodes[name], err = startNode(b.self, at); err != nil {
			return err
		}
	}
	for _, name := range []string{owner, standby} {
		if _, err := h.nodes[name].ask("go"); err != nil {
			return err
		}
	}
	return nil
}

// furnish writes what heartbeat reads.
func (h *heartbeats) furnish(self, name string, p heartbeat) (place, error) {
	home := filepath.Join(h.dir, name)
	log := filepath.Join(h.dir, name+".log")
	at := place{
		Name: name, Log: log, Fresh: []string{"/run"},
		Instead: map[string]string{"/etc/ha.d": filepath.Join(home, "ha.d"), "/var/lib/heartbeat": filepath.Join(home, "heartbeat")},
		Setup: [][]string{
			{"ip", "link", "set", "lo", "up"},
			{"mkdir", "-p", "/run/lock", "/run/heartbeat"},
			{"install", "-d", "-m", "750", "-o", "hacluster", "-g", "haclient", "/run/heartbeat/ccm", "/run/heartbeat/crm", "/run/heartbeat/dopd"},
		},
	}
	for _, path := range heartbeatPaths {
		if _, err := os.Stat(path); err == nil {
			at.Argv = []string{path}
		}
	}
	if err := os.Mkdir(home, 0o755); err != nil {
		return at, fmt.Errorf("peers: make folder: %w", err)
	}
	if err := carryOut("cp", "-a", "/etc/ha.d", "/var/lib/heartbeat", home); err != nil {
		return at, err
	}
	files := []struct {
		name, text string
		mode       os.FileMode
	}{
		{"ha.cf", p.config(h.cable.Path(name), log), 0o644},
		{"haresources", owner + " peersledger\n", 0o644},
		{"authkeys", "auth 1\n1 sha1 a-key-for-this-comparison\n", 0o600},
		{"resource.d/peersledger", fmt.Sprintf("#!/bin/sh\nexec '%s' %s %s '%s' /run/peersledger \"$1\"\n", self, argResource, name, h.ledger()), 0o755},
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(home, "ha.d", f.name), []byte(f.text), f.mode); err != nil {
			return at, fmt.Errorf("peers: write %s: %w", f.name, err)
		}
	}
	return at, nil
}

// config is ha.cf. Its logging is the file's own kind: there is no syslog in a node.
func (p heartbeat) config(port, log string) string {
	return fmt.Sprintf(`logfacility none
logfile %s
keepalive %dms
deadtime %dms
warntime %dms
initdead %dms
baud 115200
serial %s
auto_failback off
node %s %s
`, log, p.keepalive.Milliseconds(), p.deadtime.Milliseconds(), (p.keepalive+p.deadtime).Milliseconds()/2, initdead.Milliseconds(), port, owner, standby)
}

func (h *heartbeats) marks() ([]mark, error) { return readLedger(h.ledger()) }

func (h *heartbeats) alive() error { return allAlive(h.nodes) }

// inflict implements [pair].
func (h *heartbeats) inflict(s scenario) (time.Duration, error) {
	now := mono.Now()
	switch s.kind {
	case powerCut:
		return cutPower(h.nodes, owner, func() error { return h.cable.Unplug(owner) })
	case noise:
		h.babble(s.rate)
	case ownerMute:
		h.cable.From(owner).Cut()
	case standbyMute:
		h.cable.From(standby).Cut()
	case freezeStandby, freezeOwner:
		return h.nodes.frozen(s).ask("freeze")
	}
	return now, nil
}

func (h *heartbeats) babble(rate float64) {
	h.cable.From(owner).Noise(rate)
	h.cable.From(standby).Noise(rate)
}

// relieve implements [pair].
func (h *heartbeats) relieve(s scenario) (time.Duration, error) {
	now := mono.Now()
	switch s.kind {
	case noise:
		h.babble(0)
	case ownerMute:
		h.cable.From(owner).Mend()
	case standbyMute:
		h.cable.From(standby).Mend()
	case freezeStandby, freezeOwner:
		return h.nodes.frozen(s).ask("thaw")
	}
	return now, nil
}

func (h *heartbeats) close() (err error) {
	err = h.nodes.dismiss()
	if h.cable != nil {
		err = errors.Join(err, h.cable.Close())
	}
	return err
}
