package failover

import (
	"testing"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// headOf is what is known of a pulse of a newer version.
func headOf(p *pulse.Pulse) *pulse.Pulse {
	return &pulse.Pulse{From: p.From, To: p.To, Session: p.Session, PeerSession: p.PeerSession, Seq: p.Seq, Echo: p.Echo}
}

// The member that was upgraded first understands the others all the while. It has to find its session named in what they say,
// or a daemon that starts among them stays a stranger to it, and silent.
func TestWhoSpeaksANewerVersionIsNamedByItsSession(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	alpha.begin(alpha.s.Volatile(), true, FoundRunning) // upgraded
	for range 3 {
		b.say(1, 0)
		alpha.do(Event{Kind: Beat})
		bravo.do(Event{Kind: HeardNewer, Pulse: headOf(alpha.pulse(1))})
	}
	if !bravo.s.Peers[0].Newer || bravo.s.Peers[0].Claim.Valid {
		t.Error("bravo goes on with what the session before claimed")
	}
	if c := &alpha.s.Peers[1].Claim; !c.Valid || alpha.s.Peers[1].Presence != Present {
		t.Error("alpha understands every word, and believes none")
	}
	bravo.begin(bravo.s.Volatile(), true, FoundStopped)
	for range 3 {
		alpha.do(Event{Kind: Beat})
		bravo.do(Event{Kind: HeardNewer, Pulse: headOf(alpha.pulse(1))})
		b.say(1, 0)
	}
	if in := &alpha.s.Peers[1].In; in.Session != bravo.s.Session || !alpha.s.Peers[1].Claim.Valid {
		t.Errorf("bravo's next session is a stranger's: %+v", in)
	}
	bravo.write()
	if g := bravo.s.Groups[0]; g.Request != 0 || bravo.s.Peers[0].Fence.Phase != FenceIdle {
		t.Errorf("bravo does something about a group of which it hears nothing: %+v", g)
	}
}

// What was heard before is no life, in whatever version: a recorder beside the network would keep a dead owner alive.
func TestAReplayOfANewerVersionIsNoLife(t *testing.T) {
	b := newBench(t, 2)
	b.owned()
	alpha, bravo := b.members[0], b.members[1]
	alpha.do(Event{Kind: Beat})
	old := headOf(alpha.pulse(1))
	bravo.do(Event{Kind: HeardNewer, Pulse: old})
	if len(bravo.take(Alive)) == 0 || !bravo.s.Peers[0].Newer {
		t.Fatal("it is no life at all")
	}
	bravo.do(Event{Kind: WentSilent, Peer: 0})
	bravo.take(Alive)
	ignored := bravo.s.Ignored
	bravo.do(Event{Kind: HeardNewer, Pulse: old})
	if len(bravo.take(Alive)) != 0 || bravo.s.Peers[0].Presence != Silent || bravo.s.Ignored != ignored+1 {
		t.Errorf("alpha is %s", bravo.s.Peers[0].Presence)
	}
}
