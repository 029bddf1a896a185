package story

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/control"
)

// The test binary stands for serialhb: its `run` is a daemon of a few lines, which knows nothing of links and decides
// by one sense. It is enough to see whether the lab's racks do what a story says.
func TestMain(m *testing.M) {
	// Built with the race detector every process would linger for a second at its end.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	if exit, ok := Hidden(os.Args[1:]); ok {
		os.Exit(exit)
	}
	if len(os.Args) == 6 && os.Args[1] == "run" {
		if err := runToy(os.Args[3], os.Args[5]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == "say-no" {
		fmt.Fprintln(os.Stderr, "not now")
		os.Exit(4)
	}
	if len(os.Args) > 1 && os.Args[1] == "say-yes" {
		fmt.Println("yes,", os.Args[len(os.Args)-1])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// toy is that daemon.
type toy struct {
	node string
	cfg  *config.Config

	mu     sync.Mutex
	phase  string
	events []control.Event
}

func runToy(file, node string) error {
	f, findings := config.Load(file)
	c, more := f.For(node)
	if c == nil {
		return fmt.Errorf("toy: %v %v", findings, more)
	}
	d := &toy{node: node, cfg: c, phase: "idle"}
	if err := os.MkdirAll(filepath.Dir(c.Socket()), 0o755); err != nil {
		return err
	}
	server, err := control.Listen(c.Socket(), 0o660, "")
	if err != nil {
		return err
	}
	go server.Serve(d)
	defer server.Close()
	d.record("daemon", "started", "")
	term := make(chan os.Signal, 1)
	signal.Notify(term, unix.SIGTERM)
	if node == "alpha" {
		// Only the first boot owns the service: whoever comes back is the standby.
		mark := filepath.Join(c.StateDir, "booted")
		if _, err := os.Stat(mark); err == nil {
			<-term
			return nil
		}
		if err := os.WriteFile(mark, nil, 0o644); err != nil {
			return err
		}
		if err := d.start(); err != nil {
			return err
		}
		<-term
		return nil
	}
	ended := make(chan error, 1)
	go func() { ended <- d.guard() }()
	select {
	case err := <-ended:
		return err
	case <-term:
		return nil
	}
}

func (d *toy) guard() error {
	b, err := board.Dial(os.Getenv(board.Env))
	if err != nil {
		return err
	}
	level, err := b.Ask("in", "SENSE_ALPHA", "bravo", "up")
	for ; level == "1" && err == nil; level, err = b.Ask("get", "SENSE_ALPHA") {
		time.Sleep(2 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	d.record("note", "went-silent", "alpha")
	if _, err := b.Ask("out", "RELAY_ALPHA", "bravo", "high"); err != nil {
		return err
	}
	time.Sleep(20 * time.Millisecond)
	d.record("note", "proven-off", "alpha")
	d.record("note", "owns-now", "bravo")
	if err := d.start(); err != nil {
		return err
	}
	time.Sleep(100 * time.Millisecond)
	if _, err := b.Ask("set", "RELAY_ALPHA", "0"); err != nil {
		return err
	}
	select {}
}

func (d *toy) start() error {
	argv := d.cfg.Groups[0].Resources[0].Start
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = []string{"SERIALHB_NODE=" + d.node, "GORACE=" + os.Getenv("GORACE")}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("toy: start: %w: %s", err, out)
	}
	d.mu.Lock()
	d.phase = "active"
	d.mu.Unlock()
	d.record("note", "active", d.node)
	return nil
}

func (d *toy) record(kind, code, peer string) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// Every boot begins with the same numbers: a record whose end was lost.
	d.events = append(d.events, control.Event{Seq: uint64(len(d.events) + 1), Boot: fmt.Sprint(os.Getpid()), MonoNS: ts.Nano(),
		Kind: kind, Code: code, Peer: peer, Text: code + " " + peer})
}

func (d *toy) Status() control.Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	holds := "no"
	if d.phase == "active" {
		holds = "yes"
	}
	return control.Status{Node: d.node, Taken: time.Now(), Armed: true, Groups: []control.Group{{Name: Service, Phase: d.phase, Holds: holds}}}
}

func (d *toy) Command(context.Context, string, control.Request) control.Result {
	return control.Result{}
}
func (d *toy) Why(uint32) control.Why { return control.Why{} }

func (d *toy) Events(from uint64) []control.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []control.Event
	for _, e := range d.events {
		if e.Seq >= from {
			all = append(all, e)
		}
	}
	return all
}

func (d *toy) Follow(ctx context.Context, from uint64, tell func(control.Event) error) error {
	for ctx.Err() == nil {
		for _, e := range d.Events(from) {
			if err := tell(e); err != nil {
				return err
			}
			from = e.Seq + 1
		}
		time.Sleep(2 * time.Millisecond)
	}
	return nil
}
