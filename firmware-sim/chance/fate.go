package chance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Fate is half an hour or more of a pair in the simulated world, or of three, with all that befalls it, in the language of
// firmware-sim/world/script. Each seed has its own mix of faults, rates and lengths, so that what is rare in one is common
// in another (swarm testing). It stays within the fault hypothesis, as a [Story] does. Every fault has its end before the span
// is over. Then the pair has to come to rest by itself, and after a person's round to be well.
type Fate struct {
	Seed     uint64
	Settings []string
	Nodes    []string
	Faults   []Fault
	Groups   []string
	Bound    time.Duration // within which a pair comes to rest that is left alone
}

// Fault is one thing that befalls the pair: what happens, and what ends it.
type Fault struct {
	Kind string
	At   time.Duration // of its first line, after the pair was up
	Acts []Act
}

// Act is one line of a fault, so long after its beginning.
type Act struct {
	After time.Duration
	Line  string
}

// span and leastFaults are of a fate that nobody shortened.
const (
	span        = 30 * time.Minute
	leastFaults = 10
)

// NewFate draws the fate of a seed. The interval is that between pulses; 0 lets the seed draw it.
func NewFate(seed uint64, interval time.Duration) Fate {
	d := &drawer{rng: rand.New(rand.NewPCG(seed, 0xfa7e)), fate: Fate{Seed: seed, Nodes: nodes[:], Groups: []string{"web"}}}
	d.settings(interval)
	mix := d.mix()
	for range leastFaults + d.rng.IntN(25) {
		t := mix[d.rng.IntN(len(mix))]
		n, o := d.two()
		d.fate.Faults = append(d.fate.Faults, Fault{Kind: t.kind, At: time.Duration(d.rng.Int64N(int64(span))), Acts: t.acts(d, n, o)})
	}
	slices.SortStableFunc(d.fate.Faults, func(a, b Fault) int { return int(a.At - b.At) })
	return d.fate
}

// Name is what its story is called.
func (f Fate) Name() string { return fmt.Sprintf("seed-%d", f.Seed) }

// Without gives the same fate, less some of its faults.
func (f Fate) Without(leave func(i int) bool) Fate {
	all := f.Faults
	f.Faults = nil
	for i, fault := range all {
		if !leave(i) {
			f.Faults = append(f.Faults, fault)
		}
	}
	return f
}

// String is the story of it.
func (f Fate) String() string {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	for _, s := range f.Settings {
		line("%s", s)
	}
	line("start")
	line("expect well within 2m")
	var acts []Act
	for _, fault := range f.Faults {
		for _, a := range fault.Acts {
			acts = append(acts, Act{min(fault.At+a.After, span), a.Line})
		}
	}
	slices.SortStableFunc(acts, func(a, b Act) int { return int(a.After - b.After) })
	now := time.Duration(0)
	var dark blackout
	for _, a := range acts {
		if !dark.fits(a) {
			continue
		}
		if a.After > now {
			line("sleep %s", a.After-now)
			now = a.After
		}
		line("%s", a.Line)
	}
	if now < span {
		line("sleep %s", span-now)
	}
	f.heal(line)
	return b.String()
}

// blackout is since when nodes have no mains. A person says that a node is off, or away, only where it is so.
type blackout map[string]time.Duration

// eyesight is how long it takes a person to see that a node has no power.
const eyesight = time.Second

func (b *blackout) fits(a Act) bool {
	if *b == nil {
		*b = blackout{}
	}
	words := strings.Fields(a.Line)
	for _, n := range words[1:] {
		_, off := (*b)[n]
		switch {
		case words[0] == "power-off" && !off:
			(*b)[n] = a.After
		case words[0] == "power-on":
			delete(*b, n)
		}
	}
	if len(words) < 4 || words[2] != "confirm-off" && words[2] != "withdraw" {
		return true
	}
	since, off := (*b)[words[3]]
	return off && a.After-since >= eyesight
}

// Over is what the story of a fate says when the last fault has ended, and Round when a person comes.
const (
	Over  = "every fault is over"
	Round = "a person goes round"
)

const (
	// lingers is how long after that something of it may be there: noise, a datagram on its way, a daemon that is leaving.
	lingers = 2 * time.Minute
	// newsTime is until the other node knows what a person did to one, bootTime from power to a daemon that judges, and steady
	// for how long the pair has to be as it is demanded.
	newsTime = 10 * time.Second
	bootTime = time.Minute
	steady   = 30 * time.Second
)

// heal leaves the pair alone, and demands that it comes to rest: all is well, or a node says what it waits for. Then a person
// goes round once, and all has to be well.
func (f Fate) heal(line func(string, ...any)) {
	try := func(commands ...string) {
		for _, n := range f.Nodes {
			for _, c := range commands {
				for _, o := range f.Nodes {
					if with := strings.ReplaceAll(c, "PEER", o); o != n && with != c {
						line("try %s %s", n, with)
					}
				}
				if !strings.Contains(c, "PEER") {
					line("try %s %s", n, c)
				}
			}
		}
	}
	line("say %s", Over)
	line("sleep %s", lingers)
	for _, n := range f.Nodes {
		line("start %s", n) // where its daemon left in order, and only there
	}
	line("sleep %s", f.Bound)
	line("expect at-rest for %s", steady)
	line("say %s", Round)
	try("maintenance off", "standby off", "arm", "clear")
	line("sleep %s", newsTime)
	try("approve")
	line("sleep %s", bootTime)
	try("fence on PEER")
	line("sleep %s", bootTime)
	try("maintenance off", "standby off", "arm", "clear") // who was dark until now
	line("sleep %s", f.Bound)
	line("expect well for %s", steady)
}

// drawer draws a fate.
type drawer struct {
	rng    *rand.Rand
	fate   Fate
	level2 bool
	plain  bool
}

// two draws a node, and another one.
func (d *drawer) two() (n, o string) {
	i, all := d.rng.IntN(len(d.fate.Nodes)), len(d.fate.Nodes)
	return d.fate.Nodes[i], d.fate.Nodes[(i+1+d.rng.IntN(all-1))%all]
}

func (d *drawer) pick(words ...string) string { return words[d.rng.IntN(len(words))] }

// long is a time between two bounds, the short ones as often as the long ones: each doubling is as likely as the next. No
// floating point takes part, so that a seed has the same fate on any machine.
func (d *drawer) long(from, to time.Duration) time.Duration {
	doublings := 0
	for from<<(doublings+1) < to {
		doublings++
	}
	low := from << d.rng.IntN(doublings+1)
	high := min(2*low, to)
	return (low + time.Duration(d.rng.Int64N(int64(high-low)+1))).Truncate(time.Millisecond)
}

// trouble is one kind of fault.
type trouble struct {
	kind string
	acts func(d *drawer, n, o string) []Act
}

// mix draws which troubles there are in this fate, and how often each. One there always is, and one in five is a moment.
func (d *drawer) mix() []trouble {
	all := []trouble{troubles[d.rng.IntN(len(troubles))]}
	for _, t := range troubles {
		for range [...]int{0, 0, 1, 1, 2, 4}[d.rng.IntN(6)] {
			all = append(all, t)
		}
	}
	for range len(all) / 4 {
		all = append(all, aMoment)
	}
	return all
}

// both is a line that begins a fault and one that ends it.
func both(begin, end string, lasts time.Duration) []Act { return []Act{{0, begin}, {lasts, end}} }

// way is one direction of what joins the pair, or both.
func (d *drawer) way(n, o string) string {
	if d.rng.IntN(3) > 0 {
		return ""
	}
	return " " + n + "->" + o
}

func upper(prefix, n string) string { return prefix + strings.ToUpper(n) }

func (d *drawer) group() string { return d.pick(d.fate.Groups...) }

func (d *drawer) relay(n string) string {
	if d.level2 && d.rng.IntN(2) == 0 {
		return upper("RELAY2_", n)
	}
	return upper("RELAY_", n)
}
