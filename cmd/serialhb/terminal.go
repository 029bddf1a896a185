package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// terminal is the world of a command: where it reads and writes, and whether a person sits there.
type terminal struct {
	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	answers  bool // the input is a terminal: a person can be asked
	redrawn  bool // the output is a terminal: it can be cleared
	hostname func() (string, error)
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// interruptible gives a context that a person's interrupt ends.
func (t *terminal) interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(t.ctx, os.Interrupt, syscall.SIGTERM)
}

// json prints a value on one line.
func (t *terminal) json(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return t.say(string(b))
}

// say prints a line. A reader that has gone is an error: a script must not take half an answer for a whole one.
func (t *terminal) say(line string) error {
	_, err := fmt.Fprintln(t.out, line)
	return err
}

// confirm has a person type a word. Nothing but that word is a yes.
func (t *terminal) confirm(question, word string) error {
	fmt.Fprintf(t.err, "%s\nType %s to go on: ", question, word)
	line, err := bufio.NewReader(t.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return refused(fmt.Errorf("the answer cannot be read (%w); nothing was done", err))
	}
	if strings.TrimSpace(line) != word {
		return refused(fmt.Errorf("that is not %s; nothing was done", word))
	}
	return nil
}
