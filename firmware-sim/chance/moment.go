package chance

import "time"

// Most phases of a group are over in a moment, in which next to nothing befalls a pair by chance. So a node is led to a phase,
// waited for until it is there, and struck.

// lead is a way to a phase of a group g on a node n, whose peer is o, and what takes it back. It is drawn so often.
type lead struct {
	phase string
	often int
	acts  func(d *drawer, n, o, g string) []Act
	ends  func(n, o, g string) []string
}

// takes is how long a slow service takes: longer than most detection times.
const takes = " 8s"

// at0 are lines that come at once.
func at0(lines ...string) (acts []Act) {
	for _, l := range lines {
		acts = append(acts, Act{0, l})
	}
	return acts
}

func service(n, g, how string) string { return "service " + n + " " + g + " " + how }

// switchover is a person at n who wants a group elsewhere.
func switchover(n, g, to string) string { return "try " + n + " switchover " + g + " " + to }

// noLines leaves a node without anything that could cut it.
func noLines(n string) []string {
	return []string{"no-line " + upper("RELAY_", n), "no-line " + upper("RELAY2_", n)}
}

func lines(n string) []string {
	return []string{"free " + upper("RELAY_", n), "free " + upper("RELAY2_", n)}
}

var leads = []lead{
	{"requesting", 3, func(_ *drawer, n, o, g string) []Act {
		return at0(service(o, g, "stop"+takes), switchover(n, g, n))
	}, func(_, o, g string) []string { return []string{service(o, g, "ok")} }},

	{"starting", 2, func(_ *drawer, n, _, g string) []Act {
		return at0(service(n, g, "start"+takes), switchover(n, g, n))
	}, func(n, _, g string) []string { return []string{service(n, g, "ok")} }},

	{"starting", 2, func(_ *drawer, n, o, g string) []Act { // for the other one is off
		return append(at0(switchover(o, g, o)), Act{15 * time.Second, service(n, g, "start"+takes)}, Act{15 * time.Second, "power-off " + o})
	}, func(n, o, g string) []string { return []string{"power-on " + o, service(n, g, "ok")} }},

	{"starting", 3, func(_ *drawer, n, _, g string) []Act { // and cannot write that it will
		return at0("unwritable "+n+" run", switchover(n, g, n))
	}, func(n, _, _ string) []string { return []string{"unwritable " + n + " none"} }},

	{"stopping", 5, func(_ *drawer, n, o, g string) []Act {
		return at0(service(n, g, "stop"+takes), switchover(n, g, o))
	}, func(n, _, g string) []string { return []string{service(n, g, "ok")} }},

	{"fencing", 1, func(d *drawer, _, o, _ string) []Act {
		return at0("slow "+upper("RELAY_", o)+" 1500ms", d.pick("freeze ", "freeze ", "power-off ")+o)
	}, func(_, o, _ string) []string { return append(lines(o), "thaw "+o, "power-on "+o) }},

	{"fencing", 3, func(d *drawer, n, o, _ string) []Act { // and cannot write that it may cut
		return at0("unwritable "+n+" run", d.pick("freeze ", "power-off ")+o)
	}, func(n, o, _ string) []string {
		return []string{"unwritable " + n + " none", "thaw " + o, "power-on " + o}
	}},

	{"fencing", 2, func(_ *drawer, n, o, g string) []Act { // because the other one asks for it
		return at0("unwritable "+n+" run", switchover(o, g, o), service(o, g, "stop-fails"), service(o, g, "dies"))
	}, func(n, o, g string) []string { return []string{"unwritable " + n + " none", service(o, g, "ok")} }},

	{"awaiting-approval", 1, func(_ *drawer, n, o, _ string) []Act {
		return append(at0("try "+n+" disarm", "power-off "+o), Act{8 * time.Second, "try " + n + " arm"})
	}, func(n, o, _ string) []string { return []string{"try " + n + " approve", "power-on " + o} }},

	{"awaiting-approval", 2, func(_ *drawer, n, o, g string) []Act { // whether to cut one that asks for it
		return append(at0("try "+n+" disarm", switchover(o, g, o), service(o, g, "stop-fails"), service(o, g, "dies")), Act{10 * time.Second, "try " + n + " arm"})
	}, func(n, o, g string) []string { return []string{"try " + n + " approve", service(o, g, "ok")} }},

	{"failed", 1, func(_ *drawer, n, _, g string) []Act {
		return append(at0(switchover(n, g, n)), Act{10 * time.Second, service(n, g, "dies")})
	}, func(n, _, _ string) []string { return []string{"try " + n + " clear"} }},

	{"failed", 2, func(_ *drawer, n, o, g string) []Act { // and asks to be cut, which nobody does
		return append(at0("try "+o+" disarm", switchover(n, g, n), service(n, g, "stop-fails"), service(n, g, "dies")), Act{12 * time.Second, "power-off " + o})
	}, func(n, o, g string) []string {
		return []string{service(n, g, "ok"), "power-on " + o, "try " + n + " clear", "try " + o + " arm"}
	}},

	{"blocked", 2, func(d *drawer, _, o, _ string) []Act {
		return at0(append(noLines(o), d.pick("freeze ", "power-off ")+o)...)
	}, func(_, o, _ string) []string { return append(lines(o), "thaw "+o, "power-on "+o) }},

	{"blocked", 3, func(_ *drawer, _, o, g string) []Act { // and hears whom it cannot cut
		return at0(append(noLines(o), switchover(o, g, o), service(o, g, "stop-fails"), service(o, g, "dies"))...)
	}, func(_, o, g string) []string { return append(lines(o), service(o, g, "ok")) }},

	{"ineligible", 1, func(d *drawer, n, _, _ string) []Act {
		return at0("try " + n + " " + d.pick("standby", "maintenance") + " on")
	}, func(n, _, _ string) []string {
		return []string{"try " + n + " standby off", "try " + n + " maintenance off"}
	}},

	{"idle", 3, func(_ *drawer, n, o, g string) []Act { // while it looks whether it may grant what the other one does not live to have
		return append(at0(service(n, g, "probe-hangs"), switchover(n, g, o)), Act{600 * time.Millisecond, "power-off " + o})
	}, func(n, o, g string) []string { return []string{service(n, g, "ok"), "power-on " + o} }},
}

// stroke is what befalls the pair in such a moment, with its end.
type stroke func(d *drawer, n, o, g string) []Act

var strokes = []stroke{
	quickPort, quickPort, quickPort, quickPort, quickPort,
	func(d *drawer, _, _, _ string) []Act {
		lasts := d.long(time.Second, 20*time.Second)
		return []Act{{0, "cut-cable"}, {0, "cut-net"}, {lasts, "mend-cable"}, {lasts, "mend-net"}}
	},
	func(d *drawer, _, o, _ string) []Act {
		return both("freeze "+o, "thaw "+o, d.long(time.Second, 20*time.Second))
	},
	func(_ *drawer, _, o, _ string) []Act { return both("power-off "+o, "power-on "+o, time.Minute) },
	unproven, unproven,
	func(_ *drawer, n, o, _ string) []Act { // and it cannot be written that it may be cut
		return []Act{{0, "unwritable " + n + " run"}, {0, "freeze " + o}, {20 * time.Second, "unwritable " + n + " none"}, {20 * time.Second, "thaw " + o}}
	},
	func(_ *drawer, _, o, _ string) []Act {
		return []Act{{0, "wrong-key " + o}, {5 * time.Second, "keys " + o + " one"}, {5*time.Second + 1, "restart-daemon " + o}}
	},
	reread, reread,
	func(d *drawer, _, o, _ string) []Act {
		return both("upgrade "+o, "downgrade "+o, d.long(time.Second, time.Minute))
	},
	func(d *drawer, _, o, _ string) []Act { // and is back with that
		return []Act{{0, "upgrade " + o}, {0, "thaw " + o}, {0, "power-on " + o}, {d.long(30*time.Second, 2*time.Minute), "downgrade " + o}}
	},
	spend, spend, spend,
	func(_ *drawer, n, _, _ string) []Act { return at0("spend " + n + " requests") },
	confirm, confirm,
	cutByHand, cutByHand,
	func(_ *drawer, n, o, _ string) []Act { return at0("try " + n + " fence on " + o) },
	func(d *drawer, n, _, _ string) []Act {
		mode := d.pick("standby", "maintenance")
		return both("try "+n+" "+mode+" on", "try "+n+" "+mode+" off", d.long(time.Second, time.Minute))
	},
	func(d *drawer, n, _, g string) []Act { return at0(service(n, d.other(g), "dies")) },
	func(_ *drawer, n, _, g string) []Act { return at0(service(n, g, "dies")) },
	func(_ *drawer, n, _, _ string) []Act { return at0("kill-daemon " + n) },
	func(d *drawer, n, _, g string) []Act { // and the other group takes longer to be looked at
		b := d.other(g)
		return []Act{{0, service(n, b, "probe-hangs")}, {0, "kill-daemon " + n}, {20 * time.Second, service(n, b, "ok")}}
	},
	func(d *drawer, n, o, g string) []Act { return at0(switchover(n, d.other(g), d.pick(n, o))) },
	func(d *drawer, n, o, g string) []Act { return at0(switchover(n, d.other(g), o)) },
	func(d *drawer, n, _, _ string) []Act {
		return both("stop "+n, "start "+n, d.long(time.Second, time.Minute))
	},
}

// other is another group, if there is one.
func (d *drawer) other(g string) string {
	for _, b := range d.fate.Groups {
		if b != g {
			return b
		}
	}
	return g
}

func reread(_ *drawer, n, _, _ string) []Act { return at0("reload " + n) }

func spend(_ *drawer, n, _, _ string) []Act { return at0("spend " + n + " pulses") }

// unproven is that o is off, and nothing can prove it.
func unproven(_ *drawer, _, o, _ string) []Act {
	acts := append(at0(noLines(o)...), Act{0, "power-off " + o}, Act{time.Minute, "power-on " + o})
	for _, l := range lines(o) {
		acts = append(acts, Act{time.Minute, l})
	}
	return acts
}

func cutByHand(_ *drawer, n, o, _ string) []Act {
	return both("try "+n+" fence off "+o, "try "+n+" fence on "+o, time.Minute)
}

func quickPort(d *drawer, n, _, _ string) []Act {
	return both("unplug "+n, "replug "+n, d.long(50*time.Millisecond, 5*time.Second))
}

// confirm is a person who sees that o is off, and says so until it is believed.
func confirm(_ *drawer, n, o, _ string) []Act {
	acts := both("power-off "+o, "power-on "+o, time.Minute)
	for i := range time.Duration(4) {
		acts = append(acts, Act{eyesight + i*1200*time.Millisecond, "try " + n + " confirm-off " + o})
	}
	return acts
}

const (
	// patience is how long a moment is waited for.
	patience = 20 * time.Second
	// mended is when what led there is taken back.
	mended = 90 * time.Second
)

// lead draws one, each as often as it says.
func (d *drawer) lead() *lead {
	all := 0
	for i := range leads {
		all += leads[i].often
	}
	at := d.rng.IntN(all)
	for i := range leads {
		if at -= leads[i].often; at < 0 {
			return &leads[i]
		}
	}
	panic("chance: more leads than all of them")
}

// aMoment is one of them, of whatever kind.
var aMoment = trouble{"in a moment", inAMoment}

// inAMoment draws a way to a phase and what befalls the pair there.
func inAMoment(d *drawer, n, o string) []Act {
	g, l := d.group(), d.lead()
	acts := l.acts(d, n, o, g)
	at := acts[len(acts)-1].After
	acts = append(acts, Act{at, "await " + n + " " + l.phase + " " + g + " within " + patience.String()})
	for _, a := range strokes[d.rng.IntN(len(strokes))](d, n, o, g) {
		acts = append(acts, Act{at + a.After, a.Line})
	}
	for _, line := range l.ends(n, o, g) {
		acts = append(acts, Act{mended, line})
	}
	return acts
}

// slow makes the services of a group take their time on both nodes.
func slow(d *drawer, n, o string) (acts []Act) {
	g, lasts := d.group(), d.long(time.Minute, 15*time.Minute)
	for _, x := range []string{n, o} {
		acts = append(acts, Act{0, service(x, g, "start "+d.long(time.Second, 10*time.Second).String())},
			Act{0, service(x, g, "stop "+d.long(time.Second, 10*time.Second).String())}, Act{lasts, service(x, g, "ok")})
	}
	return acts
}
