package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/story"
)

// look is what a daemon has at one moment.
type look struct {
	resident                         int64 // bytes
	descriptors, threads, goroutines int
}

// diary is what was seen of the daemons of bravo, each by its process, and of the alarms of both nodes.
type diary struct {
	havoc  []ordeal // round by round
	order  []int
	lives  map[int][]look
	round  int            // 0 before the first
	alarms map[string]int // raised, by code
	deaths int            // that the story meant, and nobody was cut for yet
	fences int
	faults []error
	halted []string      // what would be one, right after the machine had stood still for longer than the timing bears
	record *json.Encoder // nil is not asked for
	stalls stalls
	bears  time.Duration // for how long it may stand still
}

func (d *diary) take(e story.Entry) error {
	if d.record != nil {
		if err := d.record.Encode(e); err != nil {
			return fmt.Errorf("hbsim: record what happens: %w", err)
		}
	}
	switch {
	case e.Type == "failed":
		return fmt.Errorf("line %d: %s: %s", e.Line, e.Text, e.Seen)
	case e.Type == "chapter":
		fmt.Println(e.Text)
		d.round++
	case e.Type == "event" && e.Kind == "alarm" && !strings.HasPrefix(e.Text, e.Source+": over: "):
		d.alarm(e)
	case e.Type == "step" && e.Text == "power-off alpha":
		d.deaths = 1
	case e.Type == "event" && e.Kind == "action" && e.Code == "cut":
		d.cut(e)
	case e.Type == "step" && e.Text == "run bravo status --json":
		return d.look(e.Said)
	case e.Type == "summary":
		d.fences = e.Summary.Fences
		fmt.Printf("%d fences, %d takeovers, %d overlaps, in %s; worst lateness of this machine %.1f ms\n", e.Summary.Fences, e.Summary.Takeovers,
			e.Summary.Overlaps, (time.Duration(e.Summary.TookMS) * time.Millisecond).Round(time.Second), e.Summary.LatenessMS)
	}
	return nil
}

// alarm: a round's death may be told, and what its ordeal may raise; before the first round, that the nodes are new.
func (d *diary) alarm(e story.Entry) {
	d.alarms[e.Code]++
	may := []string{"disarmed"}
	if d.round > 0 {
		may = append(d.havoc[(d.round-1)%len(d.havoc)].alarms, "silent alpha")
	}
	if !slices.Contains(may, e.Code) {
		d.blame("false alarm", e)
	}
}

// cut: of each death comes one. Any other one is of a node that lived.
func (d *diary) cut(e story.Entry) {
	if strings.Contains(e.Text, "cut alpha") && d.deaths > 0 {
		d.deaths--
		return
	}
	d.blame("somebody was cut who lived", e)
}

// blame: what should not have been is the program's fault, unless the machine did not let it run.
func (d *diary) blame(what string, e story.Entry) {
	told := fmt.Sprintf("round %d: %s: %s", d.round, what, e.Text)
	if worst := d.stalls.worst(2 * time.Second); worst >= d.bears {
		d.halted = append(d.halted, fmt.Sprintf("%s; this machine had just stood still for %v", told, worst.Round(100*time.Microsecond)))
		return
	}
	d.faults = append(d.faults, errors.New(told))
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

// report says how each life of the daemon began and ended, and fails if one grew, or raised an alarm for nothing, or if somebody was cut who lived.
func (d *diary) report() error {
	wrong := d.faults
	for i, pid := range d.order {
		all := d.lives[pid]
		if len(all) < enough {
			fmt.Printf("daemon %d of bravo: %d looks, too few to tell\n", i+1, len(all))
			continue
		}
		first, last := most(all[:len(all)/3]), middle(all[len(all)-len(all)/3:])
		fmt.Printf("daemon %d of bravo, %d looks: resident %.1f to %.1f MB, descriptors %d to %d, threads %d to %d, goroutines %d to %d\n", i+1, len(all),
			float64(first.resident)/1e6, float64(last.resident)/1e6, first.descriptors, last.descriptors, first.threads, last.threads, first.goroutines, last.goroutines)
		if last.grown(first) {
			wrong = append(wrong, fmt.Errorf("daemon %d of bravo grew", i+1))
		}
	}
	for _, code := range slices.Sorted(maps.Keys(d.alarms)) {
		fmt.Printf("alarm %s: %d\n", code, d.alarms[code])
	}
	for _, h := range d.halted {
		fmt.Println("not counted: " + h)
	}
	return errors.Join(wrong...)
}

// middle is the median of each figure.
func middle(all []look) look { return figures(all, func(v []int64) int64 { return v[len(v)/2] }) }

// most is the greatest of each figure: some of what a daemon has it opens when it first needs it.
func most(all []look) look { return figures(all, func(v []int64) int64 { return v[len(v)-1] }) }

func figures(all []look, choose func(sorted []int64) int64) look {
	of := func(figure func(look) int64) int64 {
		var v []int64
		for _, l := range all {
			v = append(v, figure(l))
		}
		slices.Sort(v)
		return choose(v)
	}
	return look{
		resident:    of(func(l look) int64 { return l.resident }),
		descriptors: int(of(func(l look) int64 { return int64(l.descriptors) })),
		threads:     int(of(func(l look) int64 { return int64(l.threads) })),
		goroutines:  int(of(func(l look) int64 { return int64(l.goroutines) })),
	}
}

// grown: descriptors and goroutines must be as many as before. Memory may settle, for a collector gives back late; threads
// are the runtime's own affair and are told only.
func (l look) grown(from look) bool {
	return l.descriptors > from.descriptors || l.goroutines > from.goroutines || l.resident > from.resident*5/4
}
