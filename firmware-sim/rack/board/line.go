package board

import (
	"fmt"
	"strconv"
	"time"
)

// line is what a program can request: a relay's output or a sense's input, by one session at a time.
type line struct {
	name   string
	relay  *relay
	sense  *sense
	holder *session
	by     string // the name that the holder gave
	bias   string
}

// Biases, as the protocol says them.
const (
	biasNone = "none"
	biasUp   = "up"
	biasDown = "down"
)

// Faults of a sense.
const (
	FaultStuckOn  = "stuck-on"
	FaultStuckOff = "stuck-off"
	FaultLie      = "lie"   // reads off for a time, whatever the truth
	FaultFloat    = "float" // the wire is off: the bias answers
	FaultNone     = "ok"
)

type sense struct {
	Sense
	host  *host
	relay *relay
	fault string
	lie   int  // number of the latest lie begun
	flip  bool // what a floating input without bias read last
	last  bool
}

func (s *sense) isOn() bool {
	switch s.Kind {
	case DC:
		return s.host.phase != phaseOff
	case Feed:
		return s.host.supplied(s.Supply)
	}
	return s.relay.closed
}

// level is the electrical level at the input.
func (s *sense) level(bias string) bool {
	on := s.isOn()
	switch s.fault {
	case FaultStuckOn:
		on = true
	case FaultStuckOff, FaultLie:
		on = false
	case FaultFloat:
		if bias == biasNone {
			s.flip = !s.flip // an open input reads anything: never the same twice shows it soonest
			return s.flip
		}
		return bias == biasUp
	}
	return on != (s.Off == 1)
}

// look reports the senses that changed. A floating one is reported as if biased up.
func (m *model) look() {
	for _, s := range m.senses {
		if level := s.level(biasUp); level != s.last {
			s.last = level
			m.event("sense", s.Name, digit(level))
		}
	}
}

func (m *model) request(s *session, name, holder string) (*line, error) {
	l := m.lines[name]
	if l == nil {
		return nil, fmt.Errorf("no line is called %s", name)
	}
	// A kernel frees the lines of a dead process before anybody can notice its death; a socket's end may still be unread.
	if l.holder != nil && l.holder.gone() {
		m.dropLocked(l.holder)
	}
	if l.holder != nil {
		return nil, fmt.Errorf("line %s is held by %s", name, l.by)
	}
	l.holder, l.by = s, holder
	return l, nil
}

// output requests a relay line; initial is low, high or adopt. It returns the level.
func (m *model) output(s *session, name, holder, initial string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.lines[name]; l != nil && l.relay == nil {
		return false, fmt.Errorf("line %s is an input", name)
	}
	if initial != "low" && initial != "high" && initial != "adopt" {
		return false, fmt.Errorf("initial level %s is not low, high or adopt", initial)
	}
	l, err := m.request(s, name, holder)
	if err != nil {
		return false, err
	}
	if initial != "adopt" {
		m.drive(l.relay, initial == "high")
	}
	return l.relay.level, nil
}

// input requests a sense line. It returns the level.
func (m *model) input(s *session, name, holder, bias string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.lines[name]; l != nil && l.sense == nil {
		return false, fmt.Errorf("line %s is an output", name)
	}
	if bias != biasNone && bias != biasUp && bias != biasDown {
		return false, fmt.Errorf("bias %s is not none, up or down", bias)
	}
	l, err := m.request(s, name, holder)
	if err != nil {
		return false, err
	}
	l.bias = bias
	return l.sense.level(bias), nil
}

func (m *model) held(s *session, name string) (*line, error) {
	l := m.lines[name]
	if l == nil || l.holder != s {
		return nil, fmt.Errorf("line %s is not held by this connection", name)
	}
	return l, nil
}

func (m *model) set(s *session, name, level string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, err := m.held(s, name)
	if err != nil {
		return err
	}
	if l.relay == nil {
		return fmt.Errorf("line %s is an input", name)
	}
	if level != "0" && level != "1" {
		return fmt.Errorf("level %s is not 0 or 1", level)
	}
	m.drive(l.relay, level == "1")
	return nil
}

func (m *model) get(s *session, name string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, err := m.held(s, name)
	if err != nil {
		return false, err
	}
	if l.relay != nil {
		return l.relay.level, nil
	}
	return l.sense.level(l.bias), nil
}

func (m *model) free(s *session, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, err := m.held(s, name)
	if err != nil {
		return err
	}
	m.release(l)
	return nil
}

// release gives a line back; an output then does what its driver does.
func (m *model) release(l *line) {
	l.holder, l.by, l.bias = nil, "", ""
	if l.relay != nil && l.relay.AfterExit == Revert {
		m.drive(l.relay, false)
	}
}

// spoil sets the fault of a sense; d counts for a lie only.
func (m *model) spoil(name, fault string, d time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.lines[name]
	if l == nil || l.sense == nil {
		return fmt.Errorf("no sense is called %s", name)
	}
	s := l.sense
	s.lie++
	s.fault = fault
	if fault == FaultLie {
		lie := s.lie
		m.after(d, func() {
			if lie == s.lie {
				s.fault = FaultNone
				m.look()
			}
		})
	}
	m.look()
	return nil
}

func digit(level bool) string {
	if level {
		return "1"
	}
	return "0"
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s is not a duration such as 20ms", strconv.Quote(text))
	}
	return d, nil
}
