// Package journal keeps what must be remembered: a few facts, each in a file of its own, and the record of what
// happened.
//
//   - [Volatile] facts live in the run directory. They outlive the daemon and not the host: each carries the boot in
//     which it was written and is believed in no other. Nothing waits for a disk.
//   - [Durable] facts live in the state directory and outlive the host.
//   - A [Log] is the incident record: written to the run directory at once, carried to the state directory behind it.
//   - [Lock] keeps a second daemon of the same node away.
//
// The package knows nothing of what a fact means: it is any value that encodes to JSON. README.md in this folder
// describes the files.
package journal

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// BootIDPath is where Linux tells the id of the running boot.
const BootIDPath = "/proc/sys/kernel/random/boot_id"

// maxWord bounds the boot ids and kinds that go into a file, in bytes.
const maxWord = 64

// BootID reads the id of the running boot from path. The error is one sentence that says what to do.
func BootID(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		var at *os.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return "", fmt.Errorf("journal: read boot id: %s: %w: %s", path, err, bootIDAdvice)
	}
	id := strings.TrimSpace(string(text))
	if id == noBoot || !isWord(id) {
		return "", fmt.Errorf("journal: read boot id: %s holds no boot id: %s", path, bootIDAdvice)
	}
	return id, nil
}

const bootIDAdvice = "mount /proc, or name with --boot-id a file whose one word is new at each boot of the host"

// BootHash is the 24 bit hash of a boot id that pulses carry: the first three bytes of its SHA-256, big-endian.
func BootHash(id string) uint32 {
	sum := sha256.Sum256([]byte(id))
	return uint32(sum[0])<<16 | uint32(sum[1])<<8 | uint32(sum[2])
}

// isWord says whether s may stand in a header and, without dots and slashes, name a file.
func isWord(s string) bool {
	if s == "" || len(s) > maxWord {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// explain turns what the system says of a directory into what a person can do about it.
func explain(err error, dir string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%s is full: free some space: %w", dir, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s is read-only: mount it writable: %w", dir, err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%s may not be written by this user: correct its owner: %w", dir, err)
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s does not exist: create it: %w", dir, err)
	}
	return err
}
