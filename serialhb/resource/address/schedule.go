package address

import "time"

// schedule says when the address is announced.
type schedule struct {
	count            int
	spacing, refresh time.Duration
}

// after is the pause after the nth announcement, counted from 1; false is that no further one follows.
func (s schedule) after(n int) (time.Duration, bool) {
	if n <= s.count {
		return s.spacing, true
	}
	return s.refresh, s.refresh != Never
}

const (
	// firstGap and lastGap bound the distance of two answers to another claimant, which doubles each time: two machines
	// that both defend an address must not flood the wire.
	firstGap = time.Second
	lastGap  = 30 * time.Second
	// calm is after how long without a claim the next is answered as fast as the first.
	calm = 2 * time.Minute
	// repeatAlarm is how often the same claimant is told of.
	repeatAlarm = time.Minute
)

// defence says what to do about somebody else who claims the address.
type defence struct {
	gap   time.Duration
	next  time.Time // no answer before this
	heard time.Time
	by    MAC
	told  time.Time
}

// claimed notes a claim. It says when to answer it, which is not before now, and whether to raise an alarm.
func (d *defence) claimed(now time.Time, by MAC) (answer time.Time, alarm bool) {
	if now.Sub(d.heard) > calm {
		d.gap, d.next = 0, time.Time{}
	}
	d.heard = now
	if d.told.IsZero() || by != d.by || now.Sub(d.told) >= repeatAlarm {
		d.by, d.told, alarm = by, now, true
	}
	if d.next.After(now) {
		return d.next, alarm
	}
	return now, alarm
}

// answered notes that an answer was given.
func (d *defence) answered(now time.Time) {
	d.gap = min(max(2*d.gap, firstGap), lastGap)
	d.next = now.Add(d.gap)
}
