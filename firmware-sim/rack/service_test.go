package rack

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/rack/client"
	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// worker is a daemon that starts and stops its service on demand, so that the service descends from the host.
const worker = `trap 'exit 0' TERM; cd $SERIALHB_RUN_DIR; echo up >up
while :; do if [ -e do ]; then mv do doing; sh doing >said 2>&1; echo $? >code; mv code done; fi; sleep 0.005; done`

// service carries out a verb on a node and returns the exit code.
func (in *installation) service(node, verb string) string {
	in.Helper()
	in.file(node, "up")
	argv, err := in.ServiceCommand(node, "web", verb)
	in.must(err)
	dir := in.RunDir(node)
	if err := os.Remove(dir + "/done"); err != nil && !os.IsNotExist(err) {
		in.Fatal(err)
	}
	text := ""
	for _, word := range argv {
		text += " '" + word + "'"
	}
	in.must(os.WriteFile(dir+"/prepared", []byte(text+"\n"), 0o644))
	in.must(os.Rename(dir+"/prepared", dir+"/do"))
	code := in.file(node, "done")
	if said, _ := os.ReadFile(dir + "/said"); len(said) > 0 {
		in.Logf("%s on %s: %s", verb, node, said)
	}
	return code
}

func (in *installation) expect(node, verb, code string) {
	in.Helper()
	if got := in.service(node, verb); got != code {
		in.Errorf("%s on %s: exit code %s, want %s", verb, node, got, code)
	}
}

func (in *installation) probe() *client.Probe {
	in.Helper()
	var targets []client.Target
	for _, node := range in.Nodes() {
		addr, err := in.ServiceAddr(node, "web")
		in.must(err)
		targets = append(targets, client.Target{Node: node, Addr: addr})
	}
	p, err := client.Start(2*time.Millisecond, targets...)
	in.must(err)
	in.Cleanup(func() {
		if err := p.Close(); err != nil {
			in.Error(err)
		}
	})
	return p
}

func answers(p *client.Probe, node string) func() bool {
	from := mono.Now()
	return func() bool { a, ok := p.Last(); return ok && a.At > from && a.Node == node }
}

func TestAServiceMovesAndTheLedgerSaysSo(t *testing.T) {
	in := build(t, worker, nil)
	p := in.probe()
	in.expect("alpha", "status", "3")
	in.expect("alpha", "stop", "0")
	in.expect("alpha", "start", "0")
	in.expect("alpha", "start", "0")
	in.expect("alpha", "status", "0")
	in.until("alpha answers", answers(p, "alpha"))
	begin := mono.Now()

	// The daemon's death moves nothing; a power cut ends the run before the sense says off.
	in.must(in.KillDaemon("alpha"))
	in.until("alpha still answers", answers(p, "alpha"))
	in.must(in.PowerOff("alpha"))
	off := in.wait("power alpha off")
	in.expect("bravo", "start", "0")
	in.until("bravo answers", answers(p, "bravo"))
	runs, err := in.Ledger()
	in.must(err)
	if len(runs) != 2 || runs[0].Node != "alpha" || runs[1].Node != "bravo" || runs[0].End == board.Open || runs[0].End > runs[1].Begin {
		t.Errorf("ledger %+v", runs)
	}
	if o, err := in.Overlaps(); err != nil || len(o) != 0 || len(p.Overlaps()) != 0 {
		t.Errorf("overlaps %v %v, %v", o, err, p.Overlaps())
	}
	outage, err := p.LongestOutage(begin, mono.Now())
	in.must(err)
	if outage < runs[1].Begin-runs[0].End {
		t.Errorf("the client saw an outage of %s, the board one of %s", outage, runs[1].Begin-runs[0].End)
	}
	t.Logf("outage %s; from off to answer %s", outage, runs[1].Begin-off.At)

	in.expect("bravo", "stop", "0")
	in.expect("bravo", "status", "3")
	runs, err = in.Ledger()
	in.must(err)
	if runs[1].End == board.Open {
		t.Error("stop came back before the run ended")
	}
}

func TestTwoOwnersAreSeen(t *testing.T) {
	in := build(t, worker, nil)
	p := in.probe()
	in.expect("alpha", "start", "0")
	in.expect("bravo", "start", "0")
	in.until("the client sees two", func() bool { return len(p.Overlaps()) > 0 })
	if o, err := in.Overlaps(); err != nil || len(o) != 1 || o[0].For != board.Open {
		t.Errorf("overlaps %v, %v", o, err)
	}
}

func TestAFrozenServiceHoldsItsPlaceAndAnswersNobody(t *testing.T) {
	in := build(t, worker, nil)
	p := in.probe()
	in.expect("alpha", "start", "0")
	in.until("alpha answers", answers(p, "alpha"))
	in.must(in.Freeze("alpha"))
	in.until("it answers no more", func() bool { a, _ := p.Last(); return mono.Now()-a.At > 100*time.Millisecond })
	runs, err := in.Ledger()
	in.must(err)
	if runs[0].End != board.Open {
		t.Error("a frozen service left the ledger")
	}
	in.must(in.Thaw("alpha"))
	in.until("it answers again", answers(p, "alpha"))
}

func TestAServiceThatCannotStartSaysSo(t *testing.T) {
	in := build(t, worker, nil)
	argv, err := in.ServiceCommand("alpha", "web", "start")
	in.must(err)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = []string{board.Env + "=/does/not/exist"}
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("it started without a board: %s", out)
	}
	in.expect("alpha", "status", "3")
	for _, args := range [][]string{{ArgService}, {ArgService, "start"}, {ArgService, "dance", "-node", "a", "-addr", "a", "-dir", "a"}} {
		if err := exec.Command(argv[0], args...).Run(); err == nil || err.(*exec.ExitError).ExitCode() != 2 {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// outside is a service command for alpha that does not descend from its host.
func (in *installation) outside(verb string) *exec.Cmd {
	in.Helper()
	words, err := in.ServiceCommand("alpha", "web", verb)
	in.must(err)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), board.Env+"="+in.BoardSocket())
	return cmd
}

func TestAServiceEndsWithItsBoard(t *testing.T) {
	r := assemble(t, idle, nil)
	in := &installation{T: t, Rack: r}
	in.must(r.Start())
	in.must(in.outside("start").Run())
	in.must(in.outside("status").Run())
	in.must(r.board.cmd.Process.Kill())
	in.until("the service is gone", func() bool { return len(processes(t, "serve", r.cfg.Dir)) == 0 })
	r.Close() // says that the board had died; another test looks at that
}

func TestStopEndsAServiceThatHangs(t *testing.T) {
	in := build(t, idle, nil)
	in.must(in.outside("start").Run())
	serving := processes(t, "serve", in.cfg.Dir)
	if len(serving) != 1 {
		t.Fatalf("serving: %q", serving)
	}
	in.must(exec.Command("kill", "-STOP", strings.Fields(serving[0])[0]).Run())
	if out, err := in.outside("stop").CombinedOutput(); err != nil {
		t.Fatalf("stop: %v %s", err, out)
	}
	if left := processes(t, "serve", in.cfg.Dir); len(left) != 0 {
		t.Errorf("stop came back, and this is left: %q", left)
	}
	runs, err := in.Ledger()
	in.must(err)
	if runs[0].End == board.Open {
		t.Error("stop came back before the run ended")
	}
}

// The start stands in the middle of every takeover that is measured.
func TestStartIsFast(t *testing.T) {
	in := build(t, idle, nil)
	var took []time.Duration
	for range 21 {
		begin := time.Now()
		if out, err := in.outside("start").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		took = append(took, time.Since(begin))
		if out, err := in.outside("stop").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	slices.Sort(took)
	t.Logf("start: best %s, median %s, worst %s", took[0], took[len(took)/2], took[len(took)-1])
	if took[0] > time.Second {
		t.Errorf("the best of %d starts took %s", len(took), took[0])
	}
}
