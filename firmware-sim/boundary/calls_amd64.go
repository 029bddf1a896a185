package boundary

import "golang.org/x/sys/unix"

// The older forms of calls, which this machine still has and Go's library still uses.
func init() {
	for nr, c := range map[uint64]call{
		unix.SYS_OPEN:       {"openat", openedByName},
		unix.SYS_RENAME:     {"rename", pathsAt(0, 1)},
		unix.SYS_RENAMEAT:   {"rename", pathsAt(1, 3)},
		unix.SYS_LINK:       {"link", pathsAt(0, 1)},
		unix.SYS_SYMLINK:    {"symlink", pathsAt(1)},
		unix.SYS_UNLINK:     {"unlink", pathsAt(0)},
		unix.SYS_RMDIR:      {"rmdir", pathsAt(0)},
		unix.SYS_MKDIR:      {"mkdir", pathsAt(0)},
		unix.SYS_CHMOD:      {"chmod", pathsAt(0)},
		unix.SYS_EPOLL_WAIT: {"epoll_wait", nil}, unix.SYS_POLL: {"poll", nil}, unix.SYS_SELECT: {"select", nil},
		unix.SYS_STAT: {"stat", nil}, unix.SYS_LSTAT: {"lstat", nil}, unix.SYS_NEWFSTATAT: {"newfstatat", nil},
		unix.SYS_READLINK: {"readlink", nil}, unix.SYS_ACCESS: {"access", nil}, unix.SYS_PIPE: {"pipe", nil}, unix.SYS_DUP2: {"dup2", nil},
		unix.SYS_MMAP: {"mmap", nil}, unix.SYS_ARCH_PRCTL: {"arch_prctl", nil}, unix.SYS_TIME: {"time", nil},
	} {
		calls[nr] = c
	}
}
