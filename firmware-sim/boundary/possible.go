package boundary

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// Possible says whether this machine lets a process trace another that is not below it. self is what serves [Hidden].
func Possible(self string) error {
	in, hold, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("boundary: make pipe: %w", err)
	}
	defer hold.Close()
	cmd := exec.Command("/bin/cat")
	cmd.Stdin = in
	if err := errors.Join(cmd.Start(), in.Close()); err != nil {
		return fmt.Errorf("boundary: start a process to look at: %w", err)
	}
	t, err := follow(self, cmd.Process.Pid, "/", "", nil, 0)
	if err == nil {
		err = t.end()
	}
	_ = hold.Close() // its end
	_ = cmd.Wait()
	if err != nil {
		return fmt.Errorf("ptrace is refused here (%w); run it as root, where /proc/sys/kernel/yama/ptrace_scope is at most 2", err)
	}
	return nil
}
