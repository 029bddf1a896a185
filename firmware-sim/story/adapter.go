package story

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack"
	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/rack/client"
	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/serialhb/serialhb/serialhb/control"
)

// Times of the adapter.
const (
	clientEvery = 2 * time.Millisecond
	statusTime  = 250 * time.Millisecond // a daemon that takes longer is not reachable
	commandTime = 70 * time.Second       // a command of serialhb may itself wait a minute
	leaveTime   = 20 * time.Second       // for an orderly leave
	logLines    = 12
)

// lab is a [World] made of a rack.
type lab struct {
	rack    *rack.Rack
	dir     string
	binary  string
	probe   *client.Probe
	clients map[string]*control.Client
	record  *recorder
	places  map[string]places
	now     Settings
	book    serviceBook
}

// Rack returns a builder of worlds that are racks of real processes. binary is the absolute path of serialhb; dir is a
// folder in which each world makes one of its own, "" is the usual one for temporary files. The folders are removed when
// the world is closed.
func Rack(binary, dir string) Builder {
	return func(ctx context.Context, s Settings) (World, error) {
		own, err := os.MkdirTemp(dir, "serialhb-lab")
		if err != nil {
			return nil, fmt.Errorf("story: make folder: %w", err)
		}
		w := &lab{dir: own, binary: binary, clients: map[string]*control.Client{}}
		if err := w.build(s); err != nil {
			return nil, errors.Join(err, w.Close())
		}
		return w, nil
	}
}

func (w *lab) build(s Settings) error {
	cfg := rack.Config{
		Binary: w.binary, Dir: w.dir, Nodes: Nodes, Baud: s.Baud, Seed: 1,
		HoldUp: s.HoldUp, BootDelay: s.BootDelay,
		Board: board.Options{SecondLevel: s.Level2 == "on", Operate: s.Operate},
		NodeCommand: func(node string) (argv, env []string) {
			return []string{w.binary, "run", "--config", w.config(node), "--node", node}, environment()
		},
	}
	var err error
	if w.rack, err = rack.New(cfg); err != nil {
		return err
	}
	if err := w.configure(s); err != nil {
		return err
	}
	var targets []client.Target
	for _, node := range Nodes {
		addr, err := w.rack.ServiceAddr(node, Service)
		if err != nil {
			return err
		}
		targets = append(targets, client.Target{Node: node, Addr: addr})
		w.clients[node] = control.Dial(filepath.Join(w.rack.RunDir(node), cluster, node+".sock"))
	}
	if w.probe, err = client.Start(clientEvery, targets...); err != nil {
		return err
	}
	if err := w.rack.Start(); err != nil {
		return err
	}
	w.record, err = record(w.rack, w.clients)
	return err
}

func (w *lab) config(node string) string { return filepath.Join(w.dir, node+".toml") }

// environment is what the daemons and the commands get: a search path, and what a test binary was told.
func environment() []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	for _, name := range []string{"GORACE", "GOCOVERDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// configure writes the keys, the service book and each node's file.
func (w *lab) configure(s Settings) error {
	w.now, w.places = s, map[string]places{}
	if err := w.makeKeys(); err != nil {
		return err
	}
	w.book = serviceBook{Board: w.rack.BoardSocket(), Args: map[string][]string{}, Fails: map[string]string{},
		Takes: map[string]time.Duration{"start": s.Starting, "stop": s.Stopping}}
	for _, node := range Nodes {
		addr, err := w.rack.ServiceAddr(node, Service)
		if err != nil {
			return err
		}
		w.book.Args[node] = []string{"-service", Service, "-node", node, "-addr", addr, "-dir", w.rack.RunDir(node)}
	}
	if err := w.book.write(w.bookFile()); err != nil {
		return err
	}
	agent := filepath.Join(w.dir, "fence_lab")
	if err := os.WriteFile(agent, fmt.Appendf(nil, "#!/bin/sh\nexec '%s' %s\n", w.binary, ArgAgent), 0o755); err != nil {
		return fmt.Errorf("story: write fence agent: %w", err)
	}
	for _, node := range Nodes {
		at := places{
			agent: agent, board: w.rack.BoardSocket(),
			keys: []string{w.key("1")}, state: w.rack.StateDir(node), run: w.rack.RunDir(node),
			device:  map[string]string{},
			address: map[string]string{node: w.rack.Listen(node)},
			service: []string{w.binary, ArgService, w.bookFile()},
		}
		for _, other := range others(node) {
			// Each node opens its own end only; the other's stands there because both must be named.
			at.device[node], at.device[other] = w.rack.Port(node, other), w.rack.Port(other, node)
			at.address[other] = w.rack.Peer(node, other)
		}
		w.places[node] = at
	}
	return w.writeConfigs()
}

func (w *lab) Now() time.Duration { return mono.Now() }

func (w *lab) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, d) }

// Look implements [World].
func (w *lab) Look(ctx context.Context, ask []string) (View, error) {
	v := View{Nodes: map[string]NodeView{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, node := range ask {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, statusTime)
			defer cancel()
			status, err := w.clients[node].Status(ctx)
			mu.Lock()
			defer mu.Unlock()
			v.Nodes[node] = NodeView{status, err}
		})
	}
	wg.Wait()
	err := w.record.into(&v)
	v.Now = mono.Now()
	if last, ok := w.probe.Last(); ok && v.Now-last.At < AnswerFresh {
		v.Answering = last.Node
	}
	return v, err
}

// Overlaps implements [World]. The ledger is asked anew, and the client's own witness is heard beside it.
func (w *lab) Overlaps() ([]string, error) {
	found, err := w.rack.Overlaps()
	var text []string
	for _, o := range found {
		how := "for " + o.For.String()
		if o.For == board.Open {
			how = "and still does"
		}
		text = append(text, fmt.Sprintf("%s ran on %s and on %s at once %s (ledger runs %d and %d)", o.A.Service, o.A.Node, o.B.Node, how, o.A.ID, o.B.ID))
	}
	for range w.probe.Overlaps() {
		text = append(text, "the client was answered by two nodes within a millisecond")
	}
	return text, err
}

// Outage implements [World].
func (w *lab) Outage(begin, end time.Duration) (time.Duration, error) {
	return w.probe.LongestOutage(begin, end)
}

// Answer implements [World].
func (w *lab) Answer(node string, since time.Duration) (time.Duration, bool, error) {
	answers, err := w.probe.Answers(since, mono.Now())
	for _, a := range answers {
		if node == "" || a.Node == node {
			return a.At, true, err
		}
	}
	return 0, false, err
}

// Logs implements [World].
func (w *lab) Logs() map[string][]string {
	logs := map[string][]string{}
	for _, node := range Nodes {
		text, err := os.ReadFile(w.rack.Log(node))
		if err != nil {
			logs[node] = []string{err.Error()}
			continue
		}
		lines := strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
		logs[node] = lines[max(0, len(lines)-logLines):]
	}
	return logs
}

// Close implements [World].
func (w *lab) Close() error {
	var errs []error
	if w.record != nil {
		errs = append(errs, w.record.close())
	}
	if w.probe != nil {
		errs = append(errs, w.probe.Close())
	}
	for _, c := range w.clients {
		c.Close()
	}
	if w.rack != nil {
		errs = append(errs, w.rack.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}

// command runs serialhb as a person on a node would.
func (w *lab) command(ctx context.Context, node string, words []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	argv := append(append([]string{}, words...), "--config", w.config(node), "--node", node)
	cmd := exec.CommandContext(ctx, w.binary, argv...)
	cmd.Env = environment()
	var out, fault bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &fault
	err := cmd.Run()
	said := strings.TrimSpace(out.String())
	exit := (*exec.ExitError)(nil)
	switch {
	case ctx.Err() != nil:
		return said, fmt.Errorf("serialhb %s did not end within %s", strings.Join(words, " "), commandTime)
	case errors.As(err, &exit):
		text := strings.TrimSpace(fault.String())
		if text == "" {
			text = said
		}
		return said, &ExitError{exit.ExitCode(), text}
	case err != nil:
		return said, fmt.Errorf("story: run serialhb: %w", err)
	}
	return said, nil
}
