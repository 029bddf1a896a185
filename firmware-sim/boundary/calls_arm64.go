package boundary

import "golang.org/x/sys/unix"

// What this machine has beside the calls that all have.
func init() {
	calls[unix.SYS_RENAMEAT] = call{"rename", pathsAt(1, 3)}
	calls[unix.SYS_MMAP] = call{"mmap", nil}
	calls[unix.SYS_FSTATAT] = call{"fstatat", nil}
}
