// Package service is the lab's service: something that must run on one node only, can be asked who it is, and leaves
// its times in the board's ledger.
//
//	start    starts a daemon of its own and returns when it answers; already running is success
//	stop     ends it and returns when it is gone; not running is success
//	status   exit 0: running, 3: not running
//	serve    is that daemon
//
// The daemon holds a lock on its pid file for as long as it lives, so that a pid used again never passes for it. It
// joins the ledger before it answers the first datagram, and its run there ends when the kernel has closed its
// descriptors: the ledger never shows less than what happened. It ends when the board goes away.
//
// It answers a UDP datagram with "SERVICE NODE " and the datagram.
//
// Left out: state, slow starts, failing starts and stops (a script does those).
package service

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Exit codes beside 0 and 1.
const (
	exitUsage      = 2
	exitNotRunning = 3
)

// Times that an operation may take.
const (
	startTime = 5 * time.Second
	termTime  = 2 * time.Second // until SIGKILL follows
	killTime  = 2 * time.Second
)

// options say which service, where, and where its files are.
type options struct {
	service, node, addr, dir string
	prefix                   []string // what this program was called with, up to the verb
}

func (o options) pidFile() string { return filepath.Join(o.dir, o.service+".pid") }

func (o options) flags() []string {
	return []string{"-service", o.service, "-node", o.node, "-addr", o.addr, "-dir", o.dir}
}

// Main carries out "start|stop|status|serve -service NAME -node NODE -addr ADDRESS:PORT[,...] -dir RUN-DIRECTORY" and
// returns the exit code. The board's socket stands in the environment. args are the last of the program's arguments:
// start repeats what stands before them to reach serve.
func Main(args []string) int {
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "service: say start, stop, status or serve")
		return exitUsage
	}
	o := options{prefix: os.Args[1 : len(os.Args)-len(args)]}
	set := flag.NewFlagSet("service "+args[0], flag.ContinueOnError)
	set.StringVar(&o.service, "service", "web", "name of the service")
	set.StringVar(&o.node, "node", "", "node on which it runs")
	set.StringVar(&o.addr, "addr", "", "addresses at which it answers, ADDRESS:PORT with commas between")
	set.StringVar(&o.dir, "dir", "", "run directory, for the pid file")
	if err := set.Parse(args[1:]); err != nil {
		return exitUsage
	}
	if o.node == "" || o.addr == "" || o.dir == "" || set.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "service: give -node, -addr and -dir, and nothing else")
		return exitUsage
	}
	return perform(args[0], o)
}

func perform(verb string, o options) int {
	var err error
	switch verb {
	case "start":
		err = start(o)
	case "stop":
		err = stop(o)
	case "serve":
		err = serve(o)
	case "status":
		var running bool
		if running, err = isRunning(o); err == nil && !running {
			return exitNotRunning
		}
	default:
		fmt.Fprintf(os.Stderr, "service: %q is not start, stop, status or serve\n", verb)
		return exitUsage
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func start(o options) error {
	running, err := isRunning(o)
	if running || err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("service: find this program: %w", err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("service: open %s: %w", os.DevNull, err)
	}
	defer null.Close()
	ready, done, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("service: make pipe: %w", err)
	}
	defer ready.Close()
	argv := append(append([]string{exe}, o.prefix...), append([]string{"serve"}, o.flags()...)...)
	p, err := os.StartProcess(exe, argv, &os.ProcAttr{
		Files: []*os.File{null, null, null, done}, // serve finds the pipe as descriptor 3
		Sys:   &unix.SysProcAttr{Setsid: true},
	})
	done.Close()
	if err != nil {
		return fmt.Errorf("service: start %s: %w", o.service, err)
	}
	if err := ready.SetReadDeadline(time.Now().Add(startTime)); err != nil {
		return fmt.Errorf("service: wait for %s: %w", o.service, err)
	}
	text, err := io.ReadAll(ready)
	switch {
	case err != nil:
		return errors.Join(fmt.Errorf("service: %s does not answer: %w", o.service, err), p.Kill())
	case string(text) != "ok":
		return fmt.Errorf("service: %s does not start: %s", o.service, text)
	}
	return p.Release()
}

func isRunning(o options) (bool, error) {
	f, err := os.Open(o.pidFile())
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("service: open pid file: %w", err)
	}
	defer f.Close()
	return isLocked(f)
}

func isLocked(f *os.File) (bool, error) {
	// A shared lock, so that two who only look do not take each other for the service.
	err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	switch err {
	case nil:
		return false, nil
	case unix.EWOULDBLOCK:
		return true, nil
	}
	return false, fmt.Errorf("service: look at lock: %w", err)
}
