package story

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
)

// JSON reports one JSON object a line; see [Entry].
func JSON(out io.Writer) Sink {
	enc := json.NewEncoder(out)
	return func(e Entry) error {
		if err := enc.Encode(e); err != nil {
			return fmt.Errorf("story: write report: %w", err)
		}
		return nil
	}
}

// Text reports everything in words.
func Text(out io.Writer) Sink {
	return func(e Entry) error { return write(out, e.words()) }
}

// Headless reports chapters, takeovers, failures and the summary in words.
func Headless(out io.Writer) Sink {
	return func(e Entry) error {
		switch e.Type {
		case "start", "step", "event":
			return nil
		}
		return write(out, e.words())
	}
}

func write(out io.Writer, text string) error {
	if text == "" {
		return nil
	}
	if _, err := io.WriteString(out, text); err != nil {
		return fmt.Errorf("story: write report: %w", err)
	}
	return nil
}

// Columns of the report: the time of the story, then what is told; events are set in by the time since their cause.
const (
	indent = "            "
	width  = 100
)

// busy is from which lateness on, in milliseconds, a reader should know of it.
const busy = 20

func (e Entry) words() string {
	switch e.Type {
	case "start":
		return e.stamp("the rack is switched on") + wrap(e.Text+".")
	case "chapter":
		return "\n== " + e.Text + " ==\n"
	case "step":
		text := e.stamp(fmt.Sprintf("%s  [%s]", e.Text, words(e.TookMS)))
		for line := range strings.Lines(e.Said) {
			text += indent + "| " + strings.TrimRight(line, "\n") + "\n"
		}
		return text
	case "event":
		return fmt.Sprintf("%s%+10.1f ms  %s\n", indent, e.SinceMS, e.Text)
	case "takeover":
		return wrap(e.Takeover.String() + ".")
	case "failed":
		return e.failure()
	case "summary":
		return e.Summary.words()
	case "medians":
		return e.Medians.words()
	}
	return ""
}

func (e Entry) stamp(text string) string { return fmt.Sprintf("%8.3f s  %s\n", e.AtMS/1000, text) }

func (e Entry) failure() string {
	text := "\nFAILED " + e.Text + "\n"
	if e.Line != 0 {
		text = fmt.Sprintf("\nFAILED in line %d: %s\n", e.Line, e.Text)
	}
	if e.Seen != "" {
		text += "what was there instead:\n"
		for part := range strings.SplitSeq(e.Seen, "; ") {
			text += "    " + part + "\n"
		}
	}
	for _, n := range Nodes {
		if len(e.Logs[n]) > 0 {
			text += "the last that the daemon of " + n + " wrote:\n    " + strings.Join(e.Logs[n], "\n    ") + "\n"
		}
	}
	return text
}

func (s *Summary) words() string {
	text := fmt.Sprintf("\n== %s ==\n", map[bool]string{true: "Every step held", false: "THE STORY FAILED"}[s.OK])
	for _, c := range s.Chapters {
		text += fmt.Sprintf("  %-60.60s outage %9s   fences %d   takeovers %d\n", c.Title, words(c.OutageMS), c.Fences, c.Takeovers)
	}
	text += fmt.Sprintf("%d steps in %.1f s, %d fences, %d takeovers; two owners at once: %s\n",
		s.Steps, s.TookMS/1000, s.Fences, s.Takeovers, map[bool]string{true: "never", false: fmt.Sprintf("%d TIMES", s.Overlaps)}[s.Overlaps == 0])
	if s.LatenessMS >= busy {
		text += fmt.Sprintf("This machine is busy: it was up to %s late to wake the lab itself, and so the nodes.\n", words(s.LatenessMS))
	}
	return text
}

// wrap sets a long text in.
func wrap(text string) string {
	lines, line := "", indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+len(word) > width && line != indent {
			lines, line = lines+strings.TrimRight(line, " ")+"\n", indent
		}
		line += word + " "
	}
	return lines + strings.TrimRight(line, " ") + "\n"
}

// tellBoard puts a physical event into words; what nobody needs to read is empty.
func tellBoard(e board.Event) string {
	target := targetOf(e.Name)
	switch e.Kind + " " + e.Value {
	case "coil on":
		return "the coil of " + e.Name + " is energised"
	case "coil off":
		return "the coil of " + e.Name + " is let go"
	case "contact open":
		return "the contact of " + e.Name + " opens: the feed of " + target + " is cut"
	case "contact closed":
		return "the contact of " + e.Name + " closes"
	case "mains off":
		return "the mains of " + e.Name + " are gone"
	case "mains on":
		return "the mains of " + e.Name + " are back"
	case "power holdup":
		return e.Name + " lives on the hold-up of its supply"
	case "power dying":
		return "the DC of " + e.Name + " has gone"
	case "power off":
		return e.Name + " is off, nothing of it runs any more"
	case "power on":
		return e.Name + " has power"
	case "sense 0":
		return e.Name + " falls: it reads off"
	case "sense 1":
		return e.Name + " rises: it reads on"
	}
	switch e.Kind {
	case "run":
		verb, node, _ := strings.Cut(e.Value, " ")
		return fmt.Sprintf("ledger: %s %ss on %s", e.Name, verb, node)
	case "host":
		return "the host of " + e.Name + ": " + e.Value
	}
	return e.Kind + " " + e.Name + " " + e.Value
}
