package rack

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/serialhb/serialhb/firmware-sim/rack/netpath"
)

// BoardSocket is the unix socket of the board.
func (r *Rack) BoardSocket() string { return filepath.Join(r.cfg.Dir, "board.sock") }

func (r *Rack) nodeDir(node string) string { return filepath.Join(r.cfg.Dir, node) }

// RunDir is a node's volatile folder: it is emptied when the node loses its power.
func (r *Rack) RunDir(node string) string { return filepath.Join(r.nodeDir(node), "run") }

// StateDir is a node's durable folder.
func (r *Rack) StateDir(node string) string { return filepath.Join(r.nodeDir(node), "state") }

// Log is the file with the output of a node's daemon over all its runs.
func (r *Rack) Log(node string) string { return filepath.Join(r.nodeDir(node), "daemon.log") }

// BootID reads a node's present boot id. It changes when the node loses its power.
func (r *Rack) BootID(node string) (string, error) {
	b, err := os.ReadFile(filepath.Join(r.nodeDir(node), "boot_id"))
	if err != nil {
		return "", fmt.Errorf("rack: read boot id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// Port is the device path of node's end of its cable to other. It stays the same over Unplug and Replug.
func (r *Rack) Port(node, other string) string {
	c := r.cables[pairOf(node, other)]
	if c == nil {
		panic(fmt.Sprintf("rack: no cable joins %q and %q", node, other))
	}
	return c.Path(node)
}

// Listen is the UDP address that a node must bind.
func (r *Rack) Listen(node string) string { return r.net.Listen(node) }

// Peer is the UDP address at which node sees other.
func (r *Rack) Peer(node, other string) string { return r.net.Peer(node, other) }

// ServiceAddr is the UDP address at which a service answers when it runs on a node. On a segment it is the same for all
// nodes, and there may be two, with a comma between.
func (r *Rack) ServiceAddr(node, service string) (string, error) {
	if err := r.known(node); err != nil {
		return "", err
	}
	if r.cfg.Segment != nil {
		var all []string
		for _, a := range r.cfg.Segment.ServiceAddrs() {
			all = append(all, a.String())
		}
		return strings.Join(all, ","), nil
	}
	return r.services.addr(node, service)
}

// ServiceCommand is the command that starts, stops or checks a service on a node: start, stop or status. It needs
// the environment that the node's daemon has.
func (r *Rack) ServiceCommand(node, service, verb string) ([]string, error) {
	addr, err := r.ServiceAddr(node, service)
	if err != nil {
		return nil, err
	}
	return []string{r.cfg.Binary, ArgService, verb, "-service", service, "-node", node, "-addr", addr, "-dir", r.RunDir(node)}, nil
}

func (r *Rack) known(node string) error {
	if slices.Contains(r.cfg.Nodes, node) {
		return nil
	}
	return fmt.Errorf("rack: no node is called %q; the nodes are %s", node, strings.Join(r.cfg.Nodes, ", "))
}

// portBook remembers where each service answers.
type portBook struct {
	mu sync.Mutex
	at map[[2]string]netip.AddrPort
}

func (b *portBook) addr(node, service string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at == nil {
		b.at = map[[2]string]netip.AddrPort{}
	}
	key := [2]string{node, service}
	at, known := b.at[key]
	if !known {
		var err error
		if at, err = netpath.FreePort(); err != nil {
			return "", err
		}
		b.at[key] = at
	}
	return at.String(), nil
}
