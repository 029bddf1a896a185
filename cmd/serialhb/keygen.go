package main

import (
	"fmt"

	"github.com/serialhb/serialhb/serialhb/config"
)

type keygenCmd struct {
	File string `arg:"" help:"The file to make."`
}

func (c *keygenCmd) Run(t *terminal) error {
	if err := config.WriteKey(c.File); err != nil {
		return err
	}
	return t.say(fmt.Sprintf("a new key is in %s; copy it to the other nodes, readable by the daemon's user only", c.File))
}
