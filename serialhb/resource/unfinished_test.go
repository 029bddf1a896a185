package resource

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/serialhb/clock"
	"github.com/serialhb/serialhb/serialhb/process"
)

// orphan is a resource whose earlier daemon was killed in the middle of an action.
type orphan struct {
	*Exec
	file string // that there is says running
	left *exec.Cmd
}

const thisBoot = "this boot"

// orphaned leaves a command running, as a killed daemon would, with a note of it.
func orphaned(t *testing.T, action Action, script string, until time.Duration) *orphan {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "service")
	note := note(filepath.Join(dir, "unfinished"))
	o := &orphan{file: file}
	o.Exec = newExec(t, ExecConfig{
		Start: sh("touch " + file), Stop: sh("rm -f " + file), Status: sh("test -e " + file + " || exit 3"),
		Unfinished: string(note), Boot: thisBoot,
	})
	o.left = exec.Command("/bin/sh", "-c", script)
	o.left.Env = []string{"FILE=" + file}
	o.left.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := o.left.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		o.left.Wait()
	}()
	t.Cleanup(func() {
		syscall.Kill(-o.left.Process.Pid, syscall.SIGKILL)
		<-gone
	})
	left, err := process.Of(o.left.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := note.write(unfinished{Action: action, Boot: thisBoot, Until: clock.Boot() + until, Pid: o.left.Process.Pid, Born: left.Born}); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *orphan) mustProbe(t *testing.T, want State) {
	t.Helper()
	state, err := o.Probe(t.Context())
	if state != want || (err == nil) != (want != Unknown) || want == Unknown && !errors.Is(err, ErrUnfinished) {
		t.Fatalf("it is %v, %v; want %v", state, err, want)
	}
}

func (o *orphan) noted() bool {
	_, err := os.Stat(o.cfg.Unfinished)
	return err == nil
}

// Two owners came of this: the probe said stopped, and then the start came up.
func TestProbeWaitsForTheStartOfAnEarlierDaemon(t *testing.T) {
	o := orphaned(t, ActionStart, "sleep 0.3; touch $FILE", time.Hour)
	o.mustProbe(t, Running)
	if o.noted() {
		t.Error("it runs, and is still called unfinished")
	}
}

func TestStartThatNobodySawTheEndOfIsNotStopped(t *testing.T) {
	o := orphaned(t, ActionStart, "sleep 0.1", time.Hour) // what it began may yet come up
	o.mustProbe(t, Unknown)
	o.mustProbe(t, Unknown)
	if err := o.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.mustProbe(t, Stopped)
}

// A service that alone went on saying that it runs came of this: the stop ended it after the probe.
func TestProbeWaitsForTheStopOfAnEarlierDaemon(t *testing.T) {
	o := orphaned(t, ActionStop, "touch $FILE; sleep 0.3; rm $FILE", time.Hour)
	o.mustProbe(t, Stopped)
	o = orphaned(t, ActionStop, "touch $FILE; sleep 0.2", time.Hour)
	o.mustProbe(t, Unknown) // half of it may have gone
}

func TestStopEndsTheStartOfAnEarlierDaemon(t *testing.T) {
	o := orphaned(t, ActionStart, "sleep 1000; touch $FILE", time.Hour)
	if err := o.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := process.Of(o.left.Process.Pid); err == nil && !left.Ended {
		t.Error("the start goes on")
	}
	o.mustProbe(t, Stopped)
}

// Two owners could come of this: the command went on being told to, and what it had begun brought the service up after
// the stop.
func TestStopEndsAllOfTheStartOfAnEarlierDaemon(t *testing.T) {
	t.Parallel()
	o := orphaned(t, ActionStart, "(trap '' TERM; touch $FILE.begun; sleep 6; touch $FILE) & wait", time.Hour)
	for begun := false; !begun; time.Sleep(time.Millisecond) {
		_, err := os.Stat(o.file + ".begun")
		begun = err == nil
	}
	if err := o.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if groupLives(o.left.Process.Pid) {
		t.Error("some of the start goes on")
	}
	o.mustProbe(t, Stopped)
}

// Nobody took down which process it is, so it can only be waited for.
func TestStopWaitsForAStartOfWhichNobodyKnowsTheProcess(t *testing.T) {
	o := orphaned(t, ActionStart, "sleep 0.3; touch $FILE", time.Hour)
	until := clock.Boot() + 600*time.Millisecond
	if err := o.note().write(unfinished{Action: ActionStart, Boot: thisBoot, Until: until}); err != nil {
		t.Fatal(err)
	}
	if err := o.Stop(t.Context()); err != nil || clock.Boot() < until {
		t.Errorf("it was stopped %v too early, %v", until-clock.Boot(), err)
	}
	o.mustProbe(t, Stopped)
}

func TestStopWaitsForTheStopOfAnEarlierDaemon(t *testing.T) {
	o := orphaned(t, ActionStop, "sleep 0.3; touch $FILE.ended", time.Hour)
	if err := o.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(o.file + ".ended"); err != nil {
		t.Error("two stops ran at once")
	}
}

func TestCommandOverItsTimeIsEnded(t *testing.T) {
	for _, script := range []string{"sleep 1000", "trap '' TERM; sleep 1000"} {
		o := orphaned(t, ActionStart, script, 50*time.Millisecond)
		o.mustProbe(t, Unknown)
		if left, err := process.Of(o.left.Process.Pid); err == nil && !left.Ended {
			t.Errorf("%s: it goes on", script)
		}
	}
}

func TestProbeOfAnUnfinishedStartEndsWithItsContext(t *testing.T) {
	o := orphaned(t, ActionStart, "sleep 1000", time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if state, err := o.Probe(ctx); state != Unknown || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", state, err)
	}
}

// The number of a process may be another's by now, and a note of an earlier boot says nothing.
func TestNoteOfWhatIsLongGone(t *testing.T) {
	o := orphaned(t, ActionStart, "sleep 1000", time.Hour)
	u, err := o.note().read(thisBoot)
	runs := func(u *unfinished) bool {
		t.Helper()
		yes, err := u.runs()
		if err != nil {
			t.Error(err)
		}
		return yes
	}
	if err != nil || u == nil || !runs(u) {
		t.Fatalf("%+v, %v", u, err)
	}
	// Where nobody can tell whether it runs, it does.
	var open unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &open); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: open.Max}); err != nil {
		t.Fatal(err)
	}
	may, unsure := u.runs()
	u.Until = 0
	late := u.away(t.Context())
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &open); err != nil {
		t.Fatal(err)
	}
	if unsure == nil || late == nil || !may || !runs(u) {
		t.Errorf("nobody can tell: it may run: %v (%v), and is ended: %v", may, unsure, late)
	}
	other := *u
	other.Born++
	if runs(&other) {
		t.Error("another process with that number is taken for it")
	}
	other = unfinished{Action: ActionStart, Until: clock.Boot() + time.Hour}
	if !runs(&other) {
		t.Error("an action whose process is not known is over before its time")
	}
	if other.Until = clock.Boot(); runs(&other) {
		t.Error("an action whose process is not known never ends")
	}
	u.Boot = "another boot"
	if err := o.note().write(*u); err != nil {
		t.Fatal(err)
	}
	o.mustProbe(t, Stopped)
}

func TestNoteThatCannotBeReadIsUnknown(t *testing.T) {
	o := orphaned(t, ActionStart, "sleep 0.2", time.Hour)
	for _, text := range []string{`{}`, `{"action":"start","boot":"this boot","until_ns":1,"pid":1}`, `{"action":`} {
		if err := os.WriteFile(o.cfg.Unfinished, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if state, err := o.Probe(t.Context()); state != Unknown || err == nil {
			t.Errorf("%s: %v, %v", text, state, err)
		}
		if o.Start(t.Context()) == nil {
			t.Errorf("it starts on a note that may say anything: %s", text)
		}
	}
	if err := o.Stop(t.Context()); err != nil {
		t.Errorf("a stop is always possible: %v", err)
	}
	o.mustProbe(t, Stopped)
}

// What cannot be noted is not started, and is stopped all the same.
func TestWithoutANoteNothingStarts(t *testing.T) {
	o := orphaned(t, ActionStart, "sleep 0.2", time.Hour)
	o.cfg.Unfinished = filepath.Join(t.TempDir(), "missing", "note")
	if o.Start(t.Context()) == nil {
		t.Error("it starts")
	}
	if err := o.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	// Somebody put a file in the place of the run directory.
	o.cfg.Unfinished = filepath.Join(o.cfg.Stop[0], "note")
	if err := o.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	o.mustProbe(t, Stopped)
}

// What fails at once is waited for by nobody: its process is known although it has ended.
func TestActionThatFailedAtOnceIsKnown(t *testing.T) {
	for range 20 {
		o := newExec(t, ExecConfig{Start: sh("exit 1"), Status: sh("exit 3"), Unfinished: filepath.Join(t.TempDir(), "note"), Boot: thisBoot})
		if o.Start(t.Context()) == nil {
			t.Fatal("the start did not fail")
		}
		u, err := o.note().read(thisBoot)
		if err != nil || u == nil || u.Pid == 0 {
			t.Fatalf("%+v, %v", u, err)
		}
		if runs, err := u.runs(); runs {
			t.Fatalf("%+v, %v: the next probe would wait for it", u, err)
		}
	}
}

// A start and a stop of this daemon leave nothing behind when they end well, and say so when they do not.
func TestEndedActionsAreNotUnfinished(t *testing.T) {
	o := orphaned(t, ActionStart, "sleep 0.2", time.Hour)
	for _, act := range []func(context.Context) error{o.Stop, o.Start, o.Stop} {
		if err := act(t.Context()); err != nil || o.noted() {
			t.Fatalf("%v, noted %v", err, o.noted())
		}
	}
	o.cfg.Start = sh("exit 1")
	if o.Start(t.Context()) == nil || !o.noted() {
		t.Fatal("a failed start is called finished")
	}
	o.mustProbe(t, Unknown)
	good := o.cfg.Stop
	o.cfg.Stop = sh("exit 1")
	if o.Stop(t.Context()) == nil {
		t.Fatal("the stop did not fail")
	}
	o.mustProbe(t, Unknown) // the start before it may still come up
	o.cfg.Stop = good
	if err := o.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.mustProbe(t, Stopped)
}

// FuzzNote: a note is one that this daemon could have written, or an error; what it says names one command and no other
// process, and is written down again as the same.
func FuzzNote(f *testing.F) {
	for _, text := range []string{
		`{"action":"start","boot":"this boot","until_ns":5000000000,"pid":4242,"born_ns":120000000}`, `{"action":"stop","boot":"this boot","until_ns":1,"started":true}`,
		`{"action":"start","boot":"this boot","until_ns":1,"pid":-1}`, `{"action":"stop","boot":"this boot","until_ns":1,"pid":1}`, `{"action":"dance","boot":"this boot"}`,
		`{"action":"start","boot":"this boot","until_ns":-9223372036854775808}`, `{"action":"start","boot":"another boot"}`, `{"boot":"this boot"}`, `{"action":`, `null`, `{}`, ``,
		`{"action":"start","boot":"this boot","until_ns":1} {}`, `{"action":"start","boot":"this boot","until_ns":1,"born_ns":7}`,
	} {
		f.Add([]byte(text))
	}
	at := note(filepath.Join(f.TempDir(), "unfinished"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(string(at), data, 0o600); err != nil {
			t.Fatal(err)
		}
		u, err := at.read(thisBoot)
		if u == nil || err != nil {
			if u != nil {
				t.Fatalf("%q is %+v and an error: %v", data, u, err)
			}
			return
		}
		if u.Action != ActionStart && u.Action != ActionStop || u.Boot != thisBoot || u.Pid < 0 || u.Pid == 1 || u.Pid == 0 && u.Born != 0 || u.Born < 0 || u.Until < 0 {
			t.Fatalf("%q is believed: %+v", data, u)
		}
		if err := at.write(*u); err != nil {
			t.Fatal(err)
		}
		if again, err := at.read(thisBoot); err != nil || again == nil || *again != *u {
			t.Fatalf("%q says %+v, and that says %+v: %v", data, u, again, err)
		}
	})
}
