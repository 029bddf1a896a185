package explore

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

var less = flag.Int("less", 0, "how many moves less deep the scopes are explored")

// exhausted are the scopes that go test goes through to their end.
var exhausted = []string{"calm"}

func TestSmallScopesHold(t *testing.T) {
	var saw Sightings
	told := 0
	for i := range Scopes {
		s := &Scopes[i]
		if s.Depth == 0 {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			r := Search(s, spread, func(r *Result) bool {
				return r.Depth >= s.Depth-*less || testing.Short() && r.Clusters >= 3000
			})
			if r.Bad != "" {
				t.Fatalf("%s:\n%s", r.Bad, r.Path)
			}
			if slices.Contains(exhausted, s.Name) && !r.Exhausted && *less == 0 && !testing.Short() {
				t.Errorf("%d clusters wait %d moves deep: README says that go test goes through all", r.Waiting, r.Depth)
			}
			saw.add(&r.Saw)
			told++
		})
	}
	if told < len(Scopes) || testing.Short() || *less > 0 { // of some of them alone nothing is demanded
		return
	}
	for _, must := range Sometimes {
		if saw[must] == 0 {
			t.Errorf("no scope ever came to %q: what is never reached is not proved", must)
		}
	}
}

// What was found once, in the decision or in a mutant of it, stays found. Of a path that another decision wrote, what cannot
// happen is left out.
func TestPathsHold(t *testing.T) {
	files, err := filepath.Glob("testdata/*.path")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".path"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := ParsePath(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if _, bad := scopeNamed(t, p.Scope).loosely(p.Moves); bad != "" {
				t.Fatal(bad)
			}
		})
	}
}

// wander takes random moves from the beginning, with the names of a search.
func wander(t *testing.T, s *Scope, seed uint64, moves int, each func(*Cluster, Move)) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	who, names, c := newPlayer(s), renamer{}, beginning(s)
	for range moves {
		can := s.moves(&c, nil)
		m := can[r.IntN(len(can))]
		each(&c, m)
		if bad := who.play(&c, m); bad != "" {
			t.Fatalf("seed %d: %s after %s", seed, bad, m)
		}
		names.rename(s, &c)
	}
}

// wanders is how many are made in each scope.
func wanders() uint64 {
	if testing.Short() {
		return 2
	}
	return 20
}

func TestClustersSurviveTheirBytes(t *testing.T) {
	for i := range Scopes {
		s := &Scopes[i]
		to, back := newCodec(s), newCodec(s)
		for seed := range wanders() {
			wander(t, s, seed, 300, func(c *Cluster, _ Move) {
				to.c = *c
				if back.decode(to.encode(nil)); back.c != *c {
					t.Fatalf("%s, seed %d: %+v came back as %+v", s.Name, seed, *c, back.c)
				}
			})
		}
	}
}

// A name that depended on what was before would make one cluster look like many.
func TestRenamingTwiceIsRenamingOnce(t *testing.T) {
	for i := range Scopes {
		s := &Scopes[i]
		names := renamer{}
		for seed := range wanders() {
			wander(t, s, seed, 300, func(c *Cluster, _ Move) {
				again := *c
				if names.rename(s, &again); again != *c {
					t.Fatalf("%s, seed %d: %+v was renamed %+v", s.Name, seed, *c, again)
				}
			})
		}
	}
}

func TestMovesSurviveTheirText(t *testing.T) {
	for i := range Scopes {
		s := &Scopes[i]
		wander(t, s, 1, 2000, func(_ *Cluster, m Move) {
			if got := pack(m).unpack(); got != m {
				t.Fatalf("%v came back as %v from its bytes", m, got)
			}
			p, err := ParsePath("scope " + s.Name + "\n" + m.String())
			if err != nil {
				t.Fatal(err)
			}
			if p.Moves[0] != m {
				t.Fatalf("%+v came back as %+v", m, p.Moves[0])
			}
		})
	}
}

func TestAPathSaysWhatIsWrongWithIt(t *testing.T) {
	for text, want := range map[string]string{
		"alpha lit":                        "begin with a line",
		"scope pair\nalpha":                "line 2: what happens to it is missing",
		"scope pair\n\ndelta lit":          "line 3: \"delta\" is not a member: alpha, bravo, charlie",
		"scope pair\nalpha sings":          "line 2: \"sings\" is nothing that can happen",
		"scope pair\nalpha lit now":        "line 2: \"now\" is too much",
		"scope pair\nalpha hears bravo x":  "line 2: the number of a pulse",
		"scope pair\nalpha fires noon web": "line 2: \"noon\" is not a timer",
		"scope pair\nalpha asks mercy":     "line 2: \"mercy\" is not a command",
	} {
		if _, err := ParsePath(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	p, err := ParsePath("scope pair\nalpha beats 0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := playAll(scopeNamed(t, p.Scope), p.Moves); err == nil || !strings.Contains(err.Error(), "move 1, alpha beats 0: it cannot happen there") {
		t.Error(err)
	}
	if _, err := ScopeNamed("mars"); err == nil || !strings.Contains(err.Error(), "pair") {
		t.Error(err)
	}
}

// inTurn is the [Run] that does one job after the other.
func inTurn(jobs int, job func(int)) {
	for k := range jobs {
		job(k)
	}
}

// A search is the same however its jobs are carried out: what it finds, and the way to each cluster.
func TestTheOrderOfJobsDoesNotMatter(t *testing.T) {
	search := func(run Run) *searcher {
		e := newSearcher(scopeNamed(t, "pair"))
		e.search(run, func(r *Result) bool { return r.Depth >= 12 })
		return e
	}
	backwards := func(jobs int, job func(int)) {
		for k := range jobs {
			job(jobs - 1 - k)
		}
	}
	one := search(inTurn)
	if one.result.Depth != 12 || len(one.level) < shards/2 || one.result.Bad != "" {
		t.Fatalf("%+v, and %d blocks to go: that has no order to speak of", one.result, len(one.level))
	}
	for _, run := range []Run{backwards, spread} {
		other := search(run)
		if !reflect.DeepEqual(one.result, other.result) {
			t.Errorf("%+v, and %+v in another order", one.result, other.result)
		}
		if !slices.Equal(one.parents, other.parents) || !slices.Equal(one.moves, other.moves) {
			t.Error("the ways differ with the order")
		}
	}
}

// A field that is not written down would make two clusters one.
func TestNoFieldIsForgotten(t *testing.T) {
	s := scopeNamed(t, "spare")
	to, back := newCodec(s), newCodec(s)
	host := &to.c.Hosts[1]
	for _, set := range settable(s, reflect.ValueOf(host).Elem(), "Host") {
		*host = Host{}
		set.to(1)
		if back.decode(to.encode(nil)); back.c != to.c {
			t.Errorf("%s is forgotten", set.name)
		}
	}
	*host = Host{}
	way := &to.c.Ways[way(1, 2)]
	way.N = 1
	for _, set := range settable(s, reflect.ValueOf(&way.Pulses[0]).Elem(), "Flight") {
		way.Pulses[0] = Flight{}
		set.to(1)
		if back.decode(to.encode(nil)); back.c != to.c {
			t.Errorf("%s is forgotten", set.name)
		}
	}
}

// field is a number somewhere in a value.
type field struct {
	name string
	v    reflect.Value
}

func (f field) to(n uint64) {
	if f.v.Kind() == reflect.Bool {
		f.v.SetBool(n != 0)
	} else {
		f.v.SetUint(n)
	}
}

// settable gives all numbers in a value, of members, groups, links and senses those that a scope has.
func settable(s *Scope, v reflect.Value, name string) (out []field) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			out = append(out, settable(s, v.Field(i), name+"."+v.Type().Field(i).Name)...)
		}
	case reflect.Array:
		n := v.Len()
		switch n {
		case failover.MaxMembers:
			n = int(s.Members)
		case pulse.MaxLinks: // as many as senses
			n = 1
		}
		if strings.HasSuffix(name, ".Groups") && n == failover.MaxGroups {
			n = int(s.Groups)
		}
		for i := range n {
			out = append(out, settable(s, v.Index(i), fmt.Sprintf("%s[%d]", name, i))...)
		}
	default:
		out = append(out, field{name, v})
	}
	return out
}
