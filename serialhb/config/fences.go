package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/serialhb/failover"
)

const maxLevel = 9

func (c *check) fences() {
	covered := map[[2]int]bool{} // who can cut whom
	numbers := map[int]int{}     // devices of each target so far
	used := map[string]text{}    // lines by node and name
	for i := range c.raw.Fence {
		r := &c.raw.Fence[i]
		f, known := c.fence(r)
		if known {
			numbers[f.target]++
			f.name = fmt.Sprintf("%s-%s-%d", c.model.nodes[f.target].Name, kindOf(r), numbers[f.target])
			for _, me := range f.by {
				covered[[2]int{me, f.target}] = true
			}
		}
		if kindOf(r) == agentKind {
			c.agent(r, &f, known)
		} else {
			c.relay(r, &f)
		}
		if known {
			if f.agent == nil {
				f.relay.Name = f.name
				c.wire(r, &f, used)
			}
			c.model.fences = append(c.model.fences, f)
		}
	}
	c.coverage(covered)
	c.power()
	c.senses()
}

// fence says whose power a device cuts, and who drives it.
func (c *check) fence(r *rawFence) (f fenceModel, known bool) {
	f.at = r.place
	if !r.Target.given {
		c.bad(r.Target.place, "name the node whose power this cuts: "+orList(c.names()), "target is missing")
	}
	f.target, known = c.node(r.Target)
	f.level = c.within(r.Level, 1, 1, maxLevel)
	if r.By.given {
		f.by = c.nodeList(r.By)
		if r.By.set && len(r.By.v) == 0 {
			c.bad(r.By.place, "name the nodes that drive this device, or leave by out if all others do", "by names no node")
		}
	} else {
		for n := range c.model.nodes {
			if n != f.target {
				f.by = append(f.by, n)
			}
		}
	}
	if known && slices.Contains(f.by, f.target) {
		c.bad(r.By.place, "leave it to the others", "%s would cut its own power", r.Target.v)
		known = false
	}
	f.mode = choose(c, r.Mode, option[mode]{"reboot", reboot}, option[mode]{"off", off})
	f.dwell = r.Dwell
	f.dwell.v = c.between(r.Dwell, defaultDwell, minDwell, maxDwell)
	if f.mode == off && r.Dwell.given {
		c.bad(r.Dwell.place, `remove it, or write mode = "reboot"`, `dwell has no meaning with mode = "off", which gives power back to nobody`)
	}
	f.acceptDoubtful = r.AcceptDoubtfulLines.v
	return f, known
}

// relay reads what makes the proof. What fencing itself would refuse is refused here, in its words.
func (c *check) relay(r *rawFence, f *fenceModel) {
	before := len(c.findings)
	f.places = map[string]place{"line": r.Line.place}
	if r.Device.set && r.Device.v != "relay" {
		c.bad(r.Device.place, `write device = "relay" or device = "exec"`, "device = %q is no kind of fence device", r.Device.v)
		return
	}
	demand(c, r.Device, "it says what cuts the power", option[string]{"relay", "relay"}, option[string]{"exec", "exec"})
	c.foreign(r.agentKeys(), "device", "exec", "relay")
	if !r.Line.given {
		c.bad(r.Line.place, `write line = "cdev:LABEL/NAME", the GPIO line that drives the coil`, "line is missing")
	}
	f.relay = fencing.RelayConfig{
		Name: nameless,
		Cut: demand(c, r.Cut, "it says what the coil does to cut the power", option[fencing.CutBy]{"energise", fencing.Energise},
			option[fencing.CutBy]{"release", fencing.Release}),
		CoilLow:      choose(c, r.EnergisedBy, high, low) == low.v,
		AllowAssumed: choose(c, r.Proof, option[string]{"", ""}, option[string]{"assumed", "assumed"}) != "",
		Settle:       c.between(r.Settle, 0, minWait, maxWait), Sample: c.between(r.Sample, usualSample(r), minWait, maxWait),
		Window: c.between(r.Window, 0, minWait, maxWait), HoldUp: c.between(r.HoldUp, 0, minWait, maxWait),
		HoldOff: c.between(r.HoldOff, 0, minWait, maxWait), Verify: c.between(r.VerifyTimeout, 0, minWait, maxVerify),
	}
	if f.relay.Cut == fencing.Release && !r.LineKeepsState.v {
		c.bad(r.Cut.place, `write cut = "energise" and wire the feed through the contact that is closed at rest, or write line_keeps_state = true if the output truly keeps its state without any program`,
			`cut = "release" would cut the power whenever the daemon dies`)
	}
	if f.relay.Cut == fencing.Energise && r.LineKeepsState.given {
		c.hint(r.LineKeepsState.place, "remove it", `line_keeps_state matters for cut = "release" only`)
	}
	c.sense(r, f)
	c.mirror(r, f)
	if f.relay.AllowAssumed && !r.Sense.given && !r.Mirror.given {
		c.warn(r.Proof.place, "add a sense or a mirror contact", "nothing looks whether the power of %s is off, so a welded relay goes unnoticed", r.Target.v)
	}
	if !r.Proof.given && !r.Sense.given && !r.Mirror.given {
		c.bad(r.Line.place, `add a sense or a mirror contact, or write proof = "assumed"`, "this device could never prove %s off", r.Target.v)
	}
	if !HasErrors(c.findings[before:]) {
		c.plan(r, f)
	}
}

// usualSample is how often a device looks that the file gives no sample: often enough for the shortest wait that the file
// does give, in which it has to look four times. 0 leaves it to fencing.
func usualSample(r *rawFence) time.Duration {
	sample := fencing.DefaultSample
	for _, wait := range []span{r.HoldUp, r.HoldOff} {
		if wait.set && wait.v >= minWait {
			sample = min(sample, wait.v/4)
		}
	}
	if sample == fencing.DefaultSample {
		return 0
	}
	return sample
}

// nameless stands for the name of a device until its target is known.
const nameless = "relay"

var high, low = option[string]{"high", "high"}, option[string]{"low", "low"}

func (c *check) sense(r *rawFence, f *fenceModel) {
	if !r.Sense.given {
		for _, p := range []place{r.SenseOff.place, r.SenseBias.place, r.SenseSide.place, r.FailSafe.place, r.HoldUp.place, r.HoldUpMeasured.place, r.Window.place} {
			if p.given {
				c.bad(p, `write sense = "cdev:LABEL/NAME", or remove this key`, "%s speaks of a sense, and the device has none", p.name())
			}
		}
		return
	}
	f.relay.SenseOff = demand(c, r.SenseOff, "it says at which level the power is off", low, high) == high.v
	f.relay.FailSafe = r.FailSafe.v
	f.relay.HoldUpMeasured = r.HoldUpMeasured.v
	f.relay.SenseSide = demand(c, r.SenseSide, "it says whether the sense looks at the output of the supply or at its feed",
		option[fencing.Side]{"dc", fencing.DC}, option[fencing.Side]{"feed", fencing.FeedSide})
	if f.relay.SenseSide == fencing.FeedSide && r.HoldUp.set && r.HoldUp.v < fencing.FeedHoldUp && !f.relay.HoldUpMeasured {
		c.bad(r.HoldUp.place, fmt.Sprintf("write hold_up = %q, or measure it with serialhb fence test and write hold_up_measured = true", fencing.FeedHoldUp),
			"hold_up = %q is short for a sense on the feed, since the supply may carry its host longer", r.HoldUp.v)
	}
	if !f.relay.FailSafe && !r.Mirror.given && !f.relay.AllowAssumed {
		c.warn(r.Sense.place, "use a sense whose off is driven and write fail_safe = true, or count on serialhb confirm-off",
			"a plain sense proves nothing of a member that lost its mains before the coil, so a person will be asked")
	}
}

// bias is the pull of the sense. A fail-safe sense reads on when its wire is broken, so it is pulled towards on.
func (c *check) bias(r *rawFence, f *fenceModel) gpio.Bias {
	towardsOn, towardsOff := option[gpio.Bias]{"up", gpio.Up}, option[gpio.Bias]{"down", gpio.Down}
	if f.relay.SenseOff {
		towardsOn, towardsOff = towardsOff, towardsOn
	}
	none := option[gpio.Bias]{"none", gpio.None}
	if !f.relay.FailSafe {
		return choose(c, r.SenseBias, none, towardsOn, towardsOff)
	}
	bias := choose(c, r.SenseBias, towardsOn, none, towardsOff)
	switch bias {
	case towardsOff.v:
		c.bad(r.SenseBias.place, fmt.Sprintf("write sense_bias = %q", towardsOn.word), "sense_bias = %q pulls towards off, so a broken wire would read off", r.SenseBias.v)
	case gpio.None:
		c.warn(r.SenseBias.place, fmt.Sprintf("write sense_bias = %q unless the board has a pull of its own towards on", towardsOn.word),
			"with sense_bias = %q a broken wire may read off, and the sense is not fail-safe then", "none")
	}
	return bias
}

func (c *check) mirror(r *rawFence, f *fenceModel) {
	if !r.Mirror.given {
		for _, p := range []place{r.MirrorOpen.place, r.MirrorBias.place} {
			if p.given {
				c.bad(p, `write mirror = "cdev:LABEL/NAME", or remove this key`, "%s speaks of a mirror contact, and the device has none", p.name())
			}
		}
		return
	}
	f.relay.MirrorOpen = demand(c, r.MirrorOpen, "it says at which level the feed is open", low, high) == high.v
}

// plan asks fencing for the times with their defaults. What is left to be refused is about these times.
func (c *check) plan(r *rawFence, f *fenceModel) {
	l := fencing.Lines{Coil: noLine{}}
	if r.Sense.given {
		l.Sense = noLine{}
	}
	if r.Mirror.given {
		l.Mirror = noLine{}
	}
	relay, err := fencing.NewRelay(f.relay, l)
	if err == nil {
		f.plan = relay.Plan()
		return
	}
	said := strings.TrimPrefix(err.Error(), "fencing: make relay "+nameless+": ")
	at := r.place
	for _, s := range []span{r.HoldUp, r.HoldOff, r.Window, r.Sample, r.VerifyTimeout} {
		if word, _, _ := strings.Cut(said, " "); word == strings.TrimSuffix(s.name(), "_timeout") {
			at = s.place
		}
	}
	cut := strings.LastIndex(said, ": ")
	if cut < 0 {
		c.bad(at, "correct this device", "%s", said)
		return
	}
	c.bad(at, said[cut+2:], "%s", said[:cut])
}

// coverage: unanimity or proof needs that every member can prove every other one off.
func (c *check) coverage(covered map[[2]int]bool) {
	for me, a := range c.model.nodes {
		for target, b := range c.model.nodes {
			if me == target || covered[[2]int{me, target}] {
				continue
			}
			c.bad(c.raw.Node[target].place, fmt.Sprintf("add a [[fence]] with target = %q that %s drives", b.Name, a.Name),
				"%s has no way to cut %s and prove it off, so it could never take over from it", a.Name, b.Name)
		}
	}
}

// power: the devices of a target cannot disagree on what becomes of its power.
func (c *check) power() {
	first := map[int]*fenceModel{}
	for i := range c.model.fences {
		f := &c.model.fences[i]
		one := first[f.target]
		switch {
		case one == nil:
			first[f.target] = f
		case one.mode != f.mode:
			c.bad(f.at, fmt.Sprintf("write mode = %q here too", one.mode), "mode = %q differs from that of the other device for %s (line %d)", f.mode, c.model.nodes[f.target].Name, one.at.line)
		case f.mode == reboot && one.dwell.v != f.dwell.v:
			c.bad(f.dwell.place, fmt.Sprintf("write dwell = %q here too", one.dwell.v), "dwell = %q differs from that of the other device for %s (line %d)", f.dwell.v, c.model.nodes[f.target].Name, one.at.line)
		}
	}
}

func (c *check) senses() {
	count := map[[2]int]int{}
	for _, f := range c.model.fences {
		for me, w := range f.wiring {
			if w.Sense == (gpio.Line{}) {
				continue
			}
			pair := [2]int{me, f.target}
			if count[pair]++; count[pair] == failover.MaxSenses+1 {
				c.bad(f.at, "join some of them outside", "%s has more than %d senses of %s", c.model.nodes[me].Name, failover.MaxSenses, c.model.nodes[f.target].Name)
			}
		}
	}
}
