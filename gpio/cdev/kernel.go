package cdev

import (
	"github.com/serialhb/serialhb/gpio"
	"github.com/warthog618/go-gpiocdev"
)

// kernel is the real system.
type kernel struct{}

func (kernel) names() []string { return gpiocdev.Chips() }

func (kernel) open(name string) (chip, error) {
	// Version 2 is asked for by name: the library would otherwise fall back silently when its probe fails.
	c, err := gpiocdev.NewChip(name, gpiocdev.WithConsumer(consumer), gpiocdev.WithABIVersion(2))
	if err != nil {
		return nil, err
	}
	return kernelChip{c}, nil
}

type kernelChip struct{ c *gpiocdev.Chip }

func (k kernelChip) name() string  { return k.c.Name }
func (k kernelChip) label() string { return k.c.Label }
func (k kernelChip) lines() int    { return k.c.Lines() }
func (k kernelChip) close() error  { return k.c.Close() }

func (k kernelChip) info(offset int) (info, error) {
	i, err := k.c.LineInfo(offset)
	return info{name: i.Name, consumer: i.Consumer}, err
}

func (k kernelChip) request(offset int, r request) (handle, error) {
	l, err := k.c.RequestLine(offset, options(r)...)
	if err != nil {
		return nil, err
	}
	return kernelLine{l}, nil
}

func options(r request) []gpiocdev.LineReqOption {
	switch r.direction {
	case asIs:
		return []gpiocdev.LineReqOption{gpiocdev.AsIs}
	case output:
		return []gpiocdev.LineReqOption{gpiocdev.AsOutput(r.level)}
	}
	bias := gpiocdev.WithBiasAsIs
	switch r.bias {
	case gpio.Up:
		bias = gpiocdev.WithPullUp
	case gpio.Down:
		bias = gpiocdev.WithPullDown
	}
	return []gpiocdev.LineReqOption{gpiocdev.AsInput, bias}
}

type kernelLine struct{ l *gpiocdev.Line }

func (k kernelLine) get() (int, error)     { return k.l.Value() }
func (k kernelLine) set(level int) error   { return k.l.SetValue(level) }
func (k kernelLine) drive(level int) error { return k.l.Reconfigure(gpiocdev.AsOutput(level)) }
func (k kernelLine) close() error          { return k.l.Close() }
