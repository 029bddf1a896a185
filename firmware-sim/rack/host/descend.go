package host

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// descendants lists the processes below pid. It is a snapshot: whoever acts on it repeats until nothing is new.
func descendants(pid int) ([]int, error) {
	var all []int
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		kids, err := children(queue[0])
		if err != nil {
			return nil, err
		}
		all = append(all, kids...)
		queue = append(queue, kids...)
	}
	return all, nil
}

// children asks the kernel's own lists, which costs microseconds; a walk over all of /proc costs milliseconds on a busy
// machine, and a power cut must not take that long. A process that has gone has none.
func children(pid int) ([]int, error) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if vanished(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("host: list threads of %d: %w", pid, err)
	}
	var kids []int
	for _, task := range tasks {
		file := fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name())
		text, err := os.ReadFile(file)
		if vanished(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("host: list children of %d: %w", pid, err)
		}
		for _, field := range strings.Fields(string(text)) {
			kid, err := strconv.Atoi(field)
			if err != nil {
				return nil, fmt.Errorf("host: read %s: %w", file, err)
			}
			kids = append(kids, kid)
		}
	}
	return kids, nil
}

func vanished(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH)
}

// checkProc finds out at the start whether the kernel keeps these lists.
func checkProc() error {
	if _, err := os.Stat("/proc/thread-self/children"); err != nil {
		return fmt.Errorf("host: this kernel does not list children in /proc (CONFIG_PROC_CHILDREN): run the lab on another one: %w", err)
	}
	return nil
}

// signalAll signals every descendant once, repeating until a pass finds nobody new: whoever forked before the signal
// reached it is met in the next pass.
func signalAll(sig unix.Signal) error {
	met := map[int]bool{}
	for {
		pids, err := descendants(os.Getpid())
		if err != nil {
			return err
		}
		fresh := false
		for _, pid := range pids {
			if met[pid] {
				continue
			}
			met[pid], fresh = true, true
			if err := unix.Kill(pid, sig); err != nil && err != unix.ESRCH {
				return fmt.Errorf("host: signal %d: %w", pid, err)
			}
		}
		if !fresh {
			return nil
		}
	}
}

// reaped is a child that ended.
type reaped struct {
	pid    int
	status unix.WaitStatus
}

// killAll returns when no descendant is left, and never before: a process that cannot be killed keeps it waiting. All
// are stopped first, so that none acts on the death of another.
func killAll() ([]reaped, error) {
	if err := signalAll(unix.SIGSTOP); err != nil {
		return nil, err
	}
	var gone []reaped
	for nap := 50 * time.Microsecond; ; nap = min(2*nap, time.Millisecond) {
		if err := signalAll(unix.SIGKILL); err != nil {
			return gone, err
		}
		some, none, err := reap()
		gone = append(gone, some...)
		if err != nil || none {
			return gone, err
		}
		// The kernel's timer: Go's own rounds up to a millisecond, and the sense waits for this.
		ts := unix.NsecToTimespec(int64(nap))
		if err := unix.Nanosleep(&ts, nil); err != nil && err != unix.EINTR {
			return gone, fmt.Errorf("host: sleep: %w", err)
		}
	}
}

// reap collects the children that have ended. none says that no child is left, ended or not; orphans of the host count,
// because they become children of the subreaper.
func reap() (gone []reaped, none bool, err error) {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
		case err == unix.ECHILD:
			return gone, true, nil
		case err != nil:
			return gone, false, fmt.Errorf("host: wait for children: %w", err)
		case pid == 0:
			return gone, false, nil
		default:
			gone = append(gone, reaped{pid, status})
		}
	}
}
