package story

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// lasting is generous: the machine may be busy with anything.
const lasting = " within 30s\n"

// on tells a story on a rack of real processes whose daemon is the toy.
func on(t *testing.T, text string) ([]Entry, error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "story")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	script, err := Parse("test", text)
	if err != nil {
		t.Fatal(err)
	}
	var all []Entry
	err = Run(t.Context(), script, Rack(exe, dir), mono.Now, func(e Entry) error { all = append(all, e); return nil })
	if left, globErr := os.ReadDir(dir); globErr != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, globErr)
	}
	for _, pid := range processesUnder(t, dir) {
		t.Errorf("process %s still runs", pid)
	}
	return all, err
}

func processesUnder(t *testing.T, dir string) (found []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte(dir)) {
			found = append(found, file)
		}
	}
	return found
}

func TestATakeoverOnARealRack(t *testing.T) {
	all, err := on(t, "say One\nstart\nexpect owner alpha"+lasting+
		"expect standby bravo"+lasting+
		"run alpha say-yes\nrefused bravo say-no\ntry bravo say-no\n"+
		"power-off alpha\nexpect owner bravo"+lasting+
		"expect fenced alpha"+lasting+"expect told bravo proven-off"+lasting+"expect unreachable alpha"+lasting+
		"power-on alpha\nexpect powered alpha"+lasting+"expect standby alpha"+lasting+"expect told alpha started"+lasting+
		"freeze alpha\nexpect unreachable alpha"+lasting+"thaw alpha\nexpect reachable alpha"+lasting+
		"kill-daemon alpha hold\nexpect unreachable alpha"+lasting+"restart-daemon alpha\nexpect reachable alpha"+lasting+
		"stop alpha\nexpect unreachable alpha"+lasting+"start alpha\nexpect reachable alpha"+lasting+
		"reset alpha\nexpect reachable alpha"+lasting+"reboot alpha\nexpect reachable alpha"+lasting+
		"loop-back alpha\nmend-cable\n"+
		"cut-cable\nmend-cable alpha->bravo\ncut-net bravo->alpha\nmend-net\nnoise 100\nnoise 0\nunplug alpha\nreplug alpha\n"+
		"weld RELAY_BRAVO\nfree RELAY_BRAVO\nslow RELAY_BRAVO 20ms\nsense SENSE_BRAVO stuck-on\nsense SENSE_BRAVO lie 1ms\nsense SENSE_BRAVO ok\nhold-up alpha 1ms\n"+
		"expect owner bravo for 100ms\nnever two-owners\n")
	if err != nil {
		t.Fatal(err, dump(all))
	}
	var said []string
	var last *Takeover
	for _, e := range all {
		if e.Said != "" {
			said = append(said, e.Said)
		}
		if e.Takeover != nil {
			last = e.Takeover
		}
	}
	if strings.Join(said, "; ") != "yes, alpha; not now; not now" {
		t.Errorf("%q", said)
	}
	if last == nil || last.From != "alpha" || last.Owner != "bravo" {
		t.Fatalf("%+v", last)
	}
	for name, at := range map[string]*float64{"silent": last.Silent, "coil": last.Coil, "sense": last.Sense, "proven": last.Proven, "start": last.Start, "up": last.Up, "answer": last.Answer, "outage": last.Outage} {
		if at == nil || *at <= 0 {
			t.Fatalf("%s is not there: %s", name, last)
		}
	}
	// Three clocks were read: the board's, the daemon's and the client's. What causes what shows that they agree.
	order := []float64{*last.Sense, *last.Silent, *last.Coil, *last.Proven, *last.Start, *last.Up, *last.Answer}
	for i := 1; i < len(order); i++ {
		if order[i] < order[i-1]-0.5 {
			t.Errorf("part %d comes before the one that causes it: %v", i, order)
		}
	}
	s := one(t, all, "summary").Summary
	if !s.OK || s.Takeovers != 1 || s.Fences != 1 || len(s.Chapters) != 1 || s.Chapters[0].OutageMS < *last.Outage {
		t.Errorf("%+v", s)
	}
}

func TestTwoOwnersOnARealRack(t *testing.T) {
	// The sense lies, and the toy has no better judgement: alpha goes on behind a welded relay.
	all, err := on(t, "start\nexpect owner alpha"+lasting+"weld RELAY_ALPHA\nsense SENSE_ALPHA lie 1s\nsleep 5m\n")
	if !errors.Is(err, ErrFailed) || !strings.Contains(one(t, all, "failed").Text, "TWO OWNERS") {
		t.Errorf("%v %s", err, dump(all))
	}
}

func TestADaemonThatDoesNotStartIsShown(t *testing.T) {
	var out, fault bytes.Buffer
	file := filepath.Join(t.TempDir(), "s.story")
	if err := os.WriteFile(file, []byte("start\nexpect reachable alpha within 300ms\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if exit := Main(t.Context(), Options{Binary: "/bin/false", Script: file, Out: &out, Err: &fault}); exit != exitFailed {
		t.Errorf("exit %d, %s", exit, &out)
	}
	// What stands in the report is not said again.
	if !strings.Contains(out.String(), "__rack-board") || fault.Len() > 0 {
		t.Errorf("nobody learns why: %s %s", &out, &fault)
	}
}

func TestMainRefusesBeforeAnythingStarts(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Script: "/does/not/exist"}, "read script"},
		{Options{Script: "-", In: strings.NewReader("start\ndance\n")}, "standard input:2: there is no verb"},
		{Options{Script: "-", In: strings.NewReader("start\nsleep 1s\nsquat\n")}, "standard input:3: there is no service address here; tell this story with `serialhb lab --netns`"},
		{Options{Script: "-", In: strings.NewReader("start\nexpect believed alpha within 1s\n")}, "standard input:2: there is no service address"},
		{Options{Set: []string{"interval=10ms"}}, "a story has its own config lines"},
		{Options{Measure: 5, Script: "-"}, "not both"},
		{Options{Measure: 5, By: "magic"}, "by mains or by freeze"},
		{Options{Measure: -1}, "the number of cuts must be 1 to 1000"},
		{Options{Measure: 5, Set: []string{"interval"}}, "not of the form KEY=VALUE"},
		{Options{Measure: 5, Set: []string{"speed=1"}}, "there is no setting \"speed\""},
	} {
		var fault bytes.Buffer
		c.o.Binary, c.o.Out, c.o.Err = "/bin/false", io.Discard, &fault
		if exit := Main(t.Context(), c.o); exit != exitUsage || !strings.Contains(fault.String(), c.want) {
			t.Errorf("%+v: exit %d, %s", c.o, exit, &fault)
		}
	}
	var out bytes.Buffer
	if exit := Main(t.Context(), Options{Verbs: true, Out: &out}); exit != 0 || out.String() != Verbs() {
		t.Errorf("exit %d", exit)
	}
}

func TestInterruptTakesTheRackDown(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "story")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var out, fault bytes.Buffer
	exit := Main(ctx, Options{Binary: exe, Dir: dir, Script: "-", In: strings.NewReader("start\nsleep 1m\n"), Out: &out, Err: &fault})
	if exit != exitFailed || !strings.Contains(fault.String(), "interrupted at standard input:2") {
		t.Errorf("exit %d, %s", exit, &fault)
	}
	if left := processesUnder(t, dir); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
}
