package explore

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// A name that is wrong makes two clusters one that are not, and all that comes of one of them is never looked at. So a cluster
// that was never renamed and its renamed twin have to be the same for ever: whatever may happen to one may happen to the other,
// the same must be wrong after it, people must be told the same, and both must be the same by their names again.
//
// A history that is not renamed is as long as its numbers stay below [tooLarge]. Then, and where a name is known to be coarse
// (see [twins.coarse], and README), the raw one is renamed too, and both go on from there.

var (
	twinWalks = flag.Int("twins", 250, "in how many scopes of walks a cluster and its renamed twin are compared")
	twinMoves = flag.Int("twin-moves", 120, "after how many moves each")
)

// twins are a cluster, its renamed twin, and what is tried on both.
type twins struct {
	s          *Scope
	raw, named Cluster
	rawly      *player
	namely     *player
	names      renamer
	tried      [2]Cluster
	can        [2][]Move
	compared   int
	afresh     int // how often the raw one was renamed
}

func newTwins(s *Scope) *twins {
	t := &twins{s: s, rawly: newPlayer(s), namely: newPlayer(s)}
	t.raw, _ = s.start()
	t.named = t.raw
	t.rawly.fresh = fresh
	return t
}

// differ tries every move on both, and says what is not the same.
func (t *twins) differ() string {
	t.can[0], t.can[1] = t.s.moves(&t.raw, t.can[0][:0]), t.s.moves(&t.named, t.can[1][:0])
	at := 0
	for _, m := range t.can[0] {
		if at < len(t.can[1]) && t.can[1][at] == m {
			at++
			if bad := t.differBy(m); bad != "" {
				return bad
			}
		} else if bad := t.stutters(m); bad != "" {
			return bad
		}
	}
	if at < len(t.can[1]) {
		return fmt.Sprintf("%s: only what was renamed can do that", t.can[1][at])
	}
	return ""
}

// differBy tries a move on both.
func (t *twins) differBy(m Move) string {
	t.compared++
	t.raw.copyTo(&t.tried[0], t.s)
	t.named.copyTo(&t.tried[1], t.s)
	t.rawly.saw, t.namely.saw = Sightings{}, Sightings{}
	bad, sameBad := t.rawly.play(&t.tried[0], m), t.namely.play(&t.tried[1], m)
	switch {
	case bad != sameBad:
		return fmt.Sprintf("%s: %q, renamed %q", m, bad, sameBad)
	case bad != "":
		return ""
	case t.rawly.saw != t.namely.saw:
		return fmt.Sprintf("%s: people are told %s, renamed %s", m, told(&t.rawly.saw), told(&t.namely.saw))
	}
	if t.coarse(&t.raw, &t.tried[0]) {
		return ""
	}
	t.names.rename(t.s, &t.tried[0])
	t.names.rename(t.s, &t.tried[1])
	return t.unlike(m)
}

// stutters: what only the raw one can do changes nothing that has a name, and tells people nothing.
func (t *twins) stutters(m Move) string {
	t.raw.copyTo(&t.tried[0], t.s)
	t.named.copyTo(&t.tried[1], t.s)
	t.rawly.saw = Sightings{}
	if bad := t.rawly.play(&t.tried[0], m); bad != "" || t.rawly.saw != (Sightings{}) {
		return fmt.Sprintf("%s, which only the raw one can: %q, people are told %s", m, bad, told(&t.rawly.saw))
	}
	t.names.rename(t.s, &t.tried[0])
	return t.unlike(m)
}

func (t *twins) unlike(m Move) string {
	if t.tried[0] == t.tried[1] {
		return ""
	}
	return fmt.Sprintf("%s:%s", m, unlike(t.s, &t.tried[0], &t.tried[1]))
}

// step takes a move, and renames the one of the twins.
func (t *twins) step(m Move) {
	var before Cluster
	t.raw.copyTo(&before, t.s)
	t.rawly.play(&t.raw, m)
	sortWays(&t.raw) // any may arrive next, renamed or not
	if m.Kind == Begins || m.Kind == Lit {
		t.rawly.fresh++ // each is another one, on all hosts: names must not need that
	}
	if t.coarse(&before, &t.raw) || t.rawly.fresh == tooLarge-1 || largest(t.s, &t.raw) >= fresh-manyAtOnce {
		t.rename()
	}
	t.named = t.raw
	t.names.rename(t.s, &t.named)
}

func (t *twins) rename() {
	t.names.rename(t.s, &t.raw)
	t.rawly.fresh = fresh
	t.afresh++
}

// manyAtOnce is more than any number grows by in one move.
const manyAtOnce = 40

// coarse says whether a move led to where names are known not to be exact.
func (t *twins) coarse(before, after *Cluster) bool {
	for i := range t.s.Members {
		for p := range t.s.Members {
			was, is := &before.Hosts[i].State.Peers[p], &after.Hosts[i].State.Peers[p]
			rises := after.Hosts[i].State.Timers[failover.TimerRising]&(1<<p) != 0
			if rises && (was.In.Session != is.In.Session || is.In.Session != 0 && is.In.Stranger != 0) {
				return true // what rises is compared within one session
			}
		}
	}
	return t.farTerms(after)
}

// farTerms says whether the terms of a group are farther from each other than names tell.
func (t *twins) farTerms(c *Cluster) bool {
	for g := range t.s.Groups {
		t.names.gatherTerms(t.s, c, g)
		var all ranks
		for _, n := range t.names.wide {
			all.add(*n)
		}
		last := uint32(0)
		for n := range all.each {
			if n-last > farTerm {
				return true
			}
			last = n
		}
	}
	return false
}

// largest is the largest number of a cluster that is renamed, but for sessions and boots.
func largest(s *Scope, c *Cluster) (most uint32) {
	var all leaves
	for i := range s.Members {
		all.host(s, &c.Hosts[i])
	}
	for w := range c.Ways {
		for k := range c.Ways[w].N {
			all.flight(s, &c.Ways[w].Pulses[k])
		}
	}
	for _, n := range all.wide {
		if *n < fresh {
			most = max(most, *n)
		}
	}
	for _, n := range all.middle {
		most = max(most, uint32(*n))
	}
	return most
}

// early says whether a pulse has numbers that its sender, or who hears it, did not use yet.
func early(s *Scope, said *Flight, own, hears *failover.State) bool {
	bad := said.Session == own.Session && said.Seq > own.Seq
	for g := range s.Groups {
		bad = bad || said.Session == own.Session && said.Groups[g].Request > own.Groups[g].LastRequest
		bad = bad || said.PeerSession == hears.Session && said.Groups[g].Grant > hears.Groups[g].LastRequest
	}
	return bad
}

// told names what was seen.
func told(saw *Sightings) string {
	var all []string
	for code, n := range saw {
		if n > 0 {
			all = append(all, fmt.Sprintf("%d times %s", n, failover.Code(code)))
		}
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// unlike names the fields in which two clusters differ.
func unlike(s *Scope, a, b *Cluster) string {
	var out strings.Builder
	for i := range s.Members {
		fields(&out, s, reflect.ValueOf(&a.Hosts[i]), reflect.ValueOf(&b.Hosts[i]), memberName(i))
	}
	for w := range uint8(maxWays) {
		if a.Ways[w] != b.Ways[w] {
			from, to := ends(w)
			fmt.Fprintf(&out, "\n\tfrom %s to %s there are %d pulses, renamed %d", memberName(from), memberName(to), a.Ways[w].N, b.Ways[w].N)
			for n := range s.Wire {
				fields(&out, s, reflect.ValueOf(&a.Ways[w].Pulses[n]), reflect.ValueOf(&b.Ways[w].Pulses[n]), fmt.Sprintf("pulse %d", n))
			}
		}
	}
	return out.String()
}

func fields(out *strings.Builder, s *Scope, a, b reflect.Value, name string) {
	one, other := settable(s, a.Elem(), name), settable(s, b.Elem(), "")
	for k := range one {
		if one[k].v.Interface() != other[k].v.Interface() {
			fmt.Fprintf(out, "\n\t%s is %v, renamed %v", one[k].name, one[k].v, other[k].v)
		}
	}
}

// wander takes random moves with both, and says what is not the same, and after which.
func (t *twins) wander(seed uint64, moves int) string {
	r := rand.New(rand.NewPCG(seed, 0x7713))
	often := drawOften(r)
	way := Path{Scope: t.s.Name}
	for range moves {
		if bad := t.differ(); bad != "" {
			return fmt.Sprintf("%s\nafter %s", bad, way)
		}
		if len(t.can[0]) == 0 {
			break
		}
		m := draw(r, t.can[0], &often)
		if r.IntN(forges) == 0 {
			if bad := t.forged(r); bad != "" {
				return fmt.Sprintf("%s\nafter %s", bad, way)
			}
		}
		way.Moves = append(way.Moves, m)
		t.step(m)
	}
	return ""
}

// forges is at one in how many moves there is a pulse under way that nobody sent.
const forges = 1

// unheard is a session or boot that nobody ever had.
const unheard = fresh - 1

// forged puts a pulse under way that nobody sent, as a second daemon under the same name would, and says what is not the same then.
// Names must not rest on what only one of them can say: then who takes it out of a test of sessions breaks nothing here.
func (t *twins) forged(r *rand.Rand) string {
	from, to := uint8(r.IntN(int(t.s.Members))), uint8(r.IntN(int(t.s.Members)))
	w := way(from, to)
	if from == to || t.raw.Ways[w].N == 0 || !t.raw.Hosts[to].Daemon || t.raw.Hosts[to].State.Timers[failover.TimerRising] != 0 {
		return ""
	}
	raw, named := t.raw, t.named
	defer func() { t.raw, t.named = raw, named }()
	hears, under := &t.raw.Hosts[to].State, &t.raw.Ways[w]
	in := &hears.Peers[from].In
	said := &under.Pulses[r.IntN(int(under.N))]
	one := func(of ...uint32) uint32 { return of[r.IntN(len(of))] }
	said.Session = one(said.Session, in.Session, in.Replaced, in.Stranger, t.raw.Hosts[from].State.Session, unheard)
	said.Flags &^= pulse.Leaving * pulse.Flags(one(0, 1))
	if r.IntN(3) == 0 {
		said.Groups[0].Holds = pulse.HoldsYes
	}
	said.PeerSession = one(hears.Session, hears.Session, said.PeerSession)
	said.Echo = uint32(r.IntN(int(hears.Seq + 1)))
	said.Seq = one(said.Seq, in.ClaimSeq, in.LinkSeq[said.Link], in.StrangerSeq[said.Link]) + one(0, 1)
	said.Boot = one(said.Boot, hears.Peers[from].ProofBoot, hears.Peers[from].Claim.Boot, unheard)
	if said.Session == 0 || early(t.s, said, &t.raw.Hosts[from].State, hears) {
		return ""
	}
	sortWays(&t.raw)
	t.named = t.raw
	t.names.rename(t.s, &t.named)
	bad := t.differ()
	if bad != "" {
		bad += fmt.Sprintf("\nwith a forged pulse from %s to %s, session %d, sequence %d", memberName(from), memberName(to), said.Session, said.Seq)
	}
	return bad
}

func TestNamesKeepAllThatCounts(t *testing.T) {
	moves, walks := *twinMoves, *twinWalks
	if testing.Short() {
		moves, walks = min(moves, 25), min(walks, 10)
	}
	var all []*Scope
	for i := range Scopes {
		all = append(all, &Scopes[i], &Scopes[i])
	}
	for seed := range uint64(walks) {
		s := walkScope(seed)
		all = append(all, &s)
	}
	var mu sync.Mutex
	compared, afresh := 0, 0
	spread(len(all), func(k int) {
		if t.Failed() {
			return
		}
		both := newTwins(all[k])
		bad := both.wander(uint64(k), moves)
		mu.Lock()
		defer mu.Unlock()
		if bad != "" {
			t.Errorf("%s", bad)
		}
		compared += both.compared
		afresh += both.afresh
	})
	t.Logf("%d moves were tried on both; the raw one was renamed %d times", compared, afresh)
}
