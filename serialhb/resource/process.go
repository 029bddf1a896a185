package resource

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// groupLives says whether a process group has a member that is no zombie. If nobody can tell, it lives.
func groupLives(pgid int) bool {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return true
	}
	want := []byte(strconv.Itoa(pgid))
	for _, entry := range entries {
		name := entry.Name()
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it ended while we looked
		}
		// The program's name stands in brackets and may contain anything, brackets too.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 2 && bytes.Equal(fields[2], want) && fields[0][0] != 'Z' && fields[0][0] != 'X' {
			return true
		}
	}
	return false
}

// sealDescriptors marks everything above standard error as not to be inherited. Go opens its files so, but whoever
// started the daemon, or a library, may have left one open, and a service that keeps our lock or our serial port open
// for years is a nasty find.
func sealDescriptors() {
	const first = 3
	if unix.CloseRange(first, ^uint(0), unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	// Kernels before 5.11.
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
}
