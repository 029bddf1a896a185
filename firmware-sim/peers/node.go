package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// place is what one node of a pair needs around it. It goes to the process that becomes the node as JSON.
type place struct {
	Name    string
	Fresh   []string          // folders that the node has to itself, empty at first
	Instead map[string]string // folders that it has in place of the host's
	Setup   [][]string        // commands before the daemon
	Argv    []string          // the daemon
	Log     string
	Address netip.Addr // who has it holds the service, if it is set
	Ledger  string
}

// nodeMain is the first process in the namespaces of a node, and so can stop all others at once and ends them all when
// it ends. It obeys one word a line on standard input, and ends when that does: no node outlives who started it.
//
//	go       carry out the setup and start the daemon
//	freeze   stop every process; thaw continues them
//	alive    say whether any process is left
func nodeMain(args []string) int {
	var p place
	if len(args) != 1 {
		fmt.Println("error one place is needed")
		return 2
	}
	if err := json.Unmarshal([]byte(args[0]), &p); err != nil {
		fmt.Println("error", err)
		return 2
	}
	answer(mono.Now(), p.furnish())
	words := bufio.NewScanner(os.Stdin)
	for words.Scan() {
		// The moment is taken here, so that no way to the one who asked is counted as the node's.
		answer(mono.Now(), p.obey(words.Text()))
	}
	return 0
}

// answer says when an order was carried out, or why it was not.
func answer(at time.Duration, err error) {
	if err != nil {
		fmt.Println("error", strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	fmt.Println("ok", at.Nanoseconds())
}

func (p place) obey(word string) error {
	switch word {
	case "go":
		return p.begin()
	case "freeze":
		return everybody(unix.SIGSTOP)
	case "thaw":
		return everybody(unix.SIGCONT)
	case "alive":
		return everybody(0)
	}
	return fmt.Errorf("%q is not an order", word)
}

// everybody is all processes of the node but this one.
func everybody(s unix.Signal) error {
	err := unix.Kill(-1, s)
	if errors.Is(err, unix.ESRCH) {
		return errors.New("no process of the node is left")
	}
	return err
}

// furnish makes the namespaces look like a machine of its own.
func (p place) furnish() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("peers: keep mounts in the node: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("peers: mount /proc: %w", err)
	}
	for _, dir := range p.Fresh {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("peers: mount %s: %w", dir, err)
		}
	}
	for at, dir := range p.Instead {
		if err := unix.Mount(dir, at, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("peers: mount %s: %w", at, err)
		}
	}
	// heartbeat locks itself into memory if it may. A root who may not allow that runs it all the same, and it says so
	// in its log.
	all := &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, all); err != nil && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("peers: allow locked memory: %w", err)
	}
	return unix.Sethostname([]byte(p.Name))
}

func (p place) begin() error {
	for _, argv := range p.Setup {
		if err := carryOut(argv...); err != nil {
			return err
		}
	}
	if p.Address.IsValid() {
		if err := watchAddress(p.Address, func(has bool) error { return enter(p.Ledger, p.Name, has) }); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(p.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("peers: open log: %w", err)
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return fmt.Errorf("peers: open %s: %w", os.DevNull, err)
	}
	defer null.Close()
	// No [exec.Cmd]: whoever is left over in a node falls to its first process, so this one waits for everybody.
	if _, err = os.StartProcess(p.Argv[0], p.Argv, &os.ProcAttr{Files: []*os.File{null, log, log}, Env: os.Environ()}); err != nil {
		return fmt.Errorf("peers: start %s: %w", filepath.Base(p.Argv[0]), err)
	}
	go bury()
	return nil
}

func bury() {
	for {
		if _, err := unix.Wait4(-1, nil, 0, nil); errors.Is(err, unix.ECHILD) {
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func carryOut(argv ...string) error {
	said, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("peers: %s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(string(said)))
	}
	return nil
}
