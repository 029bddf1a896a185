package control

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// columns is the width of a plain terminal.
const columns = 80

// page collects text and is written at once, so that a reader never sees half of it.
type page struct{ strings.Builder }

// line puts words at an indentation, on as many lines as they need; those that follow are indented two further.
func (p *page) line(indent int, words string) { p.hang(indent, indent+2, words) }

// hang does the same, with an indentation of its own for the lines that follow.
func (p *page) hang(indent, next int, words string) {
	rest := plain(words)
	for margin := indent; ; margin = next {
		head := rest
		if room := columns - margin; len(head) > room {
			cut := strings.LastIndexByte(head[:room+1], ' ')
			if cut <= 0 {
				cut = strings.IndexByte(head, ' ')
			}
			if cut > 0 {
				head = head[:cut]
			}
		}
		p.WriteString(strings.Repeat(" ", margin))
		p.WriteString(head)
		p.WriteByte('\n')
		if rest = strings.TrimLeft(rest[len(head):], " "); rest == "" {
			return
		}
	}
}

// blank parts what follows from what stands there already.
func (p *page) blank() {
	if p.Len() > 0 {
		p.WriteByte('\n')
	}
}

func (p *page) to(w io.Writer) error {
	_, err := io.WriteString(w, p.String())
	return err
}

// plain takes out what would drive a terminal: some of the text comes from programs and from people.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, text)
}

// ago says how old something is, from milliseconds.
func ago(ms float64) string { return span(time.Duration(ms*float64(time.Millisecond))) + " ago" }

// span is a duration with as many figures as people use.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// list joins names as a sentence does.
func list(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
