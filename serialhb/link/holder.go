package link

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// holder names another process that has the character device open, as far as proc lets us see; empty if it does not.
// own says that nobody else was found, and our own process has it open.
func holder(proc string, device uint64) (other string, own bool) {
	processes, err := os.ReadDir(proc)
	if err != nil {
		return "", false
	}
	for _, p := range processes {
		pid, err := strconv.Atoi(p.Name())
		if err != nil || !hasOpen(filepath.Join(proc, p.Name(), "fd"), device) {
			continue
		}
		if pid == os.Getpid() {
			own = true
			continue
		}
		comm, err := os.ReadFile(filepath.Join(proc, p.Name(), "comm"))
		if err != nil {
			return fmt.Sprintf("process %d", pid), false
		}
		return fmt.Sprintf("%s (process %d)", strings.TrimSpace(string(comm)), pid), false
	}
	return "", own
}

func hasOpen(dir string, device uint64) bool {
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, fd := range fds {
		var st syscall.Stat_t
		if syscall.Stat(filepath.Join(dir, fd.Name()), &st) != nil {
			continue
		}
		if st.Mode&syscall.S_IFMT == syscall.S_IFCHR && uint64(st.Rdev) == device {
			return true
		}
	}
	return false
}
