package fencing

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/gpio"
)

type still bool

func (s still) Set(bool) error     { return errors.New("driven") }
func (s still) Get() (bool, error) { return bool(s), nil }
func (s still) Close() error       { return nil }

func TestCutWord(t *testing.T) {
	for _, c := range []struct {
		cut  CutBy
		low  bool
		want bool // the level that cuts
	}{{Energise, false, true}, {Energise, true, false}, {Release, false, false}, {Release, true, true}} {
		for _, level := range []bool{false, true} {
			r, err := NewRelay(RelayConfig{Name: "x", Cut: c.cut, CoilLow: c.low, AllowAssumed: true}, Lines{Coil: still(level)})
			if err != nil {
				t.Fatal(err)
			}
			want := FeedClosed
			if level == c.want {
				want = FeedOpen
			}
			if got := r.Status(t.Context()).Feed; got != want || r.level(FeedOpen) != c.want {
				t.Errorf("cut %d, board active low %t, line %t: feed %v, want %v", c.cut, c.low, level, got, want)
			}
		}
	}
}

func TestDefaults(t *testing.T) {
	sense := Lines{Coil: still(false), Sense: still(true)}
	for name, c := range map[string]struct {
		c    RelayConfig
		want time.Duration
	}{
		"dc":            {RelayConfig{SenseSide: DC}, 500 * ms},
		"feed":          {RelayConfig{SenseSide: FeedSide}, 3 * time.Second},
		"measured feed": {RelayConfig{SenseSide: FeedSide, HoldUp: 800 * ms, HoldUpMeasured: true}, 800 * ms},
	} {
		c.c.Name, c.c.Cut = "x", Energise
		r, err := NewRelay(c.c, sense)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p := r.Plan(); p.HoldUp != c.want || p.HoldOff != 3*time.Second || p.Verify < p.Settle+p.Window+p.HoldOff {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestConfigRefused(t *testing.T) {
	good := func(change func(*RelayConfig)) RelayConfig {
		c := RelayConfig{Name: "x", Cut: Energise, SenseSide: DC}
		change(&c)
		return c
	}
	sense := Lines{Coil: still(false), Sense: still(true)}
	for _, c := range []struct {
		c    RelayConfig
		l    Lines
		want string
	}{
		{good(func(c *RelayConfig) { c.Name = "" }), sense, "name"},
		{good(func(c *RelayConfig) {}), Lines{Sense: still(true)}, "line of the coil"},
		{good(func(c *RelayConfig) { c.Cut = 0 }), sense, `cut = "energise"`},
		{good(func(c *RelayConfig) { c.FailSafe = true }), Lines{Coil: still(false)}, "fail_safe speaks"},
		{good(func(c *RelayConfig) { c.SenseSide = 0 }), sense, `sense_side = "dc"`},
		{good(func(c *RelayConfig) {}), Lines{Coil: still(false)}, "could never prove"},
		{good(func(c *RelayConfig) { c.SenseSide, c.HoldUp = FeedSide, time.Second }), sense, "use 3s or what fence test measured"},
		{good(func(c *RelayConfig) { c.HoldUp = -1 }), sense, "hold_up must not be negative"},
		{good(func(c *RelayConfig) { c.Sample = 200 * ms }), sense, "too rarely"},
		{good(func(c *RelayConfig) { c.Verify = time.Second }), sense, "leaves no time"},
		{good(func(c *RelayConfig) { c.Window, c.Verify = time.Minute, 10*time.Second }), sense, "longer than verify"},
	} {
		if r, err := NewRelay(c.c, c.l); err == nil || r != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; want an error with %q", err, c.want)
		}
	}
}

// bank is a gpio backend that notes how its lines are opened.
type bank struct {
	absent  error
	opened  []string
	drives  int
	doubted string
}

func (b *bank) OpenOutput(name string, i gpio.Initial) (gpio.Output, error) {
	b.opened = append(b.opened, name+" "+i.String())
	if b.absent != nil {
		return nil, b.absent
	}
	return bankLine{b}, nil
}

func (b *bank) OpenInput(name string, bias gpio.Bias) (gpio.Input, error) {
	b.opened = append(b.opened, name+" "+bias.String())
	if b.absent != nil {
		return nil, b.absent
	}
	return bankLine{b}, nil
}

func (b *bank) Trust(name string) error {
	if name == b.doubted {
		return errors.New("doubtful")
	}
	return nil
}

type bankLine struct{ b *bank }

func (l bankLine) Set(bool) error     { l.b.drives++; return nil }
func (l bankLine) Get() (bool, error) { return false, nil }
func (l bankLine) Close() error       { return nil }

func TestOpenRelay(t *testing.T) {
	b := &bank{absent: gpio.ErrGone}
	table := gpio.Table{Backends: map[string]gpio.Backend{"sim": b}}
	w := Wiring{Coil: gpio.Line{Backend: "sim", Name: "RELAY"}, Sense: gpio.Line{Backend: "sim", Name: "SENSE"}, SenseBias: gpio.Up}
	c := RelayConfig{Name: "x", Cut: Energise, FailSafe: true, SenseSide: DC}

	r, err := OpenRelay(table, w, c)
	if err != nil {
		t.Fatalf("hardware that may come later: %v", err)
	}
	if s := r.Status(t.Context()); !errors.Is(s.Err, gpio.ErrGone) || s.Feed != FeedUnknown || s.Power != Unknown {
		t.Errorf("without hardware: %+v", s)
	}
	b.absent = nil
	if s := r.Status(t.Context()); s.Err != nil || s.Feed != FeedClosed || s.Power != On && s.Power != Off {
		t.Errorf("with hardware: %+v", s)
	}
	for _, o := range b.opened {
		if o != "RELAY adopt" && o != "SENSE up" {
			t.Errorf("opened as %q", o)
		}
	}
	if sense, ok := SensorOf(r); !ok || !sense.FailSafe() {
		t.Error("the sense is not to be had")
	} else if state, err := sense.Read(); err != nil || state != Off {
		t.Errorf("sense: %v, %v", state, err)
	}
	if b.drives != 0 {
		t.Error("the coil was driven")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}

	for _, refused := range []struct {
		want   string
		change func(*Wiring, *RelayConfig)
		opens  bool
	}{
		{"pulls towards off", func(w *Wiring, c *RelayConfig) { w.SenseBias = gpio.Down }, false},
		{"pulls towards off", func(w *Wiring, c *RelayConfig) { c.SenseOff = true }, false},
		{"stands twice", func(w *Wiring, c *RelayConfig) { w.Mirror = w.Sense }, false},
		{"no backend", func(w *Wiring, c *RelayConfig) { w.Coil.Backend = "cdev" }, false},
		{"doubtful", func(w *Wiring, c *RelayConfig) { b.doubted = "RELAY" }, false},
		{"line of the coil", func(w *Wiring, c *RelayConfig) { w.Coil = gpio.Line{} }, true},
		{`say cut = "energise"`, func(w *Wiring, c *RelayConfig) { c.Cut = 0 }, true},
	} {
		w, c := w, c
		b.doubted, b.opened = "", nil
		refused.change(&w, &c)
		if r, err := OpenRelay(table, w, c); err == nil || r != nil || !strings.Contains(err.Error(), refused.want) {
			t.Errorf("%v; want an error with %q", err, refused.want)
		}
		if !refused.opens && len(b.opened) > 0 {
			t.Errorf("refused for %q after %q was opened", refused.want, b.opened)
		}
	}
}
