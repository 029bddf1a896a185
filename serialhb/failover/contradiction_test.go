package failover

import (
	"testing"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Rule 6: a proof of off that lied.

// strangers are alpha, which owns and lives, and bravo, which owns too: its host booted, it never heard alpha since, and a
// person who was wrong said that alpha is off.
func strangers(t *testing.T) (b *bench, alpha, bravo *benchMember) {
	b = newBench(t, 2)
	b.owned()
	alpha, bravo = b.members[0], b.members[1]
	bravo.cfg.Boot++
	bravo.begin(Volatile{}, false, FoundStopped)
	bravo.do(Event{Kind: WentSilent, Peer: 0})
	bravo.do(Event{Kind: Beat})
	bravo.command(CmdConfirmOff, 0)
	bravo.write()
	bravo.do(Event{Kind: CutsOpened, Peer: 0, ID: bravo.one(OpenCuts).ID})
	bravo.write()
	bravo.do(Event{Kind: StartDone, ID: bravo.one(Start).ID, OK: true})
	bravo.write()
	if bravo.s.Groups[0].Phase != pulse.Active || bravo.s.Peers[0].ProofBoot != 0 {
		t.Fatalf("bravo is %s and knows boot %d", bravo.s.Groups[0].Phase, bravo.s.Peers[0].ProofBoot)
	}
	return b, alpha, bravo
}

// stops fails unless a member stops its group because of a contradiction, and is blocked then.
func (m *benchMember) stops() {
	m.t.Helper()
	if a := m.one(Stop); a.Code != CodeContradicted || !m.told(NoteContradiction) {
		m.t.Fatalf("it stops because of %s", a.Code)
	} else {
		m.do(Event{Kind: StopDone, ID: a.ID, OK: true})
	}
	m.write()
	if n := len(m.takeNotes(NoteContradiction)); n != 1 {
		m.t.Errorf("told %d times", n)
	}
	if g := m.s.Groups[0]; g.Phase != pulse.Blocked || g.Holds != pulse.HoldsNo || !g.Accused {
		m.t.Errorf("it is %s, holds %s", g.Phase, g.Holds)
	}
}

// takeNotes takes the notes of one code.
func (m *benchMember) takeNotes(c Code) (notes []Action) {
	for _, a := range m.take(Note) {
		if a.Code == c {
			notes = append(notes, a)
		}
	}
	return notes
}

func TestAProofOfAStrangerIsContradicted(t *testing.T) {
	b, alpha, bravo := strangers(t)
	late := alpha.pulse(1) // from before the proof
	late.PeerSession, late.Echo, late.Seq = bravo.s.Session, bravo.s.Peers[0].ProofSeq, late.Seq+1
	bravo.do(Event{Kind: Heard, Pulse: late})
	if len(bravo.take(Stop)) != 0 || bravo.s.Peers[0].Presence != Silent || bravo.told(NoteTwoOwners) {
		t.Fatal("a late pulse of before the proof is believed")
	}
	late.Seq, late.Core = late.Seq+1, 9 // another configuration: its life counts, its claims do not
	bravo.do(Event{Kind: Heard, Pulse: late})
	if len(bravo.take(Stop)) != 0 || bravo.s.Peers[0].Presence != Present || bravo.s.Timers[TimerRising] == 0 {
		t.Fatal("a group claim of another configuration is believed")
	}
	b.talk(3)
	bravo.stops()
	if alpha.s.Groups[0].Phase != pulse.Active || len(alpha.take(Stop)) != 0 {
		t.Errorf("alpha, which rests on no proof, is %s", alpha.s.Groups[0].Phase)
	}
	b.talk(3)
	bravo.command(CmdClear, NoPeer)
	b.meet()
	if bravo.s.Groups[0].Phase != pulse.Idle || alpha.s.Groups[0].Phase != pulse.Active || alpha.s.Groups[0].Frozen {
		t.Errorf("after the clear bravo is %s, alpha %s", bravo.s.Groups[0].Phase, alpha.s.Groups[0].Phase)
	}
}

// A proof of a stranger that was no permit for the group: what alpha says of the group says nothing of the proof.
func TestAProofForNothingIsNotContradicted(t *testing.T) {
	b, _, bravo := strangers(t)
	bravo.s.Groups[0] = Group{Holds: pulse.HoldsNo, LastRequest: 9}
	b.talk(3)
	if p := bravo.s.Peers[0]; bravo.told(NoteContradiction) || p.Proof != fencing.None || !p.Claim.Valid {
		t.Errorf("contradicted: %v, proof %s", bravo.told(NoteContradiction), p.Proof)
	}
}

// Alpha hears nothing, so no pulse of its can name one of bravo's. That it keeps claiming the group is enough.
func TestAProofOfADeafStrangerIsContradicted(t *testing.T) {
	_, alpha, bravo := strangers(t)
	alpha.s.Peers[1].In = pulse.Inbox{}
	for i := range 3 * riseRuns {
		alpha.do(Event{Kind: Beat})
		bravo.do(Event{Kind: Heard, Pulse: alpha.pulse(1)})
		if n := len(bravo.take(Stop)); n != 0 {
			t.Fatalf("%d stops after %d pulses, before a detection time has passed", n, i)
		}
	}
	for range riseRuns {
		bravo.do(Event{Kind: TimerFired, Timer: Timer{TimerRising, 0}})
		alpha.do(Event{Kind: Beat})
		bravo.do(Event{Kind: Heard, Pulse: alpha.pulse(1)})
	}
	bravo.stops()
}

// Alpha's daemon died and starts again while bravo listens: its first claims say unknown, and then it goes on as the owner.
func TestAnUnknownClaimDoesNotWhitewashAProof(t *testing.T) {
	b, alpha, bravo := strangers(t)
	v := alpha.s.Volatile()
	alpha.s = New(&alpha.cfg, 77, v, Durable{Armed: true}, true)
	alpha.acts = nil
	alpha.do(Event{Kind: Started})
	b.talk(4)
	if p := bravo.s.Peers[0]; !p.Claim.Valid || p.Claim.Groups[0].Holds != pulse.HoldsUnknown || len(bravo.take(Stop)) != 0 {
		t.Fatalf("bravo knows %+v: this shows nothing", p.Claim.Groups[0])
	}
	bravo.write()
	v = bravo.s.Volatile()
	alpha.probed(FoundRunning)
	kept := *bravo
	b.talk(1)
	bravo.stops()

	// And so when bravo's daemon starts again in between.
	b.members[1] = &kept
	kept.begin(v, true, FoundRunning)
	kept.one(Adopt)
	b.talk(4)
	kept.stops()
}

// Who was proven off, and truly, boots, asks and is granted: nothing of that speaks against anything.
func TestWhoWasTrulyOffContradictsNothing(t *testing.T) {
	for name, boot := range map[string]uint32{"a stranger": 0, "another boot": 55} {
		b, alpha, bravo := strangers(t)
		bravo.s.Peers[0].ProofBoot = boot
		alpha.cfg.Boot += 100
		alpha.begin(Volatile{}, false, FoundStopped)
		b.meet()
		if bravo.s.Groups[0].Rests != 0 || bravo.s.Volatile().Groups[0].Rests != 0 {
			t.Errorf("%s: alpha said that it holds nothing, and bravo still rests on its being off", name)
		}
		bravo.take(Restore)
		bravo.do(Event{Kind: RestoreDone, ID: bravo.s.Peers[0].Fence.Giving, OK: true})
		bravo.write()
		alpha.command(CmdSwitchover, 0)
		if a := alpha.one(Reply); !a.OK {
			t.Fatalf("%s: no switchover: %s", name, a.Code)
		}
		b.talk(2)
		bravo.write()
		bravo.do(Event{Kind: StopDone, ID: bravo.one(Stop).ID, OK: true})
		b.meet()
		if alpha.s.Groups[0].Holds != pulse.HoldsYes || bravo.told(NoteContradiction) || bravo.s.Groups[0].Phase != pulse.Idle {
			t.Errorf("%s: alpha holds %s, bravo is %s", name, alpha.s.Groups[0].Holds, bravo.s.Groups[0].Phase)
		}
	}
}

// A grant that was on its way when the proof was made can still make its receiver an owner: while it asks, what it says does
// not end the suspicion.
func TestWhoStillAsksHasNotDenied(t *testing.T) {
	for request, rests := range map[uint16]bool{0: false, 1: false, 4: true} {
		_, alpha, bravo := strangers(t)
		bravo.s.Peers[0].Claim.Boot, bravo.s.Peers[0].Claim.Core = 900, bravo.cfg.Core // nothing else is new
		bravo.s.Peers[0].Seen, bravo.s.Peers[0].Proof = true, fencing.None
		bravo.s.Groups[0].Permits[0], bravo.s.Peers[0].Presence, bravo.s.Incident = NoPermit, Present, Incident{}
		bravo.take(Save)
		p := alpha.pulse(1)
		p.Seq, p.Boot, p.Echo, p.PeerSession = p.Seq+1, 900, bravo.s.Seq, bravo.s.Session
		p.Groups[0] = pulse.GroupClaim{Holds: pulse.HoldsNo, Phase: pulse.Requesting, Request: request}
		if request == 1 {
			p.Flags |= pulse.Leaving
		}
		bravo.do(Event{Kind: Heard, Pulse: p})
		if got := bravo.s.Groups[0].Rests != 0; got != rests || bravo.s.Volatile().Groups[0].Rests != 0 != rests || (len(bravo.take(Save)) == 0) != rests {
			t.Errorf("alpha asks by request %d: bravo still suspects it: %v", request, got)
		}
	}
}

// A new session of bravo's own counts from 1 again.
func TestAContradictionAcrossANewSession(t *testing.T) {
	b, _, bravo := strangers(t)
	bravo.s.Groups[0].WonSeq = 1 << 20
	bravo.s.Peers[0].Proof, bravo.s.Groups[0].Permits[0] = fencing.None, NoPermit // an unknown claim ended it
	bravo.do(Event{Kind: NewSession, Session: 5150})
	b.talk(4)
	bravo.stops()
}

func TestAProofIsContradictedWhateverTheBoot(t *testing.T) {
	b, alpha, bravo := strangers(t)
	bravo.s.Peers[0].ProofBoot = 4711 // alpha was heard once, and rebooted unheard before it got the group
	b.talk(3)
	bravo.stops()
	if len(alpha.take(Stop)) != 0 {
		t.Error("alpha stops too")
	}
}

func TestAWithdrawalIsContradictedToo(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	late := alpha.pulse(1)
	late.Seq++
	bravo.do(Event{Kind: WentSilent, Peer: 0})
	b.say(1, 0)
	bravo.do(Event{Kind: Beat})
	bravo.command(CmdWithdraw, 0)
	bravo.write()
	bravo.do(Event{Kind: StartDone, ID: bravo.one(Start).ID, OK: true})
	late.Echo = bravo.s.Groups[0].WonSeq
	bravo.do(Event{Kind: Heard, Pulse: late})
	bravo.write()
	if n := len(bravo.take(Stop)); n != 0 {
		t.Fatal("bravo stops for a pulse of before it won")
	}
	b.talk(3)
	bravo.stops()
	if len(alpha.take(Stop)) != 0 {
		t.Error("alpha stops too")
	}
}

// Each was told that the other one is off. Neither knows whose word was false: both stop.
func TestTwoFalseProofsStopBoth(t *testing.T) {
	b, alpha, bravo := strangers(t)
	other := &benchMember{t: t, cfg: alpha.cfg} // alpha as it is after a reboot and a false word of its own
	other.cfg.Boot += 100
	other.begin(Volatile{}, false, FoundStopped)
	other.do(Event{Kind: WentSilent, Peer: 1})
	other.command(CmdConfirmOff, 1)
	other.write()
	other.do(Event{Kind: CutsOpened, Peer: 1, ID: other.one(OpenCuts).ID})
	other.write()
	other.do(Event{Kind: StartDone, ID: other.one(Start).ID, OK: true})
	b.members[0] = other
	b.talk(4)
	other.stops()
	bravo.stops()
	b.meet()
	if n := len(other.take(Start)) + len(bravo.take(Start)); n != 0 {
		t.Error("one starts before a person looked")
	}
	if why, about := bravo.s.Explain(&bravo.cfg, 0); why != WhyAccused || about != 1 {
		t.Errorf("bravo does not ask because of %s", why)
	}
	m := machine{c: &bravo.cfg, s: &bravo.s}
	bravo.s.Peers[0].Claim.Groups[0].Holds, bravo.s.Incident.Open = pulse.HoldsYes, false // whoever has it cannot move it here
	if why := m.switchObstacle(0, 1); why != WhyAccused {
		t.Errorf("a switchover to bravo is refused because of %s", why)
	}
	bravo.s.Peers[0].Claim.Groups[0].Holds = pulse.HoldsNo
	bravo.command(CmdClear, NoPeer)
	b.meet()
	if bravo.s.Groups[0].Holds != pulse.HoldsYes || len(bravo.take(Start)) != 1 {
		t.Errorf("after the clear bravo is %s", bravo.s.Groups[0].Phase)
	}
}
