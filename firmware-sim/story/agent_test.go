package story

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack"
	"github.com/serialhb/serialhb/firmware-sim/rack/board"
)

// An agent's answers are those of the board, and what it cannot tell is no answer.
func TestAgentOfTheLab(t *testing.T) {
	dir := t.TempDir()
	cfg := board.Standard(Nodes, board.Options{})
	cfg.Socket = filepath.Join(dir, "board.sock")
	text, err := json.Marshal(cfg)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "board.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := exec.Command(os.Args[0], rack.ArgBoard, filepath.Join(dir, "board.json"))
	in, err := b.StdinPipe()
	if err == nil {
		err = b.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); b.Wait() })
	var host *board.Client
	for end := time.Now().Add(30 * time.Second); host == nil; time.Sleep(5 * time.Millisecond) {
		if host, err = board.Dial(cfg.Socket); err != nil && time.Now().After(end) {
			t.Fatal(err)
		}
	}
	defer host.Close()
	if _, err := host.Ask("host", "alpha"); err != nil {
		t.Fatal(err)
	}
	ask := func(action, plug, at string) (int, string) {
		var errs bytes.Buffer
		return agentMain(strings.NewReader(fmt.Sprintf("plug=%s\nboard=%s\naction=%s\n", plug, at, action)), &errs), errs.String()
	}
	want := func(action string, code int) {
		t.Helper()
		if got, says := ask(action, "alpha", cfg.Socket); got != code {
			t.Fatalf("%s: %d (%s), want %d", action, got, says, code)
		}
	}
	want("status", agentDone)
	want("off", agentDone)
	for said := ""; said != "power off"; { // until the host has answered it is not off
		if said, err = host.Hear(); err != nil {
			t.Fatal(err)
		}
	}
	want("status", agentDone)
	if err := host.Say("dead"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if code, _ := ask("monitor", "alpha", cfg.Socket); code == agentOff {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it is never off")
		}
	}
	want("on", agentDone)
	want("status", agentDone)
	want("metadata", agentFailed)
	for _, c := range [][2]string{{"charlie", cfg.Socket}, {"alpha", cfg.Socket + "2"}} {
		if code, says := ask("status", c[0], c[1]); code != agentFailed || says == "" {
			t.Errorf("%v: %d, %q", c, code, says)
		}
	}
}
