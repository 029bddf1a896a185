package world

import (
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// SenseKind is how a member's power is sensed by the others.
type SenseKind uint8

// The kinds of senses.
const (
	NoSense SenseKind = iota
	PlainSense
	FailSafeSense
)

// Config describes a world. The zero value is not usable; [Default] is a good one to change.
type Config struct {
	Seed   uint64
	Nodes  []string // 2..pulse.MaxMembers
	Groups []Group
	// Decision is the template of every member's configuration: everything in it but Me, N, G, Boot, Core, Rest, Members
	// and Groups is used as it stands.
	Decision failover.Config
	// Multiplier, StartWindow, Stretch and Extensions are detection's.
	Multiplier  uint8
	Intervals   [failover.MaxMembers]time.Duration // of members whose pulses come at another pace; 0 is as Decision says
	Drift       [failover.MaxMembers]int           // by how many millionths a member's clock runs fast
	StartWindow time.Duration
	Stretch     float64
	Extensions  int

	Power []Power // by member
	Baud  int     // of the cables; each pair of members has one. 0 is no cable at all
	Lan   bool    // one UDP path that all share
	Net   Air     // what the UDP path does to a datagram

	Boot    time.Duration // from power to the daemon's start
	Restart time.Duration // from the daemon's death to its next start
	// StopLimit is how long the init system lets a daemon leave.
	StopLimit time.Duration
	Save      time.Duration // to write the run directory
	Keep      time.Duration // to write the state directory
	Jitter    time.Duration // the most by which a loop wakes late
	Armed     bool          // state directories begin armed

	// KeepsCoil: an output keeps its state without its process. Otherwise a dead daemon's coils are released.
	KeepsCoil bool
}

// Group is one resource group of the cluster.
type Group struct {
	Name     string
	Prefer   []uint8 // members, best first; one that is missing never takes it
	Failback failover.Failback
}

// Power is how a member is fed, and how the others can cut that.
type Power struct {
	Supplies int           // redundant supplies; each has a relay of its own on every level
	HoldUp   time.Duration // for which a supply carries its host without feed
	Sense    SenseKind     // on the DC side of each supply
	Level2   bool          // a second relay in series, with a mirror contact and no sense
	Assume   bool          // off may be assumed after the hold-off
	Dwell    time.Duration // before power is given back after a proof; 0 leaves it off
	Uncut    bool          // nobody has a device that cuts it
}

// Air is the loss and the delay of a path, in hundredths and durations.
type Air struct {
	Lose, Double  int
	Delay, Spread time.Duration
}

// Default is a pair with a cable, a network, one group that prefers the first node, and fail-safe senses. The times are
// those that a configuration file without a word about them has.
func Default() Config {
	const interval, multiplier = 100 * time.Millisecond, 15
	c := Config{
		Seed: 1, Nodes: []string{"alpha", "bravo"},
		Groups: []Group{{Name: "web", Prefer: []uint8{0, 1}, Failback: failover.FailbackManual}},
		Decision: failover.Config{
			IntervalMS: uint32(interval.Milliseconds()), QuietMS: 30_000,
			Backoff: 2 * time.Second, ApprovalTime: 5 * time.Minute, FenceRetries: 3, FenceRetryTime: 10 * time.Second,
			Window: time.Hour, MaxMoves: 3, MaxFences: 3, RestoreTime: 5 * time.Minute,
		},
		Multiplier: multiplier, Stretch: 1.5, Extensions: 10,
		Baud: 115200, Lan: true, Net: Air{Delay: 150 * time.Microsecond, Spread: 100 * time.Microsecond},
		Boot: 20 * time.Second, Restart: 300 * time.Millisecond, StopLimit: 10 * time.Minute, Save: 500 * time.Microsecond, Keep: 8 * time.Millisecond,
		Jitter: 300 * time.Microsecond, Armed: true,
	}
	c.SetTiming(interval, multiplier)
	for range c.Nodes {
		c.Power = append(c.Power, DefaultPower())
	}
	return c
}

// DefaultPower is one supply with a fail-safe sense, cut by one relay and given back after ten seconds.
func DefaultPower() Power {
	return Power{Supplies: 1, HoldUp: 30 * time.Millisecond, Sense: FailSafeSense, Dwell: 10 * time.Second}
}

// SetTiming sets the interval and everything that follows from the detection time, as the configuration file does.
func (c *Config) SetTiming(interval time.Duration, multiplier uint8) {
	detection := interval * time.Duration(multiplier)
	c.Multiplier = multiplier
	c.StartWindow = 2 * detection
	d := &c.Decision
	d.IntervalMS = uint32(interval.Milliseconds())
	d.DetectTime = detection
	d.DoubtTime = 2 * detection
	d.MoveTime = max(10*time.Second, 4*interval)
	d.FarewellTime = max(2*time.Second, 5*detection)
	d.FenceDelay = detection + 2*time.Second
}

// decision is the configuration of one member on a host with this boot hash.
func (c *Config) decision(me uint8, f *file, boot uint32) failover.Config {
	d := c.Decision
	d.Me, d.N, d.G = me, uint8(len(c.Nodes)), uint8(len(c.Groups))
	d.Core, d.Rest, d.Boot = f.core, f.rest, boot
	if own := c.Intervals[me]; own > 0 {
		d.IntervalMS = uint32(own.Milliseconds())
	}
	for m := range d.N {
		p := &c.Power[m]
		if m == me || p.Uncut {
			continue
		}
		d.Members[m] = failover.MemberConfig{Fenceable: true, RestoreAfter: p.Dwell}
		for s := range p.Supplies {
			d.Members[m].Senses[s] = failover.SenseConfig{Present: p.Sense != NoSense, FailSafe: p.Sense == FailSafeSense}
		}
	}
	for g, group := range c.Groups {
		d.Groups[g].Failback = group.Failback
		for m := range d.Groups[g].Rank {
			d.Groups[g].Rank[m] = failover.NoRank
		}
		for place, m := range group.Prefer {
			d.Groups[g].Rank[m] = uint8(place)
		}
	}
	for g := len(c.Groups); g < pulse.MaxGroups; g++ {
		for m := range d.Groups[g].Rank {
			d.Groups[g].Rank[m] = failover.NoRank
		}
	}
	return d
}
