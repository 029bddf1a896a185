// Package config is the configuration file: what stands in it, whether it can work, and what one node makes of it.
//
// [Load] reads a TOML file and looks at everything that can be known from the file alone, for all nodes at once, so that
// a mistake in bravo's half is found on alpha too. [File.For] gives the values of one node with every default filled in.
// [Config.CheckLive] looks at what can be known on this machine only. Everything that is wrong is a [Finding], with its
// line and with what to do; nothing here is only logged.
//
// README.md in this folder lists every key.
package config

import (
	"net/netip"
	"path/filepath"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/serialhb/failover"
)

// Config is what one node makes of a file without errors: every value is in its range and every default filled in. It is
// not changed after it was made and may be read from any goroutine.
type Config struct {
	Cluster string
	// KeyFiles are one to three paths; the first key signs, any verifies.
	KeyFiles []string
	// StateDir and RunDir are as in the file; see [Config.NodeStateDir] and [Config.NodeRunDir].
	StateDir, RunDir string

	Me    int // index in Nodes
	Nodes []Node
	// Links are those that this node takes part in.
	Links []Link
	// Fences are the devices that this node drives, by target, level and place in the file.
	Fences []Fence
	Groups []Group

	Timing     Timing
	Limits     Limits
	Takeover   failover.Takeover
	OnLastLink failover.OnLastLink
	Split      failover.Split
	// FenceWhenDeaf: this node fences also while none of its own links can receive.
	FenceWhenDeaf bool
	// WithdrawSurvivesReboot: a withdrawn member stays so over a reboot of this host without a fail-safe sense.
	WithdrawSurvivesReboot bool
	Log                    Log

	// CoreDigest is the digest of cluster, nodes and groups; its upper 16 bits go into pulses. RestDigest is that of
	// every other value that all nodes must share; its upper 8 bits go into pulses. They depend on values only: not on
	// order of keys, comments, way of writing, nor on devices, lines and addresses.
	CoreDigest, RestDigest uint64

	// Decision is complete but for Boot, which only the running host can tell.
	Decision failover.Config

	lines configLines
}

// configLines keeps where those values stand that are looked at again on the machine itself.
type configLines struct {
	keys             []place
	stateDir, runDir place
	detection        place
}

// Node is one member. Its index is its number on the wire.
type Node struct {
	Name string
}

// LinkKind is how a link carries frames.
type LinkKind string

// The kinds of links.
const (
	Serial LinkKind = "serial"
	UDP    LinkKind = "udp"
)

// Link is one link as one node sees it.
type Link struct {
	Index int // among all links of the file, 0..pulse.MaxLinks-1
	Name  string
	Kind  LinkKind
	// Baud, in bits per second, and Device are of a serial link.
	Baud   int
	Device string
	// Listen is the IP:port of this node on a UDP link.
	Listen string
	// Peers holds the members at the other ends: their addresses on a UDP link, their devices on a serial one.
	Peers map[uint8]string
	// SideBytesPerSecond is what a serial line has left for side frames; 0 on a UDP link leaves it to the link.
	SideBytesPerSecond int

	at place // of this node's end
}

// Fence is one device that this node drives: a relay, or an external fence agent.
type Fence struct {
	Name   string // unique among the devices of its target
	Target uint8
	Level  int // from 1; lower levels are tried first
	// Agent describes the fence agent, and is nil for a relay. Its Path is as it stands in the file, which may be a name
	// alone, its Params are those of the file, and its times are complete.
	Agent *fencing.AgentConfig
	// OptionsFile is a file with further Params; see [ReadOptions]. Empty is none.
	OptionsFile string
	// Wiring and Relay are what [fencing.OpenRelay] wants.
	Wiring fencing.Wiring
	Relay  fencing.RelayConfig
	// Plan has the times of the device with their defaults.
	Plan fencing.Plan
	// Sense is the index of its power sense among those of its target, as in failover's configuration; -1 is none.
	Sense int
	// AcceptDoubtful: the file accepts lines that cannot keep every promise.
	AcceptDoubtful bool

	// queue is what the other agents of this node may take that ask the same board.
	queue  time.Duration
	at     place
	places map[string]place
}

// Time bounds one fence with this device, also if it never answers, and if others that ask the same board go first.
func (f *Fence) Time() time.Duration {
	if f.Agent != nil {
		return f.Agent.OffTime() + f.queue
	}
	return f.Plan.Verify
}

// NeedsSense says whether the device proves nothing without its sense.
func (f *Fence) NeedsSense() bool {
	return f.Sense >= 0 && f.Wiring.Mirror == (gpio.Line{}) && !f.Relay.AllowAssumed
}

// relayLookTime is far more than reading the lines of a relay takes.
const relayLookTime = 10 * time.Second

// lookTime bounds one look at the device while all is well.
func (f *Fence) lookTime() time.Duration {
	if f.Agent != nil {
		return f.Agent.CheckTime() + f.queue
	}
	return relayLookTime
}

// LookTime bounds one look at all devices for a target, which are looked at at once. What has not answered by then does
// not work.
func (c *Config) LookTime(target int) (longest time.Duration) {
	for i := range c.Fences {
		if int(c.Fences[i].Target) == target {
			longest = max(longest, c.Fences[i].lookTime())
		}
	}
	return longest
}

// Finding is one about this device that shows only on the machine itself. Its place is that of a key of the device's
// table, such as agent or options.ip, or of the table if the file does not give the key.
func (f *Fence) Finding(s Severity, key, text, fix string) Finding {
	at, ok := f.places[key]
	if !ok {
		at = f.at
	}
	return Finding{Severity: s, Line: at.line, Key: at.key, Text: text, Fix: fix}
}

// Group is a resource group.
type Group struct {
	Name      string
	Prefer    []int // node indices, best first; a node that is not in it never takes the group
	Failback  failover.Failback
	Resources []Resource // in the order of their start
}

// Resource is one thing that a group is made of.
type Resource struct {
	Kind string // exec, address
	Name string // unique in its group

	// Of exec: each command is an argument list that begins with an absolute path.
	Start, Stop, Status                      []string
	StartTimeout, StopTimeout, StatusTimeout time.Duration

	// Of address.
	Address       netip.Prefix
	Interface     string        // of this node
	ProbeWait     time.Duration // 0 is never to ask
	Announcements int
	Spacing       time.Duration
	Refresh       time.Duration // 0 is never
	Timeout       time.Duration

	start, stop, status, at place
	interfaces              map[int]text // by node
}

// Finding is one about this resource that shows only on the machine itself.
func (r *Resource) Finding(s Severity, text, fix string) Finding {
	return Finding{Severity: s, Line: r.at.line, Key: r.at.key, Text: text, Fix: fix}
}

// Timing holds the times of the cluster.
type Timing struct {
	Interval         time.Duration // 1 ms to 4.095 s, whole milliseconds
	DetectMultiplier int           // 2..255
	LateMultiplier   int           // 1..DetectMultiplier-1
	Detection        time.Duration // Interval times DetectMultiplier
	Late             time.Duration // Interval times LateMultiplier
	NoiseStretch     float64       // 1..4
	StartWindow      time.Duration // at least Detection
	FenceDelay       time.Duration
	MoveTimeout      time.Duration
	Backoff          time.Duration
	ApprovalTimeout  time.Duration
	DoubtTimeout     time.Duration
	FenceRetries     int // 0..10
	FenceRetry       time.Duration
	WaitToRestore    time.Duration
	Farewell         time.Duration
	Quiet            time.Duration // up to 60 s
	HealthEvery      time.Duration // at least 10 s
}

// Limits is the failover budget: so many automatic moves and fences in a window.
type Limits struct {
	Window        time.Duration
	Moves, Fences int // 1..255
}

// Log says how the daemon writes its log.
type Log struct {
	Level  string // debug, info, warn, error
	Format string // json, console
}

// Node is the name of the node that this is the configuration of.
func (c *Config) Node() string { return c.Nodes[c.Me].Name }

// NodeRunDir is the volatile directory of this node: two levels below RunDir, so that several clusters and nodes can
// live on one host.
func (c *Config) NodeRunDir() string { return filepath.Join(c.RunDir, c.Cluster, c.Node()) }

// NodeStateDir is the durable directory of this node.
func (c *Config) NodeStateDir() string { return filepath.Join(c.StateDir, c.Cluster, c.Node()) }

// Socket is the path of this node's control socket.
func (c *Config) Socket() string { return socketPath(c.RunDir, c.Cluster, c.Node()) }

func socketPath(runDir, cluster, node string) string {
	return filepath.Join(runDir, cluster, node+".sock")
}

// Levels groups the devices that this node drives for a target by level, in the order in which they are tried. All
// devices of a level must be off at the same time.
func (c *Config) Levels(target int) [][]Fence {
	var levels [][]Fence
	for _, f := range c.Fences {
		if int(f.Target) != target {
			continue
		}
		if n := len(levels); n > 0 && levels[n-1][0].Level == f.Level {
			levels[n-1] = append(levels[n-1], f)
			continue
		}
		levels = append(levels, []Fence{f})
	}
	return levels
}

// levelGrace is what a level may take beyond the time of its slowest device: the other devices of a failed level
// get a second to stop, and the coil's driver some time of its own.
const levelGrace = 2 * time.Second

// FenceTime bounds one try of all levels of a target.
func (c *Config) FenceTime(target int) (total time.Duration) {
	for _, level := range c.Levels(target) {
		total += LevelTime(level)
	}
	return total
}

// LevelTime bounds one try of a level.
func LevelTime(level []Fence) (longest time.Duration) {
	for _, f := range level {
		longest = max(longest, f.Time())
	}
	return longest + levelGrace
}

// AcceptedLines are the lines of this node that the file accepts although their backend doubts them.
func (c *Config) AcceptedLines() map[gpio.Line]bool {
	accepted := map[gpio.Line]bool{}
	for _, f := range c.Fences {
		if !f.AcceptDoubtful {
			continue
		}
		for _, l := range []gpio.Line{f.Wiring.Coil, f.Wiring.Sense, f.Wiring.Mirror} {
			if l != (gpio.Line{}) {
				accepted[l] = true
			}
		}
	}
	return accepted
}
