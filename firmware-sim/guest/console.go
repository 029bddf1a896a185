package guest

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

// lastLines is how much of what a guest said is kept for an error.
const lastLines = 15

// console takes what the guest says: whole lines go on, and the last one of all is understood.
type console struct {
	out  io.Writer
	err  error // of out
	part []byte
	tail []string

	ended bool
	exit  int
}

// Write never fails, for the emulator would wait for ever: what out refuses is told afterwards.
func (c *console) Write(b []byte) (int, error) {
	c.part = append(c.part, b...)
	for {
		line, rest, ok := bytes.Cut(c.part, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		c.part = rest
		c.line(strings.TrimRight(string(line), "\r"))
	}
}

func (c *console) flush() {
	if len(c.part) > 0 {
		c.line(strings.TrimRight(string(c.part), "\r"))
	}
	c.part = nil
}

func (c *console) line(text string) {
	if code, ok := strings.CutPrefix(text, lastLine); ok {
		if n, err := strconv.Atoi(code); err == nil {
			c.ended, c.exit = true, n
			return
		}
	}
	c.tail = append(c.tail, text)
	c.tail = c.tail[max(0, len(c.tail)-lastLines):]
	if c.err == nil {
		_, c.err = io.WriteString(c.out, text+"\n")
	}
}

func (c *console) last() string {
	if len(c.tail) == 0 {
		return "nothing"
	}
	return strings.Join(c.tail, "\n")
}
