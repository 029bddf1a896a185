package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
)

func TestStatus(t *testing.T) {
	p := newPlug(t, "on")
	a := p.agent(p.config(nil))
	look := func(power fencing.SenseState, feed fencing.Feed, proof fencing.Proof) {
		t.Helper()
		s := a.Status(context.Background())
		if s.Power != power || s.Feed != feed || s.Proof != proof || (s.Err != nil) != (power == fencing.Unknown) {
			t.Errorf("%+v", s)
		}
	}
	look(fencing.On, fencing.FeedClosed, fencing.None)
	p.set("off")
	look(fencing.Off, fencing.FeedOpen, fencing.None) // nobody cut it
	p.set("on")
	if got := a.Off(context.Background(), fencing.Query{}); got.Err != nil {
		t.Fatal(got.Err)
	}
	look(fencing.Off, fencing.FeedOpen, fencing.Agent)
	look(fencing.Off, fencing.FeedOpen, fencing.Agent)
	p.set("odd")
	look(fencing.Unknown, fencing.FeedUnknown, fencing.None)
	p.set("off")
	look(fencing.Off, fencing.FeedOpen, fencing.None) // gone for good
	if got := a.Off(context.Background(), fencing.Query{}); got.Err != nil {
		t.Fatal(got.Err)
	}
	if err := a.On(context.Background()); err != nil {
		t.Fatal(err)
	}
	p.set("off")
	look(fencing.Off, fencing.FeedOpen, fencing.None) // somebody else cut it
}

func TestStatusInTime(t *testing.T) {
	p := newPlug(t, "on")
	c := p.config(do{"status": "sleep 1000"})
	c.Timeouts.Status = 300 * ms
	if s := p.agent(c).Status(context.Background()); !errors.Is(s.Err, context.DeadlineExceeded) || s.Power != fencing.Unknown {
		t.Errorf("%v, %v", s.Power, s.Err)
	}
}

func TestOpenAndOn(t *testing.T) {
	for _, c := range []struct {
		name, power string
		do          do
		open, on    string // what the error says; nothing is none
	}{
		{name: "behaves", power: "on"},
		{name: "fails", power: "off", do: do{"off": "echo no >&2; exit 1", "on": "exit 1"}, open: "action off failed with exit code 1: no", on: "action on failed with exit code 1"},
		{name: "lies", power: "off", do: do{"off": "exit 0", "on": "exit 0"}, on: fencing.StillOpen.Error()},
		{name: "cannot be asked", power: "on", do: do{"status": "exit 1"}, on: NoStatus.Error()},
		{name: "comes on late", power: "off", do: do{"off": "exit 0", "on": "exit 0", "status": "first a && exit 2; exit 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlug(t, c.power)
			config := p.config(c.do)
			config.PowerTimeout = 300 * ms
			a := p.agent(config)
			for _, act := range []struct {
				does func(context.Context) error
				says string
			}{{a.Open, c.open}, {a.On, c.on}} {
				if err := act.does(context.Background()); (act.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), act.says) {
					t.Errorf("%v, want %q", err, act.says)
				}
			}
			if s := a.Status(context.Background()); s.Proof.IsOff() {
				t.Error("a cut that was only opened is proven")
			}
		})
	}
}

func TestSecure(t *testing.T) {
	p := newPlug(t, "off")
	a := p.agent(p.config(nil))
	if got := a.Secure(context.Background(), fencing.Query{Trusted: true}); !errors.Is(got.Err, fencing.NotFailSafe) || got.Proof.IsOff() || len(p.actions()) != 0 {
		t.Errorf("%v, %v, asked %v", got.Proof, got.Err, p.actions())
	}
	if _, ok := fencing.SensorOf(a); ok {
		t.Error("an agent is a sense")
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name, power string
		do          do
		says        []string
	}{
		{name: "behaves", power: "on"},
		{name: "off", power: "off"},
		{name: "unreachable", power: "on", do: do{"monitor": "echo no route >&2; exit 1", "status": "exit 1"}, says: []string{"action monitor failed with exit code 1: no route", NoStatus.Error()}},
		{name: "monitor says always well, no status", power: "on", do: do{"status": "exit 1"}, says: []string{NoStatus.Error()}},
		{name: "monitor says off", power: "off", do: do{"monitor": "exit 2"}, says: []string{"action monitor failed with exit code 2"}},
		{name: "monitor dies", power: "on", do: do{"monitor": "kill -KILL $$"}, says: []string{"signal 9"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlug(t, c.power)
			got := fencing.Health(context.Background(), p.agent(p.config(c.do)))
			if len(got) != len(c.says) {
				t.Fatalf("%v", got)
			}
			for i, says := range c.says {
				if !strings.Contains(got[i].Error(), says) || !strings.HasPrefix(got[i].Error(), "agent: check board: ") {
					t.Errorf("%v, want %s", got[i], says)
				}
			}
			if asked := p.actions(); !slices.Equal(asked, []string{"monitor", "status"}) {
				t.Errorf("asked %v", asked)
			}
		})
	}
}

// A check that found the power on is what lets an off that was there before the cut prove anything.
func TestCheckLearns(t *testing.T) {
	p := newPlug(t, "on")
	a := p.agent(p.config(do{"monitor": "reads"}))
	if err := a.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	p.set("off")
	if err := a.Monitor(context.Background()); err != nil {
		t.Errorf("monitor of an agent that can tell: %v", err)
	}
	if got := a.Off(context.Background(), fencing.Query{}); got.Proof != fencing.Agent {
		t.Errorf("%v, %v", got.Proof, got.Err)
	}
}

// A fence does not wait for a check that hangs, and the check goes on behind it.
func TestFenceGoesFirst(t *testing.T) {
	p := newPlug(t, "on")
	c := p.config(do{"monitor": "first second || exit 0; echo $$ >$dir/here; sleep 1000"})
	c.Timeouts.Monitor = 10 * time.Minute
	a := p.agent(c)
	checked := make(chan error)
	go func() { checked <- a.Check(context.Background()) }()
	p.waitFor("here")
	begin := time.Now()
	if got := a.Off(context.Background(), fencing.Query{}); got.Proof != fencing.Agent || time.Since(begin) > 20*time.Second {
		t.Errorf("%v, %v after %v", got.Proof, got.Err, time.Since(begin))
	}
	if err := <-checked; err != nil {
		t.Errorf("the check that was put off: %v", err)
	}
	asked := p.actions()
	if asked[0] != "monitor" || !slices.Equal(asked[len(asked)-2:], []string{"monitor", "status"}) {
		t.Errorf("asked %v", asked)
	}
	if s := a.Status(context.Background()); s.Proof != fencing.Agent {
		t.Errorf("the check cost the proof: %+v", s)
	}
}

// A proof outlives a status that had to give way, and not a fence that failed.
func TestProofAmongOthers(t *testing.T) {
	p := newPlug(t, "on")
	a := p.agent(p.config(do{
		"off":    "[ -e $dir/bad ] && exit 3; power off",
		"status": "[ -e $dir/hang ] && first hung && { echo $$ >$dir/here; sleep 1000; }; reads",
	}))
	if got := a.Off(context.Background(), fencing.Query{}); got.Err != nil {
		t.Fatal(got.Err)
	}
	p.write("hang", "")
	seen := make(chan fencing.Status)
	go func() { seen <- a.Status(context.Background()) }()
	p.waitFor("here")
	began := time.Now()
	if err := a.Open(context.Background()); err != nil || time.Since(began) < a.Config().HoldOff {
		t.Errorf("opened within %v: %v", time.Since(began), err)
	}
	if s := <-seen; s.Proof != fencing.Agent {
		t.Errorf("%+v", s)
	}
	p.write("bad", "")
	if got := a.Off(context.Background(), fencing.Query{}); got.Err == nil {
		t.Errorf("%v", got.Proof)
	}
	if s := a.Status(context.Background()); s.Proof.IsOff() || s.Power != fencing.Off {
		t.Errorf("%+v", s)
	}
}

// Acts follow each other; what cannot wait any longer fails.
func TestOneRunAtATime(t *testing.T) {
	p := newPlug(t, "on")
	a := p.agent(p.config(do{"off": "echo $$ >$dir/here; while [ ! -e $dir/go ]; do sleep 0.05; done; power off"}))
	fenced := make(chan fencing.Result)
	go func() { fenced <- a.Off(context.Background(), fencing.Query{}) }()
	p.waitFor("here")
	ctx, cancel := context.WithTimeout(context.Background(), 100*ms)
	defer cancel()
	if err := a.On(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "busy") {
		t.Errorf("second act: %v", err)
	}
	if s := a.Status(ctx); !errors.Is(s.Err, context.DeadlineExceeded) || s.Power != fencing.Unknown {
		t.Errorf("status: %+v", s)
	}
	if err := a.Check(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("check: %v", err)
	}
	restored := make(chan error)
	go func() { restored <- a.On(context.Background()) }()
	p.write("go", "")
	if got := <-fenced; got.Proof != fencing.Agent {
		t.Errorf("%v, %v", got.Proof, got.Err)
	}
	if err := <-restored; err != nil || p.read("power") != "on" {
		t.Errorf("restore behind a fence: %v", err)
	}
}

func TestConfigsThatAreRefused(t *testing.T) {
	for says, c := range map[string]Config{
		"give the device a name":                {Path: "/x"},
		"name the fence agent":                  {Name: "a"},
		"fence_x has no absolute path":          {Name: "a", Path: "fence_x"},
		"off_timeout must not be negative":      {Name: "a", Path: "/x", Timeouts: Timeouts{Off: -1}},
		"hold_off must not be negative":         {Name: "a", Path: "/x", HoldOff: -1},
		"remove the option action":              {Name: "a", Path: "/x", Params: map[string]string{"action": "reboot"}},
		"remove the option option":              {Name: "a", Path: "/x", Params: map[string]string{"option": "reboot"}},
		`"a b" cannot be the name`:              {Name: "a", Path: "/x", Params: map[string]string{"a b": "1"}},
		`"a=b" cannot be the name`:              {Name: "a", Path: "/x", Params: map[string]string{"a=b": "1"}},
		"option ip has a line break":            {Name: "a", Path: "/x", Params: map[string]string{"ip": "1\naction=on"}},
		"option user has a line break":          {Name: "a", Path: "/x", Params: map[string]string{"user": "\xff"}},
		"option plug begins or ends with":       {Name: "a", Path: "/x", Params: map[string]string{"plug": " 1"}},
		"option pin stands in quotation marks":  {Name: "a", Path: "/x", Params: map[string]string{"pin": `"1"`}},
		"have 40005 bytes: use at most 32768":   {Name: "a", Path: "/x", Params: map[string]string{"pin": strings.Repeat("1", 40000)}},
		"power_timeout must not be negative":    {Name: "a", Path: "/x", PowerTimeout: -1},
		"monitor_timeout must not be negative":  {Name: "a", Path: "/x", Timeouts: Timeouts{Monitor: -1}},
		"status_timeout must not be negative":   {Name: "a", Path: "/x", Timeouts: Timeouts{Status: -1}},
		"on_timeout must not be negative":       {Name: "a", Path: "/x", Timeouts: Timeouts{On: -1}},
		"poll must not be negative":             {Name: "a", Path: "/x", Poll: -1},
		`name: use letters, digits and _`:       {Name: "a", Path: "/x", Params: map[string]string{"": "1"}},
		"the value of the option p has a line ": {Name: "a", Path: "/x", Params: map[string]string{"p": "a\x00b"}},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(says, "name: ")) {
			t.Errorf("%v, want %s", err, says)
		}
	}
	a, err := New(Config{Name: "a", Path: "/x"})
	if err != nil {
		t.Fatal(err)
	}
	c := a.Config()
	if c.Timeouts.Off != time.Minute || c.HoldOff != 3*time.Second || c.PowerTimeout != 20*time.Second || c.Poll != 500*ms || c.Timeouts.Status != 20*time.Second {
		t.Errorf("defaults %+v", c)
	}
	if c.OffTime() != 160*time.Second-500*ms {
		t.Errorf("a fence takes up to %v", c.OffTime())
	}
}

func TestFind(t *testing.T) {
	for name, want := range map[string]string{"/x/fence_y": "/x/fence_y", "x/fence_y": "", "": "", "fence_no_such_agent": ""} {
		if got, err := Find(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}
