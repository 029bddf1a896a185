package guest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// Emulator is the program that is the machine; Debian has it in the package qemu-system-x86.
const Emulator = "qemu-system-x86_64"

// Machine is a guest that is to run a command. Programs in it must be static and for amd64.
type Machine struct {
	Kernel  string   // file of a kernel with devtmpfs, tmpfs and a serial console built in
	Init    string   // file of hbsim, which is the first process
	Files   []File   // what else is there
	Command []string // looked for in /bin; it gets a search path, its own session, and the console as its output

	Processors int // 1 or more
	Memory     int // MB; the files and all that is written lie there too

	Out io.Writer // what the guest says, line by line
}

// ErrNoEmulator says what to install.
var ErrNoEmulator = errors.New("guest: " + Emulator + " is missing; install the Debian package qemu-system-x86")

// Run boots the machine, waits until its command has ended and it has switched itself off, and returns the exit code of
// the command, 128 and more for an end by a signal. An error says that there was no such end, with what the guest said
// last. The end of ctx ends the machine and is an error; so does the end of this process.
func Run(ctx context.Context, m Machine) (exit int, err error) {
	emulator, err := exec.LookPath(Emulator)
	if err != nil {
		return 0, ErrNoEmulator
	}
	initramfs, err := m.initramfs()
	if err != nil {
		return 0, err
	}
	defer initramfs.Close()
	// The kernel ends the emulator when the thread that started it ends, so this goroutine keeps its thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := console{out: m.Out}
	var fault strings.Builder
	cmd := exec.CommandContext(ctx, emulator, m.arguments()...)
	cmd.ExtraFiles = []*os.File{initramfs}
	cmd.Stdout, cmd.Stderr = &c, &fault
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err = cmd.Run()
	c.flush()
	switch {
	case ctx.Err() != nil:
		return 0, fmt.Errorf("guest: it was ended: %w; it said last: %s", context.Cause(ctx), c.last())
	case err != nil:
		return 0, fmt.Errorf("guest: run %s: %w: %s", Emulator, err, strings.TrimSpace(fault.String()))
	case c.err != nil:
		return 0, fmt.Errorf("guest: tell what it says: %w", c.err)
	case !c.ended:
		return 0, fmt.Errorf("guest: it stopped before its command ended; it said last: %s", c.last())
	}
	return c.exit, nil
}

// initramfs makes a file that has no name any more, so that nothing can leave it behind.
func (m Machine) initramfs() (*os.File, error) {
	argv, err := json.Marshal(m.Command)
	if err != nil {
		return nil, fmt.Errorf("guest: write command: %w", err)
	}
	f, err := os.CreateTemp("", "guest-initramfs")
	if err != nil {
		return nil, fmt.Errorf("guest: make initramfs: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("guest: make initramfs: %w", err), f.Close())
	}
	err = writeArchive(f, append([]File{
		{Path: "/init", Mode: 0o755, From: m.Init},
		{Path: commandFile, Mode: 0o644, Text: argv},
	}, m.Files...))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// inherited is the first descriptor that the emulator gets besides the usual three.
const inherited = "/proc/self/fd/3"

func (m Machine) arguments() []string {
	return []string{
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
		"-M", "q35,accel=tcg", "-cpu", "qemu64", "-smp", fmt.Sprint(m.Processors), "-m", fmt.Sprint(m.Memory),
		"-kernel", m.Kernel, "-initrd", inherited,
		// A panic ends the machine, and what is after -- goes to the first process.
		"-append", "console=ttyS0 quiet mitigations=off panic=-1 -- guest-init",
	}
}
