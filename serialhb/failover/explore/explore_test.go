package explore

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var less = flag.Int("less", 0, "how many moves less deep the scopes are explored")

func TestSmallScopesHold(t *testing.T) {
	var saw Sightings
	told := 0
	for i := range Scopes {
		s := &Scopes[i]
		if s.Depth == 0 {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			limit := Limit{Depth: s.Depth - *less}
			if testing.Short() {
				limit.Clusters = 3000
			}
			r := Search(context.Background(), s, limit)
			if r.Bad != "" {
				t.Fatalf("%s:\n%s", r.Bad, r.Path)
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

// What was found once stays found.
func TestPathsHold(t *testing.T) {
	files, err := filepath.Glob("testdata/*.path")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := ParsePath(string(text))
			if err != nil {
				t.Fatal(err)
			}
			bad, err := Play(p)
			if err != nil {
				t.Fatal(err)
			}
			if bad != "" {
				t.Fatal(bad)
			}
		})
	}
}

// wander takes random moves from the beginning, with the names of a search.
func wander(t *testing.T, s *Scope, seed uint64, moves int, each func(*Cluster, Move)) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	who, names, c := newPlayer(s), renamer{code: newCodec(s)}, beginning(s)
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
		k := newCodec(s)
		for seed := range wanders() {
			wander(t, s, seed, 300, func(c *Cluster, _ Move) {
				var back Cluster
				k.decode(k.encode(nil, c), &back)
				if back != *c {
					t.Fatalf("%s, seed %d: %+v came back as %+v", s.Name, seed, *c, back)
				}
			})
		}
	}
}

// A name that depended on what was before would make one cluster look like many.
func TestRenamingTwiceIsRenamingOnce(t *testing.T) {
	for i := range Scopes {
		s := &Scopes[i]
		names := renamer{code: newCodec(s)}
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
	if _, err := Play(p); err == nil || !strings.Contains(err.Error(), "move 1, alpha beats 0: it cannot happen there") {
		t.Error(err)
	}
	if _, err := ScopeNamed("mars"); err == nil || !strings.Contains(err.Error(), "pair") {
		t.Error(err)
	}
}

// The number of clusters is the same however many look at them.
func TestWorkersDoNotMatter(t *testing.T) {
	s, err := ScopeNamed("pair")
	if err != nil {
		t.Fatal(err)
	}
	one := Search(context.Background(), s, Limit{Workers: 1, Depth: 12})
	many := Search(context.Background(), s, Limit{Workers: 4, Depth: 12})
	if one.Clusters != many.Clusters || one.Moves != many.Moves || one.Saw != many.Saw {
		t.Errorf("%d clusters and %d moves by one, %d and %d by four", one.Clusters, one.Moves, many.Clusters, many.Moves)
	}
}
