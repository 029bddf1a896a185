package address

import (
	"maps"
	"time"
)

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
	// repeatAlarm is how often the same claimant is told of, and toldMost of how many in that time.
	repeatAlarm = time.Minute
	toldMost    = 8
)

// defence says what to do about somebody else who claims the address.
type defence struct {
	gap   time.Duration
	next  time.Time // no answer before this
	heard time.Time
	told  map[MAC]time.Time
}

// known says whether a claimant needs no telling: it was told of, or enough others were.
func (d *defence) known(now time.Time, by MAC) bool {
	maps.DeleteFunc(d.told, func(_ MAC, at time.Time) bool { return now.Sub(at) >= repeatAlarm })
	_, told := d.told[by]
	return told || len(d.told) >= toldMost
}

// claimed notes a claim. It says when to answer it, which is not before now, and whether to raise an alarm.
func (d *defence) claimed(now time.Time, by MAC) (answer time.Time, alarm bool) {
	if now.Sub(d.heard) > calm {
		d.gap, d.next = 0, time.Time{}
	}
	d.heard = now
	if alarm = !d.known(now, by); alarm {
		if d.told == nil {
			d.told = map[MAC]time.Time{}
		}
		d.told[by] = now
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
