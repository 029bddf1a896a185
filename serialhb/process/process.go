// Package process is what the rooms that start programs ask of the kernel: what it knows of a process, when one has ended,
// and that no program inherits a descriptor of ours.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Stat is what /proc/PID/stat says of a process.
type Stat struct {
	Ended bool          // only its remains are left, until its parent has asked for them
	Group int           // the number of its process group
	Born  time.Duration // boot time at its beginning. The number alone may be another process's by now; with this it is not.
}

// tick is the unit of times in /proc, on every machine that Linux runs on.
const tick = 10 * time.Millisecond

// ErrNone is wrapped where there is no process of that number.
var ErrNone = errors.New("there is none")

// Of asks for a process by its number. Any error but [ErrNone] says that nobody can tell.
func Of(pid int) (Stat, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) { // it may end while it is looked at
		err = ErrNone
	}
	if err != nil {
		return Stat{}, fmt.Errorf("process: look at %d: %w", pid, err)
	}
	return Parse(text)
}

// Parse reads the text of a stat file.
func Parse(text []byte) (s Stat, err error) {
	// The name of the program stands in parentheses and may hold anything, parentheses too.
	f := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	const state, group, born = 0, 2, 19
	if len(f) <= born {
		return s, fmt.Errorf("process: read %q: it is too short", text)
	}
	s.Ended = f[state][0] == 'Z' || f[state][0] == 'X'
	ticks, bad := strconv.ParseInt(string(f[born]), 10, 64)
	s.Born = time.Duration(ticks) * tick
	if s.Group, err = strconv.Atoi(string(f[group])); err != nil || bad != nil {
		return Stat{}, fmt.Errorf("process: read %q: %w", text, errors.Join(err, bad))
	}
	return s, nil
}

// AwaitExit returns once a child has exited and leaves it unreaped: its number, which may be that of its group too, cannot
// be given to another one before that was dealt with.
func AwaitExit(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// SealDescriptors marks everything above standard error as not to be inherited. Go opens its files so, but whoever started
// us, or a library, may have left one open, and a program that keeps our lock or our serial port open for years is a nasty
// find. Those that a child is meant to have are duplicated for it by os/exec, which clears the mark.
func SealDescriptors() error {
	const first = 3
	err := unix.CloseRange(first, ^uint(0)>>32, unix.CLOSE_RANGE_CLOEXEC)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		return sealEach(first) // before Linux 5.11
	}
	return err
}

func sealEach(first int) error {
	open, err := os.ReadDir("/proc/self/fd")
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
	return err
}
