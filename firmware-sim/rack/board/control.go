package board

import (
	"encoding/json"
	"fmt"
	"time"
)

// State is the physical truth at one moment.
type State struct {
	Relays map[string]RelayState `json:"relays"`
	Senses map[string]SenseState `json:"senses"`
	Hosts  map[string]HostState  `json:"hosts"`
}

// RelayState is one relay.
type RelayState struct {
	Level  bool   `json:"level"`  // of the line: current in the coil
	Closed bool   `json:"closed"` // contact
	Welded bool   `json:"welded"`
	Edges  int    `json:"edges"` // of the line since the board started
	Holder string `json:"holder"`
}

// SenseState is one sense. Level is the electrical one; On is the truth that it should tell.
type SenseState struct {
	Level bool   `json:"level"`
	On    bool   `json:"on"`
	Fault string `json:"fault"`
}

// HostState is one host. Power is on, holdup, dying or off.
type HostState struct {
	Mains      bool          `json:"mains"`
	Power      string        `json:"power"`
	HoldUp     time.Duration `json:"hold_up"`
	Supervised bool          `json:"supervised"`
}

func (m *model) state() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := State{Relays: map[string]RelayState{}, Senses: map[string]SenseState{}, Hosts: map[string]HostState{}}
	for _, r := range m.relays {
		s.Relays[r.Name] = RelayState{r.level, r.closed, r.welded, r.edges, m.lines[r.Name].by}
	}
	for _, x := range m.senses {
		fault := x.fault
		if fault == "" {
			fault = FaultNone
		}
		s.Senses[x.Name] = SenseState{x.last, x.isOn(), fault}
	}
	for _, h := range m.hosts {
		s.Hosts[h.Name] = HostState{h.mains, h.phase, h.HoldUp, h.tell != nil}
	}
	return s
}

func (m *model) edges() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	edges := map[string]int{}
	for _, r := range m.relays {
		edges[r.Name] = r.edges
	}
	return edges
}

// control carries out a verb of the rack. It returns what stands after "ok", "" for nothing.
func (m *model) control(w []string) (string, error) {
	switch {
	case is(w, "ledger", 0):
		return marshal(m.ledger())
	case is(w, "state", 0):
		return marshal(m.state())
	case is(w, "edges", 0):
		return marshal(m.edges())
	case is(w, "mains", 2) && (w[2] == "on" || w[2] == "off"):
		return "", m.setHost(w[1], func(h *host) {
			if on := w[2] == "on"; h.mains != on {
				h.mains = on
				m.event("mains", h.Name, w[2])
				m.settle()
			}
		})
	case is(w, "holdup", 2):
		d, err := parseDuration(w[2])
		if err != nil {
			return "", err
		}
		return "", m.setHost(w[1], func(h *host) { h.HoldUp = d })
	case is(w, "weld", 1):
		return "", m.setRelay(w[1], func(r *relay) { r.welded = true })
	case is(w, "free", 1):
		return "", m.setRelay(w[1], func(r *relay) {
			r.welded = false
			m.swing(r)
		})
	case is(w, "slow", 2):
		d, err := parseDuration(w[2])
		if err != nil {
			return "", err
		}
		return "", m.setRelay(w[1], func(r *relay) { r.Operate = d })
	case is(w, "sense", 2) && (w[2] == FaultStuckOn || w[2] == FaultStuckOff || w[2] == FaultFloat || w[2] == FaultNone):
		return "", m.spoil(w[1], w[2], 0)
	case is(w, "sense", 3) && w[2] == FaultLie:
		d, err := parseDuration(w[3])
		if err != nil {
			return "", err
		}
		return "", m.spoil(w[1], FaultLie, d)
	}
	return "", fmt.Errorf("the board does not know ctl %q", w)
}

func is(w []string, verb string, args int) bool { return len(w) == args+1 && w[0] == verb }

func (m *model) setHost(name string, f func(*host)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.host(name)
	if h == nil {
		return fmt.Errorf("no host is called %s", name)
	}
	f(h)
	return nil
}

func (m *model) setRelay(name string, f func(*relay)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.relay(name)
	if r == nil {
		return fmt.Errorf("no relay is called %s", name)
	}
	f(r)
	return nil
}

func marshal(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}
