package boundary

import "golang.org/x/sys/unix"

// call says what is known of a system call. One that is not listed counts: a new one is seen, not missed.
type call struct {
	name string
	// names says what a call is about. False is that nothing outside the process changes this time. nil is a call that
	// never changes anything outside.
	names func(*thread, [6]uint64) (string, bool)
}

// calls that exist on every machine; calls_amd64.go and calls_arm64.go have those of one. On another machine a run names the
// calls that are missing here.
var calls = map[uint64]call{
	unix.SYS_OPENAT:     {"openat", opened},
	unix.SYS_WRITE:      {"write", written},
	unix.SYS_PWRITE64:   {"pwrite", written},
	unix.SYS_WRITEV:     {"writev", onFile},
	unix.SYS_FTRUNCATE:  {"ftruncate", onFile},
	unix.SYS_FALLOCATE:  {"fallocate", onFile},
	unix.SYS_FSYNC:      {"fsync", onFile},
	unix.SYS_FDATASYNC:  {"fdatasync", onFile},
	unix.SYS_FCHMOD:     {"fchmod", onFile},
	unix.SYS_FLOCK:      {"flock", onFile},
	unix.SYS_CLOSE:      {"close", closed},
	unix.SYS_IOCTL:      {"ioctl", onDevice},
	unix.SYS_FCNTL:      {"fcntl", controlled},
	unix.SYS_RENAMEAT2:  {"rename", pathsAt(1, 3)},
	unix.SYS_LINKAT:     {"link", pathsAt(1, 3)},
	unix.SYS_SYMLINKAT:  {"symlink", pathsAt(2)},
	unix.SYS_UNLINKAT:   {"unlink", pathsAt(1)},
	unix.SYS_MKDIRAT:    {"mkdir", pathsAt(1)},
	unix.SYS_FCHMODAT:   {"chmod", pathsAt(1)},
	unix.SYS_SOCKET:     {"socket", socket},
	unix.SYS_CONNECT:    {"connect", onFile},
	unix.SYS_BIND:       {"bind", onFile},
	unix.SYS_SHUTDOWN:   {"shutdown", onFile},
	unix.SYS_SETSOCKOPT: {"setsockopt", onFile},
	unix.SYS_SENDTO:     {"sendto", written},
	unix.SYS_SENDMSG:    {"sendmsg", onFile},
	unix.SYS_CLONE:      {"clone", cloned},
	unix.SYS_CLONE3:     {"clone", cloned},
	unix.SYS_KILL:       {"kill", signalled},

	unix.SYS_PIDFD_SEND_SIGNAL: {"kill", signalled},

	// The runtime sleeps, wakes its threads, and looks what has arrived.
	unix.SYS_FUTEX: {"futex", nil}, unix.SYS_NANOSLEEP: {"nanosleep", nil}, unix.SYS_CLOCK_NANOSLEEP: {"clock_nanosleep", nil},
	unix.SYS_EPOLL_PWAIT: {"epoll_pwait", nil}, unix.SYS_EPOLL_CTL: {"epoll_ctl", nil}, unix.SYS_EPOLL_CREATE1: {"epoll_create1", nil},
	unix.SYS_EVENTFD2: {"eventfd2", nil}, unix.SYS_PPOLL: {"ppoll", nil}, unix.SYS_PSELECT6: {"pselect6", nil},
	unix.SYS_SCHED_YIELD: {"sched_yield", nil}, unix.SYS_RESTART_SYSCALL: {"restart_syscall", nil},
	// It has memory, timers and signals of its own, and ends.
	unix.SYS_MADVISE: {"madvise", nil}, unix.SYS_MUNMAP: {"munmap", nil}, unix.SYS_MPROTECT: {"mprotect", nil},
	unix.SYS_BRK: {"brk", nil}, unix.SYS_MINCORE: {"mincore", nil}, unix.SYS_RT_SIGACTION: {"rt_sigaction", nil},
	unix.SYS_RT_SIGPROCMASK: {"rt_sigprocmask", nil}, unix.SYS_RT_SIGRETURN: {"rt_sigreturn", nil}, unix.SYS_SIGALTSTACK: {"sigaltstack", nil},
	unix.SYS_TGKILL: {"tgkill", nil}, unix.SYS_SETITIMER: {"setitimer", nil}, unix.SYS_TIMER_CREATE: {"timer_create", nil},
	unix.SYS_TIMER_SETTIME: {"timer_settime", nil}, unix.SYS_TIMERFD_CREATE: {"timerfd_create", nil}, unix.SYS_TIMERFD_SETTIME: {"timerfd_settime", nil}, unix.SYS_TIMER_DELETE: {"timer_delete", nil}, unix.SYS_EXIT: {"exit", nil}, unix.SYS_EXIT_GROUP: {"exit_group", nil},
	unix.SYS_PRCTL: {"prctl", nil}, unix.SYS_SET_ROBUST_LIST: {"set_robust_list", nil}, unix.SYS_RSEQ: {"rseq", nil},
	// A pipe, a second number of a descriptor, and which of them children get are seen by nobody else.
	unix.SYS_CLOSE_RANGE: {"close_range", nil}, unix.SYS_MEMFD_CREATE: {"memfd_create", nil},
	unix.SYS_PIPE2: {"pipe2", nil}, unix.SYS_DUP: {"dup", nil}, unix.SYS_DUP3: {"dup3", nil},
	// These only ask.
	unix.SYS_READ: {"read", nil}, unix.SYS_PREAD64: {"pread", nil}, unix.SYS_READV: {"readv", nil}, unix.SYS_LSEEK: {"lseek", nil},
	unix.SYS_RECVFROM: {"recvfrom", nil}, unix.SYS_RECVMSG: {"recvmsg", nil}, unix.SYS_ACCEPT4: {"accept4", nil},
	unix.SYS_GETDENTS64: {"getdents64", nil}, unix.SYS_READLINKAT: {"readlinkat", nil}, unix.SYS_STATX: {"statx", nil}, unix.SYS_FSTAT: {"fstat", nil},
	unix.SYS_STATFS: {"statfs", nil}, unix.SYS_FSTATFS: {"fstatfs", nil}, unix.SYS_FACCESSAT: {"faccessat", nil}, unix.SYS_FACCESSAT2: {"faccessat2", nil},
	unix.SYS_GETSOCKOPT: {"getsockopt", nil}, unix.SYS_GETSOCKNAME: {"getsockname", nil}, unix.SYS_GETPEERNAME: {"getpeername", nil},
	unix.SYS_CLOCK_GETTIME: {"clock_gettime", nil}, unix.SYS_GETTIMEOFDAY: {"gettimeofday", nil}, unix.SYS_GETRANDOM: {"getrandom", nil},
	unix.SYS_GETPID: {"getpid", nil}, unix.SYS_GETTID: {"gettid", nil}, unix.SYS_GETPPID: {"getppid", nil}, unix.SYS_GETUID: {"getuid", nil},
	unix.SYS_GETEUID: {"geteuid", nil}, unix.SYS_UNAME: {"uname", nil}, unix.SYS_SCHED_GETAFFINITY: {"sched_getaffinity", nil},
	unix.SYS_SCHED_GETATTR: {"sched_getattr", nil}, unix.SYS_GETRUSAGE: {"getrusage", nil}, unix.SYS_PRLIMIT64: {"prlimit64", nil},
	unix.SYS_SYSINFO: {"sysinfo", nil}, unix.SYS_GETCWD: {"getcwd", nil}, unix.SYS_PIDFD_OPEN: {"pidfd_open", nil},
	// Waiting for a child takes away what is left of it; its parent's death would have done the same.
	unix.SYS_WAIT4: {"wait4", nil}, unix.SYS_WAITID: {"waitid", nil},
}
