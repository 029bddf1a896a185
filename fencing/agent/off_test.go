package agent

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/fencing/fencingtest"
)

type offCase struct {
	name   string
	power  string // before; on by default
	do     do
	adjust func(*Config)
	q      fencing.Query
	knows  bool // the agent has reported on before
	err    error
	errs   string        // the error has to say this
	says   string        // a step has to say this
	most   time.Duration // generous: this machine may be busy
	asked  []string
}

func short(c *Config) { c.PowerTimeout = 300 * ms }

// What an agent does, and what follows from it.
func TestOff(t *testing.T) {
	for _, c := range []offCase{
		{name: "behaves", says: "reports on before the cut"},
		{name: "takes a while to say off", do: do{"off": "(sleep 0.3; power off) </dev/null & wait"}},
		{name: "effect comes after exit 0", do: do{"status": `[ -e $dir/told ] && ! first one && ! first two && exit 2; exit 0`, "off": ": >$dir/told"}},

		{name: "sleeps for ever", do: do{"off": "sleep 1000"}, adjust: func(c *Config) { c.Timeouts.Off = 300 * ms },
			err: context.DeadlineExceeded, errs: "the agent's action off: it took longer than 300ms", most: 10 * time.Second},
		{name: "sleeps for ever after effect", do: do{"off": "power off; sleep 1000"}, adjust: func(c *Config) { c.Timeouts.Off = time.Second },
			err: context.DeadlineExceeded},
		{name: "ignores SIGTERM", do: do{"off": `trap "" TERM; while :; do sleep 1; done`}, adjust: func(c *Config) { c.Timeouts.Off = 300 * ms },
			err: context.DeadlineExceeded, most: 10 * time.Second},
		{name: "exits 0 on SIGTERM", do: do{"off": `trap "exit 0" TERM; power off; sleep 1000 & wait`}, adjust: func(c *Config) { c.Timeouts.Off = time.Second },
			err: context.DeadlineExceeded},
		{name: "lies", do: do{"off": "exit 0"}, adjust: short, err: StaysOn, says: "says that it has"},
		{name: "dies by signal after effect", do: do{"off": "power off; kill -KILL $$"}, errs: "ended by signal 9"},
		{name: "exit 1 after effect", do: do{"off": "power off; echo boom >&2; exit 1"}, says: "exit code 1: boom"},
		{name: "exit 1 without effect", do: do{"off": "exit 1"}, err: StaysOn, most: 9 * time.Second},
		{name: "exit 1, off already", power: "off", knows: true, do: do{"off": "exit 1"}, errs: "exit code 1"},
		{name: "exit 2 after effect", do: do{"off": "power off; exit 2"}, errs: "exit code 2"},
		{name: "exit 77 after effect", do: do{"off": "power off; exit 77"}, errs: "exit code 77"},
		{name: "prints megabytes", do: do{"off": "power off; head -c 20000000 /dev/zero; head -c 20000000 /dev/zero >&2"}},
		{name: "prints megabytes and fails", do: do{"off": "head -c 20000000 /dev/zero | tr '\\0' x >&2; exit 3"}, errs: "exit code 3: xxx"},
		{name: "child keeps the pipe", do: do{"off": "power off; sleep 1000 & echo $! >$dir/child"}, most: 15 * time.Second},
		{name: "child in a session of its own keeps the pipe", do: do{"off": "power off; setsid sleep 100 & echo $! >$dir/escaped; sleep 0.2"}, most: 30 * time.Second},

		{name: "status flaps", do: do{"status": "[ -e $dir/told ] || exit 0; first odd && exit 2; rm $dir/odd; exit 0", "off": ": >$dir/told"}, adjust: short, err: Unsteady, says: "on again"},
		{name: "status flaps once", do: do{"status": "[ -e $dir/told ] || exit 0; first one && exit 2; first two && exit 0; exit 2", "off": ": >$dir/told"}, says: "starts anew"},
		{name: "status fails once in the wait", do: do{"status": "[ -e $dir/told ] || exit 0; first one && exit 2; first two && exit 1; exit 2", "off": ": >$dir/told"}, says: "unknown again"},
		{name: "status fails after the cut", do: do{"status": "[ -e $dir/told ] || exit 0; exit 1", "off": ": >$dir/told"}, adjust: short, err: NoStatus, errs: "action status failed with exit code 1"},
		{name: "status hangs after the cut", do: do{"status": "[ -e $dir/told ] || exit 0; sleep 1000", "off": ": >$dir/told"},
			adjust: func(c *Config) { c.PowerTimeout, c.Timeouts.Status = 300*ms, time.Second }, err: context.DeadlineExceeded},
		{name: "status exits 3 for off", do: do{"status": "[ -e $dir/told ] || exit 0; exit 3", "off": ": >$dir/told"}, adjust: short, err: NoStatus},
		{name: "status dies by signal", do: do{"status": "[ -e $dir/told ] || exit 0; kill -TERM $$", "off": ": >$dir/told"}, adjust: short, err: NoStatus},

		{name: "off before, reported on earlier", power: "off", knows: true, says: "reports off before the cut", asked: []string{"status", "status", "off", "status", "status"}},
		{name: "off before, never reported on", power: "off", err: NeverOn, asked: []string{"status"}},
		{name: "unknown before, reported on earlier", power: "odd", knows: true, says: "before the cut: the agent cannot tell"},
		{name: "unknown before, never reported on", power: "odd", err: NoStatus, asked: []string{"status"}},
		{name: "broken: everything exits 2", power: "off", knows: true, do: do{"off": "exit 2"}, errs: "exit code 2"},
		{name: "caught lying", q: fencing.Query{Broken: true}, err: CaughtLying, asked: []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t)
		})
	}
}

func (c *offCase) test(t *testing.T) {
	if c.power == "" {
		c.power = "on"
	}
	p := newPlug(t, c.power)
	config := p.config(c.do)
	if c.adjust != nil {
		c.adjust(&config)
	}
	a := p.agent(config)
	if c.knows {
		p.set("on")
		if s := a.Status(context.Background()); s.Power != fencing.On {
			t.Fatalf("status before: %v, %v", s.Power, s.Err)
		}
		p.set(c.power)
	}
	var told []fencing.Step
	c.q.Tell = func(s fencing.Step) { told = append(told, s) }
	begin := time.Now()
	got := a.Off(context.Background(), c.q)
	took := time.Since(begin)

	fails := c.err != nil || c.errs != ""
	switch {
	case fails != (got.Err != nil), fails == got.Proof.IsOff():
		t.Fatalf("proof %q, error %v", got.Proof, got.Err)
	case c.err != nil && !errors.Is(got.Err, c.err):
		t.Errorf("error %v, want %v", got.Err, c.err)
	case fails && (!strings.Contains(got.Err.Error(), c.errs) || !strings.Contains(got.Err.Error(), "agent: cut power with board: ") || len(got.Err.Error()) > 1000):
		t.Errorf("error %v", got.Err)
	case !fails && got.Proof != fencing.Agent:
		t.Errorf("proof %q", got.Proof)
	}
	if !slices.ContainsFunc(got.Steps, func(s fencing.Step) bool { return strings.Contains(s.Text, c.says) }) || !slices.Equal(told, got.Steps) {
		t.Errorf("steps %v, told %v", got.Steps, told)
	}
	if fails && strings.Contains(got.Err.Error(), "cannot be killed") {
		t.Errorf("error %v", got.Err)
	}
	if c.most > 0 && took > c.most || took > a.c.OffTime() {
		t.Errorf("it took %v", took)
	}
	asked := p.actions()
	if !fails {
		asked = asked[:min(len(asked), len(c.asked))] // how often it was asked in the end is a matter of speed
	}
	if c.asked != nil && !slices.Equal(asked, c.asked) {
		t.Errorf("the agent was asked %v", p.actions())
	}
	if slices.Contains(p.actions(), "reboot") || slices.Contains(p.actions(), "on") {
		t.Errorf("the agent was asked %v", p.actions())
	}
	if s := a.Status(context.Background()); s.Proof.IsOff() && fails {
		t.Errorf("a fence that failed left the proof %q", s.Proof)
	}
	if p.read("child") != "" {
		p.mustBeGone("child")
	}
	if pid, err := strconv.Atoi(strings.TrimSpace(p.read("escaped"))); err == nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// The hold-off is waited out and looked at in its end.
func TestHoldOff(t *testing.T) {
	p := newPlug(t, "on")
	c := p.config(nil)
	c.HoldOff, c.Poll = time.Second, time.Hour
	begin := time.Now()
	got := p.agent(c).Off(context.Background(), fencing.Query{})
	if took := time.Since(begin); got.Proof != fencing.Agent || took < time.Second {
		t.Errorf("%v, %v after %v", got.Proof, got.Err, took)
	}
	if want := []string{"status", "off", "status", "status"}; !slices.Equal(p.actions(), want) {
		t.Errorf("asked %v, want %v", p.actions(), want)
	}
}

// The end of the context is a failure at every point, and nothing of the agent goes on.
func TestOffOutOfTime(t *testing.T) {
	hangs := "echo $$ >$dir/here; sleep 1000"
	for name, d := range map[string]do{
		"before":     {"status": hangs},
		"in the off": {"off": hangs},
		"after":      {"status": "[ -e $dir/told ] || exit 0; " + hangs, "off": ": >$dir/told"},
		"hold-off":   {"status": "[ -e $dir/told ] || exit 0; echo $$ >$dir/here; exit 2", "off": ": >$dir/told"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlug(t, "on")
			c := p.config(d)
			c.HoldOff, c.Poll = time.Hour, time.Hour
			a := p.agent(c)
			why := errors.New("another level")
			ctx, cancel := context.WithCancelCause(context.Background())
			result := make(chan fencing.Result)
			go func() { result <- a.Off(ctx, fencing.Query{}) }()
			p.waitFor("here")
			cancel(why)
			if got := <-result; !errors.Is(got.Err, why) || got.Proof.IsOff() {
				t.Errorf("%v, %v", got.Proof, got.Err)
			}
			p.mustBeGone("here")
		})
	}
	p := newPlug(t, "on")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got := p.agent(p.config(nil)).Off(ctx, fencing.Query{}); got.Err == nil || len(p.actions()) != 0 {
		t.Errorf("after its time: %v, asked %v", got.Err, p.actions())
	}
}

// A relay that is welded leaves the second level to an agent; both are given back.
func TestSecondLevel(t *testing.T) {
	p := newPlug(t, "on")
	a := p.agent(p.config(nil))
	relay := fencingtest.New("relay", fencingtest.Script{Err: fencing.Welded})
	target := &fencing.Target{Name: "bravo", Levels: []fencing.Level{
		{Devices: []fencing.Device{relay}}, {Devices: []fencing.Device{a}, Timeout: a.Config().OffTime()},
	}}
	got := target.Off(context.Background(), nil, nil)
	if got.Err != nil || got.Proof != fencing.Agent || p.read("power") != "off" {
		t.Fatalf("%v, %v, power %s", got.Proof, got.Err, p.read("power"))
	}
	if err := target.Restore(context.Background()); err != nil || p.read("power") != "on" || relay.Cut() {
		t.Errorf("restore: %v, power %s", err, p.read("power"))
	}
}

// Two supplies, one behind a relay and one behind an agent: the agent is asked again until the relay is proven.
func TestBothSupplies(t *testing.T) {
	p := newPlug(t, "on")
	a := p.agent(p.config(nil))
	relay := fencingtest.New("relay", fencingtest.Script{Proof: fencing.FailSafe, Takes: time.Second})
	target := &fencing.Target{Name: "bravo", Levels: []fencing.Level{{Devices: []fencing.Device{relay, a}}}}
	if got := target.Off(context.Background(), nil, nil); got.Err != nil || got.Proof != fencing.Agent {
		t.Errorf("%v, %v", got.Proof, got.Err)
	}
	p.set("on")
	c := p.config(do{"status": "[ -e $dir/told ] || exit 0; first a && exit 2; first b && exit 2; exit 0", "off": ": >$dir/told"})
	c.HoldOff, c.Poll = ms, time.Second
	target.Levels[0].Devices[1] = p.agent(c)
	if got := target.Off(context.Background(), nil, nil); !errors.Is(got.Err, fencing.PowerBack) {
		t.Errorf("a supply that came back: %v, %v", got.Proof, got.Err)
	}
}
