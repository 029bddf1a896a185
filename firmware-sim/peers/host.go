package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// apart are the namespaces of a node.
const apart = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// helper is this program again, in namespaces of its own, obeying orders. Its namespaces end with it.
type helper struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	once sync.Once
	err  error
}

func enlist(flags uintptr, argv ...string) (*helper, error) {
	h := &helper{cmd: exec.Command(argv[0], argv[1:]...)}
	h.cmd.Stderr = os.Stderr
	h.cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: flags, Setpgid: true} // an interrupt is for this program alone
	in, err := h.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("peers: make pipe: %w", err)
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("peers: make pipe: %w", err)
	}
	h.in, h.out = in, bufio.NewReader(out)
	if err := h.cmd.Start(); err != nil {
		return nil, fmt.Errorf("peers: make namespaces: %w", err)
	}
	if _, err := h.heed(); err != nil {
		return nil, errors.Join(err, h.dismiss())
	}
	return h, nil
}

func startNode(self string, p place) (*helper, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("peers: describe %s: %w", p.Name, err)
	}
	h, err := enlist(apart, self, argNode, string(text))
	if err != nil {
		return nil, fmt.Errorf("peers: start %s: %w", p.Name, err)
	}
	return h, nil
}

// ask gives an order, and returns when it was carried out and at which moment.
func (h *helper) ask(words ...string) (at time.Duration, err error) {
	if _, err := fmt.Fprintln(h.in, strings.Join(words, " ")); err != nil {
		return 0, fmt.Errorf("peers: order %s: %w", words[0], err)
	}
	return h.heed()
}

func (h *helper) heed() (at time.Duration, err error) {
	line, err := h.out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("peers: hear from a helper: %w", err)
	}
	switch verdict, rest, _ := strings.Cut(strings.TrimSpace(line), " "); verdict {
	case "ok":
		n, err := strconv.ParseInt(rest, 10, 64)
		return time.Duration(n), err
	default:
		return 0, errors.New(rest)
	}
}

// dismiss kills the helper and with it all that runs in its namespaces, and waits until they are gone.
func (h *helper) dismiss() error {
	h.once.Do(func() {
		h.err = h.cmd.Process.Kill()
		// It was killed, so its end is no news.
		_ = h.cmd.Wait()
	})
	return h.err
}

// helpers are those of the nodes, by name.
type helpers map[string]*helper

// frozen is the node that a scenario freezes.
func (h helpers) frozen(s scenario) *helper {
	if s.kind == freezeOwner {
		return h[owner]
	}
	return h[standby]
}

func (h helpers) dismiss() (err error) {
	for _, one := range h {
		if one != nil {
			err = errors.Join(err, one.dismiss())
		}
	}
	return err
}
