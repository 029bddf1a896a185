package failover

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// TestEveryPairIsHandledOrSaysWhyNot: no phase may be silent about an input.
func TestEveryPairIsHandledOrSaysWhyNot(t *testing.T) {
	for phase := range table {
		for in := range inputEnd {
			r := table[phase][in]
			if (r.do == hNothing) == (r.why == "") {
				t.Errorf("%s, %s: handler %d, reason %q", pulse.Phase(phase), in, r.do, r.why)
			}
		}
	}
	if len(inputNames) != int(inputEnd) || len(eventNames) != int(eventEnd) || len(actionNames) != int(actionEnd) || len(timerNames) != int(timerEnd) || len(commandNames) != int(commandEnd) {
		t.Error("something has no name")
	}
	for c := None; c < codeEnd; c++ {
		if words[c].key == "" {
			t.Errorf("code %d has no key", c)
		}
	}
}

// inPhase is a member of two whose peer is heard and holds nothing, with its only group in a phase.
func inPhase(t *testing.T, phase pulse.Phase) *benchMember {
	b := newBench(t, 2)
	b.talk(3)
	m := b.members[1]
	m.take(Probe)
	m.acts = nil
	g := &m.s.Groups[0]
	*g = Group{Phase: phase, Holds: pulse.HoldsNo, LastRequest: 3}
	m.s.Peers[0].Claim.Groups[0] = pulse.GroupClaim{Holds: pulse.HoldsNo, Phase: pulse.Ineligible}
	switch phase {
	case pulse.Requesting, pulse.AwaitingApproval, pulse.Fencing:
		g.Request = 3
	case pulse.Starting, pulse.Active, pulse.Stopping:
		g.Holds, g.OwnTerm, g.MaxTerm = pulse.HoldsYes, 1, 1
	}
	return m
}

// TestWhatEachPairDoes is what the table means: the phase after each input that is handled. What is not in it must change
// nothing but the count of ignored inputs.
func TestWhatEachPairDoes(t *testing.T) {
	type pair struct {
		phase pulse.Phase
		in    input
	}
	type outcome struct {
		phase pulse.Phase
		holds pulse.Holds
		act   ActionKind // an action that must be among those asked for
		note  Code
	}
	const no, yes = pulse.HoldsNo, pulse.HoldsYes
	after := map[pair]outcome{
		{pulse.Ineligible, inSettle}:       {pulse.Requesting, no, SetTimer, NoteAsks}, // nothing stands in its way any more
		{pulse.Idle, inSettle}:             {pulse.Requesting, no, SetTimer, NoteAsks},
		{pulse.Requesting, inSettle}:       {pulse.Requesting, no, Send, None}, // the peer has not granted
		{pulse.AwaitingApproval, inSettle}: {pulse.Requesting, no, SetTimer, None},
		{pulse.Fencing, inSettle}:          {pulse.Requesting, no, SetTimer, None},
		{pulse.Starting, inSettle}:         {pulse.Starting, yes, Start, None},
		{pulse.Active, inSettle}:           {pulse.Active, yes, Send, None},
		{pulse.Failed, inSettle}:           {pulse.Failed, no, Send, None},
		{pulse.Blocked, inSettle}:          {pulse.Idle, no, Send, None}, // no fence failed: it may ask again
		{pulse.Starting, inStarted}:        {pulse.Active, yes, Keep, NoteActive},
		{pulse.Starting, inStartFailed}:    {pulse.Stopping, yes, Stop, NoteStartFailed},
		{pulse.Stopping, inStopped}:        {pulse.Idle, no, Keep, NoteStopped},
		{pulse.Stopping, inStopFailed}:     {pulse.Failed, yes, Note, NoteFenceMe},
		{pulse.Active, inServiceFailed}:    {pulse.Stopping, yes, Stop, NoteServiceFailed},
		{pulse.Starting, inContradicted}:   {pulse.Stopping, yes, Stop, None},
		{pulse.Active, inContradicted}:     {pulse.Stopping, yes, Stop, None},
		{pulse.Stopping, inContradicted}:   {pulse.Stopping, yes, Send, None}, // and blocked when it is stopped
		{pulse.Starting, inRelease}:        {pulse.Stopping, yes, Stop, None},
		{pulse.Active, inRelease}:          {pulse.Stopping, yes, Stop, None},
		{pulse.Requesting, inMoveTime}:     {pulse.Idle, no, SetTimer, NoteStandstill},
	}
	for _, open := range []pulse.Phase{pulse.Requesting, pulse.AwaitingApproval, pulse.Fencing} {
		after[pair{open, inFenceFailed}] = outcome{pulse.Blocked, no, Note, NoteBlocked}
		after[pair{open, inRelease}] = outcome{pulse.Idle, no, Send, None}
	}
	for phase := range pulse.Phase(len(table)) {
		for in := range inputEnd {
			m := inPhase(t, phase)
			machine := machine{c: &m.cfg, s: &m.s}
			before := m.s
			machine.input(0, in)
			want, handled := after[pair{phase, in}]
			if is := table[phase][in].do != hNothing; is != handled {
				t.Errorf("%s, %s: the table handles it: %v; the test knows: %v", phase, in, is, handled)
				continue
			}
			if !handled {
				if in != inSettle {
					before.Ignored++
				}
				if m.s != before || len(machine.out) != 0 {
					t.Errorf("%s, %s: something happened: %v", phase, in, machine.out)
				}
				continue
			}
			g := m.s.Groups[0]
			if g.Phase != want.phase || g.Holds != want.holds {
				t.Errorf("%s, %s: now %s, holds %s; want %s, %s", phase, in, g.Phase, g.Holds, want.phase, want.holds)
			}
			has := func(k ActionKind, c Code) bool {
				return slices.ContainsFunc(machine.out, func(a Action) bool { return a.Kind == k && (c == None || a.Code == c) })
			}
			if want.act != Send && !has(want.act, None) || want.note != None && !has(Note, want.note) {
				t.Errorf("%s, %s: asked for %v", phase, in, machine.out)
			}
		}
	}
}

// TestStopsEndWhereTheyShould: what a stop is for decides where it ends.
func TestStopsEndWhereTheyShould(t *testing.T) {
	for then, want := range map[After]pulse.Phase{ThenIdle: pulse.Idle, ThenFailed: pulse.Failed, ThenBlocked: pulse.Blocked} {
		m := inPhase(t, pulse.Stopping)
		m.s.Groups[0].Then = then
		machine := machine{c: &m.cfg, s: &m.s}
		machine.input(0, inStopped)
		if got := m.s.Groups[0]; got.Phase != want || got.Accused != (then == ThenBlocked) || got.Then != ThenIdle {
			t.Errorf("stop for %d ends in %s, accused %v", then, got.Phase, got.Accused)
		}
	}
}

// TestEveryEventIsUnderstood: each kind of event, with nothing sensible in it, panics nowhere and breaks nothing.
func TestEveryEventIsUnderstood(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	for _, member := range b.members {
		for kind := range eventEnd {
			for _, e := range []Event{
				{Kind: kind, Pulse: &pulse.Pulse{}},
				{Kind: kind, Peer: 200, Group: 200, Device: 200, Link: 200, ID: 1 << 30, Gen: 1 << 30, Session: 77, Timer: Timer{200, 15}, Pulse: &pulse.Pulse{From: 200}, Command: Command{Kind: 200, Group: 200, Peer: 200}},
			} {
				s, _ := Step(&member.cfg, member.s, e)
				if kind != NewSession && s.Groups[0].Holds != member.s.Groups[0].Holds {
					t.Errorf("%s changed what member %d holds", kind, member.cfg.Me)
				}
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an event that does not exist is taken")
		}
	}()
	Step(&b.members[0].cfg, b.members[0].s, Event{Kind: eventEnd})
}

// TestEveryCommandIsAnswered exactly once, whatever the state.
func TestEveryCommandIsAnswered(t *testing.T) {
	for phase := range pulse.Phase(len(table)) {
		for kind := range commandEnd + 1 {
			for _, peer := range []uint8{0, 1, 200, NoPeer} {
				m := inPhase(t, phase)
				_, out := Step(&m.cfg, m.s, Event{Kind: Commanded, Command: Command{Kind: kind, ID: 5, Peer: peer}})
				n := 0
				for _, a := range out {
					if a.Kind == Reply && a.ID == 5 {
						n++
						if a.OK == (a.Code != None) {
							t.Errorf("%s in %s: accepted %v for reason %s", kind, phase, a.OK, a.Code)
						}
					}
				}
				if n != 1 {
					t.Errorf("%s in %s has %d answers", kind, phase, n)
				}
			}
		}
	}
}

// TestImpossibleStatePanics: the process dying is always safe.
func TestImpossibleStatePanics(t *testing.T) {
	for name, spoil := range map[string]func(*State){
		"active and not held": func(s *State) { s.Groups[0].Phase, s.Groups[0].Holds = pulse.Active, pulse.HoldsNo },
		"held with a request": func(s *State) { s.Groups[0].Request = 4 },
		"a request while stopping": func(s *State) {
			s.Groups[0].Phase, s.Groups[0].Holds, s.Groups[0].Request = pulse.Stopping, pulse.HoldsNo, 4
		},
		"a grant without a request":    func(s *State) { s.Groups[0].Permits[0] = Granted },
		"requesting without a request": func(s *State) { s.Groups[0].Phase, s.Groups[0].Holds = pulse.Requesting, pulse.HoldsNo },
	} {
		m := inPhase(t, pulse.Active)
		spoil(&m.s)
		if m.s.Check(&m.cfg) == "" {
			t.Errorf("%s: nothing is found wrong", name)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Step goes on with an impossible state")
		}
	}()
	m := inPhase(t, pulse.Active)
	m.s.Groups[0].Holds = pulse.HoldsNo
	Step(&m.cfg, m.s, Event{Kind: Beat})
}

// TestRulesThatDoNotComeToRestAreTold once, until they do. It is no reason to die: that would come again after every start.
func TestRulesThatDoNotComeToRestAreTold(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	told := 0
	for range 3 {
		machine := machine{c: &m.cfg, s: &m.s}
		machine.wentSilent(0, false)
		if machine.settle(1); !m.s.Unsettled {
			t.Fatal("one round was enough: this shows nothing")
		}
		for _, a := range machine.out {
			if a.Kind == Note && a.Code == NoteUnsettled {
				told++
			}
		}
		m.s.Peers[0].Presence = Present // it moves again
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	if m.do(Event{Kind: Beat}); m.s.Unsettled || m.told(NoteUnsettled) {
		t.Error("it came to rest, and does not know")
	}
}

// TestLateCompletionsAreIgnoredAndCounted.
func TestLateCompletionsAreIgnoredAndCounted(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	for name, c := range map[string]struct {
		member int
		e      Event
	}{
		"a probe that nobody asked for":    {1, Event{Kind: Probed, ID: 99, Found: FoundRunning}},
		"a probe without an id":            {1, Event{Kind: Probed, Found: FoundRunning}},
		"a start of another id":            {0, Event{Kind: StartDone, ID: 99}},
		"a stop of another id":             {0, Event{Kind: StopDone, ID: 99, OK: true}},
		"a stop without an id":             {0, Event{Kind: StopDone, OK: true}},
		"a failed service that is not":     {1, Event{Kind: ServiceFailed}},
		"a fence that nobody asked for":    {1, Event{Kind: FenceDone, ID: 99, OK: true, Proof: fencing.FailSafe}},
		"cuts that nobody asked for":       {1, Event{Kind: CutsOpened, ID: 99, OK: true}},
		"a timer that is not armed":        {1, Event{Kind: TimerFired, Timer: Timer{TimerMove, 0}}},
		"facts of the future":              {1, Event{Kind: Saved, Gen: 1 << 20, OK: true}},
		"durable facts of the future":      {1, Event{Kind: Kept, Gen: 1 << 20, OK: true}},
		"silence of nobody":                {1, Event{Kind: WentSilent, Peer: 3}},
		"silence of myself":                {1, Event{Kind: WentSilent, Peer: 1}},
		"a sense that does not exist":      {1, Event{Kind: SenseRead, Device: 5, Reading: ReadsOff}},
		"a second start of the same state": {1, Event{Kind: Started}},
	} {
		m := b.members[c.member]
		after, out := Step(&m.cfg, m.s, c.e)
		want := m.s
		want.Ignored++
		if after != want || len(out) != 0 {
			t.Errorf("%s: %v, ignored %d before and %d after", name, out, m.s.Ignored, after.Ignored)
		}
	}
	early := New(&b.members[0].cfg, 5, Volatile{}, Durable{}, false)
	if after, out := Step(&b.members[0].cfg, early, Event{Kind: Beat}); after.Ignored != 1 || len(out) != 0 {
		t.Error("something happened before the start")
	}
}

// TestStepIsPure: the same state and event give the same, and neither is changed.
func TestStepIsPure(t *testing.T) {
	c := benchConfig(1, 3, 2)
	r := rand.New(rand.NewPCG(3, 5))
	s := New(&c, 9, Volatile{}, Durable{Armed: true}, false)
	s, _ = Step(&c, s, Event{Kind: Started})
	told := 0
	for range 20000 {
		p := pulse.Pulse{From: uint8(r.IntN(3)), To: 1, Session: 1 + r.Uint32N(2), PeerSession: 9, Seq: s.Seq + r.Uint32N(4), Echo: s.Seq, Core: 7, Rest: 7, N: 2, Boot: r.Uint32N(2)}
		for g := range p.Groups[:2] {
			p.Groups[g] = pulse.GroupClaim{Holds: pulse.Holds(r.IntN(3)), Phase: pulse.Phase(r.IntN(10)), Request: uint16(r.IntN(3)), Grant: uint16(r.IntN(4)), Term: r.Uint32N(4)}
		}
		e := Event{Kind: EventKind(r.IntN(int(eventEnd))), Peer: uint8(r.IntN(3)), Group: uint8(r.IntN(2)), OK: r.IntN(3) > 0, Found: Found(r.IntN(3)),
			Reading: Reading(r.IntN(3)), Proof: fencing.FailSafe, ID: s.NextID - r.Uint32N(2), Gen: s.Gen, Session: 9, Pulse: &p,
			Timer:   Timer{TimerKind(r.IntN(int(timerEnd))), uint8(r.IntN(3))},
			Command: Command{Kind: CommandKind(r.IntN(int(commandEnd) - 2)), Peer: uint8(r.IntN(3)), Incident: s.Incident.ID}}
		if r.IntN(3) > 0 {
			e.Kind = [...]EventKind{Beat, Heard, Probed, Saved}[r.IntN(4)]
		}
		before, given := s, p
		one, acts := Step(&c, s, e)
		two, again := Step(&c, s, e)
		if one != two || !slices.Equal(acts, again) {
			t.Fatalf("%s: two outcomes", e.Kind)
		}
		if s != before || p != given {
			t.Fatalf("%s: the input was changed", e.Kind)
		}
		told += len(acts)
		s = one
	}
	if told < 5000 {
		t.Errorf("only %d actions: this showed little", told)
	}
	// A state that is copied must be copied whole.
	for i := range reflect.TypeFor[State]().NumField() {
		if f := reflect.TypeFor[State]().Field(i); !flat(f.Type) {
			t.Errorf("%s is not flat", f.Name)
		}
	}
}

func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Chan, reflect.Func, reflect.Interface, reflect.String, reflect.UnsafePointer:
		return false
	case reflect.Array:
		return flat(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !flat(t.Field(i).Type) {
				return false
			}
		}
	}
	return true
}

// TestSteadyPulseAllocatesNothing, neither going out nor coming in.
func TestSteadyPulseAllocatesNothing(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	out := make([]Action, 0, 64)
	p := alpha.pulse(1)
	heard := 0
	n := testing.AllocsPerRun(2000, func() {
		out = bravo.s.Apply(&bravo.cfg, Event{Kind: Beat}, out[:0])
		p.Seq++
		p.Echo = bravo.s.Seq
		out = bravo.s.Apply(&bravo.cfg, Event{Kind: Heard, Pulse: p}, out[:0])
		heard += len(out)
	})
	if n != 0 || heard < 2000 {
		t.Errorf("%v allocations a pulse, %d actions", n, heard)
	}
}
