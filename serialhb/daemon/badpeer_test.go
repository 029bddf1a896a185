package daemon_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/link"
	"github.com/serialhb/serialhb/serialhb/link/linktest"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// What a wrong plug, a wrong key file, a wrong configuration or an old recording puts on the wire: it is told, and it
// neither lives, nor claims, nor keeps a real death from being noticed.

// detection is the rig's detection time and a little for the takeover.
const detection = 1700 * time.Millisecond

func (n *rigNode) cuts() int { return n.relay.tried(&n.relay.cuts) }

// raised says whether a node raises an alarm now, and how often it did so far.
func (n *rigNode) raised(code string) (now bool, times int) {
	for _, a := range n.d.Status().Alarms {
		now = now || a.Code == code
	}
	for _, e := range n.d.Events(0) {
		if e.Kind == "alarm" && e.Code == code && !strings.HasPrefix(e.Text, "over: ") {
			times++
		}
	}
	return now, times
}

func (n *rigNode) mustRaiseOnce(code string) {
	n.rig.t.Helper()
	if now, times := n.raised(code); !now || times != 1 {
		n.rig.t.Errorf("alarm %q: raised now: %v, %d times in all, want once and still", code, now, times)
	}
}

func (n *rigNode) ownFrames(l int) uint64 { return n.d.Status().Links[l].Counters["own_frames"] }

func (r *rig) keysOf(cluster, key string) *pulse.Keyring {
	k, err := pulse.NewKeyring(cluster, []byte(key))
	if err != nil {
		r.t.Fatal(err)
	}
	return k
}

// babble sends a claim in alpha's name to bravo again and again, under keys of its own, for as long as d.
func (r *rig) babble(d time.Duration, keys *pulse.Keyring, claim pulse.Pulse, links ...int) {
	for end := r.clock() + d; r.clock() < end; r.wait(100 * time.Millisecond) {
		claim.Seq++
		for _, l := range links {
			r.cables[l].Inject(claim.To, keys.AppendPulse(nil, &claim))
		}
	}
}

// tempting is a claim that would have alpha cut, or taken for its owner, if anybody believed it.
func tempting() pulse.Pulse {
	p := pulse.Pulse{Flags: pulse.FenceMe | pulse.Armed, To: 1, Session: 0xbad, Seq: 1000, IntervalMS: 100, Boot: 7, Core: 1, Rest: 1, N: 1}
	p.Groups[0] = pulse.GroupClaim{Holds: pulse.HoldsYes, Phase: pulse.Active, Term: 9}
	return p
}

// plug puts a loop-back plug on a member's port in place of its cable. Call unplug before the bubble ends.
func plug(m *linktest.Medium, member uint8) (unplug func()) {
	back, done := make(chan []byte, 64), make(chan struct{})
	m.Cut(1-member, member)
	m.Lose(member, 1-member, func(frame []byte) bool {
		select {
		case back <- bytes.Clone(frame):
		default:
		}
		return true
	})
	go func() {
		for {
			select {
			case frame := <-back:
				m.Inject(member, frame)
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

func TestEchoPlugIsToldOnceAndIsNeverLife(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		bravo := r.nodes[1]
		defer plug(r.cables[0], 1)()
		r.wait(time.Minute)
		r.nobodyWasCut()
		bravo.mustRaiseOnce("echo cable")
		if l := bravo.d.Status().Links[0]; l.Receives != "down" || l.Sends == "ok" {
			t.Errorf("own pulses count as a link that works: %+v", l)
		}
		// Ten pulses a second, and two side frames every five.
		if n := bravo.ownFrames(0); n < 615 || n > 630 {
			t.Errorf("%d own frames came back on the cable in a minute", n)
		}
		if n := bravo.ownFrames(1) + r.nodes[0].ownFrames(0); n != 0 {
			t.Errorf("%d own frames where none came back", n)
		}
		defer plug(r.cables[1], 1)()
		r.within(detection, "bravo notices that it hears nobody but itself", bravo.owns)
		if bravo.cuts() != 1 {
			t.Errorf("%d cuts, want one", bravo.cuts())
		}
	})
}

func TestWrongKeyOnACableMakesAFenceAQuestion(t *testing.T) {
	for l, name := range []string{"cable", "lan"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.alphaOwns()
				r.wait(5 * time.Second)
				bravo, stranger := r.nodes[1], r.keysOf("rig", "another key that is long enough")
				r.babble(20*time.Second, stranger, tempting(), l)
				r.nobodyWasCut()
				bravo.mustRaiseOnce("other-key " + name)
				r.nodes[0].losePower()
				r.babble(5*time.Second, stranger, tempting(), l)
				s := bravo.d.Status()
				if serial := l == 0; !serial {
					// Anybody can send a datagram: it only alarms.
					if !bravo.owns() || bravo.cuts() != 1 {
						t.Fatalf("frames under another key on UDP held the takeover up: %s", s.Headline)
					}
					return
				}
				if bravo.owns() || bravo.cuts() != 0 || s.Incident == nil || !strings.Contains(strings.Join(s.Incident.Question, " "), "another key") {
					t.Fatalf("no question about the other key: %s %+v", s.Headline, s.Incident)
				}
				if res := bravo.ask(control.Request{Command: "approve", Incident: s.Incident.ID}); !res.OK {
					t.Fatal(res.Text)
				}
				r.within(detection, "bravo owns after the answer", bravo.owns)
			})
		})
	}
}

// startOn boots both nodes on media of which a test says how each end is joined and which keys it has.
func (r *rig) startOn(serial bool, keys [2]*pulse.Keyring, port func(node, medium int) (index int)) {
	sinks, names := [2]*rigSink{{}, {}}, []string{"cable", "second"}
	links := [2][]daemon.LinkInfo{make([]daemon.LinkInfo, 2), make([]daemon.LinkInfo, 2)}
	for m := range 2 {
		var ends [2]linktest.Config
		for node := range 2 {
			i := port(node, m)
			ends[node] = linktest.Config{Index: i, Name: names[i], Keys: keys[node], Sink: sinks[node], Clock: r.clock}
		}
		medium, zero, one := linktest.Pair(ends[0], ends[1])
		r.cables = append(r.cables, medium)
		for node, l := range []link.Link{zero, one} {
			i := ends[node].Index
			links[node][i] = daemon.LinkInfo{Link: rigLink{l, r.nodes[node]}, Name: names[i], Kind: "serial", Serial: serial, Peers: 1 << (1 - node)}
		}
	}
	for i, n := range r.nodes {
		n.boot(sinks[i], links[i])
	}
}

func straight(_, medium int) int { return medium }

func TestDifferentKeysStartNothingAndCutNobody(t *testing.T) {
	inBubble(t, func(r *rig) {
		// Only the links' keys matter: they open what arrives. What is sent is signed by the daemon's.
		other := r.keysOf("rig", "another key that is long enough")
		r.nodes[1].tune = func(o *daemon.Options) { o.Keys = other.Clone() }
		r.startOn(true, [2]*pulse.Keyring{r.keys(), other}, straight)
		r.wait(time.Minute)
		for _, n := range r.nodes {
			if n.owns() || n.cuts() != 0 {
				t.Errorf("%s started or cut without having understood anybody", n.d.Status().Node)
			}
			n.mustRaiseOnce("other-key cable")
			if g := n.d.Status().Groups[0]; g.Code != "never-seen" && g.Code != "waiting" {
				t.Errorf("it says %q", g.Why)
			}
		}
	})
}

func TestCrossedPortsCarryThePair(t *testing.T) {
	inBubble(t, func(r *rig) {
		// Two cables, each put into the other port at bravo's end: no frame says which cable it belongs to.
		r.startOn(true, [2]*pulse.Keyring{r.keys(), r.keys()}, func(node, medium int) int { return (node + medium) % 2 })
		r.within(10*time.Second, "alpha owns web", r.nodes[0].owns)
		r.wait(10 * time.Second)
		for _, n := range r.nodes {
			for _, l := range n.d.Status().Links {
				if l.Receives != "ok" || l.Sends != "ok" {
					t.Errorf("%s: %+v", n.d.Status().Node, l)
				}
			}
		}
		r.cables[0].Cut(0, 1)
		r.wait(10 * time.Second)
		r.nobodyWasCut()
		if now, _ := r.nodes[1].raised("no-pulses alpha second"); !now {
			t.Error("the port that is silent now is not named")
		}
		r.nodes[0].losePower()
		r.within(detection, "bravo owns web", r.nodes[1].owns)
	})
}

func TestFramesOfAnotherClusterAreNoLife(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		bravo, foreign := r.nodes[1], r.keysOf("other", "a key that is long enough for it")
		r.babble(20*time.Second, foreign, tempting(), 0, 1)
		r.nobodyWasCut()
		bravo.mustRaiseOnce("foreign cable")
		bravo.mustRaiseOnce("foreign lan")
		r.nodes[0].losePower()
		r.babble(detection, foreign, tempting(), 0, 1)
		if !bravo.owns() || bravo.cuts() != 1 {
			t.Fatalf("frames of another cluster held the takeover up: %s", bravo.d.Status().Headline)
		}
	})
}

func TestSomeoneElseWithMyName(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		bravo, twin := r.nodes[1], tempting()
		twin.From = 1
		r.babble(20*time.Second, r.keys(), twin, 0)
		r.nobodyWasCut()
		bravo.mustRaiseOnce("own-name cable")
		r.nodes[0].losePower()
		r.babble(detection, r.keys(), twin, 0)
		if !bravo.owns() || bravo.cuts() != 1 {
			t.Fatalf("a stranger with the own name held the takeover up: %s", bravo.d.Status().Headline)
		}
	})
}

func TestUnequalCoreStartsNothingAndCutsNobody(t *testing.T) {
	inBubble(t, func(r *rig) {
		bravo := r.nodes[1]
		bravo.tune = func(o *daemon.Options) { o.Decision.Core = 2 }
		r.startBoth()
		r.wait(time.Minute)
		for _, n := range r.nodes {
			if n.owns() || n.cuts() != 0 || n.d.Status().Groups[0].Code != "core-differs" {
				t.Errorf("%s: %s", n.d.Status().Node, n.d.Status().Headline)
			}
		}
		r.nodes[0].mustRaiseOnce("core-differs bravo")
		bravo.mustRaiseOnce("core-differs alpha")
		r.nodes[0].losePower()
		r.wait(time.Minute)
		if bravo.owns() || bravo.cuts() != 0 {
			t.Error("bravo acted on a peer whose groups may be other ones")
		}
	})
}

func TestOwnerGoesOnWhenTheCoreOfTheOtherChanges(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.finish()
		bravo := r.nodes[1]
		bravo.tune = func(o *daemon.Options) { o.Decision.Core = 2 }
		r.startBoth()
		r.wait(time.Minute)
		r.nobodyWasCut()
		r.cutAll()
		r.wait(time.Minute)
		r.nobodyWasCut()
		if bravo.owns() {
			t.Error("two owners")
		}
	})
}

func TestUnequalRestRefusesPlannedMovesOnly(t *testing.T) {
	inBubble(t, func(r *rig) {
		bravo := r.nodes[1]
		bravo.tune = func(o *daemon.Options) { o.Decision.Rest = 2 }
		r.alphaOwns()
		r.wait(5 * time.Second)
		for _, n := range r.nodes {
			for _, req := range []control.Request{{Command: "switchover"}, {Command: "switchover", Node: "bravo"}} {
				if res := n.ask(req); res.OK || res.Exit != 4 || res.Code != failover.WhyRestDiffers.String() {
					t.Errorf("%+v: %+v", req, res)
				}
			}
		}
		r.wait(10 * time.Second)
		r.nobodyWasCut()
		r.nodes[0].mustRaiseOnce("rest-differs bravo")
		r.nodes[0].losePower()
		r.within(detection, "bravo takes over all the same", bravo.owns)
		bravo.mustRaiseOnce("rest-differs alpha")
		if bravo.cuts() != 1 {
			t.Errorf("%d cuts, want one", bravo.cuts())
		}
	})
}
