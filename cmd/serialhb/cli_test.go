package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/control"
)

// asks are all command lines that ask the daemon for something and do not wait, with the request they send.
var asks = map[string]string{
	"approve 7": "approve", "deny 7": "deny", "confirm-off bravo --yes --no-wait": "confirm-off bravo", "withdraw bravo --yes": "withdraw bravo",
	"standby on": "standby-on", "standby off": "standby-off", "maintenance on": "maintenance-on", "maintenance off": "maintenance-off",
	"arm": "arm", "disarm": "disarm", "clear": "clear", "fence status bravo": "fence-status bravo", "fence status": "fence-status",
	"fence on bravo": "fence-on bravo", "fence off bravo --yes --no-wait": "fence-off bravo", "fence test bravo --yes --no-wait": "fence-test bravo",
	"restart --no-wait": "restart", "leave": "leave", "switchover --no-wait": "switchover web", "switchover web --to bravo --no-wait": "switchover web bravo", "failback --no-wait": "failback web",
}

func words(line string, more ...string) []string { return append(strings.Fields(line), more...) }

func TestEachCommandSendsItsRequest(t *testing.T) {
	for line, want := range asks {
		p := newPair()
		socket, _ := p.up(t)
		expect(t, &person{}, exitDone, strings.Fields(want)[0]+": done", "", words(line, "--socket", socket, "--reason", "test")...)
		if p.did() != want {
			t.Errorf("%s: sent %q, want %q", line, p.did(), want)
		}
		if p.asked[0].Reason != "test" || strings.HasSuffix(line, " 7") && p.asked[0].Incident != 7 {
			t.Errorf("%s: sent %+v", line, p.asked[0])
		}
	}
}

func TestRefusalsHaveTheirExitCodes(t *testing.T) {
	for _, x := range []struct {
		res  control.Result
		code int
	}{
		{control.Result{Exit: 1, Text: "no such node"}, exitRefused},
		{control.Result{Exit: 4, Text: "an incident is open"}, exitNotNow},
		{control.Result{Exit: 5, Text: "the loop hangs"}, exitTimedOut},
		{control.Result{Exit: 2, Text: "there is no command"}, exitUsage},
		{control.Result{Exit: 0, Text: "not OK and no exit"}, exitRefused},
		{control.Result{OK: true, Exit: 4, Text: "OK and not"}, exitNotNow},
		{control.Result{Exit: 99, Text: "of another version"}, exitRefused},
	} {
		for line := range asks {
			p := newPair()
			p.answer = func(control.Request) control.Result { return x.res }
			socket, _ := p.up(t)
			expect(t, &person{}, x.code, "", "serialhb: "+x.res.Text+"\n", words(line, "--socket", socket)...)
			h := &person{}
			expect(t, h, x.code, "", x.res.Text, words(line, "--socket", socket, "--json")...)
			var res control.Result
			if err := json.Unmarshal(h.out.Bytes(), &res); err != nil || res.Text != x.res.Text {
				t.Errorf("%s --json: %v: %s", line, err, &h.out)
			}
		}
	}
}

func readers() []string {
	lines := []string{"status", "status --json", "status --quiet", "why", "why 7 --json", "events", "events --follow"}
	for line := range asks {
		lines = append(lines, line)
	}
	return lines
}

func TestNoDaemon(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "none.sock")
	for _, line := range readers() {
		h := &person{}
		expect(t, h, exitNoDaemon, "", "no daemon runs at "+socket, words(line, "--socket", socket)...)
		if h.out.Len() > 0 {
			t.Errorf("%s: told something: %s", line, &h.out)
		}
	}
}

// A daemon that was stopped still has its socket: the kernel accepts, and nobody answers.
func TestFrozenDaemonTimesOut(t *testing.T) {
	for name, make := range map[string]func(t *testing.T) string{
		"process": func(t *testing.T) string {
			socket := filepath.Join(t.TempDir(), "s")
			l, err := net.Listen("unix", socket)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			return socket
		},
		"loop": func(t *testing.T) string {
			p := newPair()
			p.stuck = make(chan struct{})
			socket, _ := p.up(t)
			t.Cleanup(func() { close(p.stuck) })
			return socket
		},
	} {
		socket := make(t)
		var wg sync.WaitGroup // and not parallel tests, of which only as many run as there are processors
		for _, line := range readers() {
			if name == "loop" && line == "events --follow" {
				continue // the door itself answers; a frozen process is noticed by the client's own test
			}
			wg.Go(func() {
				began := time.Now()
				expect(t, &person{}, exitTimedOut, "", "the daemon does not answer", words(line, "--socket", socket)...)
				if took := time.Since(began); took < 2*time.Second || took > 20*time.Second {
					t.Errorf("%s: %s took %v", name, line, took)
				}
			})
		}
		wg.Wait()
	}
}

func TestUsageErrors(t *testing.T) {
	for _, line := range []string{
		"", "no-such-command", "standby", "standby maybe", "maintenance", "approve", "approve x", "approve -1", "deny 4294967296", "confirm-off", "withdraw",
		"fence", "fence bravo", "fence off", "fence cut bravo", "status --bogus", "status extra", "status --quiet --json", "status --quiet --watch",
		"switchover web extra", "switchover --timeout soon", "keygen", "events --from x",
	} {
		expect(t, &person{}, exitUsage, "", "serialhb --help", words(line)...)
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, line := range []string{"--help", "status --help", "fence off --help"} {
		expect(t, &person{}, exitDone, "Usage: serialhb", "", words(line)...)
	}
}

func TestStatusForms(t *testing.T) {
	p := newPair()
	socket, _ := p.up(t)
	expect(t, &person{}, exitDone, "all well: alpha owns web, bravo stands by\n\nplant-7, node alpha", "", "status", "--socket", socket)
	h := &person{}
	expect(t, h, exitDone, `"last_life_ms":12`, "", "status", "--json", "--socket", socket)
	var s control.Status
	if err := json.Unmarshal(h.out.Bytes(), &s); err != nil || s.Node != "alpha" || len(s.Members) != 2 {
		t.Errorf("status --json: %v: %s", err, &h.out)
	}
	quiet := &person{}
	expect(t, quiet, exitDone, "", "", "status", "--quiet", "--socket", socket)
	p.mu.Lock()
	p.status.Armed = false
	p.mu.Unlock()
	expect(t, quiet, exitRefused, "", "DISARMED: this node drives no relay", "status", "-q", "--socket", socket)
	if quiet.out.Len() > 0 {
		t.Errorf("quiet says %q", &quiet.out)
	}
	expect(t, &person{}, exitDone, "DISARMED: this node", "", "status", "--socket", socket) // to tell it is no failure
}

func TestWatchGoesOnWithoutADaemon(t *testing.T) {
	p := newPair()
	socket, down := p.up(t)
	ctx, interrupt := context.WithCancel(context.Background())
	p.looked = func(n int) {
		if n == 2 {
			go func() {
				down()
				time.Sleep(1500 * time.Millisecond) // longer than one look: one of them finds nobody
				interrupt()
			}()
		}
	}
	h := &person{ctx: ctx}
	expect(t, h, exitDone, "no daemon runs", "", "status", "--watch", "--socket", socket)
	if n := strings.Count(h.out.String(), "all well"); n != 2 {
		t.Errorf("%d times all well, want 2:\n%s", n, &h.out)
	}
}

func TestEventsAndWhy(t *testing.T) {
	p := newPair()
	p.record = []control.Event{{Seq: 1, Text: "one", Incident: 7}, {Seq: 2, Text: "two"}}
	socket, _ := p.up(t)
	h := &person{}
	expect(t, h, exitDone, "two", "", "events", "--from", "2", "--json", "--socket", socket)
	var e control.Event
	if err := json.Unmarshal(h.out.Bytes(), &e); err != nil || e.Seq != 2 {
		t.Errorf("events --json: %v: %s", err, &h.out)
	}
	expect(t, &person{}, exitDone, " 1 one\n", "", "events", "--socket", socket)
	expect(t, &person{}, exitDone, "incident 7, over", "", "why", "7", "--socket", socket)
	expect(t, &person{}, exitDone, `"incident":7`, "", "why", "7", "--json", "--socket", socket)
	expect(t, &person{}, exitRefused, "", "incident 8 is not on record", "why", "8", "--socket", socket)
}

func TestFollowEndsWithThePersonOrTheDaemon(t *testing.T) {
	for name, code := range map[string]int{"person": exitDone, "daemon": exitNoDaemon} {
		p := newPair()
		p.record = []control.Event{{Seq: 1, Text: "one"}}
		socket, down := p.up(t)
		ctx, interrupt := context.WithCancel(context.Background())
		defer interrupt()
		h := &person{ctx: ctx}
		said := &firstLine{then: map[string]func(){"person": interrupt, "daemon": func() { go down() }}[name]}
		if got := program([]string{"events", "-f", "--socket", socket}, &terminal{ctx: ctx, out: said, err: &h.err}); got != code {
			t.Errorf("%s: exit %d, want %d: %s", name, got, code, &h.err)
		}
		if !strings.HasSuffix(said.text, " 1 one\n") {
			t.Errorf("%s: said %q", name, said.text)
		}
	}
}

// firstLine is an output that does something after its first line.
type firstLine struct {
	text string
	then func()
}

func (f *firstLine) Write(b []byte) (int, error) {
	f.text += string(b)
	f.then()
	return len(b), nil
}

func TestAReaderThatHasGoneIsAnError(t *testing.T) {
	p := newPair()
	socket, _ := p.up(t)
	for _, line := range []string{"status", "status --json", "version", "arm"} {
		h := &person{}
		code := program(words(line, "--socket", socket), &terminal{ctx: context.Background(), out: gone{}, err: &h.err})
		if code != exitRefused || !strings.Contains(h.err.String(), "reader has gone") {
			t.Errorf("%s: exit %d: %s", line, code, &h.err)
		}
	}
}

type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errors.New("the reader has gone") }

// The daemon is found through the configuration, by the short host name, also while the file has an error.
func TestWhereTheDaemonIs(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "plant-7"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(config.Example("plant-7"), "/run/serialhb", dir)
	good, broken, empty := filepath.Join(dir, "good.toml"), filepath.Join(dir, "broken.toml"), filepath.Join(dir, "empty.toml")
	for file, text := range map[string]string{good: text, broken: strings.Replace(text, "[timing]", "[timing]\nfrobnicate = 1", 1), empty: ""} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := control.Listen(filepath.Join(dir, "plant-7", "alpha.sock"), 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(newPair()) }()
	defer func() {
		if err := errors.Join(s.Close(), <-done); err != nil {
			t.Error(err)
		}
	}()
	expect(t, &person{}, exitDone, "node alpha", "", "status", "--config", good)
	expect(t, &person{}, exitDone, "node alpha", "", "status", "--config", broken, "--node", "alpha")
	expect(t, &person{}, exitNoDaemon, "", filepath.Join(dir, "plant-7", "bravo.sock"), "status", "--config", good, "--node", "bravo")
	expect(t, &person{}, exitUsage, "", "give --node one of alpha, bravo", "status", "--config", good, "--node", "charlie")
	for _, file := range []string{empty, filepath.Join(dir, "none.toml")} {
		expect(t, &person{}, exitRefused, "", "name its socket with --socket", "status", "--config", file)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.toml"), filepath.Join(dir, "bad.toml")
	text := config.Example("plant-7")
	if err := os.WriteFile(good, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, []byte("frobnicate = 1\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, &person{}, exitDone, "has no errors for alpha, bravo", "", "check", "--offline", "--config", good)
	expect(t, &person{}, exitDone, "has no errors for bravo\n", "", "check", "--offline", "--config", good, "--node", "bravo")
	h := &person{}
	expect(t, h, exitRefused, fmt.Sprintf("%s:1: error: ", bad), "has errors: nothing may run with it", "check", "--offline", "--config", bad)
	if !strings.Contains(h.out.String(), "frobnicate") || !strings.Contains(h.out.String(), "\n    fix: ") {
		t.Errorf("check: %s", &h.out)
	}
	h = &person{}
	expect(t, h, exitRefused, "", "has errors", "check", "--offline", "--json", "--config", bad)
	var res struct {
		OK       bool
		Findings []struct {
			Severity string
			Line     int
		}
	}
	if err := json.Unmarshal(h.out.Bytes(), &res); err != nil || res.OK || len(res.Findings) == 0 || res.Findings[0].Line != 1 || res.Findings[0].Severity != "error" {
		t.Errorf("check --json: %v: %s", err, &h.out)
	}
	expect(t, &person{}, exitUsage, "", "give --node one of", "check", "--config", good, "--node", "charlie")
	// Not offline, this machine is looked at: it has no such key.
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(good, []byte(strings.ReplaceAll(text, "/etc/serialhb/key", key)), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, &person{}, exitRefused, key, "has errors", "check", "--config", good)
}

func TestFirstHour(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	expect(t, &person{}, exitDone, key, "", "keygen", key)
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key: %v %v", info, err)
	}
	expect(t, &person{}, exitRefused, "", "exists already", "keygen", key)
	expect(t, &person{}, exitDone, "serialhb "+Version, "", "version")
	expect(t, &person{}, exitDone, `"version":"`+Version+`"`, "", "version", "--json")
	h := &person{}
	expect(t, h, exitDone, "press-3", "", "example", "--cluster", "press-3", "left", "right")
	if _, found := config.Parse(h.out.Bytes(), "example"); config.HasErrors(found) {
		t.Errorf("example: %v", found)
	}
}
