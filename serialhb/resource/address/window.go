package address

import "time"

// finding is what the duplicate probe knows.
type finding uint8

const (
	open    finding = iota // the wait is not over, or the proof not here
	free                   // nobody answered over a whole wait
	taken                  // somebody answered after the proof
	unasked                // the questions did not get out, so silence says nothing
)

const (
	// leastAsked is how many unanswered questions make a silence.
	leastAsked = 2
	// undecided is how long after the proof and twice the wait a probe that cannot ask gives up.
	undecided = time.Second
	// politely is after how many questions they are asked at half the rate: a fence may take minutes.
	politely = 20
)

// window is the duplicate probe without its clock and its wire. Nobody holds the address once questions went unanswered
// for a whole wait and the former owner is proven off. An answer before the proof may come from the dying owner: it
// only begins the silence anew. So the silence may lie before the proof, and then the proof is all that is waited for.
type window struct {
	wait   time.Duration
	since  time.Time // the first question of this silence
	last   time.Time // the last one
	asked  int       // the questions of this silence
	proven time.Time // zero: not yet
	by     MAC       // who answered last
	held   bool      // after the proof
	heard  int       // answers in all
}

// asks notes a question that goes out now.
func (w *window) asks(now time.Time) {
	if now.Sub(w.last) > w.wait {
		w.asked = 0 // we were frozen, or too slow: that was no asking
	}
	if w.asked == 0 {
		w.since = now
	}
	w.asked++
	w.last = now
}

// failed notes that a question did not get out.
func (w *window) failed() { w.asked = 0 }

// answered notes an answer.
func (w *window) answered(by MAC) {
	w.heard++
	if w.held {
		return
	}
	w.by, w.asked, w.held = by, 0, !w.proven.IsZero()
}

// proves notes the proof, or whatever else says that nobody has the address by right.
func (w *window) proves(now time.Time) {
	if w.proven.IsZero() {
		w.proven = now
	}
}

// finding holds if everything that came in before now was noted.
func (w *window) finding(now time.Time) finding {
	switch {
	case w.held:
		return taken
	case w.proven.IsZero():
		return open
	case w.asked >= leastAsked && now.Sub(w.since) >= w.wait && now.Sub(w.last) <= w.wait:
		return free
	case now.Sub(w.proven) >= 2*w.wait+undecided:
		return unasked
	}
	return open
}

// gap is the time from the nth question to the next.
func (w *window) gap(n int) time.Duration {
	if n < politely {
		return w.wait / 4
	}
	return w.wait / 2
}

// look is for how long nothing but an answer or the proof can change the finding.
func (w *window) look(now time.Time) time.Duration {
	if w.asked >= leastAsked && now.Sub(w.since) < w.wait {
		return w.wait - now.Sub(w.since)
	}
	return w.wait / 4
}
