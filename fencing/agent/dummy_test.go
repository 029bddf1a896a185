package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
)

// real returns a device that runs an agent of Debian's fence-agents.
func real(t *testing.T, name string, params map[string]string) *Agent {
	t.Helper()
	path, err := Find(name)
	if err != nil {
		t.Skipf("needs %s of the package fence-agents", name)
	}
	a, err := New(Config{Name: "board", Path: path, Params: params, HoldOff: 500 * ms, Poll: 100 * ms})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// fence_dummy keeps its power in a file.
func TestDummy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "power")
	power := func() string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if err := os.WriteFile(file, []byte("on"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	a := real(t, "fence_dummy", map[string]string{"status_file": file})
	m, err := a.Metadata(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if problems := a.CheckParams(m); m.Name != "fence_dummy" || m.Fabric || len(m.Parameters) < 10 || len(problems) != 0 {
		t.Errorf("%+v: %q", m, problems)
	}
	if err := a.Validate(ctx, m); err != nil {
		t.Error(err)
	}
	if ill := fencing.Health(ctx, a); len(ill) != 0 {
		t.Errorf("health: %v", ill)
	}
	if err := a.Monitor(ctx); err != nil {
		t.Error(err)
	}
	begin := time.Now()
	got := a.Off(ctx, fencing.Query{})
	if got.Proof != fencing.Agent || power() != "off" || time.Since(begin) < 500*ms {
		t.Fatalf("%v, %v, power %s after %v", got.Proof, got.Err, power(), time.Since(begin))
	}
	if s := a.Status(ctx); s.Power != fencing.Off || s.Proof != fencing.Agent {
		t.Errorf("%+v", s)
	}
	if err := a.On(ctx); err != nil || power() != "on" {
		t.Errorf("%v, power %s", err, power())
	}
	if s := a.Status(ctx); s.Power != fencing.On || s.Proof.IsOff() {
		t.Errorf("%+v", s)
	}
}

func TestDummyThatSleeps(t *testing.T) {
	a := real(t, "fence_dummy", map[string]string{"random_sleep_range": "1"})
	begin := time.Now()
	if err := a.Monitor(context.Background()); err != nil || time.Since(begin) < time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	c := a.Config()
	c.Timeouts.Status = 500 * ms
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if s := a.Status(context.Background()); !errors.Is(s.Err, context.DeadlineExceeded) || s.Power != fencing.Unknown {
		t.Errorf("%+v", s)
	}
}

// fence_dummy reports off and claims a good off if its file is not there: what never read on proves nothing.
func TestDummyWithoutItsFile(t *testing.T) {
	a := real(t, "fence_dummy", map[string]string{"status_file": filepath.Join(t.TempDir(), "missing")})
	if s := a.Status(context.Background()); s.Power != fencing.Off {
		t.Fatalf("%+v", s)
	}
	if got := a.Off(context.Background(), fencing.Query{}); got.Proof.IsOff() || !strings.Contains(got.Err.Error(), NeverOn.Error()) {
		t.Errorf("%v, %v", got.Proof, got.Err)
	}
}

func TestDummyThatFails(t *testing.T) {
	a := real(t, "fence_dummy", map[string]string{"type": "fail", "power_timeout": "1"})
	if got := a.Off(context.Background(), fencing.Query{}); got.Proof.IsOff() || got.Err == nil {
		t.Errorf("%v, %v", got.Proof, got.Err)
	}
	a = real(t, "fence_dummy", map[string]string{"random_sleep_range": "x"})
	if s := a.Status(context.Background()); s.Power != fencing.Unknown || !strings.Contains(s.Err.Error(), "exit code 1") {
		t.Errorf("%+v", s)
	}
}

// Agents that cannot prove off are found by what they say of themselves.
func TestAgentsThatCannotProve(t *testing.T) {
	for name, says := range map[string]string{
		"fence_kdump":           "no action status",
		"fence_heuristics_ping": "no action status",
		"fence_rcd_serial":      "no action off",
		"fence_scsi":            "takes storage away",
	} {
		a := real(t, name, nil)
		m, err := a.Metadata(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(a.CheckParams(m), "\n"); !strings.Contains(got, says) {
			t.Errorf("%s: %s", name, got)
		}
	}
	a := real(t, "fence_ipmilan", map[string]string{"ip": "192.0.2.20", "lanplus": "1"})
	m, err := a.Metadata(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if problems := a.CheckParams(m); len(problems) != 0 {
		t.Errorf("%q", problems)
	}
	a = real(t, "fence_ipmilan", map[string]string{"username": "admin"})
	if err := a.Validate(context.Background(), m); err == nil || !strings.Contains(err.Error(), "fence address") {
		t.Errorf("%v", err)
	}
}

// Whatever Debian has as an agent says of itself what can be read here, and check knows what each one needs.
func TestEveryAgentOfDebian(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some eighty programs: not with -short")
	}
	dummy := real(t, "fence_dummy", nil)
	all, err := filepath.Glob(filepath.Join(filepath.Dir(dummy.c.Path), "fence_*"))
	if err != nil {
		t.Fatal(err)
	}
	read, fit := 0, 0
	for _, path := range all {
		name := filepath.Base(path)
		if name == "fence_ack_manual" || name == "fence_serialhb" {
			continue // asks a person; is our own
		}
		a, err := New(Config{Name: "board", Path: path})
		if err != nil {
			t.Fatal(err)
		}
		m, err := a.Metadata(context.Background())
		if err != nil {
			t.Error(err)
			continue
		}
		read++
		if m.Name == "" || len(m.Parameters) < 3 {
			t.Errorf("%s: %+v", name, m)
		}
		given := map[string]string{}
		missing := strings.Join(a.CheckParams(m), "\n")
		for _, p := range m.Parameters {
			needed := p.Required && !p.Deprecated && p.Default == "" && p.Name != "action"
			if told := strings.Contains(missing, " needs the option "+p.Name+":"); told != needed {
				t.Errorf("%s needs %s: %v, and check says so: %v", name, p.Name, needed, told)
			}
			if needed {
				given[p.Name] = "1"
				if p.Type == "select" {
					given[p.Name] = p.Choices[0]
				}
			}
		}
		a.c.Params = given
		left := a.CheckParams(m)
		for _, problem := range left {
			if strings.Contains(problem, "option") {
				t.Errorf("%s has all that it needs: %s", name, problem)
			}
		}
		if len(left) == 0 {
			fit++
		} else {
			t.Logf("refused: %s", strings.Join(left, "; "))
		}
	}
	t.Logf("%d agents could be read, %d of them can prove off", read, fit)
	if read < 40 || fit < 30 {
		t.Error("that is too few")
	}
}
