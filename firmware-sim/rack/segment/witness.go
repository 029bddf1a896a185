package segment

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
)

// Witness asks the kernels of all nodes who has the service's addresses whenever one of them says that an address came or
// went. Methods are safe for concurrent use.
type Witness struct {
	s    *Segment
	quit chan struct{}
	wg   sync.WaitGroup

	mu      sync.Mutex
	clashes []string
	err     error
	closed  bool
}

// Watch begins to witness.
func (s *Segment) Watch() (*Witness, error) {
	w := &Witness{s: s, quit: make(chan struct{})}
	for _, node := range s.nodes {
		changes := make(chan netlink.AddrUpdate)
		// The socket is opened in the namespace of the caller, and belongs there.
		err := s.machine(node).do(func() error { return netlink.AddrSubscribe(changes, w.quit) })
		if err != nil {
			return nil, errors.Join(fmt.Errorf("segment: watch the addresses of %s: %w", node, err), w.Close())
		}
		w.wg.Go(func() { w.follow(node, changes) })
	}
	return w, nil
}

func (w *Witness) follow(node string, changes <-chan netlink.AddrUpdate) {
	for range changes {
		holders, err := w.s.Holders()
		w.mu.Lock()
		if w.err == nil {
			w.err = err
		}
		for _, p := range w.s.Services() {
			if text := clash(p.Addr(), holders); text != "" && !slices.Contains(w.clashes, text) {
				w.clashes = append(w.clashes, text)
			}
		}
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed && w.err == nil {
		w.err = fmt.Errorf("segment: the kernel of %s has stopped telling of its addresses", node)
	}
}

func clash(ip netip.Addr, holders map[string][]netip.Addr) string {
	var on []string
	for node, has := range holders {
		if slices.Contains(has, ip) {
			on = append(on, node)
		}
	}
	if len(on) < 2 {
		return ""
	}
	slices.Sort(on)
	return fmt.Sprintf("the service address %s was on %s at once", ip, strings.Join(on, " and on "))
}

// Clashes tells, in words, which of the service's addresses were on two nodes at once. An error means that this could not
// be watched for all of the time.
func (w *Witness) Clashes() ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.clashes), w.err
}

// Close ends the watching.
func (w *Witness) Close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	close(w.quit)
	w.wg.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
