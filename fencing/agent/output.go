package agent

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/serialhb/serialhb/fencing"
)

const (
	// keepText is how much of an agent's output is kept for people.
	keepText = 4 << 10
	// keepMetadata is the same for what it tells of itself; the longest of fence-agents is 11 kB.
	keepMetadata = 1 << 20
	// shown is how much of it an error says.
	shown = 300
)

// text is the beginning of an output.
type text struct {
	bytes []byte
	cut   bool // there was more
}

// sink reads an output to its end and keeps its beginning.
type sink struct {
	read, write *os.File
	keep        int
	got         text // of the reading goroutine, until done is closed
	done        chan struct{}
}

func openSink(keep int) (*sink, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a pipe for the output of the agent: %w", err)
	}
	s := &sink{read: r, write: w, keep: keep, done: make(chan struct{})}
	go s.drain()
	return s, nil
}

func (s *sink) drain() {
	defer close(s.done)
	buf := make([]byte, 32<<10)
	for {
		n, err := s.read.Read(buf)
		room := min(n, s.keep-len(s.got.bytes))
		s.got.bytes = append(s.got.bytes, buf[:room]...)
		s.got.cut = s.got.cut || room < n
		if err != nil {
			return
		}
	}
}

// finish closes the sink. A child that still holds the other end is not waited for.
func (s *sink) finish() text {
	s.write.Close() // does nothing if it is closed already
	late := time.NewTimer(drainGrace)
	defer late.Stop()
	select {
	case <-s.done:
	case <-late.C:
	}
	s.read.Close()
	<-s.done
	return s.got
}

// redactor takes passwords out of what people get to read.
type redactor struct {
	secrets []string // longest first
	replace *strings.Replacer
}

const hidden = "***"

func newRedactor(params map[string]string) redactor {
	var r redactor
	for name, value := range params {
		if fencing.SecretOption(name) && value != "" {
			r.secrets = append(r.secrets, value, url.QueryEscape(value), url.PathEscape(value))
		}
	}
	slices.SortFunc(r.secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range r.secrets {
		pairs = append(pairs, s, hidden)
	}
	r.replace = strings.NewReplacer(pairs...)
	return r
}

// clean removes the secrets, also one of which the end was cut off.
func (r redactor) clean(t text) string {
	s := r.replace.Replace(string(t.bytes))
	if !t.cut {
		return s
	}
	most := 0
	for _, secret := range r.secrets {
		for n := len(secret) - 1; n > most; n-- {
			if strings.HasSuffix(s, secret[:n]) {
				most = n
			}
		}
	}
	if most == 0 {
		return s
	}
	return s[:len(s)-most] + hidden
}

// words is what an agent wrote as the end of a sentence, on one line.
func (a *Agent) words(end ending) string {
	var lines []string
	for _, t := range []text{end.err, end.out} {
		for line := range strings.Lines(a.secrets.clean(t)) {
			if line = strings.TrimSpace(strings.Map(printable, line)); line != "" {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) == 0 {
		return ""
	}
	// On one line two pieces may have become a secret that was none before.
	return ": " + brief(a.secrets.replace.Replace(strings.Join(lines, "; ")))
}

// brief is the beginning of a text, as much of it as an error says.
func brief(s string) string {
	if len(s) > shown {
		return strings.ToValidUTF8(s[:shown], "") + "..."
	}
	return s
}

func printable(r rune) rune {
	if unicode.IsPrint(r) || r == '\n' {
		return r
	}
	return ' '
}
