// Package sim is the gpio backend of the simulated board: a client of the board process that owns the relays and
// senses of a laboratory pair. It drives no hardware.
//
// The board listens on a unix stream socket. Each request is one line of words, each answer is one line, in order:
//
//	out NAME HOLDER low|high|adopt   ok 0|1
//	in NAME HOLDER none|up|down      ok 0|1
//	set NAME 0|1                     ok
//	get NAME                         ok 0|1
//	free NAME                        ok
//
// A refusal is "error SENTENCE". The board frees the lines of a connection that closes.
package sim

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/serialhb/serialhb/gpio"
)

// Env names the environment variable that holds the path of the board's socket.
const Env = "SERIALHB_BOARD"

// answerTime is how long the board has for one answer.
const answerTime = 2 * time.Second

// Backend is one connection to a board. It dials on the first request and again on the first open after a loss. Its
// methods may be called from several goroutines; requests are served one after the other.
type Backend struct {
	socket string
	holder string

	mu    sync.Mutex
	conn  net.Conn
	read  *bufio.Reader
	epoch uint64 // counts connections: a line belongs to the one that requested it
	held  map[string]bool
}

// New returns a backend for the board behind a unix socket. The holder is one word that the board shows to others who
// want a line of ours. Nothing is dialled yet.
func New(socket, holder string) *Backend {
	return &Backend{socket: socket, holder: holder}
}

// OpenOutput implements [gpio.Backend].
func (b *Backend) OpenOutput(name string, initial gpio.Initial) (gpio.Output, error) {
	l, err := b.open("out", name, initial.String())
	if err != nil {
		return nil, err
	}
	return l, nil
}

// OpenInput implements [gpio.Backend].
func (b *Backend) OpenInput(name string, bias gpio.Bias) (gpio.Input, error) {
	l, err := b.open("in", name, bias.String())
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Close closes the connection. The board frees every line of it.
func (b *Backend) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn == nil {
		return nil
	}
	return b.hangUp()
}

func (b *Backend) open(verb, name, how string) (*line, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn == nil {
		if err := b.dial(); err != nil {
			return nil, fmt.Errorf("sim: open %s: %w", name, err)
		}
	}
	if b.held[name] {
		return nil, fmt.Errorf("sim: open %s: %w by %s already", name, gpio.ErrBusy, b.holder)
	}
	answer, err := b.ask(verb + " " + name + " " + b.holder + " " + how)
	if err != nil {
		return nil, fmt.Errorf("sim: open %s: %w", name, err)
	}
	if _, err := level(answer); err != nil {
		// What the board did with the line is unknown, so give back all that it may have granted.
		return nil, fmt.Errorf("sim: open %s: %w", name, errors.Join(err, b.hangUp()))
	}
	b.held[name] = true
	return &line{board: b, name: name, epoch: b.epoch}, nil
}

func (b *Backend) dial() error {
	conn, err := net.DialTimeout("unix", b.socket, answerTime)
	if err != nil {
		return fmt.Errorf("dial the board: %w: %w", gpio.ErrGone, err)
	}
	b.conn, b.read = conn, bufio.NewReaderSize(conn, 4096)
	b.epoch++
	b.held = map[string]bool{}
	return nil
}

func (b *Backend) hangUp() error {
	conn := b.conn
	b.conn, b.read, b.held = nil, nil, nil
	return conn.Close()
}

// ask sends one request and returns what follows "ok". A connection that failed or timed out is closed: its next
// answer could belong to this request.
func (b *Backend) ask(request string) (string, error) {
	if strings.ContainsAny(request, "\r\n") {
		return "", fmt.Errorf("ask %q: a name must not hold a line break", request)
	}
	err := b.conn.SetDeadline(time.Now().Add(answerTime))
	if err == nil {
		_, err = b.conn.Write([]byte(request + "\n"))
	}
	var answer []byte
	if err == nil {
		answer, err = b.read.ReadSlice('\n')
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("ask the board: %w: %w", gpio.ErrGone, err), b.hangUp())
	}
	word, rest, _ := strings.Cut(strings.TrimSuffix(string(answer), "\n"), " ")
	switch word {
	case "ok":
		return rest, nil
	case "error":
		return "", errors.New(rest)
	}
	return "", errors.Join(fmt.Errorf("ask the board: %w: it answered %q", gpio.ErrGone, answer), b.hangUp())
}

func level(answer string) (bool, error) {
	switch answer {
	case "0":
		return false, nil
	case "1":
		return true, nil
	}
	return false, fmt.Errorf("the board answered %q where a level was due", answer)
}
