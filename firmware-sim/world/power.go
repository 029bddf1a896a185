package world

// supply is one power supply of a host: fed by the mains through every relay that stands in its way, in series.
type supply struct {
	h     *host
	index int
	fed   bool
	on    bool
	lost  uint32 // counts feed losses, so that only the last one ends the hold-up
}

// feed says whether current reaches the supply: one open contact is enough to keep it away.
func (s *supply) feed() bool {
	if !s.h.mains {
		return false
	}
	if s.h.clone {
		return true
	}
	for _, owner := range s.h.w.hosts {
		for _, r := range owner.boards[s.h.me] {
			if r.supply == s.index && r.contactOpen {
				return false
			}
		}
	}
	return true
}

// settlePower lets the supplies follow their feeds, and the host its supplies.
func (h *host) settlePower() {
	for _, s := range h.supplies {
		fed := s.feed()
		if fed == s.fed {
			continue
		}
		s.fed = fed
		s.lost++
		if fed {
			s.set(true)
			continue
		}
		lost := s.lost
		h.w.after(h.w.c.Power[h.me].HoldUp, func() {
			if s.lost == lost {
				s.set(false)
			}
		})
	}
}

func (s *supply) set(on bool) {
	if s.on == on {
		return
	}
	s.on = on
	powered := false
	for _, other := range s.h.supplies {
		powered = powered || other.on
	}
	switch {
	case powered && !s.h.powered:
		s.h.powerUp()
	case !powered && s.h.powered:
		s.h.powerDown()
	}
	s.h.w.sensesMayChange(s.h.me)
}
