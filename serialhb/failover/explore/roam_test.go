package explore

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

var (
	roams   = flag.Int("roams", 40_000, "how many moves each roam takes")
	roamsIn = flag.String("scope", "", "the scope that they take them in; without one, each")
)

// roamSeeds are how many roams are taken in each scope, so that what they find does not hang on the processors of a machine.
const roamSeeds = 2

func TestRoamsHold(t *testing.T) {
	all := []*Scope{&roaming}
	for i := range Scopes {
		all = append(all, &Scopes[i])
	}
	if *roamsIn != "" {
		all = []*Scope{scopeNamed(t, *roamsIn)}
	}
	n := *roams
	if testing.Short() {
		n = min(n, 1000)
	}
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			var saw [roamSeeds]Sightings
			spread(roamSeeds, func(k int) {
				if bad, path := roam(s, uint64(k), n, &saw[k]); bad != "" {
					t.Errorf("%s:\n%s", bad, shorten(s, path))
				}
			})
			if t.Failed() || testing.Short() {
				return
			}
			for _, must := range s.Must {
				if saw[0][must]+saw[1][must] == 0 {
					t.Errorf("nobody ever came to %q", must)
				}
			}
		})
	}
}

// A roam is between a search and a walk: it keeps clusters that look like none before, and goes on from one of those, a few moves
// at a time. So it spends its moves where something is new, and gets deep without going through everything on the way.

// stop is a cluster that a roam may go on from.
type stop struct {
	bytes  []byte
	from   int32 // the stop before
	by     []Move
	visits uint32
}

// stride is how many moves a roam takes before it goes back to some stop.
const stride = 10

// roam takes so many moves in a scope. It says what was found that must not be, and the way there.
func roam(s *Scope, seed uint64, moves int, saw *Sightings) (bad string, path Path) {
	r := rand.New(rand.NewPCG(seed, 0x80a3))
	who, code, names := newPlayer(s), newCodec(s), renamer{}
	c := &code.c
	var before []Move
	*c, before = s.start()
	stops := []stop{{bytes: code.encode(nil)}}
	seen := map[uint64]bool{look(s, c): true}
	defer func() { saw.add(&who.saw) }()
	var can []Move
	for taken := 0; taken < moves; {
		at := rarest(r, stops)
		stops[at].visits++
		code.decode(stops[at].bytes)
		var by []Move
		for range stride {
			taken++
			if can = s.moves(c, can[:0]); len(can) == 0 {
				break
			}
			m := draw(r, can, &usual)
			by = append(by, m)
			if bad = who.play(c, m); bad != "" {
				stops = append(stops, stop{from: int32(at), by: by})
				return bad, Path{s.Name, append(before, wayTo(stops, len(stops)-1)...)}
			}
			names.rename(s, c)
			if l := look(s, c); !seen[l] {
				seen[l] = true
				stops = append(stops, stop{bytes: code.encode(nil), from: int32(at), by: by})
				at, by = len(stops)-1, nil
			}
		}
	}
	return "", Path{}
}

// rarest draws a stop, one that was visited seldom rather than another.
func rarest(r *rand.Rand, stops []stop) int {
	best := r.IntN(len(stops))
	for range 3 {
		if at := r.IntN(len(stops)); stops[at].visits < stops[best].visits {
			best = at
		}
	}
	return best
}

// wayTo gives the moves that led to a stop.
func wayTo(stops []stop, at int) []Move {
	var legs [][]Move
	for ; at != 0; at = int(stops[at].from) {
		legs = append(legs, stops[at].by)
	}
	slices.Reverse(legs)
	return slices.Concat(legs...)
}

// look is what a cluster looks like from some way off: where everybody stands with everything, and what is said of it on the
// way, without numbers, timers and what was written.
func look(s *Scope, c *Cluster) uint64 {
	h := uint64(1)
	is := func(yes bool) uint64 { return uint64(b2u(yes)) }
	see := func(v ...uint64) {
		for _, x := range v {
			h = mix(h^x, 0xe7037ed1a0b428db)
		}
	}
	for i := range s.Members {
		host := &c.Hosts[i]
		st := &host.State
		see(is(host.Powered), is(host.Daemon), uint64(host.Runs), uint64(host.Cut), uint64(st.Leaving), is(st.Armed), is(st.FenceMe), is(st.Standby), is(st.Maintenance))
		for g := range s.Groups {
			grp := &st.Groups[g]
			see(uint64(grp.Phase), uint64(grp.Holds), is(grp.Request != 0), is(grp.Doing != 0), is(grp.Recorded), is(grp.Accused), uint64(grp.Rests))
			for p := range s.Members {
				see(uint64(grp.Permits[p]), is(grp.Grants[p].Request != 0))
			}
		}
		for p := range s.Members {
			peer := &st.Peers[p]
			see(uint64(peer.Presence), is(peer.Claim.Valid), is(peer.Proof != 0), uint64(peer.Fence.Phase), uint64(peer.Fence.Groups), is(peer.Seen), uint64(peer.Doubt),
				is(peer.In.Session == c.Hosts[p].State.Session))
		}
	}
	for i := range s.Members {
		to(s, c, i, func(p *pulse.Pulse) {
			see(uint64(i), is(p.Session == c.Hosts[p.From].State.Session), is(p.PeerSession != 0), uint64(p.Flags&(pulse.Leaving|pulse.FenceMe)))
			for g := range s.Groups {
				said := &p.Groups[g]
				see(uint64(said.Holds), is(said.Request != 0), is(said.Grant != 0), is(said.Grant != 0 && said.Grant == c.Hosts[i].State.Groups[g].Request))
			}
		})
	}
	return h
}

// roaming is the scope of roams: all that two members can go through, often.
var roaming = Scope{Name: "roam", About: "all that may happen to a pair with one group, often", Members: 2, Groups: 1, Wire: 2, Crashes: 40, Faults: 10, Words: 20,
	Fights: true, Again: true, SlowRun: true, Stays: true, Wipes: true, Failback: failover.FailbackManual, Settled: true,
	Says: []failover.CommandKind{failover.CmdSwitchover, failover.CmdLeave, failover.CmdQuiet, failover.CmdConfirmOff, failover.CmdWithdraw, failover.CmdClear, failover.CmdFenceOff, failover.CmdFenceOn}}
