package link

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// holder names a process that has the character device open, as far as proc lets us see; empty if it does not.
// Our own process is named only if nobody else is found.
func holder(proc string, device uint64) string {
	self := ""
	processes, err := os.ReadDir(proc)
	if err != nil {
		return ""
	}
	for _, p := range processes {
		pid, err := strconv.Atoi(p.Name())
		if err != nil || !hasOpen(filepath.Join(proc, p.Name(), "fd"), device) {
			continue
		}
		if pid == os.Getpid() {
			self = "another link of this program"
			continue
		}
		comm, err := os.ReadFile(filepath.Join(proc, p.Name(), "comm"))
		if err != nil {
			return fmt.Sprintf("process %d", pid)
		}
		return fmt.Sprintf("%s (process %d)", strings.TrimSpace(string(comm)), pid)
	}
	return self
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
