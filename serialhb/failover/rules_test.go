package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Each test here is one rule that random walks meet too seldom. Taking the rule out of the code makes its test fail.

func TestGrantClearsThePermitOfTheGrantee(t *testing.T) { // rule 2
	b := newBench(t, 2)
	b.owned()
	bravo := b.members[1]
	bravo.s.Groups[0].Permits[0] = ProvenOff // from a while ago, and nothing ended it yet
	b.members[0].command(CmdSwitchover, 1)   // so that alpha asks for nothing; the request comes by hand
	p := b.members[0].pulse(1)
	p.Seq, p.Echo = p.Seq+1, 0
	p.Groups[0] = pulse.GroupClaim{Holds: pulse.HoldsNo, Phase: pulse.Requesting, Request: 9, Term: 1}
	bravo.do(Event{Kind: Heard, Pulse: p})
	bravo.probed(FoundStopped)
	if g := bravo.s.Groups[0]; g.Grants[0].Request != 9 || g.Permits[0] != NoPermit {
		t.Errorf("granted request %d, permit %s", g.Grants[0].Request, g.Permits[0])
	}
}

func TestGrantAbandonsTheOwnRequest(t *testing.T) { // rule 2
	b := newBench(t, 2)
	b.say(0, 1)
	b.say(1, 0)
	bravo := b.members[1]
	if bravo.s.Groups[0].Request != 0 || b.members[0].s.Groups[0].Request == 0 {
		t.Fatal("alpha has the better right, and only it should ask")
	}
	// Both ask at once: bravo asked while alpha was not ready.
	bravo.s.Groups[0].Request, bravo.s.Groups[0].Phase = 3, pulse.Requesting
	b.say(0, 1)
	if g := bravo.s.Groups[0]; g.Request != 0 || g.Doing == 0 || !bravo.told(NoteGaveWay) {
		t.Fatalf("bravo did not give way: request %d, phase %s", g.Request, g.Phase)
	}
	bravo.probed(FoundStopped)
	bravo.write()
	if got, want := bravo.pulse(0).Groups[0].Grant, b.members[0].s.Groups[0].Request; got != want || want == 0 {
		t.Errorf("bravo grants %d, alpha asks %d", got, want)
	}
}

func TestBetterRightStays(t *testing.T) { // rule 2: the other half
	b := newBench(t, 2)
	b.talk(3)
	alpha := b.members[0]
	if alpha.s.Groups[0].Request == 0 {
		t.Fatal("alpha does not ask")
	}
	p := b.members[1].pulse(0)
	p.Seq++
	p.Groups[0].Request, p.Groups[0].Phase = 4, pulse.Requesting
	alpha.do(Event{Kind: Heard, Pulse: p})
	if alpha.s.Groups[0].Request == 0 || len(alpha.take(Probe)) != 0 {
		t.Error("alpha gave way to bravo")
	}
	// A later ownership is worth more than preference.
	p.Seq++
	p.Groups[0].Term = 5
	alpha.do(Event{Kind: Heard, Pulse: p})
	if alpha.s.Groups[0].Request != 0 {
		t.Error("alpha insists although bravo owned it last")
	}
}

func TestFenceOfAnAbandonedRequestProvesNothing(t *testing.T) { // rule 5
	b := newBench(t, 3)
	b.owned()
	bravo := b.members[1]
	cut := bravo.cutting(0)

	// While the coil is driven charlie, with the better right by a later term, asks; bravo gives way, then asks again.
	p := b.members[2].pulse(1)
	p.Seq++
	p.Groups[0].Request, p.Groups[0].Phase, p.Groups[0].Term = 4, pulse.Requesting, 9
	bravo.do(Event{Kind: Heard, Pulse: p})
	bravo.probed(FoundStopped)
	if bravo.s.Groups[0].Request != 0 {
		t.Fatal("bravo did not abandon its request")
	}
	p.Seq++
	p.Groups[0] = pulse.GroupClaim{Holds: pulse.HoldsNo, Phase: pulse.Ineligible, Term: 9}
	bravo.do(Event{Kind: Heard, Pulse: p})
	bravo.do(Event{Kind: Beat})
	if bravo.s.Groups[0].Request == 0 {
		t.Fatal("bravo does not ask again")
	}
	bravo.fenced(cut, fencing.FailSafe)
	if got := bravo.s.Groups[0].Permits[0]; got != NoPermit {
		t.Errorf("the fence of the request before gave %q", got)
	}
}

func TestFenceProvesForWhatWasOpenBeforeTheCoil(t *testing.T) { // rule 5: the other half
	b := newBench(t, 2)
	b.owned()
	bravo := b.members[1]
	cut := bravo.cutting(0)
	bravo.fenced(cut, fencing.FailSafe)
	bravo.write()
	if bravo.s.Groups[0].Phase != pulse.Starting || len(bravo.take(Start)) != 1 {
		t.Errorf("bravo is %s", bravo.s.Groups[0].Phase)
	}
}

func TestLeaverKeepsNothing(t *testing.T) { // rule 7
	b := newBench(t, 2)
	b.owned()
	bravo := b.members[1]
	cut := bravo.cutting(0)
	bravo.fenced(cut, fencing.FailSafe)
	bravo.write()
	bravo.do(Event{Kind: StartDone, Group: 0, ID: bravo.one(Start).ID, OK: true})
	if bravo.s.Groups[0].Permits[0] != ProvenOff || !bravo.s.Peers[0].Seen {
		t.Fatal("bravo owns without the proof that this is about")
	}
	bravo.command(CmdLeave, 0)
	bravo.do(Event{Kind: StopDone, Group: 0, ID: bravo.one(Stop).ID, OK: true})
	bravo.restored()
	if bravo.pulse(0).Flags.Has(pulse.Leaving) {
		t.Error("bravo says goodbye before its permits are erased")
	}
	bravo.write()
	v := bravo.s.Volatile()
	if bravo.s.Leaving != LeaveSaying || v.Groups[0].Permits[0] != NoPermit || v.Peers[0].Seen || v.Peers[0].Proof != fencing.None {
		t.Errorf("leaving %d, and it keeps %+v and permit %s", bravo.s.Leaving, v.Peers[0], v.Groups[0].Permits[0])
	}
	// Nor does it take a goodbye or a claim into that session.
	p := b.members[0].pulse(1)
	p.Seq, p.Boot, p.Flags = p.Seq+1, 77, pulse.Leaving
	p.Session, p.Echo, p.PeerSession = 4242, bravo.s.Seq, bravo.s.Session
	p.Groups[0] = pulse.GroupClaim{Holds: pulse.HoldsNo}
	bravo.do(Event{Kind: Heard, Pulse: p})
	if bravo.s.Groups[0].Permits[0] != NoPermit || bravo.s.Peers[0].Seen {
		t.Error("a leaver took a goodbye")
	}
}

func TestNothingVolatileOutlivesTheHost(t *testing.T) { // rules 5, 9 and 17
	v := Volatile{}
	v.Peers[0] = VolatilePeer{Seen: true, Left: true, Proof: fencing.FailSafe, ProofBoot: 5}
	v.Groups[0] = VolatileGroup{Held: true, Permits: [MaxMembers]Permit{ProvenOff}}
	c := benchConfig(1, 2, 1)
	s := New(&c, 5, v, Durable{Armed: true}, false)
	if p, g := s.Peers[0], s.Groups[0]; p.Seen || p.Presence != Unjudged || p.Proof != fencing.None || g.Permits[0] != NoPermit || g.Recorded {
		t.Errorf("after a host reboot: %+v, permit %s, recorded %v", p, g.Permits[0], g.Recorded)
	}
	s = New(&c, 5, v, Durable{Armed: true}, true)
	if p, g := s.Peers[0], s.Groups[0]; !p.Seen || p.Presence != Gone || p.Proof != fencing.FailSafe || g.Permits[0] != ProvenOff || !g.Recorded {
		t.Errorf("after a restart of the daemon: %+v, permit %s, recorded %v", p, g.Permits[0], g.Recorded)
	}
}

func TestRecordOfAnotherBootAdoptsNothing(t *testing.T) { // rule 4
	v := Volatile{}
	v.Groups[0].Held = true
	for _, c := range []struct {
		sameBoot bool
		found    Found
		holds    pulse.Holds
		adopts   int
		stops    int
	}{
		{true, FoundRunning, pulse.HoldsYes, 1, 0},
		{false, FoundRunning, pulse.HoldsUnknown, 0, 0},
		{true, FoundStopped, pulse.HoldsNo, 0, 0},
		{true, FoundUnknown, pulse.HoldsUnknown, 0, 1},
		{false, FoundUnknown, pulse.HoldsUnknown, 0, 1},
	} {
		m := &benchMember{t: t, cfg: benchConfig(0, 2, 1)}
		m.begin(v, c.sameBoot, c.found)
		if g := m.s.Groups[0]; g.Holds != c.holds || len(m.take(Adopt)) != c.adopts || len(m.take(Stop)) != c.stops {
			t.Errorf("same boot %v, found %d: holds %s, phase %s", c.sameBoot, c.found, g.Holds, g.Phase)
		}
	}
}

func TestOlderSessionIsNotBelieved(t *testing.T) { // rule 2 of the protocol
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	late := alpha.pulse(1)
	late.Seq, late.Flags = late.Seq+50, pulse.Leaving
	late.Groups[0] = pulse.GroupClaim{Holds: pulse.HoldsNo, Term: 1}

	alpha.begin(alpha.s.Volatile(), true, FoundRunning) // its daemon restarts and goes on
	b.meet()
	if bravo.s.Owner(&bravo.cfg, 0) != 0 {
		t.Fatal("bravo does not know the new session")
	}
	bravo.do(Event{Kind: Heard, Pulse: late})
	if g := bravo.s.Groups[0]; g.Permits[0] != NoPermit || bravo.s.Peers[0].Presence != Present || g.Request != 0 {
		t.Errorf("a goodbye of the session before: permit %s, alpha is %s, request %d", g.Permits[0], bravo.s.Peers[0].Presence, g.Request)
	}
}

func TestGrantIsSaidOnlyWhenItIsSaved(t *testing.T) { // rule 5, last sentence but one
	b := newBench(t, 2)
	b.talk(3)
	bravo := b.members[1]
	bravo.probed(FoundStopped)
	if bravo.s.Groups[0].Grants[0].Request == 0 {
		t.Fatal("bravo did not grant")
	}
	if got := bravo.pulse(0).Groups[0].Grant; got != 0 {
		t.Errorf("grant %d is said before it is saved", got)
	}
	bravo.do(Event{Kind: Saved, Gen: bravo.s.Gen, OK: false})
	if got := bravo.pulse(0).Groups[0].Grant; got != 0 {
		t.Errorf("grant %d is said although it could not be saved", got)
	}
	bravo.do(Event{Kind: Saved, Gen: bravo.s.Gen, OK: true})
	if bravo.pulse(0).Groups[0].Grant == 0 {
		t.Error("the grant is saved and not said")
	}
}

func TestStartWaitsForTheRecord(t *testing.T) { // rule 4
	b := newBench(t, 2)
	b.talk(3)
	bravo, alpha := b.members[1], b.members[0]
	bravo.probed(FoundStopped)
	bravo.write()
	b.say(1, 0)
	if alpha.s.Groups[0].Holds != pulse.HoldsYes {
		t.Fatalf("alpha holds %s", alpha.s.Groups[0].Holds)
	}
	alpha.do(Event{Kind: Beat})
	alpha.do(Event{Kind: Saved, Gen: alpha.s.Gen, OK: false})
	if len(alpha.take(Start)) != 0 {
		t.Error("alpha starts before it wrote that it holds")
	}
	alpha.do(Event{Kind: Saved, Gen: alpha.s.Gen, OK: true})
	if len(alpha.take(Start)) != 1 {
		t.Error("alpha does not start")
	}
}

func TestUnknownProbeGrantsNothing(t *testing.T) { // rules 2 and 8
	for _, found := range []Found{FoundUnknown, FoundRunning} {
		b := newBench(t, 2)
		b.talk(3)
		bravo := b.members[1]
		bravo.probed(found)
		bravo.write()
		g := bravo.s.Groups[0]
		if g.Grants[0].Request != 0 || bravo.pulse(0).Groups[0].Grant != 0 || g.Holds != pulse.HoldsUnknown || len(bravo.take(Stop)) != 1 {
			t.Errorf("found %d: granted %d, holds %s", found, g.Grants[0].Request, g.Holds)
		}
	}
}

// TestWhatNobodyCanTellIsLookedAtOnce for each request, however often what may run is stopped meanwhile.
func TestWhatNobodyCanTellIsLookedAtOnce(t *testing.T) {
	b := newBench(t, 2)
	b.talk(3)
	alpha, bravo := b.members[0], b.members[1]
	for ask := range uint16(3) {
		bravo.probed(FoundUnknown)
		bravo.do(Event{Kind: StopDone, Group: 0, ID: bravo.one(Stop).ID, OK: true})
		bravo.write()
		b.talk(3)
		if again := bravo.take(Probe); len(again) != 0 || bravo.pulse(0).Groups[0].Grant != 0 {
			t.Fatalf("request %d: looked at %d times more, granted %d", ask+1, len(again), bravo.pulse(0).Groups[0].Grant)
		}
		for _, k := range []TimerKind{TimerMove, TimerBackoff} {
			alpha.do(Event{Kind: TimerFired, Timer: Timer{Kind: k}})
			b.talk(3)
		}
	}
	bravo.probed(FoundStopped)
	bravo.write()
	b.talk(2)
	if alpha.s.Groups[0].Holds != pulse.HoldsYes {
		t.Error("nobody has it although it is stopped on both")
	}
}

func TestClaimAfterAProofEndsIt(t *testing.T) { // rule 5
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	bravo.fenced(bravo.cutting(0), fencing.FailSafe)
	bravo.write()
	bravo.do(Event{Kind: Beat})
	if bravo.s.Groups[0].Permits[0] != ProvenOff {
		t.Fatal("no proof")
	}
	alpha.cfg.Boot = 55
	alpha.begin(Volatile{}, false, FoundStopped)
	b.talk(4)
	if p := bravo.s.Peers[0]; bravo.s.Groups[0].Permits[0] != NoPermit || p.Proof != fencing.None || !p.Claim.Valid {
		t.Errorf("alpha is back: permit %s, proof %s", bravo.s.Groups[0].Permits[0], p.Proof)
	}
}

func TestClaimAfterAGoodbyeEndsIt(t *testing.T) { // rule 5
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	alpha.command(CmdLeave, 0)
	alpha.do(Event{Kind: StopDone, Group: 0, ID: alpha.one(Stop).ID, OK: true})
	alpha.write()
	b.say(0, 1)
	if bravo.s.Groups[0].Permits[0] != LeftIt || bravo.s.Peers[0].Presence != Gone {
		t.Fatalf("permit %s, alpha is %s", bravo.s.Groups[0].Permits[0], bravo.s.Peers[0].Presence)
	}
	alpha.begin(Volatile{}, true, FoundStopped)
	b.talk(4)
	if bravo.s.Groups[0].Permits[0] != NoPermit || bravo.s.Peers[0].Presence != Present {
		t.Errorf("alpha is back: permit %s, it is %s", bravo.s.Groups[0].Permits[0], bravo.s.Peers[0].Presence)
	}
}

func TestGrantDiesWithTheSessionOfTheGrantee(t *testing.T) { // rule 3
	b := newBench(t, 2)
	b.talk(3)
	alpha, bravo := b.members[0], b.members[1]
	bravo.probed(FoundStopped)
	bravo.write()
	request := alpha.s.Groups[0].Request
	if bravo.pulse(0).Groups[0].Grant != request {
		t.Fatal("bravo did not grant")
	}
	// Alpha's daemon starts again in the same boot. It hears nothing for long enough to ask, and only then hears bravo: its
	// first claim carries a request, and that bears the same number.
	alpha.begin(alpha.s.Volatile(), true, FoundStopped)
	alpha.do(Event{Kind: WentSilent, Peer: 1})
	bravo.do(Event{Kind: Beat})
	b.say(1, 0)
	b.say(0, 1)
	if bravo.s.Peers[0].In.Session != alpha.s.Session || bravo.s.Peers[0].Claim.Groups[0].Request != request {
		t.Fatalf("bravo sees request %d of session %d: this shows nothing", bravo.s.Peers[0].Claim.Groups[0].Request, bravo.s.Peers[0].In.Session)
	}
	if got := bravo.pulse(0).Groups[0].Grant; got != 0 {
		t.Errorf("grant %d of the session before is said to the new one, without a probe", got)
	}
	bravo.probed(FoundStopped)
}

// Alpha asks, bravo probes, and alpha's daemon starts again and asks by the same number, all before the probe ends. What it
// found is of before the request.
func TestProbeDiesWithTheSessionOfTheAsker(t *testing.T) { // rules 2 and 3
	b := newBench(t, 2)
	b.talk(3)
	alpha, bravo := b.members[0], b.members[1]
	old, request := bravo.one(Probe), alpha.s.Groups[0].Request
	alpha.begin(alpha.s.Volatile(), true, FoundStopped)
	alpha.do(Event{Kind: WentSilent, Peer: 1})
	bravo.do(Event{Kind: Beat})
	b.say(1, 0)
	b.say(0, 1)
	if claim := bravo.s.Peers[0].Claim; bravo.s.Peers[0].In.Session != alpha.s.Session || claim.Groups[0].Request != request {
		t.Fatalf("bravo sees request %d: this shows nothing", claim.Groups[0].Request)
	}
	bravo.do(Event{Kind: Probed, ID: old.ID, Found: FoundStopped})
	bravo.write()
	if got := bravo.pulse(0).Groups[0].Grant; got != 0 {
		t.Errorf("request %d is granted on a probe of before it", got)
	}
	bravo.probed(FoundStopped)
	bravo.write()
	if got := bravo.pulse(0).Groups[0].Grant; got != request {
		t.Errorf("after a probe of its own, %d is granted", got)
	}
}

// Whatever would have kept a member from probing for a request keeps it from granting it when the probe ends.
func TestWhatComesUpDuringTheProbeKeepsFromGranting(t *testing.T) { // rule 2
	for name, c := range map[string]struct {
		comes func(*Peer)
		none  bool
	}{
		"nothing":                  {func(*Peer) {}, false},
		"a wrong key":              {func(p *Peer) { p.Doubt = DoubtWrongKey }, false},
		"two daemons of that name": {func(p *Peer) { p.Doubt = DoubtTwin }, true},
		"another boot":             {func(p *Peer) { p.Doubt = DoubtBoot }, true},
		"another configuration":    {func(p *Peer) { p.Claim.Core++ }, true},
		"silence":                  {func(p *Peer) { p.Presence = Silent }, true},
		"a new session":            {func(p *Peer) { p.Claim.Valid = false }, true},
	} {
		b := newBench(t, 2)
		b.talk(3)
		bravo := b.members[1]
		c.comes(&bravo.s.Peers[0])
		bravo.probed(FoundStopped)
		if got := bravo.s.Groups[0].Grants[0].Request; (got == 0) != c.none {
			t.Errorf("%s: granted %d", name, got)
		}
	}
}

func TestAnotherBootUnderOneNameGetsNothing(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	copied := &benchMember{t: t, cfg: alpha.cfg}
	copied.cfg.Boot, copied.s.Session = 321, 9
	copied.begin(Volatile{}, false, FoundStopped)
	b.members[0] = copied
	b.talk(6)
	if bravo.s.Peers[0].In.Session != copied.s.Session {
		t.Fatal("bravo does not follow the copy: this shows nothing")
	}
	if g := bravo.s.Groups[0]; g.Grants[0].Request != 0 || g.Request != 0 || len(bravo.take(Probe)) != 0 {
		t.Errorf("bravo granted %d, asks %d", g.Grants[0].Request, g.Request)
	}
	if why, _ := bravo.s.Explain(&bravo.cfg, 0); why != WhyDoubted {
		t.Errorf("bravo waits for another reason: %s", why)
	}
	// When nothing spoke against it for a while, it was a fast reboot.
	bravo.do(Event{Kind: TimerFired, Timer: Timer{TimerDoubt, 0}})
	bravo.probed(FoundStopped)
	if bravo.s.Groups[0].Grants[0].Request == 0 {
		t.Error("bravo never grants to a node that was rebooted fast")
	}
}

func TestNothingIsWonFromTwoMachinesOfOneName(t *testing.T) {
	for _, d := range []Doubt{0, DoubtTwin, DoubtBoot} {
		m := inPhase(t, pulse.Requesting)
		m.s.Groups[0].Permits[0] = Granted
		m.s.Peers[0].Doubt = d
		m.do(Event{Kind: Beat})
		if won := m.s.Groups[0].Holds == pulse.HoldsYes; won != (d == 0) {
			t.Errorf("doubt %d: won %v", d, won)
		}
	}
}

func TestClaimsEndADoubtButNotThatOfTwoMachines(t *testing.T) {
	for d, stays := range map[Doubt]Doubt{DoubtRising: 0, DoubtWrongKey: 0, DoubtTwin: DoubtTwin, DoubtBoot | DoubtRising: DoubtBoot} {
		b := newBench(t, 2)
		b.meet()
		bravo := b.members[1]
		machine := machine{c: &bravo.cfg, s: &bravo.s}
		machine.doubt(0, d)
		b.talk(1)
		armed := bravo.s.Timers[TimerDoubt] != 0
		if got := bravo.s.Peers[0].Doubt; got != stays || armed != (stays != 0) {
			t.Errorf("doubt %d: %d stays, its timer runs: %v", d, got, armed)
		}
	}
}

func TestDisarmedOwesThePower(t *testing.T) { // rule 16
	b := newBench(t, 2)
	b.owned()
	bravo := b.members[1]
	cut := bravo.cutting(0)
	bravo.command(CmdDisarm, 0)
	if a := bravo.one(Reply); a.OK || a.Code != WhyFenceRunning || !bravo.s.Armed {
		t.Errorf("disarm while the coil is driven: %+v", a)
	}
	bravo.fenced(cut, fencing.FailSafe)
	bravo.command(CmdFenceOn, 0)
	bravo.command(CmdDisarm, 0)
	if a := bravo.take(Reply); len(a) != 2 || !a[0].OK || a[1].OK || a[1].Code != WhyFenceRunning || !bravo.s.Armed {
		t.Errorf("disarm while power is given back: %+v", a)
	}
	on := bravo.one(Restore)
	bravo.do(Event{Kind: RestoreDone, Peer: 0, ID: on.ID}) // it failed: the cut may be open
	bravo.command(CmdDisarm, 0)
	if a := bravo.one(Reply); !a.OK {
		t.Errorf("disarm: %+v", a)
	}
	bravo.do(Event{Kind: TimerFired, Timer: Timer{TimerPower, 0}})
	if len(bravo.take(Restore)) != 0 {
		t.Error("a disarmed member drives a coil to give power back")
	}
	bravo.command(CmdArm, 0)
	if r := bravo.take(Restore); len(r) != 1 || r[0].Peer != 0 {
		t.Errorf("armed again, it gives back: %v", r)
	}
}

// A copy of the owner under its name says goodbye. The owner itself may hold the group all the while: no permit comes of
// it, and nothing is taken.
func TestGoodbyeOfADoubtedNameIsNone(t *testing.T) {
	for _, doubt := range []Doubt{0, DoubtTwin, DoubtBoot} {
		b := newBench(t, 2)
		b.owned()
		m := b.members[1]
		bye := *b.members[0].pulse(1)
		bye.Seq += 5
		bye.Echo = m.s.Seq
		bye.Flags |= pulse.Leaving
		bye.Groups[0] = pulse.GroupClaim{Holds: pulse.HoldsNo, Term: 1}
		m.s.Peers[0].Doubt = doubt
		m.do(Event{Kind: Heard, Pulse: &bye})
		m.write()
		if took := m.s.Groups[0].Holds == pulse.HoldsYes; took != (doubt == 0) {
			t.Errorf("doubt %d: holds %s after the goodbye", doubt, m.s.Groups[0].Holds)
		}
		if left := m.s.Groups[0].Permits[0] == LeftIt; left != (doubt == 0) {
			t.Errorf("doubt %d: permit %s after the goodbye", doubt, m.s.Groups[0].Permits[0])
		}
	}
}

// The owner dies before anybody heard that it holds the group. It may have owned it, so the one who takes over owns it
// later, and it is a move.
func TestAnOwnershipNobodyHeardOfCounts(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	m := b.members[1]
	grp := &m.s.Groups[0]
	grp.MaxTerm, grp.Grants[0] = 0, Grant{Request: 1}
	m.s.Peers[0].Claim.Groups[0] = pulse.GroupClaim{Holds: pulse.HoldsNo, Request: 1}
	m.fenced(m.cutting(0), fencing.FailSafe)
	m.write()
	if m.s.Groups[0].OwnTerm != 2 || m.s.Moves != 1 {
		t.Errorf("term %d, %d moves; want a later term than the one that was granted, and a move", m.s.Groups[0].OwnTerm, m.s.Moves)
	}
}
