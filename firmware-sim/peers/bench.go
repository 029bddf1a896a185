package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// program is one of the compared, with one timing.
type program interface {
	name() string
	timing() string
	version(*bench) string // once it has played
	// missing says in one sentence what to install, or what else it lacks here; "" is nothing.
	missing() string
	stands(s scenario) bool // it has what the scenario is about
	play(ctx context.Context, b *bench, s scenario) (observation, error)
}

func all() []program {
	return []program{
		serialhb{time.Second, 3}, serialhb{100 * time.Millisecond, 15},
		heartbeat{time.Second, 3 * time.Second},
		keepalived{time.Second}, keepalived{100 * time.Millisecond},
	}
}

// played is one telling of one scenario.
type played struct {
	program  program
	scenario scenario
	version  string
	outcome  outcome
	err      error
}

func plan(programs []program, o options) (todo []played) {
	// All programs at a time, so that a busy hour of the machine falls on each of them.
	for _, s := range scenarios {
		for range o.times {
			for _, p := range programs {
				if strings.Contains(s.name, o.scenario) && p.stands(s) {
					todo = append(todo, played{program: p, scenario: s})
				}
			}
		}
	}
	return todo
}

// bench is where pairs are built.
type bench struct {
	options
	dir    string
	self   string // this program
	binary string // of serialhb

	build sync.Mutex
	pairs int
}

func newBench(ctx context.Context, o options) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("peers: find this program: %w", err)
	}
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return nil, fmt.Errorf("peers: make folder: %w", err)
	}
	b := &bench{options: o, dir: dir, self: self}
	// heartbeat's children run as another user, and must find their ports.
	return b, errors.Join(os.Chmod(dir, 0o755), ctx.Err())
}

func (b *bench) close() { os.RemoveAll(b.dir) }

// folder makes one for a pair.
func (b *bench) folder(name string) (string, error) {
	b.build.Lock()
	b.pairs++
	dir := filepath.Join(b.dir, fmt.Sprintf("%s-%d", name, b.pairs))
	b.build.Unlock()
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", fmt.Errorf("peers: make folder: %w", err)
	}
	return dir, nil
}

// program builds serialhb once, unless one was named.
func (b *bench) program(ctx context.Context) (string, error) {
	b.build.Lock()
	defer b.build.Unlock()
	if b.binary != "" {
		return b.binary, nil
	}
	if b.serialhb != "" {
		path, err := filepath.Abs(b.serialhb)
		b.binary = path
		return path, err
	}
	path := filepath.Join(b.dir, "serialhb")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "github.com/serialhb/serialhb/cmd/serialhb")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("peers: build serialhb: %w; run it where the source is, or name the program with -serialhb\n%s", err, said)
	}
	b.binary = path
	return path, os.Chmod(path, 0o755)
}

// play tells everything, so many at a time, and says on stderr how far it is.
func (b *bench) play(ctx context.Context, todo []played) []played {
	next := make(chan int)
	var players sync.WaitGroup
	for range b.jobs {
		players.Go(func() {
			for i := range next {
				p := &todo[i]
				if p.err = context.Cause(ctx); p.err != nil {
					continue
				}
				var seen observation
				if seen, p.err = p.program.play(ctx, b, p.scenario); p.err == nil {
					p.outcome, p.version = seen.outcome(p.scenario.needed), p.program.version(b)
				}
				fmt.Fprintf(os.Stderr, "%s %s, %s: %s\n", p.program.name(), p.program.timing(), p.scenario.name, p)
			}
		})
	}
	for i := range todo {
		next <- i
	}
	close(next)
	players.Wait()
	return todo
}

func (p *played) String() string {
	if p.err != nil {
		return p.err.Error()
	}
	return fmt.Sprintf("no service %s, two owners %s, needless starts %d, healthy nodes cut %d",
		p.outcome.Unserved.Round(time.Millisecond), p.outcome.Doubled.Round(time.Millisecond), p.outcome.Needless, p.outcome.Cuts)
}

// pair is two nodes that run something in namespaces, with alpha as the owner.
type pair interface {
	// Both return the moment at which it came about.
	inflict(scenario) (time.Duration, error)
	relieve(scenario) (time.Duration, error)
	marks() ([]mark, error)
	alive() error
}

// watch tells a scenario to a pair.
func watch(ctx context.Context, p pair, s scenario) (o observation, err error) {
	if o.since, err = p.inflict(s); err != nil {
		return o, err
	}
	ended := o.since
	if s.lasts > 0 {
		if err := pause(ctx, s.lasts); err != nil {
			return o, err
		}
		if ended, err = p.relieve(s); err != nil {
			return o, err
		}
	}
	if err := pause(ctx, s.after); err != nil {
		return o, err
	}
	o.until = mono.Now()
	o.absent = s.absent(o.since, ended, o.until)
	if o.marks, err = p.marks(); err != nil {
		return o, err
	}
	if died := p.alive(); died != nil {
		o.note = died.Error()
	}
	return o, nil
}

// lateness is by how much the machine is late, at worst, to wake somebody who asked for it, until the context ends.
func lateness(ctx context.Context) (worst time.Duration) {
	const nap = 10 * time.Millisecond
	for {
		end := mono.Now() + nap
		if pause(ctx, nap) != nil {
			return worst
		}
		worst = max(worst, mono.Now()-end)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// owned waits until the ledger says that alpha alone holds the service, and goes on saying so for a while.
func owned(ctx context.Context, p pair, within, settle time.Duration) error {
	for end := mono.Now() + within; ; {
		marks, err := p.marks()
		if err != nil {
			return err
		}
		now := mono.Now()
		held := holds(marks, now+1)
		switch {
		case len(held) > 0 && held[0].node == owner && held[0].from+settle <= now:
			if len(held) != 1 || held[0].to <= now {
				return fmt.Errorf("the pair did not settle: %v", held)
			}
			return nil
		case now > end:
			return errors.Join(fmt.Errorf("alpha does not hold the service within %s", within), p.alive())
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}
