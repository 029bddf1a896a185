package board

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

const patience = 10 * time.Second

// power runs a board in this process, by way of its socket, and returns the socket.
func power(t *testing.T, o Options) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "board")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Standard(pair, o)
	cfg.Socket = filepath.Join(dir, "board.sock")
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "board.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	in, stop := io.Pipe()
	ready, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(file, in, out) }()
	b := make([]byte, 6)
	if _, err := io.ReadFull(ready, b); err != nil || string(b) != "ready\n" {
		t.Fatalf("%q, %v", b, err)
	}
	t.Cleanup(func() {
		stop.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	return cfg.Socket
}

func dial(t *testing.T, socket string) *Client {
	t.Helper()
	c, err := Dial(socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func ask(t *testing.T, c *Client, request, want string) {
	t.Helper()
	if got, err := c.Ask(request); err != nil || got != want {
		t.Errorf("%s: %q, %v, want %q", request, got, err, want)
	}
}

func refuse(t *testing.T, c *Client, request, word string) {
	t.Helper()
	if got, err := c.Ask(request); err == nil || !strings.Contains(err.Error(), word) {
		t.Errorf("%s: %q, %v, want a refusal with %q", request, got, err, word)
	}
}

func TestProtocol(t *testing.T) {
	socket := power(t, Options{})
	a, b := dial(t, socket), dial(t, socket)
	ask(t, a, "out RELAY_BRAVO alpha low", "0")
	ask(t, a, "set RELAY_BRAVO 1", "")
	ask(t, a, "get RELAY_BRAVO", "1")
	ask(t, a, "in SENSE_ALPHA alpha up", "1")
	ask(t, a, "ctl edges", `{"RELAY_ALPHA":0,"RELAY_BRAVO":1}`)
	refuse(t, b, "out RELAY_BRAVO bravo adopt", "held by alpha")
	refuse(t, b, "get RELAY_BRAVO", "not held")
	refuse(t, b, "out SENSE_BRAVO bravo low", "is an input")
	refuse(t, b, "in RELAY_ALPHA bravo up", "is an output")
	refuse(t, b, "out RELAY_CHARLIE bravo low", "no line")
	refuse(t, b, "out RELAY_ALPHA bravo maybe", "initial level")
	refuse(t, b, "in SENSE_BRAVO bravo maybe", "bias")
	refuse(t, b, "dance", "does not know")
	refuse(t, b, "ctl dance", "does not know")
	refuse(t, b, "ctl sense SENSE_ALPHA lie soon", "duration")
	refuse(t, b, "ctl mains charlie off", "no host")
	refuse(t, b, "", "empty")
	refuse(t, b, "host charlie", "no host")
	ask(t, a, "free RELAY_BRAVO", "")
	ask(t, b, "out RELAY_BRAVO bravo adopt", "0")
}

// A daemon that is started at once after the last one died must find its lines free, however busy the board is.
func TestALineOfADeadHolderIsFreeAtOnce(t *testing.T) {
	socket := power(t, Options{})
	for range 200 {
		a, b := dial(t, socket), dial(t, socket)
		ask(t, a, "out RELAY_ALPHA first low", "0")
		a.Close()
		ask(t, b, "out RELAY_ALPHA second low", "0")
		b.Close()
	}
}

func TestARunThatEndedBeforeAnotherBeganIsNoOverlap(t *testing.T) {
	socket := power(t, Options{})
	rack := dial(t, socket)
	for range 200 {
		a, b := dial(t, socket), dial(t, socket)
		if _, err := a.Ask("ledger begin web alpha"); err != nil {
			t.Fatal(err)
		}
		a.Close()
		if _, err := b.Ask("ledger begin web bravo"); err != nil {
			t.Fatal(err)
		}
		b.Close()
	}
	runs := ledger(t, rack)
	if o := Overlaps(runs); len(runs) != 400 || len(o) != 0 {
		t.Errorf("%d runs, overlaps %v", len(runs), o)
	}
	a, b := dial(t, socket), dial(t, socket)
	if _, err := a.Ask("ledger begin web alpha"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Ask("ledger begin web bravo"); err != nil {
		t.Fatal(err)
	}
	ask(t, b, "ledger end", "")
	refuse(t, b, "ledger end", "no run")
	if o := Overlaps(ledger(t, rack)); len(o) != 1 || o[0].For <= 0 {
		t.Errorf("overlaps %v, want one", o)
	}
}

func ledger(t *testing.T, c *Client) []Run {
	t.Helper()
	text, err := c.Ask("ctl ledger")
	if err != nil {
		t.Fatal(err)
	}
	var runs []Run
	if err := json.Unmarshal([]byte(text), &runs); err != nil {
		t.Fatal(err)
	}
	return runs
}

func TestWatchAndSupervisor(t *testing.T) {
	socket := power(t, Options{})
	events, stop, err := Watch(socket)
	if err != nil {
		t.Fatal(err)
	}
	host, rack := dial(t, socket), dial(t, socket)
	ask(t, host, "host alpha", "")
	refuse(t, rack, "host alpha", "supervisor already")
	hear(t, host, "power on")
	before := mono.Now()
	tells := func(wanted ...string) {
		t.Helper()
		for _, want := range wanted {
			select {
			case e := <-events:
				if got := e.Kind + " " + e.Name + " " + e.Value; got != want {
					t.Fatalf("event %q, want %q", got, want)
				}
				if e.At < before || e.At > mono.Now() {
					t.Errorf("event at %s is not on this clock", e.At)
				}
			case <-time.After(patience):
				t.Fatalf("no event, want %q", want)
			}
		}
	}
	if err := host.Say("event", "daemon", "started"); err != nil {
		t.Fatal(err)
	}
	tells("host alpha daemon started") // what two connections say has no order
	ask(t, rack, "ctl mains alpha off", "")
	hear(t, host, "power off")
	if err := host.Say("dead"); err != nil {
		t.Fatal(err)
	}
	tells("mains alpha off", "power alpha holdup", "sense FEED_ALPHA 0", "power alpha dying", "power alpha off", "sense SENSE_ALPHA 0")
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, open := <-events; open {
		t.Error("the channel is open after stop")
	}
}

func hear(t *testing.T, c *Client, want string) {
	t.Helper()
	if got, err := c.Hear(); err != nil || got != want {
		t.Fatalf("heard %q, %v, want %q", got, err, want)
	}
}

func TestTooLongASocketPathSaysWhatToDo(t *testing.T) {
	_, err := listen("/" + strings.Repeat("x", maxSocketPath))
	if err == nil || !strings.Contains(err.Error(), "shorter folder") {
		t.Error(err)
	}
}

func TestMainRefuses(t *testing.T) {
	if code := Main(nil); code != 2 {
		t.Errorf("no argument: exit code %d", code)
	}
	if code := Main([]string{filepath.Join(t.TempDir(), "missing")}); code != 1 {
		t.Errorf("missing file: exit code %d", code)
	}
}
