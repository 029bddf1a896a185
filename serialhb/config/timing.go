package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

const (
	defaultInterval   = 100 * time.Millisecond
	maxInterval       = pulse.MaxIntervalMS * time.Millisecond
	defaultMultiplier = 15
	maxMultiplier     = 255
	defaultStretch    = 1.5
	maxStretch        = 4
	minWindow         = time.Second
	defaultWindow     = time.Hour
	maxWindow         = 30 * 24 * time.Hour
	maxQuiet          = pulse.MaxQuietMS * time.Millisecond
	minHealth         = 10 * time.Second
	defaultHealth     = 5 * time.Minute
	day               = 24 * time.Hour
	// moveIntervals is how many intervals a request and its grant take to be sent, answered and seen, with one of each
	// lost on the way.
	moveIntervals = 4
)

// interval comes before the links, whose lines it loads.
func (c *check) interval() {
	r, t := &c.raw.Timing, &c.model.timing
	t.Interval = c.between(r.Interval, defaultInterval, time.Millisecond, maxInterval)
	if t.Interval%time.Millisecond != 0 {
		c.bad(r.Interval.place, fmt.Sprintf("write interval = %q", t.Interval.Truncate(time.Millisecond)), "interval = %q is not in whole milliseconds", t.Interval)
	}
	t.DetectMultiplier = c.within(r.DetectMultiplier, defaultMultiplier, 2, maxMultiplier)
	c.model.detection = r.DetectMultiplier.place
	t.Detection = t.Interval * time.Duration(t.DetectMultiplier)
}

// timing comes after the fences, whose times the delay between two fighters has to cover.
func (c *check) timing() {
	r, t := &c.raw.Timing, &c.model.timing
	t.LateMultiplier = c.within(r.LateMultiplier, min(t.DetectMultiplier-1, max(2, t.DetectMultiplier/3)), 1, t.DetectMultiplier-1)
	t.Late = t.Interval * time.Duration(t.LateMultiplier)

	t.NoiseStretch = c.times(r.NoiseStretch, defaultStretch, 1, maxStretch)
	t.StartWindow = c.between(r.StartWindow, 2*t.Detection, t.Detection, day)
	t.MoveTimeout = c.between(r.MoveTimeout, max(10*time.Second, moveIntervals*t.Interval), moveIntervals*t.Interval, time.Hour)
	t.Backoff = c.between(r.Backoff, 2*time.Second, time.Millisecond, time.Hour)
	t.ApprovalTimeout = c.between(r.ApprovalTimeout, 5*time.Minute, time.Second, day)
	t.DoubtTimeout = c.between(r.DoubtTimeout, 2*t.Detection, t.Detection, day)
	t.FenceRetries = c.within(r.FenceRetries, 3, 0, 10)
	t.FenceRetry = c.between(r.FenceRetry, 10*time.Second, time.Millisecond, time.Hour)
	t.WaitToRestore = c.between(r.WaitToRestore, 5*time.Minute, time.Millisecond, 7*day)
	t.Farewell = c.between(r.Farewell, max(2*time.Second, 5*t.Detection), 2*t.Interval, day)
	t.Quiet = c.between(r.Quiet, min(maxQuiet, max(30*time.Second, 2*t.Detection)), time.Millisecond, maxQuiet)
	t.HealthEvery = c.between(r.HealthEvery, defaultHealth, minHealth, day)
	if r.Quiet.set && t.Quiet <= t.Detection {
		c.warn(r.Quiet.place, fmt.Sprintf("write quiet = %q or more", min(maxQuiet, 2*t.Detection)),
			"quiet = %q is not longer than the detection time of %v, so a quiet restart gains nothing", t.Quiet, t.Detection)
	}

	least := c.leastFenceDelay()
	t.FenceDelay = c.between(r.FenceDelay, least, time.Millisecond, time.Hour)
	if t.FenceDelay < least && c.fights() {
		c.warn(r.FenceDelay.place, fmt.Sprintf("write fence_delay = %q or more", least),
			"fence_delay = %q is so short that both sides of a split could cut each other", t.FenceDelay)
	}
}

// leastFenceDelay is how long the lighter side of a fight has to wait so that at most one coil is driven: the two may
// notice the silence a detection time apart at worst, and further apart by what a babbling line may add for one of them
// beyond the usual; and the loser goes on acting until its supply has run dry. Of an agent it counts what its board may
// usually take, and only on the level that is tried at once.
func (c *check) leastFenceDelay() time.Duration {
	actuation := time.Duration(0)
	for _, f := range c.model.fences {
		if f.agent != nil {
			if !c.behindAnother(f) {
				actuation = max(actuation, f.agent.PowerTimeout+f.agent.HoldOff)
			}
			continue
		}
		dry := f.plan.HoldOff
		if f.plan.HasSense {
			dry = f.plan.HoldUp
		}
		actuation = max(actuation, f.plan.Settle+dry)
	}
	t := &c.model.timing
	apart := t.Detection + time.Duration(max(0, t.NoiseStretch-defaultStretch)*float64(t.Detection))
	return min(time.Hour, apart+actuation)
}

// behindAnother says whether a device is tried only after another one of its target has failed.
func (c *check) behindAnother(f fenceModel) bool {
	return slices.ContainsFunc(c.model.fences, func(o fenceModel) bool { return o.target == f.target && o.level < f.level })
}

// fights says whether two members can want each other cut at once.
func (c *check) fights() bool {
	if c.model.split == failover.OwnerSurvives {
		return true
	}
	first := map[int]bool{}
	for _, g := range c.model.groups {
		if len(g.Prefer) > 0 {
			first[g.Prefer[0]] = true
		}
	}
	return len(first) > 1
}
