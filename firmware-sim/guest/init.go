package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Where the outside leaves the command, and how the last line begins that says how it ended.
const (
	commandFile = "/etc/guest-command.json"
	lastLine    = "guest: the command has ended with exit code "
)

// searchPath is where commands are looked for in the guest.
const searchPath = "/bin"

// Init is the first process of a guest: it mounts what programs expect, brings loopback up, runs the command of the
// initramfs with the console as its output, tells its exit code in the last line, and switches the machine off. It does
// nothing unless it is process 1, and returns only if it could not do its work.
func Init() error {
	if os.Getpid() != 1 {
		return errors.New("guest: this is the first process of a guest; start the guest with `hbsim guest`")
	}
	code, err := serve()
	if err == nil {
		fmt.Printf("\n%s%d\n", lastLine, code)
	} else {
		fmt.Println("guest:", err)
	}
	_ = unix.IoctlSetInt(1, unix.TCSBRK, 1) // so that the last line is out; without it the outside only misses that line
	return fmt.Errorf("guest: switch off: %w", unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
}

func serve() (int, error) {
	if err := furnish(); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(commandFile)
	if err != nil {
		return 0, fmt.Errorf("read command: %w", err)
	}
	var argv []string
	if err := json.Unmarshal(text, &argv); err != nil || len(argv) == 0 {
		return 0, fmt.Errorf("read command from %q: %w", text, err)
	}
	env := []string{"PATH=" + searchPath, "HOME=/root", "TERM=dumb"}
	if err := os.Setenv("PATH", searchPath); err != nil {
		return 0, err
	}
	file, err := exec.LookPath(argv[0])
	if err != nil {
		return 0, fmt.Errorf("find command: %w", err)
	}
	p, err := os.StartProcess(file, argv, &os.ProcAttr{Dir: "/root", Env: env, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: &syscall.SysProcAttr{Setsid: true}})
	if err != nil {
		return 0, fmt.Errorf("start command: %w", err)
	}
	return reap(p.Pid)
}

// reap waits for the command, and for every orphan that is left to the first process meanwhile.
func reap(command int) (int, error) {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("wait for the command: %w", err)
		case pid != command:
		case status.Signaled():
			return 128 + int(status.Signal()), nil
		default:
			return status.ExitStatus(), nil
		}
	}
}

var mounts = []struct {
	kind, at, options string
	flags             uintptr
}{
	{"proc", "/proc", "", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
	{"sysfs", "/sys", "", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
	{"devtmpfs", "/dev", "mode=0755", unix.MS_NOSUID},
	{"devpts", "/dev/pts", "mode=0620,ptmxmode=0666", unix.MS_NOSUID | unix.MS_NOEXEC},
	{"tmpfs", "/run", "mode=0755", unix.MS_NOSUID | unix.MS_NODEV},
	// So small that a story can fill it.
	{"tmpfs", "/tmp", "mode=1777,size=48m", unix.MS_NOSUID | unix.MS_NODEV},
}

// furnish makes the machine what programs expect of one.
func furnish() error {
	unix.Umask(0o022)
	for _, m := range mounts {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return fmt.Errorf("make %s: %w", m.at, err)
		}
		if err := unix.Mount(m.kind, m.at, m.kind, m.flags, m.options); err != nil {
			return fmt.Errorf("mount %s, which this kernel has to have built in: %w", m.kind, err)
		}
	}
	if err := os.MkdirAll("/root", 0o700); err != nil {
		return fmt.Errorf("make /root: %w", err)
	}
	if err := unix.Sethostname([]byte("guest")); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	return loopbackUp()
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("bring loopback up: %w", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err == nil {
		lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	}
	if err != nil {
		return fmt.Errorf("bring loopback up: %w", err)
	}
	return nil
}
