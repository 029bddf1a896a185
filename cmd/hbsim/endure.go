package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/serialhb/serialhb/firmware-sim/story"
)

// endureCmd lets a pair lose its owner again and again, and looks whether the other daemon grows.
type endureCmd struct {
	For        time.Duration `help:"How long." default:"1h"`
	Every      time.Duration `help:"A takeover so often." default:"20s"`
	Interval   time.Duration `help:"Interval of the pulses." default:"10ms"`
	Multiplier int           `help:"Detection time in intervals." default:"3"`
	program
}

// havoc is what happens between takeovers, one after the other: everything that a pair meets in a year and is not a death.
// Line by line as in a story; a line needs the disk if it begins with disk.
var havoc = [][]string{
	{"keys 1 2", "reload alpha bravo", "sleep 6s", "keys 2 1", "reload alpha bravo", "sleep 6s", "keys 2", "reload alpha bravo"},
	{"reload alpha bravo"},
	{"lose-run alpha bravo", "expect reachable alpha within 30s", "expect reachable bravo within 30s"},
	{"disk full", "sleep 5s", "disk ok"},
	{"cut-cable", "sleep 2s", "mend-cable"},
	{"cut-net", "sleep 2s", "mend-net"},
	{"keys 2 1", "reload alpha bravo", "sleep 6s", "keys 1 2", "reload alpha bravo", "sleep 6s", "keys 1", "reload alpha bravo"},
	{"unplug bravo", "sleep 1s", "replug bravo"},
	{"noise 50", "sleep 2s", "noise 0"},
	{"restart-daemon alpha"},
}

// text is the story: alpha loses its mains, bravo takes over, alpha comes back and gets its service again. bravo's daemon
// lives through all of it but for one restart in the middle.
func (c *endureCmd) text(rounds int, disk bool) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("config interval %s\nconfig multiplier %d", c.Interval, c.Multiplier)
	line("start\nexpect reachable alpha within 10s\nexpect reachable bravo within 10s\nrun alpha arm\nrun bravo arm")
	line("expect owner alpha within 60s\nexpect linked within 60s")
	for i := range rounds {
		line("say round %d", i+1)
		for _, l := range havoc[i%len(havoc)] {
			if disk || !strings.HasPrefix(l, "disk") {
				line("%s", l)
			}
		}
		if i == rounds/2 {
			line("restart-daemon bravo\nexpect reachable bravo within 30s")
		}
		line("expect linked within 60s\nexpect owner alpha within 60s\nrun bravo status --json")
		line("power-off alpha\nexpect owner bravo within 60s\nexpect dark alpha within 60s")
		line("power-on alpha\nexpect standby alpha within 60s\nexpect linked within 60s")
		line("run alpha clear\nrun bravo clear\nrun bravo failback web\nexpect owner alpha within 60s\nexpect linked within 60s")
		line("sleep %s", max(0, c.Every-paced(havoc[i%len(havoc)])-roundTime))
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
	s, err := story.Parse("endure", c.text(max(1, int(c.For/c.Every)), disk))
	if err != nil {
		return err
	}
	d := diary{binary: binary, lives: map[int][]look{}, alarms: map[string]int{}}
	err = story.Run(ctx, s, story.Rack(binary, os.Getenv(ownDisk)), mono.Now, d.take)
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

// look is what a daemon has at one moment.
type look struct {
	resident                         int64 // bytes
	descriptors, threads, goroutines int
}

// diary is what was seen of the daemons of bravo, each by its process, and of the alarms of both nodes.
type diary struct {
	binary string
	order  []int
	lives  map[int][]look
	alarms map[string]int
	deaths int // that the story meant
	fences int
}

func (d *diary) take(e story.Entry) error {
	switch {
	case e.Type == "failed":
		return fmt.Errorf("line %d: %s: %s", e.Line, e.Text, e.Seen)
	case e.Type == "chapter":
		fmt.Println(e.Text)
	case e.Type == "event" && e.Kind == "alarm":
		d.alarms[e.Code]++
	case e.Type == "step" && e.Text == "power-off alpha":
		d.deaths++
	case e.Type == "step" && e.Text == "run bravo status --json":
		return d.look(e.Said)
	case e.Type == "summary":
		d.fences = e.Summary.Fences
		fmt.Printf("%d fences, %d takeovers, %d overlaps, in %s; worst lateness of this machine %.1f ms\n", e.Summary.Fences, e.Summary.Takeovers,
			e.Summary.Overlaps, (time.Duration(e.Summary.TookMS) * time.Millisecond).Round(time.Second), e.Summary.LatenessMS)
	}
	return nil
}

func (d *diary) look(status string) error {
	var s struct{ PID, Goroutines int }
	if err := json.Unmarshal([]byte(status), &s); err != nil || s.PID == 0 || s.Goroutines == 0 {
		return errors.Join(fmt.Errorf("hbsim: the status names no process: %s", status), err)
	}
	dir := fmt.Sprintf("/proc/%d", s.PID)
	u, err := used(dir)
	if err != nil {
		return err
	}
	l := look{resident: u.resident, goroutines: s.Goroutines}
	for entry, n := range map[string]*int{"fd": &l.descriptors, "task": &l.threads} {
		all, err := os.ReadDir(filepath.Join(dir, entry))
		if err != nil {
			return fmt.Errorf("hbsim: look at the daemon: %w", err)
		}
		*n = len(all)
	}
	if d.lives[s.PID] == nil {
		d.order = append(d.order, s.PID)
	}
	d.lives[s.PID] = append(d.lives[s.PID], l)
	return nil
}

// enough looks are needed before a life says anything.
const enough = 6

// report says how each life of the daemon began and ended, and fails if one grew, or if somebody was cut who lived.
func (d *diary) report() error {
	var grew []error
	for i, pid := range d.order {
		all := d.lives[pid]
		if len(all) < enough {
			fmt.Printf("daemon %d of bravo: %d looks, too few to tell\n", i+1, len(all))
			continue
		}
		first, last := middle(all[:len(all)/3]), middle(all[len(all)-len(all)/3:])
		fmt.Printf("daemon %d of bravo, %d looks: resident %.1f to %.1f MB, descriptors %d to %d, threads %d to %d, goroutines %d to %d\n", i+1, len(all),
			float64(first.resident)/1e6, float64(last.resident)/1e6, first.descriptors, last.descriptors, first.threads, last.threads, first.goroutines, last.goroutines)
		if last.grown(first) {
			grew = append(grew, fmt.Errorf("daemon %d of bravo grew", i+1))
		}
	}
	for _, code := range slices.Sorted(maps.Keys(d.alarms)) {
		fmt.Printf("alarm %s: %d\n", code, d.alarms[code])
	}
	if d.fences > d.deaths {
		grew = append(grew, fmt.Errorf("%d fences for %d deaths: somebody was cut who lived", d.fences, d.deaths))
	}
	return errors.Join(grew...)
}

// middle is the median of each figure.
func middle(all []look) look {
	at := func(of func(look) int64) int64 {
		var v []int64
		for _, l := range all {
			v = append(v, of(l))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	return look{
		resident:    at(func(l look) int64 { return l.resident }),
		descriptors: int(at(func(l look) int64 { return int64(l.descriptors) })),
		threads:     int(at(func(l look) int64 { return int64(l.threads) })),
		goroutines:  int(at(func(l look) int64 { return int64(l.goroutines) })),
	}
}

// grown: descriptors and goroutines must be as many as before. Memory may settle, for a collector gives back late; threads
// are the runtime's own affair and are told only.
func (l look) grown(from look) bool {
	return l.descriptors > from.descriptors || l.goroutines > from.goroutines || l.resident > from.resident*5/4
}
