package chance

import (
	"fmt"
	"time"
)

// troubles are what may befall a node n, whose peer is o. Their kinds are what a mix is drawn of.
var troubles = []trouble{
	{"mains", mains},
	{"mains", mains},
	{"mains of both", func(d *drawer, n, o string) []Act {
		return []Act{{0, "power-off " + n + " " + o}, {d.long(100*time.Millisecond, 2*time.Minute), "power-on " + n}, {d.long(2*time.Second, 5*time.Minute), "power-on " + o}}
	}},
	{"reset", func(d *drawer, n, _ string) []Act { return []Act{{0, "panic " + n}} }},
	{"reboot", func(d *drawer, n, _ string) []Act { return []Act{{0, "reboot " + n}} }},
	{"hang", func(d *drawer, n, _ string) []Act {
		return both("freeze "+n, "thaw "+n, d.long(50*time.Millisecond, 5*time.Minute))
	}},
	{"standstill", func(d *drawer, n, _ string) []Act { // the whole machine, so what comes is lost and waits nowhere
		lasts := d.long(50*time.Millisecond, 5*time.Minute)
		return []Act{{0, "freeze " + n}, {0, "cut-cable"}, {0, "cut-net"}, {lasts, "mend-cable"}, {lasts, "mend-net"}, {lasts, "thaw " + n}}
	}},
	{"daemon", func(d *drawer, n, _ string) []Act { return []Act{{0, "kill-daemon " + n}} }},
	{"daemon for long", func(d *drawer, n, _ string) []Act {
		return both("kill-daemon "+n+" hold", "start "+n, d.long(100*time.Millisecond, 10*time.Minute))
	}},
	{"leave", func(d *drawer, n, _ string) []Act {
		return both("stop "+n, "start "+n, d.long(time.Second, 10*time.Minute))
	}},
	{"cable", func(d *drawer, n, o string) []Act {
		return both("cut-cable"+d.way(n, o), "mend-cable", d.long(50*time.Millisecond, 10*time.Minute))
	}},
	{"net", func(d *drawer, n, o string) []Act {
		return both("cut-net"+d.way(n, o), "mend-net", d.long(50*time.Millisecond, 10*time.Minute))
	}},
	{"all links", func(d *drawer, n, o string) []Act {
		way, lasts := d.way(n, o), d.long(50*time.Millisecond, 5*time.Minute)
		return []Act{{0, "cut-cable" + way}, {d.long(time.Millisecond, 20*time.Second), "cut-net" + way}, {20*time.Second + lasts, "mend-cable"}, {21*time.Second + lasts, "mend-net"}}
	}},
	{"loss", func(d *drawer, n, o string) []Act {
		return both(fmt.Sprintf("lose %d%s", 1+d.rng.IntN(60), d.way(n, o)), "lose 0", d.long(time.Second, 10*time.Minute))
	}},
	{"delay", func(d *drawer, n, o string) []Act {
		return both(fmt.Sprintf("delay-net %s%s", d.long(5*time.Millisecond, time.Minute), d.way(n, o)), "delay-net 0s", d.long(time.Second, 5*time.Minute))
	}},
	{"doubled", func(d *drawer, n, o string) []Act {
		return both(fmt.Sprintf("double %d%s", 1+d.rng.IntN(100), d.way(n, o)), "double 0", d.long(time.Second, 10*time.Minute))
	}},
	{"noise", func(d *drawer, n, _ string) []Act {
		return []Act{{0, fmt.Sprintf("noise %s %s", n, d.long(time.Second, 2*time.Minute))}}
	}},
	{"port", func(d *drawer, n, _ string) []Act {
		return both("unplug "+n+" "+d.pick("cable", "net"), "replug "+n, d.long(100*time.Millisecond, 5*time.Minute))
	}},
	{"all ports", func(d *drawer, n, _ string) []Act {
		return both("unplug "+n, "replug "+n, d.long(100*time.Millisecond, 5*time.Minute))
	}},
	{"lying relay", weldFor},
	{"lying relay", weldFor},
	{"lying relay", weldFor},
	{"dead line", func(d *drawer, n, _ string) []Act {
		r := d.relay(n)
		return both("no-line "+r, "free "+r, d.long(10*time.Second, 20*time.Minute))
	}},
	{"slow relay", func(d *drawer, n, _ string) []Act {
		r := d.relay(n)
		return both("slow "+r+" "+d.long(10*time.Millisecond, 20*time.Second).String(), "free "+r, d.long(10*time.Second, 20*time.Minute))
	}},
	{"sense", func(d *drawer, n, _ string) []Act {
		how := d.pick("stuck-on", "unreadable", "broken", "floating")
		if d.plain && how == "broken" {
			how = "stuck-on" // a broken wire of a plain sense reads off: that is for people to find out
		}
		s := upper("SENSE_", n)
		return both("sense "+s+" "+how, "sense "+s+" ok", d.long(10*time.Second, 20*time.Minute))
	}},
	{"service", func(d *drawer, n, _ string) []Act {
		service := "service " + n + " " + d.group() + " "
		return both(service+d.pick("start-fails", "stop-fails", "start-hangs", "stop-hangs", "probe-fails", "probe-hangs", "start 20s", "stop 20s"), service+"ok", d.long(10*time.Second, 10*time.Minute))
	}},
	{"service dies", func(d *drawer, n, _ string) []Act { return []Act{{0, "service " + n + " " + d.group() + " dies"}} }},
	{"directory", func(d *drawer, n, _ string) []Act {
		return both("unwritable "+n+" "+d.pick("run", "state", "both"), "unwritable "+n+" none", d.long(100*time.Millisecond, 10*time.Minute))
	}},
	{"disk", func(d *drawer, n, _ string) []Act {
		return []Act{{0, "fresh-disk " + n}, {d.long(time.Millisecond, time.Minute), "panic " + n}, {d.long(2*time.Minute, 5*time.Minute), "try " + n + " arm"}}
	}},
	{"configuration", func(d *drawer, n, _ string) []Act {
		what, lasts := d.pick("core", "rest"), d.long(10*time.Second, 5*time.Minute)
		return []Act{{0, "edit-config " + n + " " + what + " 9"}, {1, "restart-daemon " + n}, {lasts, "edit-config " + n + " " + what + " 7"}, {lasts + 1, "restart-daemon " + n}}
	}},
	{"key", func(d *drawer, n, _ string) []Act {
		lasts := d.long(10*time.Second, 5*time.Minute)
		return []Act{{0, "wrong-key " + n}, {lasts, "keys " + n + " one"}, {lasts + 1, "restart-daemon " + n}}
	}},
	{"person: move", func(d *drawer, n, _ string) []Act {
		return []Act{{0, "try " + n + " " + d.pick("switchover ", "failback ") + d.group()}}
	}},
	{"person: mode", func(d *drawer, n, _ string) []Act {
		mode, lasts := d.pick("standby", "maintenance"), d.long(time.Second, 5*time.Minute)
		return both("try "+n+" "+mode+" on", "try "+n+" "+mode+" off", lasts)
	}},
	{"person: disarm", func(d *drawer, n, _ string) []Act {
		return both("try "+n+" disarm", "try "+n+" arm", d.long(time.Second, 5*time.Minute))
	}},
	{"person: answer", func(d *drawer, n, _ string) []Act {
		acts := []Act{}
		for range 1 + d.rng.IntN(4) {
			acts = append(acts, Act{d.long(time.Second, 5*time.Minute), "try " + n + " " + d.pick("approve", "approve", "approve", "deny", "clear")})
		}
		return acts
	}},
	{"person: power", func(d *drawer, n, o string) []Act {
		return both("try "+n+" fence off "+o, "try "+n+" fence on "+o, d.long(time.Second, 2*time.Minute))
	}},
	{"slow services", slow},
	aMoment,
	{"reload", reload},
	{"rotation", rotate},
	{"upgrade", upgrade},
	{"spent session", func(d *drawer, n, _ string) []Act {
		return []Act{{0, "spend " + n + " " + d.pick("pulses", "requests")}}
	}},
	{"person: restart", func(d *drawer, n, _ string) []Act { return []Act{{0, "try " + n + " restart"}} }},
}

func weldFor(d *drawer, n, _ string) []Act {
	r := d.relay(n)
	return both("weld "+r, "free "+r, d.long(10*time.Second, 20*time.Minute))
}

// mains takes the power of a node away. Sometimes a person sees it, and says so to the other one.
func mains(d *drawer, n, o string) []Act {
	lasts := d.long(100*time.Millisecond, 10*time.Minute)
	acts := both("power-off "+n, "power-on "+n, lasts)
	if lasts > 5*time.Second && d.rng.IntN(3) == 0 {
		seen := 2*time.Second + time.Duration(d.rng.Int64N(int64(lasts-4*time.Second)))
		acts = append(acts, Act{seen, "try " + o + " " + d.pick("confirm-off", "confirm-off", "withdraw") + " " + n})
	}
	return acts
}
