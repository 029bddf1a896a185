package config

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

const (
	keyBytes   = 32
	maxKeyFile = 4 << 10
	// forOthers are the permission bits that a key must not have.
	forOthers = 0o077
)

// ReadKey reads a key file: one line of hexadecimal digits, at least 16 bytes of key, readable by its owner only. The
// error is one sentence that says what to do.
func ReadKey(path string) ([]byte, error) {
	// Without waiting: a pipe in its place would hold up the daemon for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("config: read key %s: %w; make it with serialhb keygen on one node and copy it to the others", path, cause(err))
		}
		return nil, fmt.Errorf("config: read key %s: %w; let the user of the daemon read it", path, cause(err))
	}
	key, err := readKey(f, path)
	if closing := f.Close(); err == nil && closing != nil {
		return nil, fmt.Errorf("config: read key %s: %w", path, cause(closing))
	}
	return key, err
}

func readKey(f *os.File, path string) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("config: read key %s: %w", path, cause(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("config: read key %s: it is no ordinary file; name the file that serialhb keygen made", path)
	}
	if info.Mode().Perm()&forOthers != 0 {
		return nil, fmt.Errorf("config: read key %s: others than its owner may use it (mode %04o); run chmod 600 %s, and make a new key if they may have read it", path, info.Mode().Perm(), path)
	}
	written, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("config: read key %s: %w", path, cause(err))
	}
	digits := bytes.TrimSpace(written)
	key := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(key, digits); err != nil || len(written) > maxKeyFile {
		// The cause would quote a part of the secret.
		return nil, fmt.Errorf("config: read key %s: it does not hold one line of hexadecimal digits; make a new one with serialhb keygen", path)
	}
	if len(key) < pulse.MinKey {
		return nil, fmt.Errorf("config: read key %s: it has %d bytes, and %d are the least; make a new one with serialhb keygen", path, len(key), pulse.MinKey)
	}
	return key, nil
}

// WriteKey makes a new random key of 32 bytes in a file of mode 0600. It never overwrites a file: a lost key stops the
// cluster. The error is one sentence that says what to do.
func WriteKey(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("config: write key %s: it exists already; give another name, or move the old key away", path)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("config: write key %s: there is no directory %s; make it first", path, filepath.Dir(path))
	case err != nil:
		return fmt.Errorf("config: write key %s: %w; choose a place that you may write to", path, cause(err))
	}
	var key [keyBytes]byte
	rand.Read(key[:]) // never fails: it ends the program instead
	_, err = fmt.Fprintf(f, "%x\n", key)
	if err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		// Half a key must not be mistaken for one.
		return fmt.Errorf("config: write key %s: %w", path, errors.Join(err, os.Remove(path)))
	}
	return nil
}

// CheckKeys looks at the key files of this node as they are on this machine.
func (c *Config) CheckKeys() []Finding { return c.checkKeys("/") }

func (c *Config) checkKeys(root string) []Finding {
	var found findings
	var keys [][]byte
	for i, path := range c.KeyFiles {
		key, err := ReadKey(filepath.Join(root, path))
		if err != nil {
			text, fix := sentence(err, "config: read key ")
			found.bad(c.lines.keys[i], fix, "key %s", text)
			continue
		}
		keys = append(keys, key)
	}
	if len(found) > 0 {
		return found
	}
	if _, err := pulse.NewKeyring(c.Cluster, keys...); err != nil {
		text, fix := sentence(err, "pulse: make keyring: ")
		found.bad(c.lines.keys[0], fix, "%s", text)
	}
	return found
}

// sentence splits an error of the form "WHERE: what; what to do".
func sentence(err error, where string) (text, fix string) {
	said := []byte(err.Error())
	said = bytes.TrimPrefix(said, []byte(where))
	before, after, found := bytes.Cut(said, []byte("; "))
	if !found {
		after = []byte("mend what it names")
	}
	return string(before), string(after)
}
