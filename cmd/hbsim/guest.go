package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/guest"
)

// guestCmd runs a story or a command in a machine of its own, whose clock may be set.
type guestCmd struct {
	Story      string        `help:"Tell the story of this file with serialhb lab --own-clock." placeholder:"FILE" xor:"what"`
	Headless   bool          `help:"With --story: chapters, takeovers, failures and the summary only."`
	Kernel     string        `help:"A Debian kernel that is there already." placeholder:"FILE" xor:"kernel"`
	Kernels    string        `help:"Folder in which fetched kernels are kept; the user's cache if left out." placeholder:"FOLDER" xor:"kernel"`
	Processors int           `help:"Processors of the machine." default:"2"`
	Memory     int           `help:"Memory of the machine in MB." default:"1024"`
	Limit      time.Duration `help:"Longer than this is a failure." default:"1h"`
	program
	Command []string `arg:"" optional:"" passthrough:"" help:"After --: a command, where serialhb and hbsim are at hand."`
}

// Where the guest has what it is given.
const (
	guestPrograms = "/bin/"
	guestStories  = "/stories/"
)

func (c *guestCmd) Run(ctx context.Context) error {
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if (c.Story == "") == (len(command) == 0) {
		return errors.New("hbsim: give a guest --story FILE, or a command after --")
	}
	if _, err := exec.LookPath(guest.Emulator); err != nil {
		return guest.ErrNoEmulator
	}
	kernel, err := c.kernel(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "hbsim")
	if err != nil {
		return fmt.Errorf("hbsim: make folder: %w", err)
	}
	defer os.RemoveAll(dir)
	m := guest.Machine{Kernel: kernel, Init: filepath.Join(dir, "hbsim"), Command: command, Processors: c.Processors, Memory: c.Memory, Out: os.Stdout}
	serialhb := c.Serialhb
	if serialhb == "" {
		serialhb = filepath.Join(dir, "serialhb")
		if err := buildStatic(ctx, serialhb); err != nil {
			return err
		}
	}
	if err := buildStatic(ctx, m.Init); err != nil {
		return err
	}
	if m.Files, err = guest.Zones(ctx); err != nil {
		return err
	}
	m.Files = append(m.Files, guest.File{Path: guestPrograms + "serialhb", Mode: 0o755, From: serialhb},
		guest.File{Path: guestPrograms + "hbsim", Mode: 0o755, From: m.Init})
	if c.Story != "" {
		inside := guestStories + filepath.Base(c.Story)
		m.Files = append(m.Files, guest.File{Path: inside, Mode: 0o644, From: c.Story})
		m.Command = []string{"serialhb", "lab", "--own-clock", "--script", inside}
		if c.Headless {
			m.Command = append(m.Command, "--headless")
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.Limit, fmt.Errorf("it took longer than %s", c.Limit))
	defer cancel()
	exit, err := guest.Run(ctx, m)
	if err == nil && exit != 0 {
		return exitStatus(exit)
	}
	return err
}

func (c *guestCmd) kernel(ctx context.Context) (string, error) {
	if c.Kernel != "" {
		return c.Kernel, nil
	}
	dir := c.Kernels
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("hbsim: find the user's cache: %w; name a folder with --kernels", err)
		}
		dir = filepath.Join(cache, "hbsim")
	}
	return guest.Kernel(ctx, dir)
}

// buildStatic builds the program of this module that the file is named after, for the guest.
func buildStatic(ctx context.Context, file string) error {
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "github.com/serialhb/serialhb/cmd/"+filepath.Base(file))
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("hbsim: build %s: %w; run it where the source is: %s", filepath.Base(file), err, said)
	}
	return nil
}

// guestInitCmd is what the guest's kernel starts.
type guestInitCmd struct{}

func (guestInitCmd) Run() error { return guest.Init() }

// exitStatus is the exit code of a guest, which is that of hbsim then.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit code %d", int(e)) }
