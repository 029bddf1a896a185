package daemon

import "time"

// rateSpan: a rate is over the last one to two of these, or since the daemon began.
const rateSpan = 5 * time.Second

// seen is what had come on a link by a moment.
type seen struct {
	at                time.Duration
	noise, good, lost uint64 // bytes that made no frame; pulses that came; pulses missing between them
}

func seenOn(now time.Duration, counters map[string]uint64) seen {
	return seen{at: now, noise: counters["noise_bytes"], good: counters["received"], lost: counters["lost"]}
}

// rates are two earlier moments of a link: what is told of it is neither of the last instant nor of its whole life.
type rates struct{ older, newer seen }

func (r *rates) due(now time.Duration) bool { return r.newer.at == 0 || now-r.newer.at >= rateSpan }

func (r *rates) keep(s seen) {
	if r.older = r.newer; r.older.at == 0 {
		r.older = s
	}
	r.newer = s
}

// until is the noise in bytes a second, and the share of pulses that did not come, from 0 to 1; 0 before anything was kept.
func (r *rates) until(s seen) (noise, lost float64) {
	if span := s.at - r.older.at; r.older.at > 0 && span > 0 {
		noise = float64(s.noise-r.older.noise) / span.Seconds()
		if missing := s.lost - r.older.lost; missing > 0 {
			lost = float64(missing) / float64(missing+s.good-r.older.good)
		}
	}
	return noise, lost
}
