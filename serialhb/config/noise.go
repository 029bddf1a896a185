package config

import (
	"math"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Noisy is the longest time after which a peer is silent beside a line that babbles.
func (t Timing) Noisy() time.Duration {
	return time.Duration(float64(t.Detection) * t.NoiseStretch)
}

// seldom is how far apart verdicts on a peer that lives have to be, on average, for a line to bear its noise.
const seldom = 365 * 24 * time.Hour

// BearsNoise is how many random bytes a second a serial line may carry beside its pulses, while no other link works, so
// that a peer that lives is taken for silent once a year at most. It is 0 for a link that is no line.
func (c *Config) BearsNoise(l Link) float64 {
	if l.Kind != Serial {
		return 0
	}
	onLine := float64(pulse.LineBytes(len(c.Groups))) * 10 / float64(l.Baud) // seconds that a pulse takes
	pulses := math.Floor(float64(c.Timing.DetectMultiplier) * c.Timing.NoiseStretch)
	low, high := 0.0, float64(l.Baud)/10
	for range 50 {
		rate := (low + high) / 2
		if c.Timing.apart(pulses, 1-math.Exp(-rate*onLine)) >= seldom.Seconds() {
			low = rate
		} else {
			high = rate
		}
	}
	return low
}

// apart is the mean time in seconds until so many pulses in a row are lost, if each is lost with a probability.
func (t Timing) apart(pulses, lost float64) float64 {
	run := math.Pow(lost, pulses)
	return t.Interval.Seconds() * (1 - run) / ((1 - lost) * run)
}
