package world

import (
	"bytes"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// A frame of the later version is what serialhb/pulse takes for one: authentic, with today's header, and no more.
func TestDialectIsALaterVersion(t *testing.T) {
	w := New(Default())
	keys := w.keyring([]string{"one", "two"})
	p := pulse.Pulse{From: 1, To: 0, Session: 77, PeerSession: 88, Seq: 5, Echo: 4, IntervalMS: 100, Core: 7, N: 1}
	today := keys.AppendPulse(nil, &p)
	d := newDialect([]string{"one", "two"})
	later := d.say(bytes.Clone(today))
	var f pulse.Frame
	if v := keys.Open(later, &f); v != pulse.NewerVersion || f.Pulse.Session != 77 || f.Pulse.PeerSession != 88 || f.Pulse.Seq != 5 || f.Pulse.Echo != 4 || f.Pulse.Core != 0 {
		t.Errorf("%s: %+v", v, f.Pulse)
	}
	if got := d.hear(later); !bytes.Equal(got, today) {
		t.Errorf("who speaks it does not understand it: %x, and it was %x", got, today)
	}
	if got := d.hear(today); !bytes.Equal(got, today) {
		t.Error("nor what is spoken today")
	}
	if stray := newDialect([]string{"stray"}); !bytes.Equal(stray.hear(later), later) {
		t.Error("a key that is not there opens it")
	}
	if v := w.keyring([]string{"two"}).Open(later, &f); v != pulse.WrongKey {
		t.Errorf("under another key it is %s", v)
	}
	if got := (*dialect)(nil).say(bytes.Clone(today)); !bytes.Equal(got, today) {
		t.Error("who does not speak it does")
	}
}

func told(w *World, node string, c failover.Code) (times int) {
	for _, n := range w.Notes() {
		if n.Node == node && n.Code == c {
			times++
		}
	}
	return times
}

// A session that is used up is renewed, and moves nothing.
func TestSpentSessionsAreRenewed(t *testing.T) {
	w := pair(t, nil)
	w.SpendPulses("alpha")
	run(t, w, 2*time.Second)
	if told(w, "alpha", failover.NoteNewSession) != 1 || w.Unwell() != "" {
		t.Errorf("its pulses: %d new sessions, %s", told(w, "alpha", failover.NoteNewSession), w.Unwell())
	}
	w.SpendRequests("bravo")
	w.Command("bravo", failover.Command{Kind: failover.CmdSwitchover, Peer: failover.NoPeer})
	run(t, w, 10*time.Second)
	if p, _ := w.Phase("bravo", 0); p != pulse.Active || told(w, "bravo", failover.NoteNewSession) != 1 || w.Unwell() != "" {
		t.Errorf("its requests: bravo is %s after %d new sessions, %s", p, told(w, "bravo", failover.NoteNewSession), w.Unwell())
	}
}

// What is refused is asked again until it is taken; what no daemon hears is read when one starts.
func TestReloadsUntilItIsTaken(t *testing.T) {
	w := pair(t, nil)
	w.SetKeys("alpha", "two", "one")
	w.Reloads("alpha")
	if told(w, "alpha", failover.NoteReloaded) != 0 {
		t.Fatal("nobody listed that key")
	}
	w.SetKeys("bravo", "one", "two")
	w.Reloads("bravo")
	run(t, w, 10*time.Second)
	if told(w, "alpha", failover.NoteReloaded) != 1 || told(w, "bravo", failover.NoteReloaded) != 1 || w.Unwell() != "" {
		t.Errorf("read again %d and %d times, %s", told(w, "alpha", failover.NoteReloaded), told(w, "bravo", failover.NoteReloaded), w.Unwell())
	}
	w.Freeze("alpha")
	w.EditConfig("alpha", 7, 9)
	w.Reloads("alpha")
	run(t, w, 100*time.Millisecond)
	w.Thaw("alpha")
	run(t, w, 10*time.Second)
	if told(w, "alpha", failover.NoteReloaded) != 2 {
		t.Error("a hung daemon forgets that it was asked")
	}
}

// A death in the middle of a start is found after it.
func TestADeathWhileStartingIsFound(t *testing.T) {
	w := pair(t, nil)
	w.Shape("bravo", 0, func(s *Services) { s.Start = 8 * time.Second })
	w.Command("bravo", failover.Command{Kind: failover.CmdSwitchover, Peer: failover.NoPeer})
	run(t, w, 2*time.Second)
	if p, _ := w.Phase("bravo", 0); p != pulse.Starting {
		t.Fatal(p)
	}
	w.FailService("bravo", 0)
	run(t, w, 20*time.Second)
	if p, _ := w.Phase("bravo", 0); p != pulse.Failed {
		t.Errorf("bravo calls it %s", p)
	}
}
