package main

import (
	"fmt"

	"github.com/serialhb/serialhb/firmware-sim/chance"
)

// storyCmd writes a story down, for serialhb lab or for a test.
type storyCmd struct {
	Seed   uint64 `help:"The seed." default:"1"`
	Orders int    `help:"Orders in the story." default:"20"`
	For    string `arg:"" enum:"rack,world" help:"rack for serialhb lab, world for serialhb/failover/testdata."`
}

func (c *storyCmd) Run() error {
	dialect := chance.Rack
	if c.For == "world" {
		dialect = chance.World
	}
	_, err := fmt.Print(chance.Story(c.Seed, c.Orders, dialect))
	return err
}
