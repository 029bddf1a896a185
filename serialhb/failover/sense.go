package failover

// senseRead takes over what a power sense says.
func (m *machine) senseRead(p, d uint8, r Reading) {
	if p >= m.c.N || d >= MaxSenses || !m.c.Members[p].Senses[d].Present {
		m.s.Ignored++
		return
	}
	peer := &m.s.Peers[p]
	sense := &peer.Senses[d]
	if r == ReadsOff && sense.Reading != ReadsOff {
		sense.FellAt = m.s.Seq
	}
	sense.Reading = r
	m.confirmSuspicion(p, d)
	if r == ReadsOn {
		if peer.Presence == Present {
			sense.Proven = true
		}
		if !sense.Broken {
			m.endWithdrawal(p)
		}
	}
}

// confirmSuspicion counts the readings of a sense that a claim speaks against. Senses are read, and reported, all the
// time, changed or not.
func (m *machine) confirmSuspicion(p, d uint8) {
	peer := &m.s.Peers[p]
	sense := &peer.Senses[d]
	switch {
	case sense.Suspect == 0:
	case sense.Reading != ReadsOff || peer.Presence != Present:
		sense.Suspect = 0
	case sense.Suspect > 1:
		sense.Suspect--
	default:
		sense.Suspect, sense.Broken = 0, true
		m.dirty()
		m.note(NoteSenseBroken, p, 0, uint32(d))
	}
}

// judgeSenses: a claim that answers a pulse sent after a sense fell speaks against the sense. Its last reading may be
// older than the claim, so it is only suspected until it was read again, twice: see senseRead.
func (m *machine) judgeSenses(p uint8) {
	peer := &m.s.Peers[p]
	for d := range peer.Senses {
		sense := &peer.Senses[d]
		switch {
		case sense.Reading == ReadsOn:
			sense.Proven = true
		case sense.Reading == ReadsOff && peer.Claim.Echo > sense.FellAt && !sense.Broken && sense.Suspect == 0:
			sense.Suspect = suspectReads
		}
	}
}

// suspectReads is how many fresh readings of off, while the peer is heard, prove that a suspected sense lies. The first
// may have been on its way when the claim came.
const suspectReads = 2

// offBySense says whether every fail-safe sense of a member reads off, and there is one.
func (m *machine) offBySense(p uint8) bool {
	any := false
	for d := range MaxSenses {
		cfg, sense := m.c.Members[p].Senses[d], m.s.Peers[p].Senses[d]
		if !cfg.Present {
			continue
		}
		if !cfg.FailSafe || sense.Broken || sense.Reading != ReadsOff {
			return false
		}
		any = true
	}
	return any
}

// trusted gives the senses of a member that may prove, as bits.
func (m *machine) trusted(p uint8) uint32 {
	var bits uint32
	for d := range MaxSenses {
		cfg, sense := m.c.Members[p].Senses[d], m.s.Peers[p].Senses[d]
		if cfg.Present && !sense.Broken && (cfg.FailSafe || sense.Proven) {
			bits |= 1 << d
		}
	}
	return bits
}
