package process

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Ordinary calls f on a thread that the kernel treats like any program's, and returns when f does. The daemon may run with
// real-time priority, and a program has the priority of the thread that starts it: a database with that of the daemon would
// keep the daemon, and everything else, from the processor. f may rely on its thread until it returns.
func Ordinary(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if !demoted() {
			defer runtime.UnlockOSThread()
		} // else it stays locked, and so ends with this goroutine: the way back up may be forbidden
		f()
	}()
	<-done
}

// demoted gives up the real-time priority of this thread, if it has one.
func demoted() bool {
	now, err := unix.SchedGetAttr(0, 0)
	if err != nil || now.Policy != unix.SCHED_FIFO && now.Policy != unix.SCHED_RR {
		return false
	}
	return unix.SchedSetAttr(0, &unix.SchedAttr{Policy: unix.SCHED_NORMAL}, 0) == nil
}
