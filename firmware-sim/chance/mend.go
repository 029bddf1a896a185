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
	// A cut that a person asked for stays until a person ends it, and so does everything else that a person set.
	for _, n := range nodes {
		p.try(n, "fence on "+other(n))
	}
	p.settle()
	if p.dialect == Rack { // a daemon that is held dead stays so over a boot
		for _, n := range nodes {
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
