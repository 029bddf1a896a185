package chance

// mend takes back all that was done: a person has come, and leaves the pair as it should be.
func (p *pen) mend() {
	p.line("say everything is mended")
	for i, n := range nodes {
		s := &p.node[i]
		p.free(s, n)
		p.loosen(s, n)
		replug(p, s, n)
	}
	p.line("mend-cable")
	p.line("mend-net")
	if p.dialect == Rack {
		p.line("noise 0")
	}
	for i, n := range nodes {
		s := &p.node[i]
		p.freeze(s, n, false)
		if !p.power(s, n, true) {
			startAgain(p, s, n)
		}
	}
	p.settle()
	if p.dialect == World {
		// Nobody gives power back by hand here: each cut has to end by itself.
		for _, n := range nodes {
			p.line("start %s", n)
		}
	} else {
		for _, n := range nodes {
			p.try(n, "fence on "+other(n))
		}
		p.settle()
		for _, n := range nodes { // a daemon that is held dead stays so over a boot
			p.line("restart-daemon %s", n)
			p.line("expect reachable %s within 30s", n)
		}
		p.line("expect linked within 30s")
	}
	for _, n := range nodes {
		for _, command := range []string{"maintenance off", "standby off", "arm", "clear"} {
			p.try(n, command)
		}
	}
	p.settle()
}

// settle lets both nodes boot, hear each other and decide.
func (p *pen) settle() {
	p.line("sleep %s", map[Dialect]string{Rack: "2s", World: "90s"}[p.dialect])
}

// end is what a user wants in the end.
func (p *pen) end() {
	if p.dialect == World {
		p.line("expect owned web within 10m")
	} else {
		p.line("expect owned within 60s")
	}
	p.line("never two-owners")
}
