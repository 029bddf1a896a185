package failover

import (
	"encoding/json"
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// What of a stop and of an accusation outlives the daemon (rules 4, 6 and 17).

// What a group was accused of, failed by, or was being stopped for outlives the daemon: the next one adopts nothing.
func TestAStopOutlivesTheDaemon(t *testing.T) {
	stopping := func(b *bench, m *benchMember, in input, fails bool) {
		machine := machine{c: &m.cfg, s: &m.s}
		m.s.Groups[0].Rests = 2
		machine.input(0, in)
		m.acts = append(slicesWithout(m.acts, Save), machine.out...)
		if m.do(Event{Kind: Beat}); len(m.take(Save)) == 0 {
			t.Error("a stop is not written")
		}
		if fails {
			m.do(Event{Kind: StopDone, ID: m.one(Stop).ID})
		}
	}
	for _, c := range []struct {
		name  string
		in    input
		fails bool
		end   pulse.Phase
	}{
		{"accused", inContradicted, false, pulse.Blocked},
		{"accused, and it could not be stopped", inContradicted, true, pulse.Blocked},
		{"failed", inServiceFailed, false, pulse.Failed},
		{"failed, and it could not be stopped", inServiceFailed, true, pulse.Failed},
		{"asked for", inRelease, false, pulse.Idle},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, found := range []Found{FoundRunning, FoundUnknown, FoundStopped} {
				b := newBench(t, 2)
				b.owned()
				m := b.members[0]
				stopping(b, m, c.in, c.fails)
				for session := range uint32(3) { // the first two die at once
					m.s = New(&m.cfg, 99+session, reread(t, m.s.Volatile()), Durable{Armed: true}, true)
					m.acts = nil
					m.do(Event{Kind: Started})
					m.do(Event{Kind: Beat})
				}
				if m.s.FenceMe != c.fails || m.pulse(1).Flags.Has(pulse.FenceMe) != c.fails {
					t.Errorf("found %d: it asks to be cut: %v", found, m.s.FenceMe)
				}
				m.probed(found)
				if len(m.take(Adopt)) != 0 {
					t.Fatalf("found %d: adopted", found)
				}
				if found != FoundStopped {
					m.write()
					a := m.one(Stop)
					if a.Code != CodeUnfinished {
						t.Errorf("found %d: it is stopped because of %s", found, a.Code)
					}
					m.do(Event{Kind: StopDone, ID: a.ID}) // a stop that fails becomes fence-me
					if !m.s.FenceMe || m.s.Groups[0].Phase != pulse.Failed || m.s.Groups[0].Holds == pulse.HoldsNo {
						t.Errorf("found %d: the stop failed, and it is %s, fence-me %v", found, m.s.Groups[0].Phase, m.s.FenceMe)
					}
					m.command(CmdClear, NoPeer)
					if v := m.s.Volatile().Groups[0]; v.Stopping || v.Failed || v.Accused || v.Stuck {
						t.Errorf("found %d: after a clear %+v is kept", found, v)
					}
					m.probed(FoundStopped)
				}
				if m.s.Groups[0].Rests != 0 {
					t.Error("a stopped group rests on something")
				}
				end := m.s.Groups[0].Phase
				if m.s.FenceMe || m.s.Groups[0].Holds != pulse.HoldsNo || end != c.end && found == FoundStopped {
					t.Errorf("found %d: it ends %s, holds %s, fence-me %v", found, end, m.s.Groups[0].Holds, m.s.FenceMe)
				}
			}
		})
	}
}

// slicesWithout drops the actions of one kind.
func slicesWithout(acts []Action, k ActionKind) (rest []Action) {
	for _, a := range acts {
		if a.Kind != k {
			rest = append(rest, a)
		}
	}
	return rest
}

// reread is what a file makes of facts.
func reread(t *testing.T, v Volatile) (again Volatile) {
	t.Helper()
	body, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(body, &again)
	}
	if err != nil || again != v {
		t.Fatalf("%v: %s", err, body)
	}
	return again
}

// Another group that runs well is no reason to be cut once the one that could not be stopped is.
func TestFenceMeEndsWithTheStop(t *testing.T) {
	m := &benchMember{t: t, cfg: benchConfig(0, 2, 2)}
	v := Volatile{}
	v.Groups[0] = VolatileGroup{Held: true, Failed: true, Stuck: true}
	v.Groups[1] = VolatileGroup{Held: true}
	for _, both := range []bool{true, false} { // could not be stopped
		v.Groups[1].Stuck = both
		m.begin(v, true, FoundRunning)
		m.do(Event{Kind: StopDone, Group: 0, ID: m.take(Stop)[0].ID, OK: true})
		if m.s.FenceMe != both {
			t.Errorf("one of them is stopped, the other stuck: %v, fence-me: %v", both, m.s.FenceMe)
		}
	}
	m.begin(v, true, FoundRunning)
	m.one(Adopt)
	if !m.s.FenceMe {
		t.Fatal("it does not ask to be cut")
	}
	m.do(Event{Kind: StopDone, Group: 0, ID: m.one(Stop).ID, OK: true})
	if m.s.FenceMe || m.s.Groups[0].Phase != pulse.Failed || m.s.Groups[1].Phase != pulse.Active {
		t.Errorf("fence-me %v, the groups are %s and %s", m.s.FenceMe, m.s.Groups[0].Phase, m.s.Groups[1].Phase)
	}
}

// The contradiction comes while the first probe of a new daemon runs.
func TestAccusedDuringTheFirstProbe(t *testing.T) {
	for _, found := range []Found{FoundRunning, FoundUnknown, FoundStopped} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[1]
		m.fenced(m.cutting(0), fencing.FailSafe) // which lied
		m.write()
		m.do(Event{Kind: StartDone, ID: m.one(Start).ID, OK: true})
		m.s = New(&m.cfg, 4000, m.s.Volatile(), Durable{Armed: true}, true)
		m.acts = nil
		m.do(Event{Kind: Started})
		b.talk(4)
		if !m.told(NoteContradiction) {
			t.Fatal("nothing was contradicted: this shows nothing")
		}
		m.probed(found)
		if found != FoundStopped {
			m.do(Event{Kind: StopDone, ID: m.one(Stop).ID, OK: true})
		}
		if g := m.s.Groups[0]; g.Phase != pulse.Blocked || g.Holds != pulse.HoldsNo || len(m.take(Adopt)) != 0 {
			t.Errorf("found %d: it is %s and holds %s", found, g.Phase, g.Holds)
		}
	}
}

// A file of a release that knew nothing of stops that are kept.
func TestOlderFactsAreRead(t *testing.T) {
	const old = `{"incident":{"Open":true,"ID":3,"Late":false,"Moved":1,"Question":{"Why":0,"Asked":false,"Denied":false,"Approved":false,"Used":false}},
		"moves":1,"fences":1,"locked":false,
		"peers":[{"seen":true,"proof":4,"proof_boot":100,"boot":100,"cut_open":true,"fence_counted":true},{},{},{}],
		"groups":[{"held":true,"own_term":2,"max_term":2,"permits":[3,0,0,0]},{},{},{}]}`
	var v Volatile
	if err := json.Unmarshal([]byte(old), &v); err != nil {
		t.Fatal(err)
	}
	m := &benchMember{t: t, cfg: benchConfig(1, 2, 1)}
	m.begin(v, true, FoundRunning)
	if g := m.s.Groups[0]; g.Phase != pulse.Active || g.Permits[0] != ProvenOff || g.Rests != 1 || g.Accused || m.s.FenceMe {
		t.Errorf("read as %+v", g)
	}
	m.one(Adopt)
}

// An owner whose daemon dies in the middle of a switchover has the better right to the free group, and leaves it to the
// node that a person wanted it on.
func TestReleaseOutlivesTheDaemon(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	bravo.command(CmdSwitchover, 1)
	b.talk(4)
	alpha.write()
	alpha.one(Stop)
	alpha.write()
	alpha.s = New(&alpha.cfg, 99, alpha.s.Volatile(), Durable{Armed: true}, true)
	alpha.acts = nil
	alpha.do(Event{Kind: Started})
	alpha.probed(FoundStopped)
	for range 4 {
		alpha.write()
		b.talk(1)
	}
	if grp := &alpha.s.Groups[0]; grp.Phase != pulse.Idle || grp.Request != 0 || alpha.s.Timers[TimerRelease] == 0 {
		t.Fatalf("alpha is %s with request %d", grp.Phase, grp.Request)
	}
	alpha.do(Event{Kind: TimerFired, Timer: Timer{TimerRelease, 0}})
	if alpha.s.Groups[0].YieldTo != 0 || !alpha.told(NoteReleaseUnused) {
		t.Error("nobody takes it, and alpha waits for ever")
	}
}

// What people set, and a lock-out, outlives the daemon and the host (rule 16). Only a withdrawal counts for less after a boot.
func TestModesOutliveDaemonAndHost(t *testing.T) {
	for name, mode := range map[string]func(s *State) *bool{
		"disarmed":    func(s *State) *bool { return &s.Armed },
		"maintenance": func(s *State) *bool { return &s.Maintenance },
		"standby":     func(s *State) *bool { return &s.Standby },
		"locked out":  func(s *State) *bool { return &s.Locked },
		"withdrawn":   func(s *State) *bool { return &s.Peers[0].Withdrawn },
	} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[1]
		*mode(&m.s) = !*mode(&m.s)
		want := *mode(&m.s)
		for _, sameBoot := range []bool{true, false} {
			s := New(&m.cfg, 77, reread(t, m.s.Volatile()), m.s.Durable(), sameBoot)
			if *mode(&s) != want {
				t.Errorf("%s, same boot %v: it was %v and is %v", name, sameBoot, want, *mode(&s))
			}
			if s.Peers[0].Withdrawn && s.Peers[0].Stale == sameBoot {
				t.Errorf("same boot %v: the withdrawal is stale: %v", sameBoot, s.Peers[0].Stale)
			}
		}
	}
}

// What runs without a record is asked for, and the asking can come to nothing at once: then it waits like any other, or the
// rules would never come to rest.
func TestAStrayThatCannotBeHadIsAskedForWithPauses(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	bravo.s.FenceMe = true // over another group
	alpha.begin(Volatile{}, true, FoundRunning)
	alpha.do(Event{Kind: WentDeaf}) // it may cut nobody
	b.talk(3)
	if !alpha.s.Groups[0].Found || !alpha.told(NoteAsks) {
		t.Fatalf("alpha is %s: this shows nothing", alpha.s.Groups[0].Phase)
	}
	if alpha.told(NoteUnsettled) || !alpha.armed(TimerBackoff) {
		t.Errorf("alpha asks without a pause: at rest %v, it waits %v", !alpha.told(NoteUnsettled), alpha.armed(TimerBackoff))
	}
}
