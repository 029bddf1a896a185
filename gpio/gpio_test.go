package gpio

import (
	"errors"
	"strings"
	"testing"
)

func TestParseLine(t *testing.T) {
	for s, want := range map[string]Line{
		"cdev:amdpt/RELAY_ALPHA":   {"cdev", "amdpt/RELAY_ALPHA"},
		"cdev:AMDF030:00/3":        {"cdev", "AMDF030:00/3"},
		"cdev:1-0020/a line/of it": {"cdev", "1-0020/a line/of it"},
		"periph:GPIO17":            {"periph", "GPIO17"},
		"modem:/dev/ttyS1/rts":     {"modem", "/dev/ttyS1/rts"},
		"modem:/dev/serial/b/dtr":  {"modem", "/dev/serial/b/dtr"},
		"sim:RELAY_ALPHA":          {"sim", "RELAY_ALPHA"},
	} {
		got, err := ParseLine(s)
		if err != nil || got != want || got.String() != s {
			t.Errorf("ParseLine(%q) = %v, %v", s, got, err)
		}
	}
}

func TestParseLineRefuses(t *testing.T) {
	for s, want := range map[string]string{
		"GPIO17":                "cdev:LABEL/GPIO17, periph:GPIO17",
		"":                      "say who reaches it",
		"amdpt/RELAY":           "cdev:LABEL/amdpt/RELAY",
		"gpio:17":               "must be cdev, periph, modem or sim",
		":17":                   "must be cdev, periph, modem or sim",
		"CDEV:a/b":              "must be cdev, periph, modem or sim",
		"cdev:RELAY":            "write cdev:LABEL/NAME",
		"cdev:/RELAY":           "write cdev:LABEL/NAME",
		"cdev:amdpt/":           "write cdev:LABEL/NAME",
		"periph:":               "write periph:NAME",
		"periph:a b":            "without spaces",
		"sim:A\nset B 1":        "without spaces",
		"modem:/dev/ttyS1":      "modem:DEVICE/rts",
		"modem:/dev/ttyS1/cts":  "modem:DEVICE/rts",
		"modem:ttyS1/rts":       "whole path",
		"modem:/dev/ttyS1/rts/": "modem:DEVICE/rts",
	} {
		got, err := ParseLine(s)
		if err == nil || !strings.Contains(err.Error(), want) || got != (Line{}) {
			t.Errorf("ParseLine(%q) = %v, %v; want an error with %q", s, got, err, want)
		}
	}
}

// pin is a fake line and its own backend.
type pin struct {
	level  bool
	err    error
	closed int
	opened []Initial
	absent error
	doubt  error
}

func (p *pin) Set(level bool) error { p.level = level; return p.err }
func (p *pin) Get() (bool, error)   { return p.level, p.err }
func (p *pin) Close() error         { p.closed++; return nil }

func (p *pin) OpenOutput(_ string, i Initial) (Output, error) {
	p.opened = append(p.opened, i)
	if p.absent != nil {
		return nil, p.absent
	}
	return p, nil
}

func (p *pin) OpenInput(string, Bias) (Input, error) { return p.OpenOutput("", Adopt) }
func (p *pin) Trust(string) error                    { return p.doubt }

func TestTable(t *testing.T) {
	sound, doubtful := &pin{}, &pin{doubt: errors.New("cannot report a failed read")}
	bad := Line{"periph", "GPIO17"}
	table := Table{Backends: map[string]Backend{"cdev": sound, "periph": doubtful}}
	if _, err := table.OpenOutput(Line{"cdev", "a/b"}, High); err != nil || len(sound.opened) != 1 || sound.opened[0] != High {
		t.Errorf("a sound line: %v, %v", err, sound.opened)
	}
	if _, err := table.OpenOutput(bad, Adopt); !errors.Is(err, doubtful.doubt) || len(doubtful.opened) != 0 {
		t.Errorf("a doubtful line: %v, opened %v", err, doubtful.opened)
	}
	if _, err := table.OpenInput(bad, Up); !errors.Is(err, doubtful.doubt) || len(doubtful.opened) != 0 {
		t.Errorf("a doubtful sense: %v, opened %v", err, doubtful.opened)
	}
	table.Accept = map[Line]bool{bad: true}
	if _, err := table.OpenInput(bad, Up); err != nil {
		t.Errorf("an accepted line: %v", err)
	}
	if _, err := table.OpenOutput(Line{"periph", "GPIO18"}, Adopt); err == nil {
		t.Error("accepting one line accepted another")
	}
	if err := table.Trust(Line{"sim", "X"}); err == nil {
		t.Error("a line without a backend is trusted")
	}
	if _, err := table.OpenOutput(Line{"sim", "X"}, Low); err == nil || !strings.Contains(err.Error(), `no backend "sim"`) {
		t.Errorf("a line without a backend: %v", err)
	}
}

func TestLastingComesBackByAdoption(t *testing.T) {
	p := &pin{absent: errors.New("not plugged in")}
	o := NewLastingOutput(func(i Initial) (Output, error) { return p.OpenOutput("", i) })
	if _, err := o.Get(); !errors.Is(err, p.absent) {
		t.Fatalf("Get of an absent line: %v", err)
	}
	p.absent = nil
	if err := o.Set(true); err != nil || !p.level {
		t.Fatalf("Set after it came: %v", err)
	}

	// A passing failure keeps the line: to close it could let a relay go.
	p.err = errors.New("bus error")
	if level, err := o.Get(); err == nil || level || p.closed != 0 {
		t.Errorf("after a passing failure: Get() = %t, %v, closed %d times", level, err, p.closed)
	}

	p.err = ErrGone
	if level, err := o.Get(); !errors.Is(err, ErrGone) || level || p.closed != 1 {
		t.Errorf("after it has gone: Get() = %t, %v, closed %d times", level, err, p.closed)
	}
	p.err = nil
	opens := len(p.opened)
	if level, err := o.Get(); err != nil || !level || len(p.opened) != opens+1 {
		t.Errorf("after it came back: Get() = %t, %v", level, err)
	}
	for _, i := range p.opened {
		if i != Adopt {
			t.Errorf("opened with %s", i)
		}
	}
	if err := o.Close(); err != nil || p.closed != 2 {
		t.Errorf("Close: %v, closed %d times", err, p.closed)
	}
	if _, err := o.Get(); err == nil {
		t.Error("a closed line came back")
	}
}

func TestLastingInput(t *testing.T) {
	p := &pin{level: true}
	in := NewLastingInput(func() (Input, error) { return p.OpenInput("", Up) })
	if len(p.opened) != 1 {
		t.Error("the line was not claimed at once")
	}
	p.err = ErrGone
	if level, err := in.Get(); err == nil || level {
		t.Errorf("Get() = %t, %v", level, err)
	}
	p.err = nil
	if level, err := in.Get(); err != nil || !level {
		t.Errorf("after it came back: Get() = %t, %v", level, err)
	}
}
