package boundary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/serialhb/serialhb/firmware-sim/story"
)

// The detection time is many times what a node is late on a machine that others use too, and the pulses are rare, for each is
// two boundaries on every link.
const (
	interval   = 40 * time.Millisecond
	multiplier = 10
)

// standstill is how long the whole machine may stand still before nodes that live fall silent, and what they do then says
// nothing about the death.
const standstill = multiplier * interval / 2

// How the owner is lost, in words of the story language.
const (
	ByMains  = "power-off" // it is dead at once, and stays so
	ByFreeze = "freeze"    // it hangs: only the cut ends it, and when the cut is opened too early it boots again
)

// Losses are all of them.
var Losses = []string{ByMains, ByFreeze}

// Program is what a run needs.
type Program struct {
	Binary string // serialhb, an absolute path
	Self   string // what serves [Hidden], an absolute path
	Dir    string // for temporary files, "" is the usual one
}

// plan is one run.
type plan struct {
	Program
	Loss  string
	Want  *Boundary // where to die, nil is nowhere
	Death string    // how
}

// How a daemon dies.
const (
	Once  = "once"  // there
	Twice = "twice" // and the next one there too
	Slow  = "slow"  // the thread stands still there, and the others go on for a while: nothing may be done that has to wait for it
)

// while is several times what it takes from the proof until the service runs.
const while = 150 * time.Millisecond

func (p *plan) twice() bool { return p.Death == Twice }

func (p *plan) delay() time.Duration {
	if p.Death == Slow {
		return while
	}
	return 0
}

func (p *plan) deaths() int {
	if p.twice() {
		return 2
	}
	return 1
}

// Outcome is what came of a run.
type Outcome struct {
	Reached  bool          // all deaths happened where they were to
	Void     string        // why the run says nothing, "" if it does not say so
	Deaths   int           // that happened
	Took     time.Duration // from the last death until the group was active on one node
	Owner    string        // which
	Coil     bool          // the owner's relay was driven before the last death
	Released bool          // and let go by it, as a board does when the process of a line ends
	Passed   []Boundary    // that the daemon came by before it died or was done
	Nameless []string      // calls that are not listed
	Err      error         // nil: everything held
	Report   string        // of the story, for who has to find out why it did not

	late           time.Duration // by how much this machine was late to wake us, at worst
	killed, lostAt time.Duration
	lost           bool
	left           []*left
	broken         []error // what the dead daemons had done wrong
}

// text is the story of a run. The loss is carried out by the rig, which returns when the group is active again.
func (p *plan) text() string {
	back := "power-on " + owner + "\n"
	if p.Loss == ByFreeze {
		back = ""
	}
	return fmt.Sprintf(`config interval %[5]s
config multiplier %[6]d
config prove 60ms
config dwell 100ms
config start-limit 2s
start
expect reachable %[1]s within 20s
expect reachable %[2]s within 20s
run %[1]s arm
run %[2]s arm
expect owner %[1]s within 20s
expect standby %[2]s within 20s
expect linked within 20s
expect can-fence %[2]s within 20s
%[3]s %[1]s
expect owned within 10s
%[4]sexpect linked within 20s
expect armed %[2]s within 1s
expect no-alarm %[2]s facts-damaged within 5s
expect owned for 100ms
run %[2]s status --json
run %[2]s why
run %[2]s events --json
never two-owners
`, owner, survivor, p.Loss, back, interval, multiplier)
}

// Survey plays one takeover without a death and lists the boundaries in it, in the order in which they came.
func Survey(ctx context.Context, p Program, loss string) Outcome {
	return play(ctx, &plan{Program: p, Loss: loss})
}

func play(ctx context.Context, p *plan) (out Outcome) {
	dir, err := os.MkdirTemp(p.Dir, "hbb")
	if err != nil {
		out.Err = fmt.Errorf("boundary: make folder: %w", err)
		return out
	}
	defer func() { out.Err = errors.Join(out.Err, os.RemoveAll(dir)) }()
	binary, gate := p.Binary, ""
	if p.twice() {
		gate = filepath.Join(dir, "gate")
		if binary, err = gated(dir, p.Binary, gate); err != nil {
			out.Err = err
			return out
		}
	}
	script, err := story.Parse("boundary", p.text())
	if err != nil {
		out.Err = err
		return out
	}
	var report bytes.Buffer
	build := func(ctx context.Context, s story.Settings) (story.World, error) {
		world, err := story.Rack(binary, dir)(ctx, s)
		if err != nil {
			return nil, err
		}
		at, err := rackDir(dir)
		if err != nil {
			return nil, errors.Join(err, world.Close())
		}
		return &rig{World: world, dir: at, gate: gate, plan: p, out: &out}, nil
	}
	known := story.Run(ctx, script, build, mono.Now, story.Text(&report))
	out.Reached = p.Want != nil && out.Deaths == p.deaths()
	switch {
	case strings.Contains(report.String(), "TWO OWNERS") || len(out.broken) > 0:
		out.Void = "" // that is a fault on any machine
	case known == nil || out.Void != "":
	case !out.lost:
		out.Void = "the pair was not well before the loss"
	case out.late >= standstill:
		out.Void = fmt.Sprintf("this machine stood still for %s", out.late.Round(time.Millisecond))
	}
	out.Err, out.Report = errors.Join(append(out.broken, known)...), report.String()
	return out
}

// gated makes a program that is serialhb, but that a daemon of the survivor waits at the gate while it is there.
func gated(dir, binary, gate string) (string, error) {
	file := filepath.Join(dir, "serialhb")
	text := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in run*'--node %s') [ -p '%s' ] && read -r go <'%s' ;; esac\nexec '%s' \"$@\"\n", survivor, gate, gate, binary)
	if strings.Contains(gate+binary, "'") {
		return "", fmt.Errorf("boundary: a path with a quote: %s", gate+binary)
	}
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		return "", fmt.Errorf("boundary: write program: %w", err)
	}
	return file, nil
}
