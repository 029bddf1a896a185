package rack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
)

func TestAResetBootsAnewAndCutsNothing(t *testing.T) {
	in := build(t, family, func(c *Config) { c.BootDelay = 10 * time.Millisecond })
	in.file("alpha", "up")
	boot, first := in.bootID("alpha"), in.pid("alpha")
	left := filepath.Join(in.RunDir("alpha"), "left")
	in.must(os.WriteFile(left, []byte("x"), 0o644))
	in.must(in.Reset("alpha"))
	in.until("a new daemon", func() bool { return in.runs("alpha") && in.pid("alpha") != first })
	if in.bootID("alpha") == boot {
		t.Error("the boot id is the same")
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("the run directory was not emptied")
	}
	in.file("alpha", "trap")
	in.must(in.Reboot("alpha", patience))
	in.until("it is up again", func() bool { return in.runs("alpha") })
	for _, e := range in.past {
		if e.Kind == "power" || e.Kind == "sense" {
			t.Errorf("the board saw %+v", e)
		}
	}
	in.must(in.PowerOff("alpha"))
	in.wait("power alpha off")
	if err := in.Reset("alpha"); err == nil {
		t.Error("a host without power was reset")
	}
}

// family is a daemon with children that got away: one in a session of its own, one whose parent has gone, one stopped.
const family = `setsid sleep 1000 &
(setsid sh -c 'sleep 1001 & sleep 1002 & wait' &)
setsid sleep 1003 & kill -STOP $!
echo up >$SERIALHB_RUN_DIR/up
` + idle

func TestAPowerCutEndsEverythingThatTheNodeRan(t *testing.T) {
	const holdUp = 150 * time.Millisecond
	in := build(t, family, func(c *Config) { c.HoldUp, c.BootDelay = holdUp, 10*time.Millisecond })
	in.file("alpha", "up")
	in.until("the family is complete", func() bool { return len(in.processesOf("alpha")) >= 6 })
	boot := in.bootID("alpha")
	state := filepath.Join(in.StateDir("alpha"), "kept")
	in.must(os.WriteFile(state, []byte("x"), 0o644))
	in.must(os.MkdirAll(filepath.Join(in.RunDir("alpha"), "deep", "er"), 0o755))

	in.must(in.PowerOff("alpha"))
	cut := in.wait("mains alpha off")
	if len(in.processesOf("alpha")) < 6 && len(in.events) == 0 {
		t.Error("processes ended before the hold-up was over")
	}
	dying := in.wait("power alpha dying")
	if d := dying.At - cut.At; d < holdUp {
		t.Errorf("the supplies held for %s instead of %s", d, holdUp)
	}
	off := in.wait("power alpha off")
	if left := in.processesOf("alpha"); len(left) != 0 {
		t.Errorf("the sense may read off, and these run: %q", left)
	}
	t.Logf("hold-up %s, killing took %s", dying.At-cut.At, off.At-dying.At)
	in.wait("sense SENSE_ALPHA 0")
	in.until("the run directory is empty", func() bool {
		entries, err := os.ReadDir(in.RunDir("alpha"))
		return err == nil && len(entries) == 0
	})
	in.until("the boot id changes", func() bool { id, err := in.BootID("alpha"); return err == nil && len(id) == 36 && id != boot })
	if _, err := os.Stat(state); err != nil {
		t.Errorf("the durable folder was touched: %v", err)
	}
	if len(in.processesOf("bravo")) < 6 {
		t.Error("bravo lost processes")
	}
	if err := in.Freeze("alpha"); err == nil {
		t.Error("a host without power was frozen")
	}
	in.must(in.PowerOn("alpha"))
	in.wait("sense SENSE_ALPHA 1")
	in.file("alpha", "up")
}

// forker makes new sessions as fast as it can: nobody may slip through between two looks.
const forker = `while :; do setsid sleep 1000 & setsid sh -c 'sleep 1000 & sleep 1000 &' & sleep 0.002; done`

func TestAPowerCutCatchesWhoForks(t *testing.T) {
	in := build(t, forker, nil)
	for range 5 {
		in.until("there are many", func() bool { return len(in.processesOf("alpha")) > 20 })
		in.must(in.PowerOff("alpha"))
		dying := in.wait("power alpha dying")
		off := in.wait("power alpha off")
		if left := in.processesOf("alpha"); len(left) != 0 {
			t.Fatalf("these got away: %q", left)
		}
		t.Logf("killing took %s", off.At-dying.At)
		in.must(in.PowerOn("alpha"))
	}
}

const ticker = `i=0; while :; do i=$((i+1)); echo $i >$SERIALHB_RUN_DIR/t; mv $SERIALHB_RUN_DIR/t $SERIALHB_RUN_DIR/tick; sleep 0.005; done`

func TestFreezeAndThaw(t *testing.T) {
	// The ticker runs in a session of its own: a frozen machine is all of it.
	in := build(t, `setsid sh -c '`+ticker+`' & `+idle, nil)
	in.file("alpha", "tick")
	in.must(in.Freeze("alpha"))
	in.until("the last tick before the stop is written", func() bool {
		before := in.file("alpha", "tick")
		time.Sleep(100 * time.Millisecond)
		return in.file("alpha", "tick") == before
	})
	frozen := in.file("alpha", "tick")
	first := in.file("bravo", "tick")
	in.until("bravo goes on", func() bool { return in.file("bravo", "tick") != first })
	if !in.runs("alpha") || in.file("alpha", "tick") != frozen {
		t.Error("a frozen host moved or lost its daemon")
	}
	in.must(in.Thaw("alpha"))
	in.until("alpha goes on", func() bool { return in.file("alpha", "tick") != frozen })

	in.must(in.Freeze("alpha"))
	in.must(in.KillDaemon("alpha"))
	time.Sleep(5 * in.cfg.RestartDelay)
	if in.runs("alpha") {
		t.Error("a frozen host started a daemon")
	}
	in.must(in.PowerOff("alpha"))
	in.wait("power alpha off")
	if left := in.processesOf("alpha"); len(left) != 0 {
		t.Errorf("a frozen host lost its power, and these are left: %q", left)
	}
	in.must(in.PowerOn("alpha"))
	in.pid("alpha")
}

// dial is a fencing node's connection to the board.
func (in *installation) dial() *board.Client {
	in.Helper()
	c, err := board.Dial(in.BoardSocket())
	in.must(err)
	in.Cleanup(func() { c.Close() })
	return c
}

func (in *installation) asks(c *board.Client, request, want string) {
	in.Helper()
	if got, err := c.Ask(strings.Fields(request)...); err != nil || got != want {
		in.Fatalf("%s: %q, %v, want %q", request, got, err, want)
	}
}

func (in *installation) edges(line string, want int) {
	in.Helper()
	if got, err := in.Edges(line); err != nil || got != want {
		in.Errorf("edges of %s: %d, %v, want %d", line, got, err, want)
	}
}

func TestARelayCutsAndItsSenseProvesIt(t *testing.T) {
	in := build(t, family, func(c *Config) { c.HoldUp = 20 * time.Millisecond })
	in.file("alpha", "up")
	c := in.dial()
	in.asks(c, "in SENSE_ALPHA bravo up", "1")
	in.asks(c, "out RELAY_ALPHA bravo adopt", "0")
	in.edges("RELAY_ALPHA", 0)
	in.asks(c, "set RELAY_ALPHA 1", "")
	coil := in.wait("coil RELAY_ALPHA on")
	open := in.wait("contact RELAY_ALPHA open")
	off := in.wait("power alpha off")
	in.wait("sense SENSE_ALPHA 0")
	in.asks(c, "get SENSE_ALPHA", "0")
	if left := in.processesOf("alpha"); len(left) != 0 {
		t.Errorf("the sense reads off and these run: %q", left)
	}
	t.Logf("coil to contact %s, contact to off %s (hold-up 20ms)", open.At-coil.At, off.At-open.At)
	in.must(c.Close()) // the fencing node dies: its relay falls back, and alpha boots
	in.wait("power alpha on")
	in.edges("RELAY_ALPHA", 2)
	in.edges("RELAY_BRAVO", 0)
	if _, err := in.Edges("SENSE_ALPHA"); err == nil {
		t.Error("an input has edges")
	}
}

func TestAWeldedRelayDoesNotCut(t *testing.T) {
	in := build(t, idle, nil)
	c := in.dial()
	in.must(in.Weld("RELAY_ALPHA"))
	in.asks(c, "out RELAY_ALPHA bravo high", "1")
	time.Sleep(10 * board.DefaultOperate)
	s, err := in.State()
	in.must(err)
	if r := s.Relays["RELAY_ALPHA"]; !r.Welded || !r.Closed || r.Holder != "bravo" || s.Hosts["alpha"].Power != "on" || !in.runs("alpha") {
		t.Errorf("%+v %+v", r, s.Hosts["alpha"])
	}
	in.must(in.Slow("RELAY_ALPHA", 50*time.Millisecond))
	in.must(in.Free("RELAY_ALPHA"))
	in.wait("power alpha off")
	if in.status("alpha") != "off" {
		t.Error("the host still runs")
	}
}

func TestFaultsReachTheSenses(t *testing.T) {
	in := build(t, idle, func(c *Config) { c.HoldUp = time.Hour })
	c := in.dial()
	in.asks(c, "in SENSE_ALPHA bravo up", "1")
	in.must(in.Sense("SENSE_ALPHA", board.FaultStuckOff))
	in.asks(c, "get SENSE_ALPHA", "0")
	in.must(in.Sense("SENSE_ALPHA", board.FaultNone))
	in.asks(c, "get SENSE_ALPHA", "1")
	in.must(in.SenseLies("SENSE_ALPHA", time.Hour))
	in.asks(c, "get SENSE_ALPHA", "0")
	in.must(in.PowerOff("bravo"))
	in.wait("power bravo holdup")
	in.must(in.PowerOn("bravo"))
	in.wait("power bravo on")
	in.must(in.HoldUp("bravo", 0))
	in.must(in.PowerOff("bravo"))
	in.wait("power bravo off")
}

func TestThreeNodesWithTwoSupplies(t *testing.T) {
	in := build(t, idle, func(c *Config) {
		c.Nodes = []string{"alpha", "bravo", "charlie"}
		c.Board = board.Options{Supplies: 2}
	})
	c := in.dial()
	for i, relay := range []string{"RELAY_ALPHA_BY_CHARLIE", "RELAY_ALPHA_BY_BRAVO_B"} {
		in.asks(c, fmt.Sprintf("out %s charlie high", relay), "1")
		in.wait("contact " + relay + " open")
		if i == 0 && in.status("alpha") == "off" {
			t.Error("one of two feeds cut alpha off")
		}
	}
	in.wait("power alpha off")
	if in.Port("alpha", "charlie") == in.Port("alpha", "bravo") || in.Peer("alpha", "charlie") == in.Peer("alpha", "bravo") {
		t.Error("two peers share a path")
	}
}
