package chance

import (
	"strings"
	"testing"

	"github.com/serialhb/serialhb/firmware-sim/world"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Each pair that is marked is marked once, with a reason.
func TestMarksSayWhy(t *testing.T) {
	all := 0
	for _, m := range marks {
		if m.Why == "" || len(m.Phases) == 0 || m.Event.String() == "invalid" {
			t.Errorf("%+v", m)
		}
		for _, p := range m.Phases {
			all++
			if MarkOf(p, m.Event).Why != m.Why {
				t.Errorf("%s in %s is marked twice", m.Event, p)
			}
		}
	}
	if all == 0 || MarkOf(pulse.Active, failover.Beat) != nil {
		t.Error("nothing is marked, or everything")
	}
}

// A reason is a lie as soon as what it says to be impossible was met, once in however many fates. What is only rare may be met.
func TestWhatIsMarkedAndMetIsTold(t *testing.T) {
	for _, m := range marks {
		for _, p := range m.Phases {
			var met world.Pairs
			if err := Disproved(&met); err != nil {
				t.Fatal(err)
			}
			met[p][m.Event] = 1
			err := Disproved(&met)
			switch told := err != nil && strings.Contains(err.Error(), m.Why) && strings.Contains(err.Error(), m.Event.String()+" came in "+p.String()); {
			case m.By == "" && !told:
				t.Errorf("%s in %s: %v", m.Event, p, err)
			case m.By != "" && err != nil:
				t.Error(err)
			}
		}
	}
}

// What is not marked has to be met.
func TestWhatIsNotMarkedHasToBeMet(t *testing.T) {
	var met world.Pairs
	each(func(p pulse.Phase, e failover.EventKind) { met[p][e] = 1 })
	if err := Unmet(&met); err != nil {
		t.Error(err)
	}
	for _, m := range marks {
		for _, p := range m.Phases {
			met[p][m.Event] = 0
		}
	}
	if err := Unmet(&met); err != nil {
		t.Errorf("what is marked need not be met: %v", err)
	}
	met[pulse.Blocked][failover.Heard] = 0
	if err := Unmet(&met); err == nil || !strings.Contains(err.Error(), "heard in blocked") {
		t.Error(err)
	}
}
