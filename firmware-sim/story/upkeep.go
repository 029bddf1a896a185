package story

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/firmware-sim/rack"
	"github.com/serialhb/serialhb/firmware-sim/rack/segment"
)

// This file is what happens to nodes over the months: a service does not start or stop, keys are
// changed, folders vanish, a disk fills up, a network card goes off, a daemon has no descriptors left.

var keyNames = []string{"1", "2", "3"}

func parseKeys(_ *parser, s *Step, w []string) error {
	if len(w) == 0 || len(w) > len(keyNames) {
		return errUsage
	}
	for i, k := range w {
		if !slices.Contains(keyNames, k) || slices.Contains(w[:i], k) {
			return fmt.Errorf("keys takes some of %s, each once, not %q", strings.Join(keyNames, ", "), k)
		}
	}
	s.Order.Words = w
	return nil
}

func parseDisk(_ *parser, s *Step, w []string) error {
	if len(w) != 1 || w[0] != "full" && w[0] != "ok" {
		return errUsage
	}
	s.Order.Mode = w[0]
	return nil
}

func parseService(p *parser, s *Step, w []string) error {
	if len(w) != 2 || w[1] != "start-fails" && w[1] != "stop-fails" && w[1] != "ok" {
		return errUsage
	}
	s.Order.Mode = strings.TrimSuffix(w[1], "-fails")
	return parseNodes(p, s, w[:1])
}

// cardModes are what can be done to a node's card.
var cardModes = map[string]func(*segment.Segment, string) error{
	"off":    (*segment.Segment).SwitchOff,
	"on":     (*segment.Segment).SwitchOn,
	"unplug": (*segment.Segment).Unplug,
	"plug":   (*segment.Segment).Plug,
	"strip":  (*segment.Segment).Strip,
}

func parseCard(p *parser, s *Step, w []string) error {
	if len(w) != 2 || cardModes[w[1]] == nil {
		return errUsage
	}
	s.Order.Mode = w[1]
	return parseNodes(p, s, w[:1])
}

func (w *lab) card(node, mode string) error {
	if w.seg == nil {
		return errNoNet
	}
	return cardModes[mode](w.seg, node)
}

func parseDescriptors(p *parser, s *Step, w []string) error {
	if len(w) != 2 || w[1] != "none" && w[1] != "ok" {
		return errUsage
	}
	s.Order.Mode = w[1]
	return parseNodes(p, s, w[:1])
}

// descriptors limits those of a running daemon. What it has open it keeps.
func (w *lab) descriptors(node, mode string) error {
	text, err := w.rack.Status(node)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimPrefix(text, "running "))
	if err != nil {
		return fmt.Errorf("story: limit the descriptors of %s: no daemon runs there: %s", node, text)
	}
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		return fmt.Errorf("story: limit the descriptors of %s: %w", node, err)
	}
	limit.Cur = limit.Max
	if mode == "none" {
		// The lowest number that is free: less would keep the daemon from polling what it has.
		for limit.Cur = 0; ; limit.Cur++ {
			if _, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, limit.Cur)); err != nil {
				break
			}
		}
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		return fmt.Errorf("story: limit the descriptors of %s: %w", node, err)
	}
	return nil
}

func (w *lab) bookFile() string { return filepath.Join(w.dir, "service.json") }

func (w *lab) spoilService(node, verb string) error {
	w.book.Fails[node] = verb
	return w.book.write(w.bookFile())
}

func (w *lab) key(name string) string { return filepath.Join(w.dir, "key"+name) }

func (w *lab) makeKeys() error {
	for _, name := range keyNames {
		secret := make([]byte, 32)
		rand.Read(secret)
		if err := os.WriteFile(w.key(name), []byte(hex.EncodeToString(secret)+"\n"), 0o600); err != nil {
			return fmt.Errorf("story: write key: %w", err)
		}
	}
	return nil
}

func (w *lab) useKeys(names []string) error {
	var files []string
	for _, name := range names {
		files = append(files, w.key(name))
	}
	for node, at := range w.places {
		at.keys = files
		w.places[node] = at
	}
	return w.writeConfigs()
}

func (w *lab) writeConfigs() error {
	for node, at := range w.places {
		if err := os.WriteFile(w.config(node), []byte(nodeConfig(node, w.now, at)), 0o644); err != nil {
			return fmt.Errorf("story: write configuration: %w", err)
		}
	}
	return nil
}

func loseRun(r *rack.Rack, node string) error {
	if err := os.RemoveAll(filepath.Join(r.RunDir(node), cluster)); err != nil {
		return fmt.Errorf("story: remove run directory: %w", err)
	}
	return nil
}

// maxDisk keeps a full disk a small one that nobody else needs.
const maxDisk = 64 << 20

func (w *lab) disk(mode string) error {
	ballast := filepath.Join(w.dir, "ballast")
	if mode == "ok" {
		if err := os.Remove(ballast); err != nil {
			return fmt.Errorf("story: free the disk: %w", err)
		}
		return nil
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(w.dir, &fs); err != nil {
		return fmt.Errorf("story: look at the disk: %w", err)
	}
	if size := fs.Blocks * uint64(fs.Bsize); size > maxDisk {
		return fmt.Errorf("story: the lab lies on a file system of %d MB; to fill one, mount a tmpfs of %d MB at most and name it in TMPDIR", size>>20, maxDisk>>20)
	}
	f, err := os.OpenFile(ballast, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("story: fill the disk: %w", err)
	}
	for block := make([]byte, 1<<20); err == nil; time.Sleep(time.Millisecond) { // the nodes need the processor too
		_, err = f.Write(block)
	}
	for block := make([]byte, 4096); errors.Is(err, unix.ENOSPC) && len(block) > 0; block = block[:len(block)/2] {
		for err = nil; err == nil; {
			_, err = f.Write(block)
		}
	}
	if !errors.Is(err, unix.ENOSPC) {
		return errors.Join(fmt.Errorf("story: fill the disk: %w", err), f.Close())
	}
	return f.Close()
}
