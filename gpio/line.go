package gpio

import (
	"fmt"
	"strings"
)

// Line is the name of one line: the backend that reaches it and its name there.
type Line struct {
	Backend string // cdev, periph, modem or sim
	Name    string // LABEL/NAME-or-OFFSET, NAME, DEVICE/rts or DEVICE/dtr, NAME
}

func (l Line) String() string { return l.Backend + ":" + l.Name }

// ParseLine reads a name of one of these forms:
//
//	cdev:LABEL/NAME-or-OFFSET   a line of the GPIO chip with that label
//	periph:NAME                 a pin that a periph.io host driver knows by that name
//	modem:DEVICE/rts            RTS or DTR of a serial port that is not a link
//	sim:NAME                    a line of the simulated board
//
// A bare name is refused: two backends may know it.
func ParseLine(s string) (Line, error) {
	backend, name, found := strings.Cut(s, ":")
	if !found {
		bare := strings.TrimPrefix(s, "/")
		return Line{}, fmt.Errorf("gpio: parse line %q: say who reaches it by writing cdev:LABEL/%s, periph:%s, modem:DEVICE/rts or sim:%s", s, bare, bare, bare)
	}
	l := Line{Backend: backend, Name: name}
	var wrong string
	switch backend {
	case "cdev":
		if label, line, ok := strings.Cut(name, "/"); !ok || label == "" || line == "" {
			wrong = "write cdev:LABEL/NAME or cdev:LABEL/OFFSET, with the label that the chip bears"
		}
	case "periph", "sim":
		if name == "" || strings.ContainsAny(name, " \t\r\n/") {
			wrong = "write " + backend + ":NAME, without spaces or slashes"
		}
	case "modem":
		if !strings.HasPrefix(name, "/") || !(strings.HasSuffix(name, "/rts") || strings.HasSuffix(name, "/dtr")) {
			wrong = "write modem:DEVICE/rts or modem:DEVICE/dtr, with the whole path of the device"
		}
	default:
		wrong = "the backend before the colon must be cdev, periph, modem or sim"
	}
	if wrong != "" {
		return Line{}, fmt.Errorf("gpio: parse line %q: %s", s, wrong)
	}
	return l, nil
}
