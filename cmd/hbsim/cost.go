package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/serialhb/serialhb/firmware-sim/story"
)

// costCmd measures what a pair costs that has nothing to do but to beat.
type costCmd struct {
	For        time.Duration `help:"How long." default:"30s"`
	Interval   time.Duration `help:"Interval of the pulses." default:"100ms"`
	Multiplier int           `help:"Detection time in intervals." default:"15"`
	program
}

const costStory = `config interval %s
config multiplier %d
start
expect reachable alpha within 10s
expect reachable bravo within 10s
run alpha arm
run bravo arm
expect owner alpha within 60s
expect linked within 60s
sleep 3s
sleep %s
`

func (c *costCmd) Run(ctx context.Context) error {
	binary, clean, err := c.binary(ctx)
	if err != nil {
		return err
	}
	defer clean()
	s, err := story.Parse("cost", fmt.Sprintf(costStory, c.Interval, c.Multiplier, c.For))
	if err != nil {
		return err
	}
	var before map[int]usage
	return story.Run(ctx, s, story.Rack(binary, ""), mono.Now, func(e story.Entry) error {
		switch {
		case e.Type == "failed":
			return fmt.Errorf("line %d: %s: %s", e.Line, e.Text, e.Seen)
		case e.Type != "step" || !strings.HasPrefix(e.Text, "sleep"):
			return nil
		}
		now, err := daemons(binary)
		if err != nil || before == nil {
			before = now
			return err
		}
		for pid, u := range now {
			was, same := before[pid]
			if !same {
				return errors.New("a daemon was restarted meanwhile")
			}
			d := u.at.Sub(was.at)
			fmt.Printf("%s every %s on two links: %.2f %% of a core, %.1f MB resident\n", u.node, c.Interval,
				100*float64(u.cpu-was.cpu)/float64(d), float64(u.resident)/1e6)
		}
		return nil
	})
}

// usage is what a daemon has used so far.
type usage struct {
	at       time.Time
	node     string
	cpu      time.Duration
	resident int64 // bytes
}

// daemons looks for those of a program in /proc.
func daemons(binary string) (map[int]usage, error) {
	all := map[int]usage{}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		words := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		if len(words) < 3 || words[0] != binary || words[1] != "run" {
			continue
		}
		u, failed := used(dir)
		if failed != nil {
			return nil, failed
		}
		u.node = words[len(words)-1]
		pid, _ := strconv.Atoi(filepath.Base(dir))
		all[pid] = u
	}
	if len(all) != 2 {
		err = errors.Join(err, fmt.Errorf("there are %d daemons, not 2", len(all)))
	}
	return all, err
}

// userHZ is in what /proc counts processor time, on every Linux.
const userHZ = 100

func used(dir string) (u usage, err error) {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return u, err
	}
	u.at = time.Now()
	_, rest, _ := strings.Cut(string(stat), ") ") // from the third field on
	f := strings.Fields(rest)
	var numbers [3]int64
	for i, at := range []int{14 - 3, 15 - 3, 24 - 3} { // utime, stime, rss of proc(5)
		if at >= len(f) {
			return u, fmt.Errorf("hbsim: read %s/stat: too short", dir)
		}
		if numbers[i], err = strconv.ParseInt(f[at], 10, 64); err != nil {
			return u, err
		}
	}
	u.cpu = time.Duration(numbers[0]+numbers[1]) * time.Second / userHZ
	u.resident = numbers[2] * int64(os.Getpagesize())
	return u, nil
}
