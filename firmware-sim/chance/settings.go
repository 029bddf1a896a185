package chance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/world"
)

// third is the node that one fate in so many has beside the pair.
const (
	third      = "charlie"
	thirdInOne = 6
)

// one says yes once in so many times.
func (d *drawer) one(in int) bool { return d.rng.IntN(in) == 0 }

func (d *drawer) set(format string, a ...any) {
	d.fate.Settings = append(d.fate.Settings, fmt.Sprintf("config "+format, a...))
}

// settings draws what the configuration of a fate says, and what its world is made of.
func (d *drawer) settings(interval time.Duration) {
	multiplier := uint8(15)
	if interval == 0 {
		interval = []time.Duration{leastInterval, 100 * time.Millisecond, 200 * time.Millisecond, time.Second}[d.rng.IntN(4)]
	}
	if interval >= time.Second {
		multiplier = 5
	}
	d.members()
	d.set("interval %s", interval)
	d.set("multiplier %d", multiplier)
	d.clocks(interval)
	d.wires()
	d.set("takeover %s", d.pick("auto", "auto", "auto", "approve"))
	failback := d.pick("manual", "manual", "off", "auto")
	d.set("failback %s", failback)
	d.set("split %s", d.pick("standby-survives", "standby-survives", "standby-survives", "owner-survives"))
	d.set("on-last-link %s", d.pick("fence", "fence", "ask"))
	if d.one(2) {
		d.set("fence-when-deaf on")
	}
	if d.one(2) {
		d.set("moves 200")
		d.set("fences 200")
	}
	restore := []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}[d.rng.IntN(3)]
	d.set("wait-to-restore %s", restore)
	d.set("stop-limit %s", lingers*3/4)
	d.set("seed %d", d.rng.IntN(1<<30))
	d.fate.Bound = bound(interval, multiplier, len(d.fate.Nodes))
	if failback == "auto" {
		d.fate.Bound += restore
	}
}

// members draws who there is, and who prefers what.
func (d *drawer) members() {
	if d.one(thirdInOne) {
		d.fate.Nodes = []string{nodes[0], nodes[1], third}
		d.set("nodes %s", strings.Join(d.fate.Nodes, " "))
	}
	two := d.one(2)
	if two {
		d.fate.Groups = []string{"web", "db"}
		d.set("groups web db")
	}
	if len(d.fate.Nodes) > len(nodes) && d.one(3) {
		d.set("prefer web %s %s", nodes[0], nodes[1]) // the third one only has a say
	}
	if two {
		backwards := slices.Clone(d.fate.Nodes)
		slices.Reverse(backwards)
		d.set("prefer db %s", strings.Join(backwards, " "))
	}
}

// clocks draws how unequal the pace of the members is.
func (d *drawer) clocks(interval time.Duration) {
	if d.one(8) {
		other := 2 * interval
		if d.one(2) && interval > leastInterval {
			other = interval / 2
		}
		d.set("interval %s %s", other, d.pick(d.fate.Nodes...))
	}
	if d.one(3) {
		for _, n := range d.fate.Nodes {
			d.set("drift %d %s", d.rng.IntN(2*worstDrift+1)-worstDrift, n)
		}
	}
	if d.one(8) {
		d.set("jitter %s", d.long(time.Millisecond, interval/5))
	}
}

// leastInterval is short enough: the shorter, the longer a fate takes.
const leastInterval = 50 * time.Millisecond

// worstDrift of a clock is three in a hundred, in millionths: much more than any that works has.
const worstDrift = 30_000

// wires draws what joins and feeds the members.
func (d *drawer) wires() {
	switch d.rng.IntN(12) {
	case 0:
		d.set("cables off")
	case 1:
		d.set("net off")
	}
	if d.one(6) {
		d.set("supplies 2")
	}
	sense := d.pick("fail-safe", "fail-safe", "plain")
	d.plain = sense == "plain"
	d.set("sense %s", sense)
	d.set("mode %s", d.pick("reboot", "reboot", "reboot", "off"))
	d.set("keeps-coil %s", d.pick("on", "off"))
	if d.level2 = d.one(3); d.level2 {
		d.set("level2 on")
	}
}

// bound is how long it may take: what is left of the retries of a fence, a last cut with its dwell and a boot, the start window
// and a silence, and two requests that stand still and back off before the one that succeeds. With every member more there is
// one more that may have to be cut.
func bound(interval time.Duration, multiplier uint8, members int) time.Duration {
	c := world.Default()
	c.SetTiming(interval, multiplier)
	d := &c.Decision
	retries := time.Duration(0)
	for i := range d.FenceRetries {
		retries += d.FenceRetryTime << i
	}
	boot := c.Boot + c.Boot/20
	cut := retries + d.FenceDelay + c.Power[0].Dwell + boot + 4*d.DetectTime
	return (time.Duration(members-1)*cut + 2*(d.MoveTime+16*d.Backoff)).Round(time.Second)
}
