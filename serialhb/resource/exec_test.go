package resource

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestConfigIsChecked(t *testing.T) {
	good := ExecConfig{Name: "web", Start: []string{"/bin/true"}, Stop: []string{"/bin/true"}}
	if _, err := NewExec(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*ExecConfig){
		"no name":       func(c *ExecConfig) { c.Name = "" },
		"blank in name": func(c *ExecConfig) { c.Name = "a b" },
		"no start":      func(c *ExecConfig) { c.Start = nil },
		"no stop":       func(c *ExecConfig) { c.Stop = nil },
		"relative":      func(c *ExecConfig) { c.Status = []string{"true"} },
		"zero byte":     func(c *ExecConfig) { c.Stop = []string{"/bin/true", "a\x00b"} },
		"environment":   func(c *ExecConfig) { c.Env = []string{"LANG"} },
		"reserved":      func(c *ExecConfig) { c.Env = []string{"SERIALHB_NODE=x"} },
		"directory":     func(c *ExecConfig) { c.Dir = "tmp" },
		"time-out":      func(c *ExecConfig) { c.StopTimeout = -1 },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := NewExec(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestStatusCodes(t *testing.T) {
	for _, c := range []struct {
		script string
		want   State
		says   string
	}{
		{"exit 0", Running, ""},
		{"exit 3", Stopped, ""},
		{"exit 1", Unknown, "code 1"},
		{"exit 2", Unknown, "code 2"},
		{"exit 4", Unknown, "code 4"},
		{"exit 127", Unknown, "code 127"},
		{"echo no such disk; exit 255", Unknown, `"no such disk"`},
		{"kill -9 $$", Unknown, "killed"},
		{"kill -TERM $$", Unknown, "terminated"},
	} {
		state, err := newExec(t, ExecConfig{Status: sh(c.script)}).Probe(t.Context())
		if state != c.want || (err == nil) != (c.want != Unknown) {
			t.Errorf("%s: %v, %v", c.script, state, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: the sentence %q lacks %q", c.script, err, c.says)
		}
	}
}

func TestStatusTimeOutIsUnknown(t *testing.T) {
	e := newExec(t, ExecConfig{Status: sh("sleep 1000; exit 3"), StatusTimeout: 50 * time.Millisecond})
	state, err := e.Probe(t.Context())
	if state != Unknown || !errors.Is(err, ErrTimeout) {
		t.Errorf("%v, %v", state, err)
	}
}

func TestWithoutStatusNothingIsKnown(t *testing.T) {
	e := newExec(t, ExecConfig{})
	if state, err := e.Probe(t.Context()); state != Unknown || !errors.Is(err, ErrNoStatus) {
		t.Errorf("probe: %v, %v", state, err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Errorf("start: %v", err)
	}
	if err := e.Stop(t.Context()); !errors.Is(err, ErrNoStatus) {
		t.Errorf("a stop that nobody verified: %v", err)
	}
	if err := e.Check(); !errors.Is(err, ErrNoStatus) {
		t.Errorf("check: %v", err)
	}
}

func TestStartWaitsForRunning(t *testing.T) {
	dir := t.TempDir()
	e := newExec(t, ExecConfig{Dir: dir, StartTimeout: patience,
		Start:  sh("(sleep 0.3; touch up) & exit 0"),
		Status: sh("test -e up || exit 3")})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !exists(filepath.Join(dir, "up")) {
		t.Error("it returned before the service was up")
	}
}

func TestStartFails(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  ExecConfig
		is   error
		says string
	}{
		"exit code":     {ExecConfig{Start: sh("echo port in use >&2; exit 2"), Status: sh("exit 0")}, nil, `code 2; its last words were "port in use"`},
		"time-out":      {ExecConfig{Start: sh("sleep 1000"), StartTimeout: 50 * time.Millisecond}, ErrTimeout, "timed out after 50ms"},
		"never running": {ExecConfig{Status: sh("exit 3"), StartTimeout: time.Second}, ErrTimeout, "its state is stopped"},
		"unknown":       {ExecConfig{Status: sh("exit 9"), StartTimeout: time.Second}, ErrTimeout, "code 9"},
		"missing":       {ExecConfig{Start: []string{"/no/such/program"}}, os.ErrNotExist, "find /no/such/program: no such file"},
		"directory":     {ExecConfig{Dir: "/no/such/directory"}, os.ErrNotExist, ""},
	} {
		err := newExec(t, c.cfg).Start(t.Context())
		if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStop(t *testing.T) {
	for name, c := range map[string]struct {
		cfg ExecConfig
		is  error // nil: it must succeed
	}{
		"stopped":        {ExecConfig{Status: sh("exit 3")}, nil},
		"stopped later":  {ExecConfig{Stop: sh("(sleep 0.3; touch down) & exit 0"), Status: sh("test -e down && exit 3; exit 0")}, nil},
		"keeps running":  {ExecConfig{Status: sh("exit 0"), StopTimeout: time.Second}, ErrTimeout},
		"unknown after":  {ExecConfig{Status: sh("exit 4"), StopTimeout: time.Second}, ErrTimeout},
		"hangs":          {ExecConfig{Stop: sh("sleep 1000"), Status: sh("exit 3"), StopTimeout: 50 * time.Millisecond}, ErrTimeout},
		"fails":          {ExecConfig{Stop: sh("exit 1"), Status: sh("exit 3")}, errAny},
		"dies by signal": {ExecConfig{Stop: sh("kill -9 $$"), Status: sh("exit 3")}, errAny},
	} {
		c.cfg.Dir = t.TempDir()
		err := newExec(t, c.cfg).Stop(t.Context())
		switch {
		case c.is == nil && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.is != nil && err == nil:
			t.Errorf("%s: passed for stopped", name)
		case c.is != nil && c.is != errAny && !errors.Is(err, c.is):
			t.Errorf("%s: %v", name, err)
		}
	}
}

var errAny = errors.New("any error")

func TestProbeWaitsForAStartInProgress(t *testing.T) {
	dir := t.TempDir()
	e := newExec(t, ExecConfig{Dir: dir, StartTimeout: patience,
		Start:  sh("touch begun; until test -e go; do sleep 0.01; done"),
		Status: sh("exit 0")})
	result := make(chan error, 1)
	go func() { result <- e.Start(context.Background()) }()
	eventually(t, "the start command runs", func() bool { return exists(filepath.Join(dir, "begun")) })

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if state, err := e.Probe(ctx); state != Unknown || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a probe in the middle of a start: %v, %v", state, err)
	}
	write(t, filepath.Join(dir, "go"), "", 0o600)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if state, err := e.Probe(t.Context()); state != Running || err != nil {
		t.Errorf("afterwards: %v, %v", state, err)
	}
}

func TestEndedContextRunsNothing(t *testing.T) {
	dir := t.TempDir()
	e := newExec(t, ExecConfig{Dir: dir, Start: sh("touch started"), Stop: sh("touch stopped"), Status: sh("touch probed")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := e.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := e.Probe(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("something ran: %v", left)
	}
}

func TestEnvironmentIsExact(t *testing.T) {
	t.Setenv("LEAKED_SECRET", "x")
	cfg := ExecConfig{Cluster: "plant-7", Node: "alpha", Group: "web", Name: "site", Env: []string{"LANG=C", "PORT=80"}}
	cfg.Stop = []string{"/usr/bin/env"}
	want := []string{"LANG=C", "PATH=" + searchPath, "PORT=80", "SERIALHB_ACTION=stop", "SERIALHB_CLUSTER=plant-7",
		"SERIALHB_GROUP=web", "SERIALHB_NODE=alpha", "SERIALHB_RESOURCE=site"}
	check := func() {
		t.Helper()
		end, err := newExec(t, cfg).run(t.Context(), ActionStop, nil)
		got := strings.Split(strings.TrimSpace(end.output), "\n")
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("environment %q, %v", got, err)
		}
	}
	check()
	cfg.Env = append(cfg.Env, "PATH=/opt/bin")
	want[1] = "PATH=/opt/bin"
	check()
}
