package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/rack/segment"
	"golang.org/x/sys/unix"
)

// Exit codes of the daemon that have a meaning for its service unit.
const (
	exitLeft    = 0  // orderly leave: not restarted
	exitStay    = 74 // ended otherwise than was asked for: not restarted before a person has looked
	exitRestart = 75 // quiet restart: started again at once
)

// supervisor is owned by one goroutine, which is locked to its thread.
type supervisor struct {
	cfg   Config
	board *board.Client
	out   io.Writer
	null  *os.File
	log   *os.File

	powered bool
	frozen  bool
	wanted  bool // the daemon is to run; false after a leave, a stop or a hold
	booting bool
	pid     int // of the daemon, 0 is none
	last    int // its last exit code, -1 is a signal
	timer   *time.Timer
}

func (s *supervisor) loop(orders, verbs <-chan string, ended <-chan os.Signal) error {
	for {
		var err error
		select {
		case order, ok := <-orders:
			if !ok {
				return errors.New("host: the board has gone")
			}
			err = s.obey(order)
		case verb, ok := <-verbs:
			if !ok {
				return nil
			}
			value, verbErr := s.do(strings.TrimSpace(verb))
			answer(s.out, value, verbErr)
		case <-ended:
			gone, _, reapErr := reap()
			err = errors.Join(reapErr, s.mourn(gone))
		case <-s.timer.C:
			err = s.spawn()
		}
		if err != nil {
			return err
		}
	}
}

func (s *supervisor) obey(order string) error {
	switch order {
	case "power on":
		s.powered = true
		return s.boot()
	case "power off":
		return s.cut()
	}
	return fmt.Errorf("host: the board says %q, which means nothing", order)
}

func (s *supervisor) boot() error {
	if err := s.card(segment.Card.Up); err != nil {
		return err
	}
	s.wanted, s.booting = true, true
	s.timer.Reset(s.cfg.BootDelay)
	return s.tell("booting")
}

// end ends everything. The daemon is stopped first: all of a host dies in one moment, and what it still says while its
// other processes are being looked for would be heard from a dead machine. The card goes last, so that nobody lives to
// miss it.
func (s *supervisor) end() error {
	s.timer.Stop()
	if s.pid > 0 {
		_ = unix.Kill(s.pid, unix.SIGSTOP) // killAll ends it, whether this came in time or not
	}
	if _, err := killAll(); err != nil {
		return err
	}
	s.wanted, s.booting, s.frozen, s.pid = false, false, false, 0
	return s.card(segment.Card.Off)
}

func (s *supervisor) card(act func(segment.Card) error) error {
	if s.cfg.Card == nil {
		return nil
	}
	return act(*s.cfg.Card)
}

// reset boots anew. The power stays on, so the board is not told.
func (s *supervisor) reset() error {
	if err := errors.Join(s.end(), s.forget()); err != nil {
		return err
	}
	return s.boot()
}

func (s *supervisor) cut() error {
	if err := s.end(); err != nil {
		return err
	}
	s.powered = false
	// First the answer: a fence waits for it. The next boot is in this goroutine's hands, so it cannot come before forget.
	return errors.Join(s.board.Say("dead"), s.forget())
}

// forget is what a host loses with its power: the run directory, and being the same boot.
func (s *supervisor) forget() error {
	if err := os.MkdirAll(s.cfg.RunDir, 0o755); err != nil {
		return fmt.Errorf("host: make run directory: %w", err)
	}
	entries, err := os.ReadDir(s.cfg.RunDir)
	if err != nil {
		return fmt.Errorf("host: empty run directory: %w", err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(s.cfg.RunDir, e.Name())); err != nil {
			return fmt.Errorf("host: empty run directory: %w", err)
		}
	}
	if err := os.WriteFile(s.cfg.BootID, []byte(newBootID()+"\n"), 0o644); err != nil {
		return fmt.Errorf("host: write boot id: %w", err)
	}
	return nil
}

func newBootID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// spawn starts the daemon if it is to run and does not. A frozen host starts nothing; thaw makes up for it.
func (s *supervisor) spawn() error {
	s.booting = false
	if !s.powered || !s.wanted || s.frozen || s.pid != 0 {
		return nil
	}
	env := append([]string{}, s.cfg.Env...)
	env = append(env, board.Env+"="+s.cfg.Board, EnvNode+"="+s.cfg.Node, EnvRunDir+"="+s.cfg.RunDir, EnvBootID+"="+s.cfg.BootID)
	pid, err := syscall.ForkExec(s.cfg.Argv[0], s.cfg.Argv, &syscall.ProcAttr{
		Env:   env,
		Files: []uintptr{s.null.Fd(), s.log.Fd(), s.log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		s.timer.Reset(s.cfg.RestartDelay)
		return s.tell("daemon does not start: " + err.Error())
	}
	s.pid = pid
	return s.tell("daemon started " + strconv.Itoa(pid))
}

// mourn looks whether the daemon is among the dead, and restarts it as its unit says.
func (s *supervisor) mourn(gone []reaped) error {
	for _, r := range gone {
		if r.pid != s.pid {
			continue
		}
		s.pid, s.last = 0, r.status.ExitStatus()
		text := "daemon exited " + strconv.Itoa(s.last)
		if r.status.Signaled() {
			text = "daemon ended by " + unix.SignalName(r.status.Signal())
		}
		err := s.tell(text)
		switch {
		case r.status.Exited() && (s.last == exitLeft || s.last == exitStay):
			s.wanted = false
		case r.status.Exited() && s.last == exitRestart:
			return errors.Join(err, s.spawn())
		default:
			s.timer.Reset(s.cfg.RestartDelay)
		}
		return err
	}
	return nil
}

func (s *supervisor) tell(text string) error { return s.board.Say("event", text) }

// do carries out a verb of the rack.
func (s *supervisor) do(verb string) (string, error) {
	if verb == "status" {
		return s.status(), nil
	}
	if !s.powered {
		return "", fmt.Errorf("%s has no power", s.cfg.Node)
	}
	switch verb {
	case "freeze":
		s.frozen = true
		return "", signalAll(unix.SIGSTOP)
	case "thaw":
		s.frozen = false
		if err := signalAll(unix.SIGCONT); err != nil {
			return "", err
		}
		if s.booting {
			return "", nil
		}
		return "", s.spawn()
	case "kill-daemon":
		return "", s.kill()
	case "hold-daemon":
		s.wanted = false
		return "", s.kill()
	case "stop":
		s.wanted = false
		s.timer.Stop()
		return "", s.signal(unix.SIGTERM)
	case "reload":
		return "", s.signal(unix.SIGHUP)
	case "start":
		s.wanted = true
		return "", s.spawn()
	case "restart-daemon":
		return "", s.restart()
	case "reset":
		return "", s.reset()
	}
	return "", fmt.Errorf("a host does not know %q", verb)
}

func (s *supervisor) restart() error {
	if s.frozen {
		return fmt.Errorf("%s is frozen: thaw it first", s.cfg.Node)
	}
	if s.pid != 0 {
		if err := s.kill(); err != nil {
			return err
		}
	}
	s.timer.Stop()
	s.wanted = true
	return s.spawn()
}

// kill returns when the daemon is dead, so that whoever asked may count from now.
func (s *supervisor) kill() error {
	pid := s.pid
	if err := s.signal(unix.SIGKILL); err != nil {
		return err
	}
	for {
		var status unix.WaitStatus
		_, err := unix.Wait4(pid, &status, 0, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for the daemon: %w", err)
		}
		return s.mourn([]reaped{{pid, status}})
	}
}

func (s *supervisor) signal(sig unix.Signal) error {
	if s.pid == 0 {
		return fmt.Errorf("no daemon runs on %s", s.cfg.Node)
	}
	// The pid cannot be anybody else's: nobody but this goroutine reaps it.
	if err := unix.Kill(s.pid, sig); err != nil {
		return fmt.Errorf("signal the daemon: %w", err)
	}
	return nil
}

func (s *supervisor) status() string {
	switch {
	case !s.powered:
		return "off"
	case s.pid != 0:
		return "running " + strconv.Itoa(s.pid)
	case s.booting:
		return "booting"
	case s.wanted:
		return "restarting"
	}
	return "stopped " + strconv.Itoa(s.last)
}
