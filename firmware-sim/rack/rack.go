// Package rack is an installation without hardware, in real time: real node processes joined by ptys and UDP, on loopback
// or on a segment of their own, with relays, senses and power supplies on a board process, where cutting a node's power
// kills everything that it runs.
//
// Only the lab and tests use it; nothing that decides imports it. README.md in this folder says what belongs where.
//
// Processes: this one holds the cables and the network; the board and one supervisor per node are the same program
// again, called with a hidden first argument that [Hidden] serves. They end when this process does, however it ends.
//
// Left out: modem lines and break, electrical noise beyond random bytes, clocks that differ between nodes, disks that
// lose what was not synced, and processor or memory that is a node's own: all nodes share this machine.
package rack

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/rack/cable"
	"github.com/serialhb/serialhb/firmware-sim/rack/host"
	"github.com/serialhb/serialhb/firmware-sim/rack/netpath"
	"github.com/serialhb/serialhb/firmware-sim/rack/segment"
	"github.com/serialhb/serialhb/firmware-sim/rack/service"
)

// Hidden first arguments of the program.
const (
	ArgBoard   = "__rack-board"
	ArgHost    = "__rack-host"
	ArgService = "__rack-service"
)

// Hidden serves the hidden first arguments. args are the program's arguments without its name; ok says whether they
// were for the rack, and then exit is the exit code. It is to be asked before anything else in main.
func Hidden(args []string) (exit int, ok bool) {
	if len(args) == 0 {
		return 0, false
	}
	switch args[0] {
	case ArgBoard:
		return board.Main(args[1:]), true
	case ArgHost:
		return host.Main(args[1:]), true
	case ArgService:
		return service.Main(args[1:]), true
	}
	return 0, false
}

// Config says what to build.
type Config struct {
	Binary string   // the program that serves Hidden; an absolute path
	Dir    string   // everything is kept below it; short enough for a unix socket
	Nodes  []string // two or more
	Baud   int      // of every cable
	Seed   uint64   // of all damage, noise and drops

	HoldUp       time.Duration // of every host's supplies
	BootDelay    time.Duration // from power to the daemon's start
	RestartDelay time.Duration // of the daemon's unit, 0 is 200 ms
	Board        board.Options // HoldUp above takes the place of the one in it

	// Segment, if there is one, is the network: each node's supervisor and all that it runs live in the node's namespace,
	// the card goes with the power, and the service has the segment's address. It is not closed with the rack.
	Segment *segment.Segment

	// NodeCommand is asked at Start for each node's daemon: its command, which begins with an absolute path, and its
	// whole environment. The rack adds SERIALHB_BOARD, SERIALHB_NODE, SERIALHB_RUN_DIR and SERIALHB_BOOT_ID_FILE.
	NodeCommand func(node string) (argv, env []string)
}

// Rack is an installation. Its methods are safe for concurrent use after Start. Names of nodes, relays and senses that
// do not exist are errors.
type Rack struct {
	cfg      Config
	cables   map[[2]string]*cable.Cable // names in order
	net      *netpath.Net
	services portBook

	board *process
	ctl   *board.Client
	hosts map[string]*process
}

// New builds cables and network, so that ports and addresses are known, and the folders. Nothing runs yet.
func New(cfg Config) (*Rack, error) {
	if !filepath.IsAbs(cfg.Binary) || cfg.NodeCommand == nil {
		return nil, errors.New("rack: give an absolute path of the program and a node command")
	}
	cfg.Board.HoldUp = cfg.HoldUp
	r := &Rack{cfg: cfg, cables: map[[2]string]*cable.Cable{}, hosts: map[string]*process{}}
	if err := r.wire(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Rack) wire() (err error) {
	if r.cfg.Segment != nil {
		r.net, err = r.cfg.Segment.Paths(r.cfg.Seed)
	} else {
		r.net, err = netpath.New(r.cfg.Seed, r.cfg.Nodes...)
	}
	if err != nil {
		return err
	}
	for i, a := range r.cfg.Nodes {
		for _, dir := range []string{r.RunDir(a), r.StateDir(a)} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("rack: make folder: %w", err)
			}
		}
		for j, b := range r.cfg.Nodes[i+1:] {
			pair := pairOf(a, b)
			dir := filepath.Join(r.cfg.Dir, "cable-"+pair[0]+"-"+pair[1])
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("rack: make folder: %w", err)
			}
			c, err := cable.New(cable.Config{Ends: pair, Dir: dir, Baud: r.cfg.Baud, Seed: r.cfg.Seed + uint64(i*len(r.cfg.Nodes)+j)})
			if err != nil {
				return err
			}
			r.cables[pair] = c
		}
	}
	return nil
}

func pairOf(a, b string) [2]string {
	if b < a {
		a, b = b, a
	}
	return [2]string{a, b}
}

// Start powers everything: the board, if Light has not, then the hosts, which boot. After an error Close must still be
// called.
func (r *Rack) Start() error {
	if r.ctl == nil {
		if err := r.Light(); err != nil {
			return err
		}
	}
	for _, node := range r.cfg.Nodes {
		if err := r.startHost(node); err != nil {
			return err
		}
	}
	return nil
}

// Light powers the board alone, for who wants to watch it before the first host does anything. After an error Close must
// still be called.
func (r *Rack) Light() error {
	cfg := board.Standard(r.cfg.Nodes, r.cfg.Board)
	cfg.Socket = r.BoardSocket()
	file := filepath.Join(r.cfg.Dir, "board.json")
	err := writeJSON(file, cfg)
	if err != nil {
		return err
	}
	if r.board, err = launch(r.cfg.Binary, filepath.Join(r.cfg.Dir, "board.log"), ArgBoard, file); err != nil {
		return err
	}
	if err := r.board.expect("ready"); err != nil {
		return err
	}
	r.ctl, err = board.Dial(cfg.Socket)
	return err
}

func (r *Rack) startHost(node string) error {
	argv, env := r.cfg.NodeCommand(node)
	cfg := host.Config{
		Node: node, Board: r.BoardSocket(), Argv: argv, Env: env,
		RunDir: r.RunDir(node), BootID: filepath.Join(r.nodeDir(node), "boot_id"), Log: r.Log(node),
		BootDelay: r.cfg.BootDelay, RestartDelay: r.cfg.RestartDelay,
	}
	if r.cfg.Segment != nil {
		card := r.cfg.Segment.Card(node)
		cfg.Card = &card
	}
	file := filepath.Join(r.nodeDir(node), "host.json")
	if err := writeJSON(file, cfg); err != nil {
		return err
	}
	var p *process
	var err error
	r.On(node, func() { p, err = launch(r.cfg.Binary, filepath.Join(r.nodeDir(node), "host.log"), ArgHost, file) })
	if err != nil {
		return err
	}
	r.hosts[node] = p
	// The first answer comes when the supervisor is in its loop, with the board's socket open and the boot id written.
	_, err = p.ask("status")
	return err
}

// On calls f where a process of a node would call it: in the node's network namespace, if it has one. It is for starting
// processes, and must not take long.
func (r *Rack) On(node string, f func()) {
	if r.cfg.Segment == nil {
		f()
		return
	}
	r.cfg.Segment.Enter(node, f)
}

func writeJSON(file string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("rack: write %s: %w", file, err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		return fmt.Errorf("rack: write configuration: %w", err)
	}
	return nil
}

// Close ends every process, cable and socket and waits until they are gone. The folders stay, for who wants to read the
// logs. Its error says what had gone wrong meanwhile: a board or supervisor that had ended, a port that was lost.
func (r *Rack) Close() error {
	var errs []error
	for _, node := range r.cfg.Nodes {
		if p := r.hosts[node]; p != nil {
			errs = append(errs, p.end())
		}
	}
	if r.ctl != nil {
		errs = append(errs, r.ctl.Close())
	}
	if r.board != nil {
		errs = append(errs, r.board.end())
	}
	for _, c := range r.cables {
		errs = append(errs, c.Close())
	}
	if r.net != nil {
		errs = append(errs, r.net.Close())
	}
	r.hosts, r.ctl, r.board, r.cables, r.net = map[string]*process{}, nil, nil, nil, nil
	return errors.Join(errs...)
}

// Nodes returns the names of the nodes.
func (r *Rack) Nodes() []string { return slices.Clone(r.cfg.Nodes) }
