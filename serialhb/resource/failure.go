package resource

import (
	"fmt"
	"strings"
	"syscall"
	"unicode"
)

// lastWords bounds what an error sentence quotes of a command's output, in bytes.
const lastWords = 200

// CommandError says how a command failed. Output holds the last 4 KiB of what it wrote; the sentence quotes its last
// line.
type CommandError struct {
	Resource string
	Action   Action
	Path     string
	Code     int            // exit code, -1 if it did not exit by itself
	Signal   syscall.Signal // the signal that ended it, 0 is none
	Output   string
	Cause    error // why it could not be run or was cut short; nil if its ending says all
}

func (e *CommandError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "resource: %s %s: run %s", e.Action, e.Resource, e.Path)
	switch {
	case e.Signal != 0 && e.Cause == nil:
		fmt.Fprintf(&b, ": it was ended by the signal %q", e.Signal.String())
	case e.Code > 0:
		fmt.Fprintf(&b, ": it exited with code %d", e.Code)
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	if line := lastLine(e.Output); line != "" {
		fmt.Fprintf(&b, "; its last words were %q", line)
	}
	return b.String()
}

func (e *CommandError) Unwrap() error { return e.Cause }

// lastLine is the last line with anything in it, fit for a sentence.
func lastLine(output string) string {
	output = strings.TrimRightFunc(strings.ToValidUTF8(output, "?"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	if i := strings.LastIndexByte(output, '\n'); i >= 0 {
		output = output[i+1:]
	}
	if len(output) > lastWords {
		output = "..." + strings.ToValidUTF8(output[len(output)-lastWords:], "")
	}
	return strings.TrimSpace(output)
}

// several is many errors in one sentence.
type several []error

// joined is nil for none, the error itself for one.
func joined(all []error) error {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return several(all)
}

func (s several) Error() string {
	parts := make([]string, len(s))
	for i, err := range s {
		parts[i] = err.Error()
	}
	return strings.Join(parts, "; ")
}

func (s several) Unwrap() []error { return s }
