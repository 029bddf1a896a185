package service

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func stop(o options) error {
	f, err := os.Open(o.pidFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("service: open pid file: %w", err)
	}
	defer f.Close()
	pid, err := owner(f)
	if err != nil || pid == 0 {
		return err
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return nil
	}
	if err != nil {
		return fmt.Errorf("service: watch process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	// The pid may have passed to another process between the reading and the opening; then the lock is free.
	if locked, err := isLocked(f); err != nil || !locked {
		return err
	}
	for _, try := range []struct {
		signal unix.Signal
		wait   time.Duration
	}{{unix.SIGTERM, termTime}, {unix.SIGKILL, killTime}} {
		if err := unix.PidfdSendSignal(fd, try.signal, nil, 0); err != nil && err != unix.ESRCH {
			return fmt.Errorf("service: signal process %d: %w", pid, err)
		}
		if ended, err := awaitEnd(fd, try.wait); ended || err != nil {
			return err
		}
	}
	return fmt.Errorf("service: %s does not end: process %d is still there %s after SIGKILL", o.service, pid, killTime)
}

// owner reads who holds the lock; 0 is nobody. The daemon writes its pid after it has locked.
func owner(f *os.File) (int, error) {
	for end := time.Now().Add(startTime); ; time.Sleep(time.Millisecond) {
		if locked, err := isLocked(f); err != nil || !locked {
			return 0, err
		}
		b := make([]byte, 32)
		n, _ := f.ReadAt(b, 0) // the end of the file is what it always meets
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n]))); err == nil && pid > 1 {
			return pid, nil
		}
		if time.Now().After(end) {
			return 0, fmt.Errorf("service: %s is locked and holds no pid", f.Name())
		}
	}
}

// awaitEnd says whether the process of a pidfd has ended, which is after the kernel has closed all that it had open.
func awaitEnd(fd int, wait time.Duration) (bool, error) {
	for end := time.Now().Add(wait); ; {
		left := time.Until(end)
		if left < 0 {
			return false, nil
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
		if err != nil && err != unix.EINTR {
			return false, fmt.Errorf("service: wait for the end: %w", err)
		}
		if n > 0 {
			return true, nil
		}
	}
}
