package daemon

import "time"

// A link that comes and goes is one alarm that stays, and not two lines with every turn.
const (
	// flapTurns is how often it goes bad within flapTime until that is said.
	flapTurns = 3
	flapTime  = time.Minute
	// flapStay is how long it must be good, or bad, without a break until that is taken back.
	flapStay = 30 * time.Second
)

// flapping is how one thing that goes bad and mends itself did lately.
type flapping struct {
	bad   bool                     // at the last look
	worse bool                     // at the last two, so that it is told
	turns [flapTurns]time.Duration // when it last became worse, the newest last
	count int                      // of turns so far, up to flapTurns
	since time.Duration            // when worse last changed
	on    bool
}

// look takes what is seen at one look, and says whether it comes and goes.
func (f *flapping) look(now time.Duration, bad bool) bool {
	worse := bad && f.bad
	if worse && !f.worse {
		f.turned(now)
	}
	if worse != f.worse {
		f.since = now
	}
	f.bad, f.worse = bad, worse
	if f.on && now-f.since >= flapStay {
		f.on, f.count = false, 0
	}
	return f.on
}

// turned counts that it became worse. It is called by itself where that is known only when it is over.
func (f *flapping) turned(now time.Duration) {
	copy(f.turns[:], f.turns[1:])
	f.turns[flapTurns-1], f.since = now, now
	f.count = min(f.count+1, flapTurns)
	f.on = f.on || f.count == flapTurns && now-f.turns[0] <= flapTime
}
