package sim

import (
	"fmt"

	"github.com/serialhb/serialhb/gpio"
)

// line is an output or an input of one connection. Once that is lost the line stays dead: what the board did with it
// since is unknown, so it has to be requested anew.
type line struct {
	board *Backend
	name  string
	epoch uint64
}

func (l *line) Set(level bool) error {
	digit := "0"
	if level {
		digit = "1"
	}
	_, err := l.ask("set " + l.name + " " + digit)
	if err != nil {
		return fmt.Errorf("sim: set %s: %w", l.name, err)
	}
	return nil
}

func (l *line) Get() (bool, error) {
	answer, err := l.ask("get " + l.name)
	if err != nil {
		return false, fmt.Errorf("sim: get %s: %w", l.name, err)
	}
	got, err := level(answer)
	if err != nil {
		return false, fmt.Errorf("sim: get %s: %w", l.name, err)
	}
	return got, nil
}

func (l *line) Close() error {
	b := l.board
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := l.alive(); err != nil {
		return fmt.Errorf("sim: close %s: %w", l.name, err)
	}
	l.epoch = 0
	_, err := b.ask("free " + l.name)
	delete(b.held, l.name)
	if err != nil {
		return fmt.Errorf("sim: close %s: %w", l.name, err)
	}
	return nil
}

func (l *line) ask(request string) (string, error) {
	l.board.mu.Lock()
	defer l.board.mu.Unlock()
	if err := l.alive(); err != nil {
		return "", err
	}
	return l.board.ask(request)
}

func (l *line) alive() error {
	if l.board.conn == nil || l.epoch != l.board.epoch {
		return fmt.Errorf("%w: the connection on which the line was opened has ended", gpio.ErrGone)
	}
	return nil
}
