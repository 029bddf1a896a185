package config

import (
	"cmp"
	"slices"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/serialhb/failover"
)

// model is a file made good: all nodes, all defaults.
type model struct {
	cluster                string
	keyFiles               []text
	stateDir, runDir       text
	takeover               failover.Takeover
	onLastLink             failover.OnLastLink
	split                  failover.Split
	fenceWhenDeaf          bool
	withdrawSurvivesReboot bool

	// secrets are where secrets stand in the file itself
	secrets []place

	nodes  []Node
	links  []linkModel
	fences []fenceModel
	groups []Group
	timing Timing
	// detection is where the detection time stands
	detection place
	limits    Limits
	log       Log

	core, rest uint64
}

type linkModel struct {
	name string
	kind LinkKind
	baud int
	ends map[int]string // by node index
	side int            // bytes per second
	// places are where the ends stand
	places map[int]text
	at     place
}

type fenceModel struct {
	name           string
	target, level  int
	by             []int
	wiring         map[int]fencing.Wiring // by node index
	relay          fencing.RelayConfig
	plan           fencing.Plan
	mode           mode
	dwell          span
	acceptDoubtful bool
	agent          *fencing.AgentConfig // nil is a relay
	optionsFile    string
	places         map[string]place // of the keys of an agent, and of its options
	at             place
}

// mode says what becomes of a target's power after a proof.
type mode string

const (
	reboot mode = "reboot"
	off    mode = "off"
)

// config is what one node makes of the model, which has no errors.
func (m *model) config(me int) *Config {
	c := &Config{
		Cluster: m.cluster, StateDir: m.stateDir.v, RunDir: m.runDir.v,
		Me: me, Nodes: slices.Clone(m.nodes), Groups: m.groupsOf(me),
		Timing: m.timing, Limits: m.limits, Log: m.log,
		Takeover: m.takeover, OnLastLink: m.onLastLink, Split: m.split,
		FenceWhenDeaf: m.fenceWhenDeaf, WithdrawSurvivesReboot: m.withdrawSurvivesReboot,
		CoreDigest: m.core, RestDigest: m.rest,
		lines: configLines{stateDir: m.stateDir.place, runDir: m.runDir.place, detection: m.detection},
	}
	for _, k := range m.keyFiles {
		c.KeyFiles = append(c.KeyFiles, k.v)
		c.lines.keys = append(c.lines.keys, k.place)
	}
	for i := range m.links {
		if l, mine := m.links[i].of(i, me); mine {
			c.Links = append(c.Links, l)
		}
	}
	c.Fences = m.fencesOf(me)
	c.Decision = m.decision(c)
	return c
}

func (l *linkModel) of(index, me int) (Link, bool) {
	own, mine := l.ends[me]
	if !mine {
		return Link{}, false
	}
	link := Link{Index: index, Name: l.name, Kind: l.kind, Baud: l.baud, SideBytesPerSecond: l.side, Peers: map[uint8]string{}, at: l.places[me].place}
	if l.kind == Serial {
		link.Device = own
	} else {
		link.Listen = own
	}
	for peer, end := range l.ends {
		if peer != me {
			link.Peers[uint8(peer)] = end
		}
	}
	return link, true
}

// fencesOf lists what a node drives. The senses of a target count from 0 in the order in which its devices are listed.
func (m *model) fencesOf(me int) []Fence {
	var mine []Fence
	for _, f := range m.fences {
		w, ok := f.wiring[me]
		if !ok {
			continue
		}
		mine = append(mine, Fence{
			Name: f.name, Target: uint8(f.target), Level: f.level, Wiring: w, Relay: f.relay, Plan: f.plan,
			Agent: f.agent, OptionsFile: f.optionsFile,
			Sense: -1, AcceptDoubtful: f.acceptDoubtful, at: f.at, places: f.places,
		})
	}
	slices.SortStableFunc(mine, func(a, b Fence) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Level, b.Level))
	})
	senses := map[uint8]int{}
	for i := range mine {
		if f := &mine[i]; f.Wiring.Sense != (gpio.Line{}) {
			f.Sense = senses[f.Target]
			senses[f.Target]++
		}
	}
	queueAtBoards(mine)
	return mine
}

// queueAtBoards gives each agent the time that others of its board may take: a board is asked by one at a time.
func queueAtBoards(all []Fence) {
	for i := range all {
		for j := range all {
			a, b := all[i].Agent, all[j].Agent
			if i != j && a != nil && b != nil && a.Board() != "" && a.Board() == b.Board() {
				all[i].queue += b.OffTime()
				if all[i].Target != all[j].Target { // whose power may be given back meanwhile
					all[i].queue += b.OnTime()
				}
			}
		}
	}
}

// decision is the part that the decision needs.
func (m *model) decision(c *Config) failover.Config {
	t := &m.timing
	d := failover.Config{
		Me: uint8(c.Me), N: uint8(len(m.nodes)), G: uint8(len(m.groups)),
		Core: uint16(m.core >> 48), Rest: uint8(m.rest >> 56),
		IntervalMS: uint32(t.Interval.Milliseconds()), QuietMS: uint32(t.Quiet.Milliseconds()),
		Takeover: m.takeover, OnLastLink: m.onLastLink, Split: m.split,
		DetectTime: t.Detection, FenceDelay: t.FenceDelay, MoveTime: t.MoveTimeout, Backoff: t.Backoff,
		ApprovalTime: t.ApprovalTimeout, DoubtTime: t.DoubtTimeout,
		FenceRetries: uint8(t.FenceRetries), FenceRetryTime: t.FenceRetry,
		Window: m.limits.Window, MaxMoves: uint8(m.limits.Moves), MaxFences: uint8(m.limits.Fences),
		RestoreTime: t.WaitToRestore, FarewellTime: t.Farewell,
		FenceWhenDeaf: m.fenceWhenDeaf, WithdrawSurvivesReboot: m.withdrawSurvivesReboot,
	}
	for _, f := range c.Fences {
		member := &d.Members[f.Target]
		member.Fenceable = true
		if f.Sense >= 0 {
			member.Senses[f.Sense] = failover.SenseConfig{Present: true, FailSafe: f.Relay.FailSafe}
		}
	}
	for _, f := range m.fences {
		if member := &d.Members[f.target]; member.Fenceable && f.mode == reboot {
			member.RestoreAfter = f.dwell.v
		}
	}
	for g := range d.Groups {
		rank := &d.Groups[g].Rank
		for p := range rank {
			rank[p] = failover.NoRank
		}
		if g < len(m.groups) {
			d.Groups[g].Failback = m.groups[g].Failback
			for place, p := range m.groups[g].Prefer {
				rank[p] = uint8(place)
			}
		}
	}
	return d
}
