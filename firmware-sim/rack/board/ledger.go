package board

import (
	"fmt"
	"slices"
	"time"
)

// Open is the end of a run that still goes on.
const Open time.Duration = -1

// Run is one service running on one node, as witnessed by the board: from before it answered until the last of its
// process was gone. Times are CLOCK_MONOTONIC and marshal as nanoseconds.
type Run struct {
	ID      int           `json:"id"`
	Service string        `json:"service"`
	Node    string        `json:"node"`
	Begin   time.Duration `json:"begin"`
	End     time.Duration `json:"end"` // Open while it runs
}

// Overlap is a time during which two nodes ran one service: what must never happen.
type Overlap struct {
	A, B Run
	For  time.Duration // Open while both run
}

// Overlaps finds every pair of runs of one service on different nodes that share time. Touching is not sharing.
func Overlaps(runs []Run) []Overlap {
	var found []Overlap
	for i, a := range runs {
		for _, b := range runs[i+1:] {
			if a.Service != b.Service || a.Node == b.Node {
				continue
			}
			begin := max(a.Begin, b.Begin)
			switch end := earlier(a.End, b.End); {
			case end == Open:
				found = append(found, Overlap{a, b, Open})
			case end > begin:
				found = append(found, Overlap{a, b, end - begin})
			}
		}
	}
	return found
}

func earlier(a, b time.Duration) time.Duration {
	switch {
	case a == Open:
		return b
	case b == Open:
		return a
	}
	return min(a, b)
}

// begin opens a run for a session. Runs whose process is dead are ended first, though their socket's end may still be
// unread: otherwise a busy machine would show overlaps that never were.
func (m *model) begin(s *session, service, node string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.open[s]; ok {
		return 0, fmt.Errorf("this connection has a run already")
	}
	for other := range m.open {
		if other.gone() {
			m.dropLocked(other)
		}
	}
	r := Run{ID: len(m.runs) + 1, Service: service, Node: node, Begin: m.now(), End: Open}
	m.open[s] = len(m.runs)
	m.runs = append(m.runs, r)
	m.event("run", service, "begin "+node)
	return r.ID, nil
}

func (m *model) end(s *session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.open[s]; !ok {
		return fmt.Errorf("this connection has no run")
	}
	m.endRun(s)
	return nil
}

func (m *model) endRun(s *session) {
	i, ok := m.open[s]
	if !ok {
		return
	}
	delete(m.open, s)
	m.runs[i].End = m.now()
	m.event("run", m.runs[i].Service, "end "+m.runs[i].Node)
}

// ledger ends the runs of the dead and returns all.
func (m *model) ledger() []Run {
	m.mu.Lock()
	defer m.mu.Unlock()
	for s := range m.open {
		if s.gone() {
			m.dropLocked(s)
		}
	}
	return slices.Clone(m.runs)
}
