package sim

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/gpio/gpiotest"
)

// board is the least board that keeps the contract: one relay, one sense, levels stay when a line is freed.
type board struct {
	t        *testing.T
	listener net.Listener

	mu      sync.Mutex
	conns   map[net.Conn]bool
	relay   wire
	sense   wire
	mute    chan struct{} // while set, requests are read and not answered
	garbled bool          // levels are answered with a word
}

type wire struct {
	level  bool
	edges  int
	output bool
	driven bool
	holder string
	owner  net.Conn
}

func newBoard(t *testing.T) *board {
	// The name of a socket is limited to about a hundred characters, which the folder of a test may exceed.
	dir, err := os.MkdirTemp("", "board")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &board{t: t, conns: map[net.Conn]bool{}}
	if b.listener, err = net.Listen("unix", filepath.Join(dir, "s")); err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := b.listener.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.conns[conn] = true
			b.mu.Unlock()
			served.Go(func() { b.serve(conn) })
		}
	})
	t.Cleanup(func() {
		b.Remove()
		served.Wait()
	})
	return b
}

func (b *board) path() string { return b.listener.Addr().String() }

func (b *board) serve(conn net.Conn) {
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, w := range []*wire{&b.relay, &b.sense} {
			if w.owner == conn {
				w.owner, w.holder = nil, ""
			}
		}
		delete(b.conns, conn)
		conn.Close()
	}()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		b.mu.Lock()
		answer := b.answer(conn, strings.Fields(lines.Text()))
		mute := b.mute
		b.mu.Unlock()
		if mute != nil {
			<-mute
			return
		}
		if _, err := fmt.Fprintln(conn, answer); err != nil {
			return
		}
	}
}

func (b *board) answer(conn net.Conn, words []string) string {
	w := &b.relay
	switch words[1] {
	case "RELAY":
	case "SENSE":
		w = &b.sense
	default:
		return "error there is no line " + words[1]
	}
	switch verb := words[0]; verb {
	case "out", "in":
		if w.owner != nil {
			return "error " + words[1] + " is held by " + w.holder
		}
		w.owner, w.holder, w.output = conn, words[2], verb == "out"
		switch words[3] {
		case "low", "high":
			w.put(words[3] == "high")
		case "up", "down":
			if !w.driven {
				w.level = words[3] == "up"
			}
		}
		return "ok " + b.digit(w.level)
	}
	if w.owner != conn {
		return "error you do not hold " + words[1]
	}
	switch words[0] {
	case "set":
		w.put(words[2] == "1")
	case "get":
		return "ok " + b.digit(w.level)
	case "free":
		w.owner, w.holder = nil, ""
	}
	return "ok"
}

func (w *wire) put(level bool) {
	if level != w.level {
		w.edges++
	}
	w.level = level
}

func (b *board) digit(level bool) string {
	switch {
	case b.garbled:
		return "perhaps"
	case level:
		return "1"
	}
	return "0"
}

func (b *board) see(look func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	look()
}

// hangUp breaks every connection; the listener stays.
func (b *board) hangUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for conn := range b.conns {
		conn.Close()
	}
}

func (b *board) Remove() {
	b.listener.Close()
	b.hangUp()
}

type bench struct {
	*board
	b, other *Backend
}

func newBench(t *testing.T) gpiotest.Bench { return fresh(t) }

func fresh(t *testing.T) *bench {
	board := newBoard(t)
	b := &bench{board, New(board.path(), "alpha"), New(board.path(), "bravo")}
	t.Cleanup(func() { b.b.Close(); b.other.Close() })
	return b
}

func (b *bench) Backend() gpio.Backend { return b.b }
func (b *bench) Other() gpio.Backend   { return b.other }
func (b *bench) Rest(level bool)       { b.see(func() { b.relay = wire{level: level} }) }
func (b *bench) Level() (v bool)       { b.see(func() { v = b.relay.level }); return v }
func (b *bench) Edges() (n int)        { b.see(func() { n = b.relay.edges }); return n }
func (b *bench) IsOutput() (v bool)    { b.see(func() { v = b.relay.output }); return v }
func (b *bench) Drive(level bool)      { b.see(func() { b.sense.driven, b.sense.level = true, level }) }
func (b *bench) Float()                { b.see(func() { b.sense.driven = false }) }

func TestConform(t *testing.T) {
	gpiotest.Conform(t, gpiotest.Rig{New: newBench, Output: "RELAY", Input: "SENSE", Holder: "by alpha"})
}

// A line does not come back to life with the connection: what the board did meanwhile is unknown.
func TestLostConnection(t *testing.T) {
	b := fresh(t)
	o, err := b.b.OpenOutput("RELAY", gpio.High)
	if err != nil {
		t.Fatal(err)
	}
	b.hangUp()
	if _, err := o.Get(); !errors.Is(err, gpio.ErrGone) {
		t.Fatalf("Get on a broken connection: %v", err)
	}
	reopened := reopen(t, b)
	if _, err := o.Get(); !errors.Is(err, gpio.ErrGone) {
		t.Errorf("Get on the old line: %v", err)
	}
	if err := o.Set(false); !errors.Is(err, gpio.ErrGone) || !b.Level() {
		t.Errorf("Set on the old line: %v; the relay is %t", err, b.Level())
	}
	if err := o.Close(); !errors.Is(err, gpio.ErrGone) {
		t.Errorf("Close of the old line: %v", err)
	}
	if got, err := reopened.Get(); !got || err != nil {
		t.Errorf("after the old line was closed the new one reads %t, %v", got, err)
	}
	if b.Edges() != 1 {
		t.Errorf("%d edges, want the one of the first request", b.Edges())
	}
}

// reopen adopts the relay as soon as the board has noticed that its holder has gone.
func reopen(t *testing.T, b *bench) gpio.Output {
	t.Helper()
	for {
		o, err := b.b.OpenOutput("RELAY", gpio.Adopt)
		switch {
		case err == nil:
			return o
		case !strings.Contains(err.Error(), "held by alpha"):
			t.Fatal(err)
		}
	}
}

// A board that takes too long is gone, even if it would have answered: its answer would belong to the next request.
func TestSilentBoard(t *testing.T) {
	b := fresh(t)
	o, err := b.b.OpenOutput("RELAY", gpio.Low)
	if err != nil {
		t.Fatal(err)
	}
	mute := make(chan struct{})
	b.see(func() { b.mute = mute })
	if _, err := o.Get(); !errors.Is(err, gpio.ErrGone) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Get from a silent board: %v", err)
	}
	b.see(func() { b.mute = nil })
	close(mute)
	if got, err := reopen(t, b).Get(); got || err != nil {
		t.Errorf("after the board came back: %t, %v", got, err)
	}
}

func TestGarbledLevel(t *testing.T) {
	b := fresh(t)
	in, err := b.b.OpenInput("SENSE", gpio.Up)
	if err != nil {
		t.Fatal(err)
	}
	b.see(func() { b.garbled = true })
	if level, err := in.Get(); err == nil || level {
		t.Errorf("Get() = %t, %v", level, err)
	}
	if o, err := b.b.OpenOutput("RELAY", gpio.High); err == nil {
		t.Errorf("opened a line whose level is unknown: %v", o)
	}
}

func TestNameCarriesNoSecondRequest(t *testing.T) {
	b := fresh(t)
	if _, err := b.b.OpenOutput("RELAY\nset RELAY 1", gpio.Low); err == nil {
		t.Error("a name carried a second request")
	}
	if b.Level() {
		t.Error("the relay was driven")
	}
}
