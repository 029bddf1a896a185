package board

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a model in a bubble of simulated time, with a log of what happened.
type bench struct {
	*testing.T
	*model
	start  time.Time
	events []string
}

func onBench(t *testing.T, cfg Config, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, start: time.Now()}
		now := func() time.Duration { return time.Since(b.start) }
		m, err := newModel(cfg, now, func(e Event) {
			b.events = append(b.events, fmt.Sprintf("%s %s %s %s", e.At, e.Kind, e.Name, e.Value))
		})
		if err != nil {
			t.Fatal(err)
		}
		b.model = m
		f(b)
	})
}

func (b *bench) ctl(words ...string) {
	b.Helper()
	if _, err := b.control(words); err != nil {
		b.Fatalf("ctl %q: %v", words, err)
	}
}

func (b *bench) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bench) out(s *session, name, initial string, want bool) {
	b.Helper()
	if got, err := b.output(s, name, "test", initial); err != nil || got != want {
		b.Fatalf("out %s %s: %v, %v, want %v", name, initial, got, err, want)
	}
}

func (b *bench) drives(s *session, name, level string) {
	b.Helper()
	if err := b.set(s, name, level); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) power(node, want string) {
	b.Helper()
	if got := b.state().Hosts[node].Power; got != want {
		b.Errorf("at %s: power of %s is %s, want %s", b.now(), node, got, want)
	}
}

func (b *bench) reads(name string, want bool) {
	b.Helper()
	if got := b.state().Senses[name].Level; got != want {
		b.Errorf("at %s: %s reads %v, want %v", b.now(), name, got, want)
	}
}

func (b *bench) log(want ...string) {
	b.Helper()
	if !slices.Equal(b.events, want) {
		b.Errorf("events:\n%q\nwant:\n%q", b.events, want)
	}
}

// supervise attaches a supervisor whose orders are collected.
func (b *bench) supervise(node string) (*session, *[]string) {
	b.Helper()
	s, orders := &session{}, &[]string{}
	if err := b.attach(node, s, func(text string) { *orders = append(*orders, text) }); err != nil {
		b.Fatal(err)
	}
	return s, orders
}

var pair = []string{"alpha", "bravo"}

func TestACutGoesCoilContactHoldUpDeadSense(t *testing.T) {
	cfg := Standard(pair, Options{HoldUp: 100 * time.Millisecond, Operate: 10 * time.Millisecond, Release: 5 * time.Millisecond})
	onBench(t, cfg, func(b *bench) {
		keeper, orders := b.supervise("alpha")
		fencer := &session{}
		b.out(fencer, "RELAY_ALPHA", "low", false)
		b.drives(fencer, "RELAY_ALPHA", "1")
		b.wait(9 * time.Millisecond)
		b.power("alpha", phaseOn)
		b.wait(1 * time.Millisecond)
		b.power("alpha", phaseHoldUp)
		b.wait(99 * time.Millisecond)
		b.reads("SENSE_ALPHA", true)
		b.wait(1 * time.Millisecond)
		b.power("alpha", phaseDying)
		b.wait(7 * time.Millisecond) // the supervisor takes its time; the sense must wait for it
		b.reads("SENSE_ALPHA", true)
		b.report(keeper, "dead", "")
		b.reads("SENSE_ALPHA", false)
		b.drives(fencer, "RELAY_ALPHA", "0")
		b.wait(5 * time.Millisecond)
		b.power("alpha", phaseOn)
		b.log(
			"0s coil RELAY_ALPHA on",
			"10ms contact RELAY_ALPHA open",
			"10ms power alpha holdup",
			"10ms sense MIRROR_ALPHA 0",
			"10ms sense FEED_ALPHA 0",
			"110ms power alpha dying",
			"117ms power alpha off",
			"117ms sense SENSE_ALPHA 0",
			"117ms coil RELAY_ALPHA off",
			"122ms contact RELAY_ALPHA closed",
			"122ms power alpha on",
			"122ms sense SENSE_ALPHA 1",
			"122ms sense MIRROR_ALPHA 1",
			"122ms sense FEED_ALPHA 1",
		)
		if want := []string{"ok", "power on", "power off", "power on"}; !slices.Equal(*orders, want) {
			b.Errorf("orders %q, want %q", *orders, want)
		}
		if e := b.edges(); e["RELAY_ALPHA"] != 2 || e["RELAY_BRAVO"] != 0 {
			b.Errorf("edges %v", e)
		}
		b.power("bravo", phaseOn)
	})
}

func TestPowerBackWithinTheHoldUpIsNoCut(t *testing.T) {
	onBench(t, Standard(pair, Options{HoldUp: 100 * time.Millisecond}), func(b *bench) {
		_, orders := b.supervise("alpha")
		b.ctl("mains", "alpha", "off")
		b.wait(60 * time.Millisecond)
		b.ctl("mains", "alpha", "on")
		b.ctl("mains", "alpha", "off") // a new hold-up begins here
		b.wait(60 * time.Millisecond)
		b.power("alpha", phaseHoldUp)
		b.ctl("mains", "alpha", "on")
		b.wait(time.Second)
		b.power("alpha", phaseOn)
		if want := []string{"ok", "power on"}; !slices.Equal(*orders, want) {
			b.Errorf("orders %q, want %q", *orders, want)
		}
	})
}

func TestPowerBackWhileDyingStillEndsEverything(t *testing.T) {
	onBench(t, Standard(pair, Options{}), func(b *bench) {
		keeper, orders := b.supervise("alpha")
		b.ctl("mains", "alpha", "off")
		b.wait(0)
		b.power("alpha", phaseDying)
		b.ctl("mains", "alpha", "on")
		b.power("alpha", phaseDying)
		b.report(keeper, "dead", "")
		b.power("alpha", phaseOn)
		if want := []string{"ok", "power on", "power off", "power on"}; !slices.Equal(*orders, want) {
			b.Errorf("orders %q, want %q", *orders, want)
		}
	})
}

func TestNobodySaysDeadWhenTheSupervisorIsLost(t *testing.T) {
	onBench(t, Standard(pair, Options{}), func(b *bench) {
		keeper, _ := b.supervise("alpha")
		b.drop(keeper)
		b.ctl("mains", "alpha", "off")
		b.wait(time.Hour)
		b.reads("SENSE_ALPHA", true)
		b.ctl("mains", "bravo", "off") // never had one: nothing runs there
		b.wait(time.Hour)
		b.reads("SENSE_BRAVO", false)
	})
}

func TestADualSupplyNeedsBothFeedsCut(t *testing.T) {
	onBench(t, Standard(pair, Options{Supplies: 2}), func(b *bench) {
		s := &session{}
		b.out(s, "RELAY_ALPHA", "high", true)
		b.wait(time.Second)
		b.power("alpha", phaseOn)
		b.reads("FEED_ALPHA", false)
		b.reads("FEED_ALPHA_B", true)
		b.out(s, "RELAY_ALPHA_B", "high", true)
		b.wait(time.Second)
		b.power("alpha", phaseOff)
	})
}

func TestTheSecondLevelCutsAllSupplies(t *testing.T) {
	onBench(t, Standard(pair, Options{Supplies: 2, SecondLevel: true}), func(b *bench) {
		b.out(&session{}, "RELAY2_ALPHA", "high", true)
		b.wait(time.Second)
		b.power("alpha", phaseOff)
		b.power("bravo", phaseOn)
	})
}

func TestWeldedAndSlow(t *testing.T) {
	onBench(t, Standard(pair, Options{}), func(b *bench) {
		s := &session{}
		b.ctl("weld", "RELAY_ALPHA")
		b.out(s, "RELAY_ALPHA", "high", true)
		b.wait(time.Hour)
		b.power("alpha", phaseOn)
		b.reads("MIRROR_ALPHA", true)
		b.ctl("slow", "RELAY_ALPHA", "2s")
		b.ctl("free", "RELAY_ALPHA")
		b.wait(1999 * time.Millisecond)
		b.power("alpha", phaseOn)
		b.wait(time.Millisecond)
		b.power("alpha", phaseOff)
	})
}

func TestAPulseShorterThanTheOperateTimeMovesNothing(t *testing.T) {
	onBench(t, Standard(pair, Options{}), func(b *bench) {
		s := &session{}
		b.out(s, "RELAY_ALPHA", "high", true)
		b.wait(DefaultOperate - time.Millisecond)
		b.drives(s, "RELAY_ALPHA", "0")
		b.wait(time.Hour)
		b.log("0s coil RELAY_ALPHA on", "7ms coil RELAY_ALPHA off")
	})
}

func TestFaultsOfASense(t *testing.T) {
	onBench(t, Standard(pair, Options{}), func(b *bench) {
		s := &session{}
		read := func(want bool) {
			b.Helper()
			if got, err := b.get(s, "SENSE_ALPHA"); err != nil || got != want {
				b.Errorf("at %s: reads %v, %v, want %v", b.now(), got, err, want)
			}
		}
		request := func(bias string) {
			b.Helper()
			if _, err := b.input(s, "SENSE_ALPHA", "test", bias); err != nil {
				b.Fatal(err)
			}
		}
		request("up")
		read(true)
		b.ctl("sense", "SENSE_ALPHA", "stuck-off")
		read(false)
		b.ctl("sense", "SENSE_ALPHA", "float")
		read(true)
		b.ctl("sense", "SENSE_ALPHA", "lie", "45s")
		b.wait(45*time.Second - time.Millisecond)
		read(false)
		b.wait(time.Millisecond)
		read(true)
		b.ctl("sense", "SENSE_ALPHA", "stuck-on")
		b.ctl("mains", "alpha", "off")
		b.wait(time.Second)
		read(true)
		b.ctl("sense", "SENSE_ALPHA", "ok")
		read(false)
		b.ctl("sense", "SENSE_ALPHA", "float")
		for _, c := range []struct {
			bias  string
			first bool
		}{{"up", true}, {"down", false}} {
			if err := b.free(s, "SENSE_ALPHA"); err != nil {
				b.Fatal(err)
			}
			request(c.bias)
			read(c.first)
			read(c.first)
		}
	})
	onBench(t, Standard(pair, Options{SenseOff: 1}), func(b *bench) {
		b.reads("SENSE_ALPHA", false)
		b.ctl("mains", "alpha", "off")
		b.wait(time.Second)
		b.reads("SENSE_ALPHA", true)
	})
}

func TestLinesAreExclusiveAndFollowTheirAfterExit(t *testing.T) {
	for _, c := range []struct {
		afterExit string
		level     bool
		edges     int
	}{{Revert, false, 2}, {Keep, true, 1}} {
		onBench(t, Standard(pair, Options{AfterExit: c.afterExit}), func(b *bench) {
			first, second := &session{}, &session{}
			b.out(first, "RELAY_ALPHA", "high", true)
			if _, err := b.output(second, "RELAY_ALPHA", "other", "adopt"); err == nil || err.Error() != "line RELAY_ALPHA is held by test" {
				b.Errorf("second request: %v", err)
			}
			for what, err := range map[string]error{
				"set":  b.set(second, "RELAY_ALPHA", "0"),
				"free": b.free(second, "RELAY_ALPHA"),
				"kind": b.set(first, "RELAY_ALPHA", "2"),
			} {
				if err == nil {
					b.Errorf("%s was allowed", what)
				}
			}
			b.drop(first)
			b.out(second, "RELAY_ALPHA", "adopt", c.level)
			if e := b.edges()["RELAY_ALPHA"]; e != c.edges {
				b.Errorf("%s: %d edges, want %d", c.afterExit, e, c.edges)
			}
		})
	}
}

func TestAReleaseRelayCutsWhenItsOutputReverts(t *testing.T) {
	cfg := Config{Relays: []Relay{{Name: "R", Cut: Release}}, Hosts: []Host{{Name: "alpha", Supplies: [][]string{{"R"}}}}}
	onBench(t, cfg, func(b *bench) {
		s := &session{}
		b.out(s, "R", "adopt", true)
		b.wait(time.Second)
		b.power("alpha", phaseOn)
		b.drop(s)
		b.wait(time.Second)
		b.power("alpha", phaseOff)
	})
}
