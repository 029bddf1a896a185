// Package clock is the one clock of a member, the time since its host booted, and an alarm on that clock.
//
// Both are system calls that cannot wait, made without telling the Go scheduler. A timer of the runtime is rounded to a
// millisecond, wakes its thread twice, and wakes the runtime's monitor with it: forty waits a second cost 1 % of a core
// that way, and 0.4 % by an alarm of the kernel, which is what a daemon that beats for years is better off with.
package clock

import (
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Boot is the time since the host booted (CLOCK_BOOTTIME). It counts suspend, never runs backwards, and no step of the
// wall clock touches it. Any goroutine may ask.
func Boot() time.Duration {
	var t unix.Timespec
	if _, _, errno := unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_BOOTTIME, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		panic("clock: no boot-time clock: " + errno.Error())
	}
	return time.Duration(t.Nano())
}

// Alarm rings once at a time of [Boot]. One goroutine waits; Set and Close may come from others.
type Alarm struct {
	file *os.File
	conn syscall.RawConn
	rang func(fd uintptr) bool
}

// NewAlarm makes an alarm that is not set.
func NewAlarm() (*Alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("clock: make an alarm: %w", err)
	}
	a := &Alarm{file: os.NewFile(uintptr(fd), "alarm")}
	if a.conn, err = a.file.SyscallConn(); err != nil {
		a.file.Close()
		return nil, fmt.Errorf("clock: wait for an alarm: %w", err)
	}
	var times [8]byte // how often it rang; here, so that a wait allocates nothing
	a.rang = func(fd uintptr) bool {
		n, _, _ := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&times)), uintptr(len(times)))
		return n == uintptr(len(times))
	}
	return a, nil
}

// Set lets the alarm ring at that time, at once if it is past, in place of what was set before.
func (a *Alarm) Set(at time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(1, int64(at)))} // 0 would disarm it
	// It can fail for a closed alarm only, and then nobody waits.
	_ = a.conn.Control(func(fd uintptr) {
		unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, fd, unix.TFD_TIMER_ABSTIME, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	})
}

// Wait returns true when the alarm has rung, and false when it is closed.
func (a *Alarm) Wait() bool { return a.conn.Read(a.rang) == nil }

// Sleep waits for that long, and says whether it did: false when the alarm is closed. What was set before is lost.
func (a *Alarm) Sleep(d time.Duration) bool {
	a.Set(Boot() + d)
	return a.Wait()
}

// Close ends a wait, and every later one.
func (a *Alarm) Close() error { return a.file.Close() }
