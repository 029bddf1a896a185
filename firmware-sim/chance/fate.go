package chance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Fate is half an hour or more of a pair in the simulated world, with all that befalls it, in the language of
// firmware-sim/world/script. Each seed has its own mix of faults, rates and lengths, so that what is rare in one is common
// in another (swarm testing). It stays within the fault hypothesis, as a [Story] does. In its second part everything is
// mended, and all has to be well within a bound that follows from the settings.
type Fate struct {
	Seed     uint64
	Settings []string
	Faults   []Fault
	Span     time.Duration // of the first part
	Bound    time.Duration // within which all is well after the last of the second
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

// FateOptions are what a fate does not draw.
type FateOptions struct {
	Interval time.Duration // between pulses; 0 lets the seed draw it
	Span     time.Duration // at least; 0 is [leastSpan]
}

// leastSpan and leastFaults are of a fate that nobody shortened.
const (
	leastSpan   = 30 * time.Minute
	leastFaults = 10
)

// NewFate draws the fate of a seed.
func NewFate(seed uint64, o FateOptions) Fate {
	d := &drawer{rng: rand.New(rand.NewPCG(seed, 0xfa7e))}
	f := Fate{Seed: seed, Span: max(o.Span, leastSpan)}
	d.settings(&f, o.Interval)
	mix := d.mix()
	for range leastFaults + d.rng.IntN(25) {
		t := mix[d.rng.IntN(len(mix))]
		n := d.rng.IntN(2)
		f.Faults = append(f.Faults, Fault{Kind: t.kind, At: time.Duration(d.rng.Int64N(int64(f.Span))), Acts: t.acts(d, nodes[n], nodes[1-n])})
	}
	slices.SortStableFunc(f.Faults, func(a, b Fault) int { return int(a.At - b.At) })
	return f
}

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
	line("expect owned web within 2m")
	var acts []Act
	for _, fault := range f.Faults {
		for _, a := range fault.Acts {
			acts = append(acts, Act{min(fault.At+a.After, f.Span), a.Line})
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
	if now < f.Span {
		line("sleep %s", f.Span-now)
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

// heal mends everything, has a person say so to both daemons, and demands that all is well.
func (f Fate) heal(line func(string, ...any)) {
	line("say everything is mended")
	for _, l := range []string{"mend-cable", "mend-net", "lose 0", "delay-net 0s"} {
		line("%s", l)
	}
	for _, n := range nodes {
		for _, l := range []string{"free RELAY_%s", "free RELAY2_%s", "sense SENSE_%s ok"} {
			if strings.Contains(l, "2_") && !slices.Contains(f.Settings, "config level2 on") {
				continue
			}
			line(l, strings.ToUpper(n))
		}
		for _, l := range []string{"replug %s", "service %s web ok", "unwritable %s none", "edit-config %s core 7", "edit-config %s rest 7", "keys %s one", "thaw %s", "power-on %s"} {
			line(l, n)
		}
	}
	line("sleep 90s") // cuts end, hosts boot
	for _, n := range nodes {
		line("restart-daemon %s", n) // with the files as they are now
	}
	line("sleep 30s")
	for range 2 { // who gets its power back by the first is there for the second
		for i, n := range nodes {
			for _, l := range []string{"maintenance off", "standby off", "arm", "clear", "fence on " + nodes[1-i]} {
				line("try %s %s", n, l)
			}
		}
		line("sleep 60s")
	}
	line("expect owned web within %s", f.Bound)
	for _, n := range nodes {
		line("expect well %s within %s", n, f.Bound)
	}
}

// drawer draws a fate.
type drawer struct {
	rng    *rand.Rand
	level2 bool
	plain  bool
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

// The times of a pair whose configuration file says nothing of them, in the simulated world; see world.Default.
const (
	bootTime    = 21 * time.Second
	backoffMost = 16 * 2 * time.Second
	retriesTime = (10 + 20 + 40) * time.Second
)

func (d *drawer) settings(f *Fate, interval time.Duration) {
	set := func(format string, a ...any) { f.Settings = append(f.Settings, fmt.Sprintf("config "+format, a...)) }
	multiplier := 15
	if interval == 0 {
		interval = []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, time.Second}[d.rng.IntN(4)]
	}
	if interval >= time.Second {
		multiplier = 5
	}
	set("interval %s", interval)
	set("multiplier %d", multiplier)
	set("takeover %s", d.pick("auto", "auto", "auto", "approve"))
	set("failback %s", d.pick("manual", "manual", "off", "auto"))
	set("split %s", d.pick("standby-survives", "standby-survives", "standby-survives", "owner-survives"))
	set("on-last-link %s", d.pick("fence", "fence", "ask"))
	sense := d.pick("fail-safe", "fail-safe", "plain")
	d.plain = sense == "plain"
	set("sense %s", sense)
	set("mode %s", d.pick("reboot", "reboot", "reboot", "off"))
	set("keeps-coil %s", d.pick("on", "off"))
	if d.level2 = d.rng.IntN(3) == 0; d.level2 {
		set("level2 on")
	}
	if d.rng.IntN(2) == 0 {
		set("moves 200")
		set("fences 200")
	}
	set("wait-to-restore %s", d.pick("10s", "1m", "5m"))
	set("seed %d", d.rng.IntN(1<<30))
	detection := interval * time.Duration(multiplier)
	move := max(10*time.Second, 4*interval)
	f.Bound = (bootTime + 4*detection + 2*(move+backoffMost) + retriesTime).Round(time.Second)
}

// trouble is one kind of fault.
type trouble struct {
	kind string
	acts func(d *drawer, n, o string) []Act
}

// mix draws which troubles there are in this fate, and how often each.
func (d *drawer) mix() []trouble {
	var all []trouble
	for _, t := range troubles {
		for range [...]int{0, 0, 1, 1, 2, 4}[d.rng.IntN(6)] {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return troubles
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

func (d *drawer) relay(n string) string {
	if d.level2 && d.rng.IntN(2) == 0 {
		return upper("RELAY2_", n)
	}
	return upper("RELAY_", n)
}
