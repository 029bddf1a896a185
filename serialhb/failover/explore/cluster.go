package explore

import (
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Cluster is the truth: all hosts, and the pulses that are under way between them.
type Cluster struct {
	Hosts [maxMembers]Host
	Ways  [maxWays]Way

	Crashes, Faults, Words, Lies uint8 // used up of the limits of the scope

	Lied bool // a proof of off lied, and something still rests on it: see healed
}

// Host is one machine, what its daemon believes, and what it wrote down.
type Host struct {
	Powered bool
	Daemon  bool
	Cut     uint8 // members whose relay keeps the power off, bits
	Runs    uint8 // groups that run here, bits: the physical truth
	Boot    uint32
	State   failover.State // while the daemon runs

	// What its directories hold, and what is being written there.
	Run      failover.Volatile
	OfBoot   bool // Run is of this boot
	Saving   bool
	SavedAs  uint32 // generation of NextRun
	NextRun  failover.Volatile
	Disk     failover.Durable
	Keeping  bool
	KeptAs   uint32
	NextDisk failover.Durable
}

// Way is what is under way from one member to another. Order is of no account: any may arrive next.
type Way struct {
	N      uint8
	Pulses [maxWire]Flight
}

// Flight is a pulse on a link.
type Flight struct {
	Link uint8
	pulse.Pulse
}

// way gives the index of the way between two members.
func way(from, to uint8) uint8 {
	if to > from {
		to--
	}
	return from*(maxMembers-1) + to
}

// ends gives the members that a way joins.
func ends(w uint8) (from, to uint8) {
	from, to = w/(maxMembers-1), w%(maxMembers-1)
	if to >= from {
		to++
	}
	return from, to
}

func (w *Way) drop(k uint8) {
	copy(w.Pulses[k:w.N], w.Pulses[k+1:w.N])
	w.N--
	w.Pulses[w.N] = Flight{}
}

func bit(i uint8) uint8 { return 1 << i }

// runs says whether a group runs on a host. What has no power runs nothing.
func (h *Host) runs(g uint8) bool { return h.Runs&bit(g) != 0 }

// beginning is a cluster before anybody switched it on: all members are armed, nobody has power.
func beginning(s *Scope) Cluster {
	var c Cluster
	for i := range s.Members {
		c.Hosts[i].Disk.Armed = true
	}
	return c
}

// copyTo copies what a scope uses of a cluster, and nothing that is not there.
func (c *Cluster) copyTo(to *Cluster, s *Scope) {
	to.Crashes, to.Faults, to.Words, to.Lies = c.Crashes, c.Faults, c.Words, c.Lies
	to.Lied = c.Lied
	for i := range s.Members {
		to.Hosts[i] = c.Hosts[i]
		for j := range s.Members {
			if i == j {
				continue
			}
			from, w := &c.Ways[way(i, j)], &to.Ways[way(i, j)]
			for k := range max(from.N, w.N) {
				w.Pulses[k] = from.Pulses[k]
			}
			w.N = from.N
		}
	}
}
