package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// keepalived is a VRRP pair on one network, as keepalived.conf(5) advises for who wants no failback: both begin as
// backup, with nopreempt, and with the real-time priority that is advised against late adverts. Its limit of processor
// time without a pause is raised, as advised for slow machines: at the default of 10 ms a busy one had it killed. Who has
// the virtual address holds the service.
type keepalived struct{ advert time.Duration }

const keepalivedPath = "/usr/sbin/keepalived"

// Addresses of the documentation range, in namespaces that lead nowhere else.
var (
	virtual  = netip.MustParseAddr("192.0.2.10")
	ownOf    = map[string]string{owner: "192.0.2.1/24", standby: "192.0.2.2/24"}
	priority = map[string]int{owner: 150, standby: 100}
)

func (p keepalived) name() string          { return "keepalived" }
func (p keepalived) timing() string        { return p.advert.String() }
func (p keepalived) version(*bench) string { return packaged("keepalived") }

func (p keepalived) missing() string {
	if why := needs("keepalived", keepalivedPath); why != "" {
		return why
	}
	return needs("iproute2", "/usr/sbin/ip", "/sbin/ip")
}

// stands: it has no cable that could be noisy.
func (p keepalived) stands(s scenario) bool { return s.kind != noise }

func (p keepalived) play(ctx context.Context, b *bench, s scenario) (o observation, err error) {
	dir, err := b.folder(p.name())
	if err != nil {
		return o, err
	}
	pair := &keepaliveds{dir: dir, nodes: helpers{}}
	defer func() {
		err = errors.Join(err, pair.close(), b.keep(dir, p, s))
	}()
	if err := pair.start(b, p); err != nil {
		return o, err
	}
	// One after the other: with nopreempt it is the first that owns.
	if _, err := pair.nodes[owner].ask("go"); err != nil {
		return o, err
	}
	if err := owned(ctx, pair, 20*time.Second, 0); err != nil {
		return o, err
	}
	if _, err := pair.nodes[standby].ask("go"); err != nil {
		return o, err
	}
	if err := owned(ctx, pair, 20*time.Second, 5*time.Second); err != nil {
		return o, err
	}
	return watch(ctx, pair, s)
}

type keepaliveds struct {
	dir   string
	net   network
	nodes helpers
}

func (k *keepaliveds) ledger() string { return filepath.Join(k.dir, "ledger") }

func (k *keepaliveds) start(b *bench, p keepalived) (err error) {
	if k.net, err = newNetwork(b.self); err != nil {
		return err
	}
	for _, name := range []string{owner, standby} {
		config := filepath.Join(k.dir, name+".conf")
		if err := os.WriteFile(config, []byte(p.config(name)), 0o644); err != nil {
			return fmt.Errorf("peers: write %s: %w", config, err)
		}
		at := place{
			Name: name, Log: filepath.Join(k.dir, name+".log"), Fresh: []string{"/run"}, Ledger: k.ledger(), Address: virtual,
			Setup: [][]string{
				{"ip", "link", "set", "lo", "up"},
				{"ip", "address", "add", ownOf[name], "dev", "eth0"},
				{"ip", "link", "set", "eth0", "up"},
			},
			Argv: []string{keepalivedPath, "--dont-fork", "--vrrp", "--log-console", "--use-file", config},
		}
		if k.nodes[name], err = startNode(b.self, at); err != nil {
			return err
		}
		if err := k.net.join(name, k.nodes[name]); err != nil {
			return err
		}
	}
	return nil
}

func (p keepalived) config(name string) string {
	return fmt.Sprintf(`global_defs {
    router_id %s
    vrrp_version 3
    vrrp_rt_priority 50
    vrrp_rlimit_rttime 1000000
}
vrrp_instance web {
    state BACKUP
    nopreempt
    interface eth0
    virtual_router_id 51
    priority %d
    advert_int %s
    virtual_ipaddress {
        %s/24
    }
}
`, name, priority[name], strconv.FormatFloat(p.advert.Seconds(), 'f', -1, 64), virtual)
}

func (k *keepaliveds) marks() ([]mark, error) { return readLedger(k.ledger()) }

func (k *keepaliveds) alive() error { return allAlive(k.nodes) }

// inflict implements [pair].
func (k *keepaliveds) inflict(s scenario) (time.Duration, error) {
	switch s.kind {
	case powerCut:
		return cutPower(k.nodes, owner, func() error { _, err := k.net.unplug(owner); return err })
	case ownerMute:
		return k.net.deafen(standby)
	case standbyMute:
		return k.net.deafen(owner)
	case freezeStandby, freezeOwner:
		return k.nodes.frozen(s).ask("freeze")
	}
	return 0, fmt.Errorf("peers: keepalived cannot be told %s", s.name)
}

// relieve implements [pair].
func (k *keepaliveds) relieve(s scenario) (time.Duration, error) {
	switch s.kind {
	case ownerMute:
		return k.net.hear(standby)
	case standbyMute:
		return k.net.hear(owner)
	case freezeStandby, freezeOwner:
		return k.nodes.frozen(s).ask("thaw")
	}
	return mono.Now(), nil
}

func (k *keepaliveds) close() (err error) {
	err = k.nodes.dismiss()
	if k.net.helper != nil {
		err = errors.Join(err, k.net.helper.dismiss())
	}
	return err
}
