package world

import "time"

// aMillion is the unit of a clock's drift.
const aMillion = 1_000_000

// drifted is what a clock that runs fast by so many millionths shows at a time of the world.
func drifted(t time.Duration, drift int) time.Duration {
	return t + share(t, time.Duration(drift), aMillion)
}

// share is t*a/b without an overflow.
func share(t, a, b time.Duration) time.Duration { return t/b*a + t%b*a/b }

// now is the time by the clock of the daemon's host. All that the daemon measures it measures by that.
func (d *daemon) now() time.Duration { return drifted(d.w.now, d.w.c.Drift[d.h.me]) }

// wait is how long the world takes until the clock of the daemon's host has gone on by so much.
func (d *daemon) wait(own time.Duration) time.Duration {
	drift := time.Duration(d.w.c.Drift[d.h.me])
	if drift == 0 || own <= 0 {
		return own
	}
	return share(own, aMillion, aMillion+drift) + 1
}
