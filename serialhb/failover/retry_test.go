package failover

import (
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Retries after `blocked`: bounded, with back-off, then only a person; told.

// failing brings a member to whom member 0 is silent through so many tries that all fail, and gives the waits before each
// further one; the last is 0 if there is none.
func (m *benchMember) failing(a Action, tries int) (waits []time.Duration) {
	m.t.Helper()
	for n := 1; ; n++ {
		m.acts = nil
		m.fenced(a, fencing.None)
		m.write()
		wait := time.Duration(0)
		for _, set := range m.take(SetTimer) {
			if set.Timer.Kind == TimerRetry {
				wait = set.After
			}
		}
		if waits = append(waits, wait); n == tries || wait == 0 {
			return waits
		}
		m.fire(TimerRetry, 0)
		m.write()
		a = m.one(Cut)
	}
}

// givenUp is a pair of which bravo owns nothing, cannot cut alpha, and has tried as often as it may.
func givenUp(t *testing.T) (*bench, *benchMember) {
	t.Helper()
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.failing(m.cutting(0), int(m.cfg.FenceRetries)+1)
	if m.armed(TimerRetry) || !m.onlyAPerson() {
		t.Fatalf("bravo did not give up: %+v", m.s.Peers[0].Fence)
	}
	return b, m
}

// onlyAPerson says whether nothing but a person can move the group: it is blocked and says why, and no time changes that.
func (m *benchMember) onlyAPerson() bool {
	for k := range timerEnd {
		m.do(Event{Kind: TimerFired, Timer: Timer{k, 0}})
	}
	m.write()
	why, peer := m.s.Explain(&m.cfg, 0)
	return len(m.take(Cut)) == 0 && m.s.Groups[0].Phase == pulse.Blocked && why == WhyFenceFailed && peer == 0 && m.s.Peers[0].Fence.Phase == FenceFailed
}

func TestRetriesAreBoundedBackOffAndAreTold(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	m.cfg.FenceRetries = 3
	a := m.cutting(0)
	for n, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 0} {
		waits := m.failing(a, 1)
		if waits[0] != want {
			t.Errorf("after try %d: the next one in %v, want %v", n+1, waits[0], want)
		}
		if m.s.Groups[0].Phase != pulse.Blocked {
			t.Errorf("after try %d web is %s", n+1, m.s.Groups[0].Phase)
		}
		if want != 0 {
			m.fire(TimerRetry, 0)
			m.write()
			a = m.one(Cut)
		}
	}
	if !m.onlyAPerson() {
		t.Errorf("after the last try: %+v, web is %s", m.s.Peers[0].Fence, m.s.Groups[0].Phase)
	}
}

func TestEachTryIsTold(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	a := m.cutting(0)
	for n := uint32(1); n <= 3; n++ {
		m.acts = nil
		m.fenced(a, fencing.None)
		last := n == 3
		told := m.takeNotesOf(NoteFenceFailed, NoteFenceGivenUp)
		if len(told[NoteFenceFailed]) != 1 || told[NoteFenceFailed][0].Arg != n || (len(told[NoteFenceGivenUp]) == 1) != last {
			t.Errorf("try %d is told as %v", n, told)
		}
		if !last {
			m.write()
			m.fire(TimerRetry, 0)
			m.write()
			a = m.one(Cut)
		}
	}
}

func (m *benchMember) takeNotesOf(codes ...Code) map[Code][]Action {
	notes := map[Code][]Action{}
	for _, a := range m.take(Note) {
		for _, c := range codes {
			if a.Code == c {
				notes[c] = append(notes[c], a)
			}
		}
	}
	return notes
}

// A daemon that dies does not forget how often it has tried.
func TestTriesOutliveTheDaemon(t *testing.T) {
	again := func(m *benchMember) {
		m.begin(reread(t, m.s.Volatile()), true, FoundStopped)
		m.do(Event{Kind: WentSilent, Peer: 0})
		m.write()
	}
	_, m := givenUp(t)
	again(m)
	if !m.onlyAPerson() {
		t.Errorf("a daemon started after the last try goes on: %+v, web is %s", m.s.Peers[0].Fence, m.s.Groups[0].Phase)
	}
	b := newBench(t, 2)
	b.owned()
	m = b.members[1]
	m.failing(m.cutting(0), 2)
	v := m.s.Volatile()
	m.begin(reread(t, v), true, FoundStopped)
	wait := time.Duration(0)
	for _, set := range m.take(SetTimer) {
		switch set.Timer.Kind {
		case TimerRetry:
			wait = set.After
		case TimerPower:
			t.Error("power is to come back between two tries")
		}
	}
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	if cuts := m.take(Cut); wait != 2*time.Second || len(cuts) != 0 || m.s.Groups[0].Phase != pulse.Blocked {
		t.Fatalf("after two tries and a new daemon: the next one in %v, %d cuts at once, web is %s", wait, len(cuts), m.s.Groups[0].Phase)
	}
	m.fire(TimerRetry, 0)
	for range 2 { // the new daemon does not know what alpha had, so it may be the lighter side
		m.do(Event{Kind: TimerFired, Timer: Timer{TimerDelay, 0}})
		m.write()
	}
	m.failing(m.one(Cut), 1)
	if !m.onlyAPerson() {
		t.Errorf("the third try was not the last: %+v", m.s.Peers[0].Fence)
	}
}

// What gives a fence its tries back: a person, and the peer itself.
func TestTriesBeginAnew(t *testing.T) {
	for name, mend := range map[string]func(b *bench, m *benchMember){
		"the peer is heard":           func(b *bench, m *benchMember) { b.say(0, 1) },
		"a new daemon hears the peer": func(b *bench, m *benchMember) { m.begin(reread(t, m.s.Volatile()), true, FoundStopped); b.talk(4) },
		"a person clears it":          func(_ *bench, m *benchMember) { m.command(CmdClear, NoPeer) },
		"heard between two tries":     nil,
		"a person's cut that works": func(_ *bench, m *benchMember) {
			m.command(CmdFenceOff, 0)
			m.write()
			m.fenced(m.one(Cut), fencing.FailSafe)
		},
		"a person's word that it's off": func(_ *bench, m *benchMember) { m.command(CmdConfirmOff, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			b, m := givenUp(t)
			if mend == nil {
				b = newBench(t, 2)
				b.owned()
				m = b.members[1]
				m.failing(m.cutting(0), 2)
				m.fire(TimerRetry, 0) // the next try is being written
				mend = func(b *bench, m *benchMember) { b.say(0, 1) }
			}
			mend(b, m)
			if f := m.s.Peers[0].Fence; f.Attempts != 0 || f.Phase == FenceFailed || m.s.Volatile().Peers[0].Attempts != 0 {
				t.Errorf("%+v", f)
			}
		})
	}
}

// A peer that is heard begins anew also while an incident goes on for another one, and before the next coil.
func TestTriesBeginAnewWithinAnIncident(t *testing.T) {
	b := newBench(t, 3)
	b.owned()
	m := b.members[1]
	m.do(Event{Kind: WentSilent, Peer: 2})
	m.do(Event{Kind: WentSilent, Peer: 0})
	m.write()
	cuts := m.take(Cut)
	if len(cuts) != 2 {
		t.Fatal(cuts)
	}
	m.fenced(cuts[1], fencing.FailSafe)
	m.failing(cuts[0], 2)
	m.fire(TimerRetry, 0)
	if f := m.s.Peers[0].Fence; f.Phase == FenceFailed || f.Attempts != 2 {
		t.Fatalf("%+v: this shows nothing", f)
	}
	b.say(0, 1)
	if f := m.s.Peers[0].Fence; f.Attempts != 0 || !m.s.Incident.Open || m.s.Volatile().Peers[0].Attempts != 0 {
		t.Errorf("%+v, incident %+v", f, m.s.Incident)
	}
}

// Each failure is written, also one that changes nothing else.
func TestEachFailureIsWritten(t *testing.T) {
	_, m := givenUp(t)
	m.command(CmdFenceOff, 0)
	m.write()
	a := m.one(Cut)
	m.fenced(a, fencing.None)
	if n := len(m.take(Save)); n != 1 {
		t.Errorf("%d writes", n)
	}
}

// A person may try as often as a person likes: no count goes around.
func TestAPersonMayTryForEver(t *testing.T) {
	_, m := givenUp(t)
	for range 300 {
		m.command(CmdFenceOff, 0)
		m.write()
		m.fenced(m.one(Cut), fencing.None)
		if m.s.Timers[TimerRetry] != 0 {
			t.Fatalf("after %d tries another one is to come by itself", m.s.Peers[0].Fence.Attempts)
		}
	}
}
