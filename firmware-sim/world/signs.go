package world

import (
	"fmt"
	"slices"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// signs are whole pulses of one member that reached a machine: the last one, and since when they come without a break of half
// a detection time.
type signs struct {
	ever        bool
	last, since time.Duration
	sent        time.Duration // when the newest of them was sent: what is overtaken is no life
	still       stillness     // of the machine that it reached, at that time
}

// stillness is how long a machine has hung.
type stillness struct {
	sum    time.Duration // but for the one that lasts
	lasts  bool
	lately time.Duration // when that began
}

func (s *stillness) begin(now time.Duration) { s.lasts, s.lately = true, now }

func (s *stillness) end(now time.Duration) { s.sum, s.lasts = s.until(now), false }

func (s *stillness) until(now time.Duration) time.Duration {
	if s.lasts {
		return s.sum + now - s.lately
	}
	return s.sum
}

// missed is how much of the time since the last sign the machine did not listen.
func (s *signs) missed(now time.Duration, still *stillness) time.Duration {
	return still.until(now) - s.still.until(s.last)
}

func (s *signs) note(now, sent, detection time.Duration, still *stillness) {
	if s.ever && sent <= s.sent {
		return
	}
	if !s.ever || now-s.last > detection/2 {
		s.since = now
	}
	s.ever, s.last, s.sent, s.still = true, now, sent, *still
}

// lasts says whether the last sign is younger than gap, and the first of its run older than long.
func (s *signs) lasts(now, gap, long time.Duration) bool {
	return s.ever && now-s.last < gap && now-s.since > long
}

// hears notes that a whole pulse of a member reached the devices of a machine, whether its daemon reads it or not. What
// counts at once is that both know the sessions of each other: else it may be a stranger's. What counts in the end is that
// they come in time in both directions: see [daemon.signOf].
func (h *host) hears(f *flight) {
	from, sent := f.from, f.sent
	d, o := h.daemon, from.daemon
	if d == nil || o == nil || from.clone || h.clone || !d.opens(f.keys) || !o.opens(d.keys) {
		return
	}
	detection := h.w.detection(from.me)
	if d.state.Peers[from.me].In.Session == o.state.Session && o.state.Peers[h.me].In.Session == d.state.Session {
		h.heard[from.me].note(h.w.now, sent, detection, &h.still)
	}
	if sent >= o.began && h.w.now-sent < detection/4 {
		h.frames[from.me].note(h.w.now, sent, detection, &h.still)
		h.calm[from.me].note(o.state.Session, from.begged > 0 && sent <= from.begged+detection, h.enough())
	}
}

// calm counts the pulses of a member since it last asked to be cut. Those of a session that died before they were enough
// count no more.
type calm struct {
	session uint32
	frames  int
}

func (c *calm) note(session uint32, asks bool, enough int) {
	switch {
	case asks:
		*c = calm{}
	case c.frames >= enough:
	case c.session != session:
		*c = calm{session, 1}
	default:
		c.frames++
	}
}

// calmly says whether so many pulses came of a member that does not ask that it has to be known, whether it is understood
// or not.
func (h *host) calmly(p uint8) bool { return h.calm[p].frames >= h.enough() }

// enough is how many pulses have to come until on one link at least a session that nobody understands has risen.
func (h *host) enough() int { return risenAfter * len(h.w.links) }

// detection is how long a member has to be silent by the pace of its own pulses.
func (w *World) detection(p uint8) time.Duration {
	if own := w.c.Intervals[p]; own > 0 {
		return own * time.Duration(w.c.Multiplier)
	}
	return w.c.Decision.DetectTime
}

// detection is the same for what this daemon can know: the pace of a member of a later version it takes for its own.
func (d *daemon) detection(p uint8) time.Duration {
	if d.state.Peers[p].Newer {
		return min(d.w.detection(p), d.w.detection(d.cfg.Me))
	}
	return d.w.detection(p)
}

// opens says whether a daemon has the key with which who has these signs.
func (d *daemon) opens(keys *pulse.Keyring) bool {
	return d.keys == keys || slices.Contains(d.keys.IDs(), keys.IDs()[0])
}

const (
	// raceTime is how long a sign of life may have been there when the coil was asked for, and come too late all the same.
	raceTime = 50 * time.Millisecond
	// risenAfter is how many pulses on one link are known as more than a replay: one, and three that rise.
	risenAfter = 4
	// meetTimes is in how many detection times two daemons whose frames come in both directions have to know each other.
	meetTimes = 3
)

// signOf says what speaks for the life of a member, as the physical truth of its machine and of the wires has it, or "".
func (d *daemon) signOf(target *host) string {
	o, now, detection := target.daemon, d.w.now, d.detection(target.me)
	if o == nil || !target.powered || target.frozen {
		return ""
	}
	s := &d.h.heard[target.me]
	if s.lasts(now, detection*9/10, raceTime) {
		return fmt.Sprintf("whose last pulse reached it %v before", now-s.last)
	}
	// What its machine missed while it stood still is not the other one's silence. A wait that it broke off counts as waited.
	if missed := s.missed(now, &d.h.still); missed > 0 && s.lasts(now-missed, detection*9/10-d.interval, 0) {
		return fmt.Sprintf("whose last pulse reached it %v before, and for %v of that it stood still", now-s.last, missed)
	}
	// However the decision sees the sessions: two daemons that can hear each other have to.
	there, back, long := &d.h.frames[target.me], &target.frames[d.h.me], meetTimes*max(detection, d.w.detection(d.h.me))
	if now-max(d.began, o.began) > long && there.lasts(now, detection*9/10, long) && back.lasts(now, detection*9/10, long) {
		return fmt.Sprintf("with which it has exchanged pulses for %v in both directions", now-max(there.since, back.since, d.began, o.began))
	}
	return ""
}
