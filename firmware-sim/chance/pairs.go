package chance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/serialhb/serialhb/firmware-sim/world"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// A pair is a phase of a group and an event that comes while a group is in it. Of so many fates as [AllPairs] every pair has to be
// met, but those that are marked.

// AllPairs is how many fates have to meet every pair that is not marked.
const AllPairs = 10_000

// Mark says of one event in some phases that fates do not meet it, and why.
type Mark struct {
	Event  failover.EventKind
	Phases []pulse.Phase
	Why    string
	// By is what meets these pairs, which fates meet too seldom: a story of serialhb/failover/testdata, or a test beside it.
	// "" is that nothing can.
	By string
}

var marks = []Mark{
	{Event: failover.Started, Phases: allBut(pulse.Ineligible),
		Why: "it is the first event of a daemon, whose groups are all ineligible until they were looked at"},
	{Event: failover.NewSession, Phases: []pulse.Phase{pulse.Requesting, pulse.Fencing, pulse.Stopping},
		Why: "a session is renewed only while nothing is asked for, fenced or stopped, and within the turn in which that is seen"},
	{Event: failover.CutsOpened, Phases: []pulse.Phase{pulse.Requesting, pulse.AwaitingApproval},
		Why: "the peer has to be heard in the milliseconds between a person's word that it is off and the open cuts",
		By:  "TestARelayFindsTheGroupElsewhere"},
	{Event: failover.CutsOpened, Phases: []pulse.Phase{pulse.Idle, pulse.Blocked},
		Why: "the word asks for what nobody has, unless this member looks in that moment whether it may grant it",
		By:  "TestARelayFindsTheGroupElsewhere"},
	{Event: failover.FenceDone, Phases: []pulse.Phase{pulse.Blocked},
		Why: "a fence that is tried again ends what it blocked, but for what is accused, or being looked at whether it may be granted",
		By:  "TestARelayFindsTheGroupElsewhere"},
}

func allBut(one pulse.Phase) (phases []pulse.Phase) {
	for p := range pulse.Blocked + 1 {
		if p != one {
			phases = append(phases, p)
		}
	}
	return phases
}

// Marks are all of them.
func Marks() []Mark { return slices.Clone(marks) }

// MarkOf is what is said of a pair, or nil.
func MarkOf(p pulse.Phase, e failover.EventKind) *Mark {
	i := slices.IndexFunc(marks, func(m Mark) bool { return m.Event == e && slices.Contains(m.Phases, p) })
	if i < 0 {
		return nil
	}
	return &marks[i]
}

// Impossible says whether a mark is of what nothing can meet.
func (m *Mark) Impossible() bool { return m != nil && m.By == "" }

// each goes through all pairs.
func each(do func(p pulse.Phase, e failover.EventKind)) {
	for e := failover.EventKind(0); e.String() != "invalid"; e++ {
		for p := range pulse.Blocked + 1 {
			do(p, e)
		}
	}
}

// Disproved names the pairs that were met, and are marked as impossible: the reason is not so. It is nil if there are none.
func Disproved(met *world.Pairs) error {
	var all []string
	each(func(p pulse.Phase, e failover.EventKind) {
		if m := MarkOf(p, e); m.Impossible() && met[p][e] > 0 {
			all = append(all, fmt.Sprintf("%s came in %s, and that was impossible because %s", e, p, m.Why))
		}
	})
	if len(all) > 0 {
		return fmt.Errorf("chance: %s: see firmware-sim/chance/pairs.go", strings.Join(all, "; "))
	}
	return nil
}

// Unmet names the pairs that are not marked and were not met, after enough fates. It is nil if there are none.
func Unmet(met *world.Pairs) error {
	var all []string
	each(func(p pulse.Phase, e failover.EventKind) {
		if MarkOf(p, e) == nil && met[p][e] == 0 {
			all = append(all, fmt.Sprintf("%s in %s", e, p))
		}
	})
	if len(all) > 0 {
		return fmt.Errorf("chance: no fate ever had %s: the faults of firmware-sim/chance are too tame, or pairs.go has to say why", strings.Join(all, ", "))
	}
	return nil
}
