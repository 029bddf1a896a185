package gpio

import "fmt"

// Table is the set of backends of one program and the doubtful lines that its config accepts. It is filled before its
// first use and only read afterwards.
type Table struct {
	Backends map[string]Backend
	// Accept holds the lines that the config accepts in so many words although [Table.Trust] doubts them.
	Accept map[Line]bool
}

// Trust says which promise of this package a line cannot keep; nil is none. A line of an unknown backend is doubted.
func (t Table) Trust(l Line) error {
	b, err := t.backend(l)
	if err != nil {
		return err
	}
	if d, ok := b.(Doubter); ok {
		return d.Trust(l.Name)
	}
	return nil
}

// OpenOutput opens a line for a coil. It refuses a doubtful line that the config does not accept, before touching it.
func (t Table) OpenOutput(l Line, initial Initial) (Output, error) {
	b, err := t.admit(l)
	if err != nil {
		return nil, err
	}
	return b.OpenOutput(l.Name, initial)
}

// OpenInput opens a line for a sense. It refuses a doubtful line that the config does not accept, before touching it.
func (t Table) OpenInput(l Line, bias Bias) (Input, error) {
	b, err := t.admit(l)
	if err != nil {
		return nil, err
	}
	return b.OpenInput(l.Name, bias)
}

func (t Table) backend(l Line) (Backend, error) {
	if b, ok := t.Backends[l.Backend]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("gpio: open %s: this program has no backend %q", l, l.Backend)
}

// Admit returns the error with which opening the line would be refused because of its backend, nil if it would be tried.
// It touches no hardware.
func (t Table) Admit(l Line) error {
	_, err := t.admit(l)
	return err
}

func (t Table) admit(l Line) (Backend, error) {
	b, err := t.backend(l)
	if err != nil {
		return nil, err
	}
	if doubt := t.Trust(l); doubt != nil && !t.Accept[l] {
		return nil, fmt.Errorf("gpio: open %s: refused unless the config accepts this line in so many words: %w", l, doubt)
	}
	return b, nil
}
