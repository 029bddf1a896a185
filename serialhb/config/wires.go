package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/gpio"
)

const (
	minWait   = time.Millisecond
	maxWait   = 10 * time.Minute
	maxVerify = time.Hour

	minDwell     = time.Millisecond
	defaultDwell = 10 * time.Second
	maxDwell     = 24 * time.Hour
)

// wire gives each node that drives the device its lines, and refuses a line that cannot serve.
func (c *check) wire(r *rawFence, f *fenceModel, used map[string]text) {
	f.wiring = map[int]fencing.Wiring{}
	for _, me := range f.by {
		f.wiring[me] = fencing.Wiring{SenseBias: gpio.None}
	}
	bias, mirrorBias := gpio.None, gpio.None
	if r.Sense.given {
		bias = c.bias(r, f)
	}
	if r.Mirror.given {
		mirrorBias = choose(c, r.MirrorBias, option[gpio.Bias]{"none", gpio.None}, option[gpio.Bias]{"up", gpio.Up}, option[gpio.Bias]{"down", gpio.Down})
	}
	coil, sense, mirror := c.lines(r.Line, f), c.lines(r.Sense, f), c.lines(r.Mirror, f)
	for _, me := range f.by {
		c.claim(me, coil[me], used)
		c.claim(me, sense[me], used)
		c.claim(me, mirror[me], used)
		c.doubts(r, coil[me].line, coil[me].text)
		for _, in := range []wired{sense[me], mirror[me]} {
			if in.line.Backend == "modem" {
				c.bad(in.place, "connect it to a cdev line", "%s = %q is an output, and a sense is read", in.name(), in.v)
			} else {
				c.doubts(r, in.line, in.text)
			}
		}
		f.wiring[me] = fencing.Wiring{Coil: coil[me].line, Sense: sense[me].line, Mirror: mirror[me].line, SenseBias: bias, MirrorBias: mirrorBias}
	}
}

// wired is a line and where it stands.
type wired struct {
	text
	line gpio.Line
}

// lines reads one kind of line for all nodes that drive a device.
func (c *check) lines(w wires, f *fenceModel) map[int]wired {
	found := map[int]wired{}
	if !w.set {
		return found
	}
	written := map[int]text{}
	for _, me := range f.by {
		name := c.model.nodes[me].Name
		t, ok := w.by[name]
		switch {
		case w.by == nil:
			written[me] = text{place: w.place, v: w.all}
		case !ok:
			c.bad(w.place, fmt.Sprintf(`write %s = "cdev:LABEL/NAME" into it`, name), "%s gives no line for %s, which drives this device", w.name(), name)
		case t.set:
			written[me] = t
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.by)) {
		if !slices.ContainsFunc(f.by, func(me int) bool { return c.model.nodes[me].Name == name }) {
			c.bad(w.by[name].place, "remove it, or add the node to by", "%s gives a line for %s, which does not drive this device", w.name(), name)
		}
	}
	told := map[string]bool{}
	for _, me := range slices.Sorted(maps.Keys(written)) {
		t := written[me]
		line, err := gpio.ParseLine(t.v)
		if err == nil {
			found[me] = wired{t, line}
			continue
		}
		if !told[t.v] {
			c.bad(t.place, strings.TrimPrefix(err.Error(), fmt.Sprintf("gpio: parse line %q: ", t.v)), "%s = %q names no line", t.name(), t.v)
		}
		told[t.v] = true
	}
	return found
}

// claim: a line has one holder, and the pins of a link's port are not to be played with.
func (c *check) claim(me int, w wired, used map[string]text) {
	if w.line == (gpio.Line{}) {
		return
	}
	key := fmt.Sprint(me, " ", w.line)
	if other, twice := used[key]; twice {
		c.bad(w.place, "give coil, sense and mirror contact of each device a line of its own", "%s = %q is in use on %s already (line %d)", w.name(), w.v, c.model.nodes[me].Name, other.line)
	}
	used[key] = w.text
	if w.line.Backend != "modem" {
		return
	}
	for i := range c.model.links {
		if l := &c.model.links[i]; l.kind == Serial && l.ends[me] == portOf(w.line.Name) {
			c.bad(w.place, "use a port that is no link", "%s = %q is a pin of the port of link %s", w.name(), w.v, l.name)
		}
	}
}

// doubts: periph and modem lines cannot keep every promise of gpio, and say so themselves when they are opened.
func (c *check) doubts(r *rawFence, line gpio.Line, t text) {
	why := ""
	switch {
	case r.AcceptDoubtfulLines.v:
	case line.Backend == "modem":
		why = "rises for a moment when its port is first opened after a boot"
	case line.Backend == "periph":
		why = "is not kept from other programs, nor known to be gone when its hardware is"
	}
	if why != "" {
		c.bad(t.place, "use a cdev line, or write accept_doubtful_lines = true", "%s = %q %s", t.name(), t.v, why)
	}
}

// noLine stands for a line when only the times of a device are asked for. Nothing ever reads or drives it.
type noLine struct{}

var errNoLine = errors.New("config: this line is not open")

func (noLine) Set(bool) error     { return errNoLine }
func (noLine) Get() (bool, error) { return false, errNoLine }
func (noLine) Close() error       { return nil }
