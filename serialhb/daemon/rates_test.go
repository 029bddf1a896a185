package daemon

import (
	"testing"
	"time"
)

func TestRatesAreOfTheLastSeconds(t *testing.T) {
	var r rates
	at := 9 * time.Hour // what the clock reads says nothing
	s := seen{at: at}
	look := func() {
		if r.due(s.at) {
			r.keep(s)
		}
	}
	near := func(when string, wantNoise, wantLost float64) {
		t.Helper()
		noise, lost := r.until(s)
		if noise < wantNoise*0.99 || noise > wantNoise*1.01 || lost < wantLost*0.99 || lost > wantLost*1.01 {
			t.Errorf("%s: %.1f bytes/s, %.3f lost", when, noise, lost)
		}
	}
	pass := func(seconds int, noise, good, lost uint64) {
		for range seconds * 5 {
			s.at += 200 * time.Millisecond
			s.noise, s.good, s.lost = s.noise+noise, s.good+good, s.lost+lost
			look()
		}
	}
	near("before anything", 0, 0)
	look()
	pass(1, 10, 4, 1)
	near("after a second", 50, 0.2)
	pass(60, 10, 4, 1)
	near("after a minute", 50, 0.2)
	pass(11, 100, 1, 4)
	near("worse for eleven seconds", 500, 0.8)
	pass(11, 0, 5, 0)
	near("well for eleven seconds", 0, 0)
}
