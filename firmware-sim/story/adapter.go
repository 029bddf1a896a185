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

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/firmware-sim/rack"
	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/rack/client"
	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/serialhb/serialhb/firmware-sim/rack/segment"
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
	probes  []*client.Probe // of the client; on a segment one for each address of the service
	clients map[string]*control.Client
	record  *recorder
	places  map[string]places
	now     Settings
	book    serviceBook
	seg     *segment.Segment // nil: all is on loopback
	witness *segment.Witness // of its service address
	ear     *segment.Ear     // of who announces it
}

// errNoNet says that a story wants a service address where there is none.
var errNoNet = errors.New("there is no service address here; tell this story with `serialhb lab --netns`")

// Rack returns a builder of worlds that are racks of real processes. binary is the absolute path of serialhb; dir is a
// folder in which each world makes one of its own, "" is the usual one for temporary files. The folders are removed when
// the world is closed.
func Rack(binary, dir string) Builder {
	return func(ctx context.Context, s Settings) (World, error) { return newLab(binary, dir, s, nil) }
}

// Namespaces is Rack with a network segment of its own, on which the service has an address: see [segment.Segment]. It
// needs root.
func Namespaces(binary, dir string) Builder {
	return func(ctx context.Context, s Settings) (World, error) {
		seg, err := segment.New(Nodes...)
		if err != nil {
			return nil, err
		}
		return newLab(binary, dir, s, seg)
	}
}

func newLab(binary, dir string, s Settings, seg *segment.Segment) (World, error) {
	w := &lab{binary: binary, clients: map[string]*control.Client{}, seg: seg}
	var err error
	if w.dir, err = os.MkdirTemp(dir, "serialhb-lab"); err != nil {
		err = fmt.Errorf("story: make folder: %w", err)
	} else {
		err = w.build(s)
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *lab) build(s Settings) error {
	cfg := rack.Config{
		Binary: w.binary, Dir: w.dir, Nodes: Nodes, Baud: s.Baud, Seed: 1,
		HoldUp: s.HoldUp, BootDelay: s.BootDelay, Segment: w.seg,
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
	for _, node := range Nodes {
		w.clients[node] = control.Dial(filepath.Join(w.rack.RunDir(node), cluster, node+".sock"))
	}
	if err := w.startClient(); err != nil {
		return err
	}
	if err := w.rack.Light(); err != nil {
		return err
	}
	if w.record, err = record(w.rack, w.clients); err != nil {
		return err
	}
	return w.rack.Start()
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
	if err := w.spoilAgent("ok"); err != nil {
		return err
	}
	for _, node := range Nodes {
		at := places{
			agent: w.agentFile(), board: w.rack.BoardSocket(),
			keys: []string{w.key("1")}, state: w.rack.StateDir(node), run: w.rack.RunDir(node),
			device:  map[string]string{},
			address: map[string]string{node: w.rack.Listen(node)},
			service: []string{w.binary, ArgService, w.bookFile()},
		}
		if w.seg != nil {
			at.card = segment.CardName
			for _, p := range w.seg.Services() {
				at.vips = append(at.vips, p.String())
			}
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
	if err == nil && w.seg != nil {
		v.Net, err = w.lookAtNet()
	}
	v.Now = mono.Now()
	v.Answering = w.answering(v.Now)
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
	for _, p := range w.probes {
		for range p.Overlaps() {
			text = append(text, "the client was answered by two nodes within a millisecond")
		}
	}
	if w.witness != nil {
		clashes, lost := w.witness.Clashes()
		text, err = append(text, clashes...), errors.Join(err, lost)
	}
	return text, err
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
	for _, p := range w.probes {
		errs = append(errs, p.Close())
	}
	for _, c := range w.clients {
		c.Close()
	}
	if w.rack != nil {
		errs = append(errs, w.rack.Close())
	}
	if w.witness != nil {
		errs = append(errs, w.witness.Close())
	}
	if w.ear != nil {
		errs = append(errs, w.ear.Close())
	}
	if w.seg != nil {
		errs = append(errs, w.seg.Close())
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
	var err error
	w.rack.On(node, func() { err = cmd.Start() })
	if err == nil {
		// With real-time priority, which the lab may have, it would keep the nodes from the processor while it starts.
		_ = unix.SchedSetAttr(cmd.Process.Pid, &unix.SchedAttr{Policy: unix.SCHED_NORMAL}, 0)
		err = cmd.Wait()
	}
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
