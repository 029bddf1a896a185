package agent

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
)

// alone is what an agent of a board that serves one session does: it fails if another one is there.
const alone = `mkdir "$board/session" 2>/dev/null || { echo "somebody else is logged in" >&2; exit 1; }; trap 'rmdir "$board/session"' EXIT; trap 'exit 1' TERM; sleep 0.1; `

// two gives two agents for outlets of one board, which serves one session at a time.
func two(t *testing.T, boards *Boards, d do) (plugs [2]plug, agents [2]*Agent) {
	t.Helper()
	board := t.TempDir()
	for i := range agents {
		plugs[i] = newPlug(t, "on")
		all := do{"off": "power off", "on": "power on", "status": "reads", "monitor": "exit 0"}
		for action, todo := range d {
			all[action] = todo
		}
		for action := range all {
			all[action] = "board=" + board + "; " + alone + all[action]
		}
		c := plugs[i].config(all)
		c.Name, c.Params["ip"] = fmt.Sprint("outlet ", i+1), "192.0.2.5"
		a, err := boards.New(c)
		if err != nil {
			t.Fatal(err)
		}
		agents[i] = a
	}
	return plugs, agents
}

// Many power switches serve one session. Two outlets of one are asked one after the other, and both are proven off at the
// same time.
func TestOneBoardIsAskedOneAfterTheOther(t *testing.T) {
	_, agents := two(t, &Boards{}, nil)
	target := &fencing.Target{Name: "bravo", Levels: []fencing.Level{{Devices: []fencing.Device{agents[0], agents[1]}}}}
	if ill := target.Health(context.Background()); len(ill) != 0 {
		t.Errorf("looks at once: %v", ill)
	}
	if got := target.Off(context.Background(), nil, nil); got.Proof != fencing.Agent {
		t.Errorf("%v, %v", got.Proof, got.Err)
	}
	if err := target.Restore(context.Background()); err != nil {
		t.Error(err)
	}
	// The test can tell: without a board in common they get into each other's way.
	_, apart := two(t, &Boards{}, nil)
	apart[1].c.Params["ip"] = "192.0.2.6"
	other, err := New(apart[1].c)
	if err != nil {
		t.Fatal(err)
	}
	target = &fencing.Target{Name: "bravo", Levels: []fencing.Level{{Devices: []fencing.Device{apart[0], other}}}}
	found := 0
	for range 10 {
		found += len(target.Health(context.Background()))
	}
	if found == 0 {
		t.Error("two sessions at once were no trouble: this shows nothing")
	}
}

// A fence by one outlet does not wait for a look that hangs at another outlet of the same board; the look goes on behind
// it, and is no bad device.
func TestAFenceEndsALookAtTheSameBoard(t *testing.T) {
	plugs, agents := two(t, &Boards{}, do{"monitor": "first hung || exit 0; echo 1 >$dir/here; sleep 1000 & wait"})
	looked := make(chan error, 1)
	go func() { looked <- agents[0].Check(context.Background()) }()
	plugs[0].waitFor("here")
	begin := time.Now()
	if got := agents[1].Off(context.Background(), fencing.Query{}); got.Proof != fencing.Agent {
		t.Errorf("%v, %v", got.Proof, got.Err)
	}
	if took := time.Since(begin); took > 15*time.Second {
		t.Errorf("the fence took %v", took)
	}
	if err := <-looked; err != nil {
		t.Error(err)
	}
}

// Two fences at one board go on side by side, run by run; who cannot wait any longer fails.
func TestTwoFencesAtOneBoard(t *testing.T) {
	plugs, agents := two(t, &Boards{}, do{"off": "echo 1 >$dir/here; while [ ! -e $dir/go ]; do sleep 0.05; done; power off"})
	first := make(chan fencing.Result, 1)
	go func() { first <- agents[0].Off(context.Background(), fencing.Query{}) }()
	plugs[0].waitFor("here")
	ctx, cancel := context.WithTimeout(context.Background(), 100*ms)
	defer cancel()
	if got := agents[1].Off(ctx, fencing.Query{}); !errors.Is(got.Err, context.DeadlineExceeded) || got.Proof.IsOff() {
		t.Errorf("%v, %v", got.Proof, got.Err)
	}
	plugs[1].write("go", "")
	second := make(chan fencing.Result, 1)
	go func() { second <- agents[1].Off(context.Background(), fencing.Query{}) }()
	plugs[0].write("go", "")
	for _, got := range []fencing.Result{<-first, <-second} {
		if got.Proof != fencing.Agent {
			t.Errorf("%v, %v", got.Proof, got.Err)
		}
	}
}

// Two nodes hang on one power strip, and the outlet of one of them is welded: the fence of the other does not wait for that.
func TestAProofWaitsForNoOtherFence(t *testing.T) {
	boards := &Boards{}
	var plugs [2]plug
	var targets [2]*fencing.Target
	const long = 6 * time.Second
	for i, name := range []string{"alpha", "charlie"} {
		plugs[i] = newPlug(t, "on")
		d := do{"status": "sleep 0.05; reads"}
		if name == "charlie" {
			d["off"] = "echo 1 >$dir/here" // it says that it has cut, and has not
		}
		c := plugs[i].config(d)
		c.Name, c.PowerTimeout, c.Params["ip"] = name, long, "192.0.2.5"
		a, err := boards.New(c)
		if err != nil {
			t.Fatal(err)
		}
		targets[i] = &fencing.Target{Name: name, Levels: []fencing.Level{{Devices: []fencing.Device{a}}}}
	}
	failed := make(chan struct{})
	go func() {
		defer close(failed)
		targets[1].Off(context.Background(), nil, nil)
	}()
	plugs[1].waitFor("here")
	got := targets[0].Off(context.Background(), nil, nil)
	select {
	case <-failed:
		t.Error("alpha's proof came after charlie's fence had failed")
	default:
	}
	if got.Proof != fencing.Agent {
		t.Errorf("%v, %v", got.Proof, got.Err)
	}
	<-failed
}
