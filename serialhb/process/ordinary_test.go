package process

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const noPriority = "no real-time priority here: "

const asDaemon = "SERIALHB_TEST_AS_DAEMON"

// TestMain is, in a process of its own, the daemon whose every thread has real-time priority.
func TestMain(m *testing.M) {
	if os.Getenv(asDaemon) == "" {
		os.Exit(m.Run())
	}
	child := exec.Command("sleep", "600")
	start := child.Start
	var err error
	Ordinary(func() { err = start() })
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	theirs, err1 := unix.SchedGetAttr(child.Process.Pid, 0)
	ours, err2 := unix.SchedGetAttr(0, 0)
	child.Process.Kill()
	child.Wait()
	if err1 != nil || err2 != nil {
		fmt.Println(err1, err2)
		os.Exit(1)
	}
	fmt.Println("ours", ours.Policy, "theirs", theirs.Policy)
}

func TestChildrenAreOrdinary(t *testing.T) {
	said := make(chan string)
	go func() {
		defer close(said)
		runtime.LockOSThread() // never unlocked: the thread ends with its priority
		if err := unix.SchedSetAttr(0, &unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 1}, 0); err != nil {
			said <- noPriority + err.Error()
			return
		}
		daemon := exec.Command(os.Args[0])
		daemon.Env = append(os.Environ(), asDaemon+"=1")
		out, err := daemon.CombinedOutput()
		said <- fmt.Sprint(string(out), err)
	}()
	got := <-said
	if strings.HasPrefix(got, noPriority) {
		t.Skip(got)
	}
	if want := fmt.Sprintf("ours %d theirs %d\n<nil>", unix.SCHED_FIFO, unix.SCHED_NORMAL); got != want {
		t.Errorf("%q", got)
	}
}
