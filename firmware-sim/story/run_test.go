package story

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
)

// mains makes power-off alpha a takeover.
func mains(f *fake, o Order) (string, error) {
	if o.Verb == "power-off" {
		f.fall()
	}
	return "", nil
}

func TestATakeoverIsMeasuredInItsParts(t *testing.T) {
	f := up()
	f.does = func(f *fake, o Order) (string, error) {
		// It takes a moment until the mains are gone: only then it begins.
		if err := f.Sleep(t.Context(), 3*time.Millisecond); err != nil {
			return "", err
		}
		return mains(f, o)
	}
	all, err := tell(t, f, "say One\nstart\nsay Two\npower-off alpha\nexpect fenced alpha within 1s\nexpect owner bravo within 1s\nexpect proof alpha fail-safe within 1s\n")
	if err != nil {
		t.Fatal(err, dump(all))
	}
	got := *one(t, all, "takeover").Takeover
	for _, c := range []struct {
		part string
		got  *float64
		want float64
	}{
		{"silent", got.Silent, 31}, {"coil", got.Coil, 33}, {"sense", got.Sense, 5}, {"proven", got.Proven, 60}, {"start", got.Start, 61},
		{"up", got.Up, 72}, {"answer", got.Answer, 74},
	} {
		if c.got == nil || *c.got != c.want {
			t.Errorf("%s: %v, want %v", c.part, c.got, c.want)
		}
	}
	// The last answer of alpha came up to 5 ms before the cut.
	if got.Outage == nil || *got.Outage < 74 || *got.Outage > 79 {
		t.Errorf("outage %v", got.Outage)
	}
	if got.From != "alpha" || got.Owner != "bravo" || !strings.Contains(got.Proof, "fail-safe") {
		t.Errorf("%+v", got)
	}
	s := one(t, all, "summary").Summary
	if !s.OK || s.Steps != 5 || s.Fences != 1 || s.Takeovers != 1 || s.Overlaps != 0 || len(s.Chapters) != 2 {
		t.Errorf("%+v", s)
	}
	if c := s.Chapters[1]; c.Title != "Two" || c.Fences != 1 || c.Takeovers != 1 || c.OutageMS < 74 || c.Steps != 4 {
		t.Errorf("%+v", c)
	}
	if all[len(all)-1].Type != "summary" {
		t.Error("the summary is not the last entry")
	}
}

func TestTheSummarySaysThatTheMachineIsBusy(t *testing.T) {
	f := up()
	f.in(500*time.Millisecond, func() { f.board("run", Service, "end alpha") })
	f.late = 30 * time.Millisecond
	all, err := tell(t, f, "start\nexpect no-owner within 1s\n")
	if err != nil {
		t.Fatal(err)
	}
	e := one(t, all, "summary")
	if e.Summary.LatenessMS != 30 || !strings.Contains(e.words(), "30.0 ms late") {
		t.Errorf("%+v: %s", e.Summary, e.words())
	}
}

func TestARecordThatBeginsAgainIsReadOnce(t *testing.T) {
	s := shelf{}
	for _, c := range []struct {
		boot string
		seq  uint64
		want bool
	}{{"a", 1, true}, {"a", 2, true}, {"a", 1, false}, {"b", 2, true}, {"b", 2, false}} {
		if got := s.isNew(control.Event{Boot: c.boot, Seq: c.seq}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestEventsComeOnceAndInOrder(t *testing.T) {
	f := up()
	f.does = mains
	all, err := tell(t, f, "start\npower-off alpha\nexpect owner bravo within 1s\nsleep 300ms\n")
	if err != nil {
		t.Fatal(err)
	}
	var last float64
	seen := map[string]int{}
	for _, e := range all {
		if e.Type != "event" {
			continue
		}
		if e.SinceMS >= 0 { // those before the cut count from the start
			if e.SinceMS < last {
				t.Errorf("%q after %v, reported after one of %v", e.Text, e.SinceMS, last)
			}
			last = e.SinceMS
		}
		seen[e.Text]++
	}
	for text, n := range seen {
		if n != 1 {
			t.Errorf("%q was reported %d times", text, n)
		}
	}
	if len(seen) != len(f.view.Board)+len(f.view.Told) {
		t.Errorf("%d events reported, %d happened", len(seen), len(f.view.Board)+len(f.view.Told))
	}
}

func TestSinceTheLastLineThatDidSomething(t *testing.T) {
	f := up()
	f.does = func(f *fake, o Order) (string, error) {
		if o.Verb == "freeze" {
			f.record("bravo", "went-silent", "alpha", "")
			f.board("coil", "RELAY_ALPHA", "on")
		}
		f.now += time.Millisecond
		return "", nil
	}
	if _, err := tell(t, f, "start\nfreeze alpha\nsleep 10ms\nexpect told bravo went-silent within 10ms\n"); err != nil {
		t.Errorf("a sleep made it forget: %v", err)
	}
	f = up()
	f.does = func(f *fake, o Order) (string, error) {
		if o.Verb == "freeze" {
			f.record("bravo", "went-silent", "alpha", "")
		}
		f.now += time.Millisecond
		return "", nil
	}
	if _, err := tell(t, f, "start\nfreeze alpha\nthaw alpha\nexpect told bravo went-silent within 10ms\n"); !errors.Is(err, ErrFailed) {
		t.Errorf("what happened before the last line counted: %v", err)
	}
}

func TestForHoldsAllTheTime(t *testing.T) {
	for _, c := range []struct {
		line string
		at   time.Duration
		want bool
	}{
		{"expect owner alpha for 100ms", 50 * time.Millisecond, false},
		{"expect owner alpha for 100ms", 150 * time.Millisecond, true},
		{"expect no-owner within 100ms", 50 * time.Millisecond, true},
		{"expect no-owner within 100ms", 150 * time.Millisecond, false},
		{"expect not-fenced alpha within 100ms", 50 * time.Millisecond, false},
		{"expect not-fenced alpha for 100ms", 150 * time.Millisecond, true},
	} {
		f := up()
		f.in(c.at, func() {
			f.board("run", Service, "end alpha")
			f.board("coil", "RELAY_ALPHA", "on")
		})
		all, err := tell(t, f, "start\n"+c.line+"\n")
		if (err == nil) != c.want {
			t.Errorf("%s, change after %s: %v %s", c.line, c.at, err, dump(all))
		}
	}
}

func TestAFailureSaysWhatWasThereInstead(t *testing.T) {
	f := up()
	f.status("bravo", "blocked", "no", alarm("x", "no level can prove alpha off"), presence("alpha", "silent"))
	all, err := tell(t, f, "say A\nstart\nexpect owner bravo within 20ms\npower-on alpha\n")
	if !errors.Is(err, ErrFailed) {
		t.Fatal(err)
	}
	e := one(t, all, "failed")
	for _, want := range []string{"runs on alpha", "alpha answers the client", "phase blocked", "alpha is silent", "alarm: no level can prove alpha off"} {
		if !strings.Contains(e.Seen, want) {
			t.Errorf("%q is missing in %q", want, e.Seen)
		}
	}
	if e.Line != 3 || !strings.Contains(e.Text, "did not come true within 20ms") || e.Logs["alpha"][0] != "last words" {
		t.Errorf("%+v", e)
	}
	if len(f.done) != 0 {
		t.Errorf("the story went on: %q", f.done)
	}
	if s := one(t, all, "summary").Summary; s.OK || s.Steps != 1 {
		t.Errorf("%+v", s)
	}
}

func TestTwoOwnersFailAnyStory(t *testing.T) {
	f := up()
	f.does = func(f *fake, _ Order) (string, error) {
		f.overlap = []string{"web ran on alpha and on bravo at once for 1ms"}
		return "", nil
	}
	all, err := tell(t, f, "start\nthaw alpha\nsleep 1s\n")
	if !errors.Is(err, ErrFailed) || !strings.Contains(one(t, all, "failed").Text, "TWO OWNERS: web ran on alpha and on bravo") {
		t.Errorf("%v %s", err, dump(all))
	}
	if s := one(t, all, "summary").Summary; s.Overlaps != 1 || s.OK {
		t.Errorf("%+v", s)
	}
}

func TestATakeoverThatTheClientDoesNotBelieveFails(t *testing.T) {
	for believed, holds := range map[string]bool{"bravo": true, "alpha": false, "": false} {
		f := up()
		f.net("alpha", "alpha", "alpha")
		f.does = func(f *fake, _ Order) (string, error) {
			f.fall()
			f.in(70*time.Millisecond, func() { f.net(believed, "bravo", "bravo") })
			return "", nil
		}
		all, err := tell(t, f, "start\npower-off alpha\nexpect owner bravo within 1s\n")
		if holds != (err == nil) {
			t.Errorf("believed %q: %v %s", believed, err, dump(all))
		}
		if !holds && !strings.Contains(one(t, all, "failed").Text, "bravo runs the service, but the service address is on bravo, and the client ") {
			t.Error(dump(all))
		}
	}
}

func TestTwoOwnersInTheVeryLastMoment(t *testing.T) {
	f := up()
	script, err := Parse("test", "start\nsleep 10ms\n")
	if err != nil {
		t.Fatal(err)
	}
	var last Entry
	err = Run(t.Context(), script, f.builder(), f.Now, func(e Entry) error {
		if e.Type == "step" && strings.HasPrefix(e.Text, "sleep") {
			f.overlap = []string{"so it was"}
		}
		last = e
		return nil
	})
	if !errors.Is(err, ErrFailed) || last.Summary == nil || last.Summary.OK || last.Summary.Overlaps != 1 {
		t.Errorf("%v, %+v", err, last.Summary)
	}
}

func TestCommands(t *testing.T) {
	f := up()
	f.status("bravo", "awaiting-approval", "no", func(s *control.Status) { s.Incident = &control.Incident{ID: 7} })
	f.does = func(f *fake, o Order) (string, error) {
		if o.Words[0] == "switchover" {
			return "", &ExitError{4, "an incident is open"}
		}
		return "done so", nil
	}
	all, err := tell(t, f, "start\nrun bravo approve @incident\nrefused alpha switchover web\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"run bravo approve 7", "run alpha switchover web"}; strings.Join(f.done, ",") != strings.Join(want, ",") {
		t.Errorf("%q", f.done)
	}
	var said []string
	for _, e := range all {
		if e.Said != "" {
			said = append(said, e.Said)
		}
	}
	if strings.Join(said, ",") != "done so,an incident is open" {
		t.Errorf("%q", said)
	}
	for _, c := range []struct {
		line string
		err  error
		want string
	}{
		{"run alpha status", &ExitError{1, "no"}, "exit code 1: no"},
		{"refused alpha status", nil, "where a refusal was expected"},
		{"refused alpha status", &ExitError{3, "no daemon"}, "exit code 3: no daemon"},
		{"refused alpha status", errors.New("lost"), "lost"},
		{"run alpha approve @incident", nil, "no incident is known on alpha"},
	} {
		f := up()
		f.does = func(*fake, Order) (string, error) { return "", c.err }
		all, err := tell(t, f, "start\n"+c.line+"\n")
		if !errors.Is(err, ErrFailed) || !strings.Contains(one(t, all, "failed").Text, c.want) {
			t.Errorf("%s: %v, %s", c.line, err, dump(all))
		}
	}
}

// What a person tries may be refused; what keeps it from being asked still ends the story.
func TestTries(t *testing.T) {
	for _, c := range []struct {
		err  error
		said string
	}{{nil, "done so"}, {&ExitError{4, "not now"}, "not now"}, {&ExitError{3, "no daemon"}, "no daemon"}} {
		f := up()
		f.does = func(*fake, Order) (string, error) {
			if c.err != nil {
				return "", c.err
			}
			return "done so", nil
		}
		all, err := tell(t, f, "start\ntry alpha failback\ntry alpha approve @incident\n")
		if err != nil || !strings.Contains(dump(all), c.said) || !strings.Contains(dump(all), "no incident is known") || len(f.done) != 1 {
			t.Errorf("%v: %v, %q, %s", c.err, err, f.done, dump(all))
		}
	}
	f := up()
	f.does = func(*fake, Order) (string, error) { return "", errors.New("alpha has no power") }
	if all, err := tell(t, f, "start\nperhaps thaw alpha\n"); err != nil || !strings.Contains(dump(all), "not now: alpha has no power") {
		t.Errorf("%v %s", err, dump(all))
	}
	f = up()
	f.does = func(*fake, Order) (string, error) { return "", errors.New("lost") }
	if _, err := tell(t, f, "start\ntry alpha failback\n"); !errors.Is(err, ErrFailed) {
		t.Errorf("%v", err)
	}
}

func TestALostWitnessEndsTheStory(t *testing.T) {
	f := up()
	f.does = func(f *fake, _ Order) (string, error) { f.lost = errLost; return "", nil }
	all, err := tell(t, f, "start\nthaw alpha\nexpect owner alpha within 1s\n")
	if !errors.Is(err, ErrFailed) || !strings.Contains(one(t, all, "failed").Text, "the board has stopped") {
		t.Errorf("%v %s", err, dump(all))
	}
}

func TestTheEndOfTheContextEndsTheStory(t *testing.T) {
	f := up()
	ctx, cancel := context.WithCancel(t.Context())
	f.in(100*time.Millisecond, cancel)
	script, err := Parse("test", "start\nexpect no-owner within 5s\n")
	if err != nil {
		t.Fatal(err)
	}
	err = Run(ctx, script, f.builder(), f.Now, func(Entry) error { return nil })
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "test:2") || f.closed != 1 {
		t.Errorf("%v, closed %d times", err, f.closed)
	}
}

func TestAReportThatCannotBeWrittenEndsTheStory(t *testing.T) {
	f := up()
	full := errors.New("disk full")
	script, err := Parse("test", "start\nthaw alpha\nthaw alpha\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), script, f.builder(), f.Now, func(Entry) error { return full }); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	if len(f.done) > 0 {
		t.Errorf("it went on: %q", f.done)
	}
}
