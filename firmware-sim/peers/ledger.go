package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// mark is one line of a ledger: the service began or ended on a node. Times are the kernel's since boot, the same for
// all processes; see [mono].
type mark struct {
	at    time.Duration
	node  string
	begin bool
}

func (m mark) String() string {
	verb := "end"
	if m.begin {
		verb = "begin"
	}
	return fmt.Sprintf("%s %s %d\n", verb, m.node, m.at.Nanoseconds())
}

// enter appends a mark of now. One write of a short line is whole, whoever else writes.
func enter(path, node string, begin bool) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("peers: open ledger: %w", err)
	}
	_, err = f.WriteString(mark{mono.Now(), node, begin}.String())
	return errors.Join(err, f.Close())
}

// readLedger reads what was entered so far. No file is an empty ledger.
func readLedger(path string) ([]mark, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("peers: read ledger: %w", err)
	}
	return parseLedger(string(text))
}

func parseLedger(text string) (marks []mark, err error) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) != 3 || words[0] != "begin" && words[0] != "end" {
			return nil, fmt.Errorf("peers: ledger, line %d: %q is not begin or end, a node and a time", n, lines.Text())
		}
		at, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil || at < 0 {
			return nil, fmt.Errorf("peers: ledger, line %d: %q is not a time in nanoseconds", n, words[2])
		}
		marks = append(marks, mark{time.Duration(at), words[1], words[0] == "begin"})
	}
	return marks, lines.Err()
}
