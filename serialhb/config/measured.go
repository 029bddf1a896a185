package config

import (
	"fmt"
	"time"
)

// Measured is what the daemon of this node found out about its machine while it ran.
type Measured struct {
	// Lateness is by how much it was late at worst.
	Lateness time.Duration
	// Start is from the beginning of its process to its first pulse; 0 is not measured.
	Start time.Duration
}

// CheckMeasured compares the detection time with what was measured on this machine.
func (c *Config) CheckMeasured(m Measured) []Finding {
	var found findings
	if least := 2 * m.Lateness; c.Timing.Detection < least {
		found.warn(c.lines.detection, c.slower(least)+", or find out what holds this machine up",
			"the detection time of %v is less than twice the worst lateness of the daemon here, %v, so a node that is only slow may be taken for dead", c.Timing.Detection, round(m.Lateness))
	}
	if c.Timing.Detection < m.Start {
		found.warn(c.lines.detection, c.slower(m.Start)+", and add the pause that the supervisor makes before it starts a daemon again",
			"the detection time of %v is less than the %v that the daemon needed here from its start to its first pulse, so a daemon that dies and is started again at once is taken for dead all the same", c.Timing.Detection, round(m.Start))
	}
	return found.sorted()
}

// slower is how to get a detection time that is not too short.
func (c *Config) slower(least time.Duration) string {
	if n := (least + c.Timing.Interval - 1) / c.Timing.Interval; n <= maxMultiplier {
		return fmt.Sprintf("write detect_multiplier = %d or more", n)
	}
	ms := (least + time.Millisecond*maxMultiplier - 1) / (time.Millisecond * maxMultiplier)
	return fmt.Sprintf(`write detect_multiplier = %d and interval = "%dms" or more`, maxMultiplier, ms)
}

// round leaves as many figures as a person reads.
func round(t time.Duration) time.Duration {
	if t < 10*time.Millisecond {
		return t.Round(100 * time.Microsecond)
	}
	return t.Round(time.Millisecond)
}
