package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/serialhb/serialhb/firmware-sim/story"
)

// endureCmd lets a pair lose its owner again and again, and looks whether the other daemon grows and cries wolf.
type endureCmd struct {
	For        time.Duration `help:"How long." default:"1h"`
	Every      time.Duration `help:"A takeover so often." default:"20s"`
	Once       bool          `help:"Each ordeal once, however long that takes."`
	Interval   time.Duration `help:"Interval of the pulses." default:"10ms"`
	Multiplier int           `help:"Detection time in intervals." default:"3"`
	Record     string        `help:"Write all that happens there, one JSON object a line." placeholder:"FILE"`
	OwnClock   bool          `help:"This machine is there to have its clock set: step it by years and change its time zone meanwhile. Never on a machine that others use; see hbsim guest."`
	program
}

// ordeal is what befalls the pair between two takeovers, in lines of a story, and the alarms that it may raise.
type ordeal struct {
	lines  []string
	alarms []string
}

// havoc is everything that a pair meets in a year and is not a death, one after the other.
var havoc = []ordeal{
	{lines: []string{"keys 1 2", "reload alpha bravo", "sleep 6s", "keys 2 1", "reload alpha bravo", "sleep 6s", "keys 2", "reload alpha bravo"}},
	{lines: []string{"reload alpha bravo"}},
	{[]string{"lose-run alpha bravo", "expect told alpha socket-again within 30s", "expect told bravo socket-again within 30s"}, []string{"lock-again", "socket-again", "record-failed"}},
	{[]string{"disk full", "expect alarm alpha save-failed within 30s", "expect alarm bravo save-failed within 30s", "disk ok",
		"expect no-alarm alpha failed within 30s", "expect no-alarm bravo failed within 30s"}, []string{"save-failed", "keep-failed", "count-not-kept", "record-failed"}},
	{[]string{"cut-cable", "sleep 2s", "mend-cable"}, []string{"no-pulses alpha cable", "no-pulses bravo cable"}},
	{[]string{"cut-net", "sleep 2s", "mend-net"}, []string{"no-pulses alpha lan", "no-pulses bravo lan"}},
	{lines: []string{"keys 2 1", "reload alpha bravo", "sleep 6s", "keys 1 2", "reload alpha bravo", "sleep 6s", "keys 1", "reload alpha bravo"}},
	{[]string{"unplug bravo", "sleep 1s", "replug bravo"}, []string{"link-down cable", "no-pulses bravo cable"}},
	{lines: []string{"noise 50", "sleep 2s", "noise 0"}},
	{lines: []string{"run alpha restart"}},
}

// killed is the owner's daemon killed and started at once. Where that takes longer than the detection time its peer cuts it, and
// has to: it is an ordeal only where there is time enough.
var killed = ordeal{lines: []string{"restart-daemon alpha"}}

// restartTime is several times what a daemon takes from its death to its next pulse: 25 to 50 ms were measured on two idle
// processors.
const restartTime = 300 * time.Millisecond

// text is the story: alpha loses its mains, bravo takes over, alpha comes back and gets its service again. bravo's daemon
// lives through all of it but for one restart in the middle.
func (c *endureCmd) text(rounds int, disk bool) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("config interval %s\nconfig multiplier %d", c.Interval, c.Multiplier)
	line("start\nexpect reachable alpha within 10s\nexpect reachable bravo within 10s\nrun alpha arm\nrun bravo arm")
	line("expect owner alpha within 60s\nexpect linked within 60s")
	chapters := c.chapters()
	for i := range rounds {
		line("say round %d", i+1)
		now := chapters[i%len(chapters)]
		if disk || !slices.Contains(now.lines, "disk full") {
			line("%s", strings.Join(now.lines, "\n"))
		}
		if i == rounds/2 {
			line("restart-daemon bravo\nexpect reachable bravo within 30s")
		}
		line("expect linked within 60s\ntry bravo failback web\nexpect owner alpha within 60s\nrun bravo status --json")
		line("power-off alpha\nexpect owner bravo within 60s\nexpect dark alpha within 60s")
		line("power-on alpha\nexpect standby alpha within 60s\nexpect linked within 60s")
		line("run alpha clear\nrun bravo clear\ntry bravo failback web\nexpect owner alpha within 60s\nexpect linked within 60s")
		line("sleep %s", max(0, c.Every-paced(now.lines)-roundTime))
	}
	return b.String()
}

// roundTime is about what a round takes besides its sleeps.
const roundTime = 2 * time.Second

func paced(lines []string) (all time.Duration) {
	for _, l := range lines {
		if d, err := time.ParseDuration(strings.TrimPrefix(l, "sleep ")); err == nil {
			all += d
		}
	}
	return all
}

// bears is the shortest halt of the machine after which a node that lives may be late enough to be cut: the last pulse
// was sent on time, and those of all the detection time but one interval were not.
func (c *endureCmd) bears() time.Duration {
	return time.Duration(c.Multiplier-1) * c.Interval * 8 / 10
}

func (c *endureCmd) Run(ctx context.Context) error {
	if os.Getuid() == 0 && os.Getenv(ownDisk) == "" {
		return c.onOwnDisk(ctx)
	}
	disk := os.Getenv(ownDisk) != ""
	if disk {
		if err := mountDisk(); err != nil {
			return err
		}
	} else {
		fmt.Println("without root there is no disk of its own to fill: that part is left out")
	}
	binary, clean, err := c.binary(ctx)
	if err != nil {
		return err
	}
	defer clean()
	rounds := max(1, int(c.For/c.Every))
	if c.Once {
		rounds = len(c.chapters())
	}
	s, err := story.Parse("endure", c.text(rounds, disk))
	if err != nil {
		return err
	}
	d := diary{havoc: c.chapters(), bears: c.bears(), lives: map[int][]look{}, alarms: map[string]int{}}
	if c.Record != "" {
		f, err := os.Create(c.Record)
		if err != nil {
			return fmt.Errorf("hbsim: record what happens: %w", err)
		}
		defer f.Close()
		d.record = json.NewEncoder(f)
	}
	d.stalls.watch(ctx)
	err = story.Run(ctx, s, c.worlds(story.Rack(binary, os.Getenv(ownDisk))), mono.Now, d.take)
	return errors.Join(err, d.report())
}

// ownDisk names, for the process that is in a mount namespace of its own, where its disk is to be.
const ownDisk = "HBSIM_OWN_DISK"

func (c *endureCmd) onOwnDisk(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "hbsim-disk")
	if err != nil {
		return fmt.Errorf("hbsim: make folder: %w", err)
	}
	defer os.Remove(dir)
	self := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	self.Stdout, self.Stderr = os.Stdout, os.Stderr
	self.Env = append(os.Environ(), ownDisk+"="+dir)
	self.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGTERM}
	self.Cancel = func() error { return self.Process.Signal(syscall.SIGTERM) }
	return self.Run()
}

// mountDisk makes the small disk. It goes with the namespace, so with this process.
func mountDisk() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("hbsim: keep mounts to itself: %w", err)
	}
	if err := unix.Mount("tmpfs", os.Getenv(ownDisk), "tmpfs", 0, "size=48m,mode=0755"); err != nil {
		return fmt.Errorf("hbsim: mount a small disk: %w", err)
	}
	return nil
}
