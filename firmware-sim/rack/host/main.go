package host

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/rack/segment"
	"golang.org/x/sys/unix"
)

// Config says what a host runs. As JSON it is the argument of [Main]; durations are in nanoseconds there.
type Config struct {
	Node         string
	Board        string        // socket of the board
	Argv         []string      // the daemon's command; the first word is a path
	Env          []string      // its whole environment, to which the names below are added
	RunDir       string        // volatile, emptied at every power cut; made if missing
	BootID       string        // file that holds the boot id, a UUID; must not be in RunDir
	Log          string        // file to which the daemon's output is appended
	BootDelay    time.Duration // from power on to the daemon's start
	RestartDelay time.Duration // 0 is 200 ms
	Card         *segment.Card // goes on and off with the power; nil is none
}

// Environment of the daemon, beside [board.Env].
const (
	EnvNode   = "SERIALHB_NODE"         // the node's name
	EnvRunDir = "SERIALHB_RUN_DIR"      // Config.RunDir
	EnvBootID = "SERIALHB_BOOT_ID_FILE" // Config.BootID, to be read in place of /proc/sys/kernel/random/boot_id
)

const defaultRestartDelay = 200 * time.Millisecond

// Main is the supervisor's process. Its one argument is a file with a [Config] as JSON. It ends when its standard input
// does and returns the exit code: 0, 1 after an error, 2 for wrong arguments.
func Main(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "host: give the configuration file as the only argument")
		return 2
	}
	// The daemon is told to die with the thread that started it, so it must be a thread that lasts.
	runtime.LockOSThread()
	if err := run(args[0]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func run(file string) (err error) {
	s, err := prepare(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.null.Close(), s.log.Close()) }()
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	if s.board, err = board.Dial(s.cfg.Board); err != nil {
		return err
	}
	if _, err = s.board.Ask("host", s.cfg.Node); err != nil {
		return err
	}
	orders, verbs := make(chan string), make(chan string)
	go pump(s.board.Hear, orders)
	in := bufio.NewReader(os.Stdin)
	go pump(func() (string, error) { return in.ReadString('\n') }, verbs)
	err = s.loop(orders, verbs, ended)
	_, killErr := killAll()
	return errors.Join(err, killErr)
}

// pump closes the channel when there is nothing more to read: the loop ends then.
func pump(next func() (string, error), to chan<- string) {
	defer close(to)
	for {
		text, err := next()
		if err != nil {
			return
		}
		to <- text
	}
}

func prepare(file string) (*supervisor, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("host: read configuration: %w", err)
	}
	s := &supervisor{out: os.Stdout, timer: time.NewTimer(time.Hour)}
	s.timer.Stop()
	if err := json.Unmarshal(text, &s.cfg); err != nil {
		return nil, fmt.Errorf("host: read configuration %s: %w", file, err)
	}
	if len(s.cfg.Argv) == 0 || !filepath.IsAbs(s.cfg.Argv[0]) {
		return nil, fmt.Errorf("host: the command of %s must begin with an absolute path, not %q", s.cfg.Node, s.cfg.Argv)
	}
	if s.cfg.RestartDelay == 0 {
		s.cfg.RestartDelay = defaultRestartDelay
	}
	if err := checkProc(); err != nil {
		return nil, err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("host: become subreaper: %w", err)
	}
	if err := s.forget(); err != nil {
		return nil, err
	}
	if s.null, err = os.Open(os.DevNull); err != nil {
		return nil, fmt.Errorf("host: open %s: %w", os.DevNull, err)
	}
	if s.log, err = os.OpenFile(s.cfg.Log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("host: open log: %w", err), s.null.Close())
	}
	return s, nil
}

// answer writes the reply to a verb. Whoever asked may have gone; then standard input ends too.
func answer(out io.Writer, value string, err error) {
	switch {
	case err != nil:
		fmt.Fprintln(out, "error", err)
	case value == "":
		fmt.Fprintln(out, "ok")
	default:
		fmt.Fprintln(out, "ok", value)
	}
}
