package fencing

import (
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The sequence is a value: it may know durations and nothing else of the world.
func TestSequenceIsPure(t *testing.T) {
	for _, name := range []string{"sequence.go", "plan.go", "proof.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			if i.Path.Value != `"time"` {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
	for _, name := range []string{"sequence.go", "plan.go", "proof.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, banned := range []string{"time.Now", "time.Since", "time.Sleep", "time.After", "time.New", "go func"} {
			if strings.Contains(string(text), banned) {
				t.Errorf("%s uses %s", name, banned)
			}
		}
	}
	var a, b any = Sequence{}, Sequence{}
	if a != b {
		t.Error("two equal sequences differ")
	}
}

type sample struct {
	at time.Duration
	in Reading
}

// Whatever comes in, a proof is only given for a history that bears it out. The oracle knows the rules of the design and
// nothing of how the sequence counts.
func TestProofNeedsItsHistory(t *testing.T) {
	var seen [proofEnd]int
	rapid.Check(t, func(t *rapid.T) {
		for range 50 {
			seen[history(t)]++
		}
	})
	// A check that never sees a proof checks nothing.
	for _, p := range []Proof{Assumed, Mirror, Sense, FailSafe} {
		if seen[p] == 0 {
			t.Errorf("no history ended with %q", p)
		}
	}
}

// history runs one sequence on random readings and returns its proof.
func history(t *rapid.T) Proof {
	p := Plan{
		HasSense: rapid.Bool().Draw(t, "sense"), HasMirror: rapid.Bool().Draw(t, "mirror"),
		Trusted: rapid.Bool().Draw(t, "trusted"), Broken: rapid.IntRange(0, 4).Draw(t, "broken") == 0,
		AllowAssumed: rapid.Bool().Draw(t, "assume"),
		Settle:       20 * ms, Sample: 10 * ms, Window: 60 * ms, HoldUp: 100 * ms, HoldOff: 160 * ms, Verify: time.Second,
	}
	p.FailSafe = p.HasSense && rapid.Bool().Draw(t, "fail-safe")
	s := Begin(p)
	secure := rapid.IntRange(0, 3).Draw(t, "secure") == 0
	if secure {
		s = BeginSecure(p)
	}
	// Flips are rare, so that long quiet runs happen.
	in := Reading{Coil: FeedClosed}
	if p.HasSense {
		in.Sense = rapid.SampledFrom([]SenseState{On, On, On, Off}).Draw(t, "first")
	}
	if p.HasMirror {
		in.Mirror = FeedClosed
	}
	var (
		past  []sample
		now   time.Duration
		cutAt = -1
	)
	for range 200 {
		if p.HasSense && rapid.IntRange(0, 30).Draw(t, "flip") == 0 {
			in.Sense = rapid.SampledFrom([]SenseState{Off, Off, Off, On, On, Unknown}).Draw(t, "now")
		}
		if p.HasMirror && rapid.IntRange(0, 30).Draw(t, "turn") == 0 {
			in.Mirror = rapid.SampledFrom([]Feed{FeedOpen, FeedOpen, FeedOpen, FeedClosed, FeedUnknown}).Draw(t, "contact")
		}
		if rapid.IntRange(0, 199).Draw(t, "coil") == 0 {
			in.Coil = rapid.SampledFrom([]Feed{FeedOpen, FeedClosed, FeedUnknown}).Draw(t, "line")
		}
		past = append(past, sample{now, in})
		var o Order
		var wake time.Duration
		s, o, wake = s.Step(now, in)
		switch o.Act {
		case Failed:
			if o.Failure == "" {
				t.Fatal("failed without a failure")
			}
			return None
		case CutFeed:
			cutAt = len(past) - 1
			in.Coil = FeedOpen
			if p.HasSense && rapid.Bool().Draw(t, "falls") {
				in.Sense = Off
			}
			if p.HasMirror && rapid.Bool().Draw(t, "follows") {
				in.Mirror = FeedOpen
			}
			if secure {
				demand(t, p, past, p.HoldUp, false)
			}
			now += rapid.SampledFrom([]time.Duration{0, ms, 55 * ms, 80 * ms}).Draw(t, "drive")
			continue
		case Proven:
			if cutAt < 0 {
				t.Fatal("proven before the cut")
			}
			bearOut(t, p, past, cutAt, o.Proof)
			return o.Proof
		}
		if wake <= now {
			t.Fatalf("asked to be woken at %v at %v", wake, now)
		}
		now = wake + rapid.SampledFrom(slices.Concat(make([]time.Duration, 30), []time.Duration{ms, 30 * ms, 70 * ms})).Draw(t, "late")
	}
	return None
}

// demand fails unless an unbroken run of samples that long ends the history.
func demand(t *rapid.T, p Plan, h []sample, length time.Duration, open bool) {
	end := h[len(h)-1].at
	for i := len(h) - 1; ; i-- {
		if i < 0 {
			t.Fatalf("the history is shorter than %v", length)
		}
		x := h[i]
		if open && x.in.Coil != FeedOpen || p.HasSense && x.in.Sense != Off || open && p.HasMirror && x.in.Mirror != FeedOpen {
			t.Fatalf("%v before the proof a sample was %+v; %v were due", end-x.at, x.in, length)
		}
		if end-x.at >= length {
			return
		}
		if i > 0 && x.at-h[i-1].at > p.gap() {
			t.Fatalf("%v without a sample", x.at-h[i-1].at)
		}
	}
}

func bearOut(t *rapid.T, p Plan, h []sample, cutAt int, proof Proof) {
	before, after := h[cutAt], h[cutAt+1:]
	switch proof {
	case FailSafe:
		if !p.FailSafe || p.Broken {
			t.Fatalf("%v from %+v", proof, p)
		}
		demand(t, p, after, p.HoldUp, true)
	case Sense:
		if !p.HasSense || !p.Trusted || p.Broken || before.in.Sense != On || before.in.Coil != FeedClosed {
			t.Fatalf("%v from %+v, before the coil %+v", proof, p, before.in)
		}
		if after[0].in.Sense == Off && after[0].at-before.at > p.gap() {
			t.Fatalf("it fell in the dark, %v around the coil", after[0].at-before.at)
		}
		last := before.at
		fell := before.at
		for _, x := range after {
			if x.in.Sense == On {
				last = x.at
			} else if last >= fell {
				fell = x.at
				last = -1
			}
		}
		if fell-before.at > p.Window {
			t.Fatalf("%v, and it fell for good %v after the coil", proof, fell-before.at)
		}
		demand(t, p, after, p.HoldUp, true)
	case Mirror:
		if !p.HasMirror || before.in.Mirror != before.in.Coil {
			t.Fatalf("%v from %+v, before the coil %+v", proof, p, before.in)
		}
		demand(t, p, after, p.HoldOff, true)
	case Assumed:
		if !p.AllowAssumed {
			t.Fatal("assumed without leave")
		}
		demand(t, p, after, p.HoldOff, true)
		if h[len(h)-1].at-after[0].at < p.Settle+p.HoldOff {
			t.Fatal("assumed before the contact had settled")
		}
	default:
		t.Fatalf("proof %v", proof)
	}
}

func TestProofWords(t *testing.T) {
	seen := map[string]bool{}
	for p := None; p < proofEnd; p++ {
		if p.String() == "" || seen[p.String()] || p.IsOff() != (p != None) {
			t.Errorf("proof %d: %q, off %t", p, p, p.IsOff())
		}
		seen[p.String()] = true
	}
	if proofEnd.IsOff() || Proof(200).IsOff() {
		t.Error("a number that is no proof is taken for one")
	}
	for i, p := range []Proof{Assumed, Lease, Agent, Mirror, Sense, FailSafe} {
		if int(p) != i+1 {
			t.Errorf("%v has moved: the weakest proof of a level is found by its number", p)
		}
	}
}
