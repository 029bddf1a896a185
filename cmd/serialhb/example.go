package main

import (
	"fmt"

	"github.com/serialhb/serialhb/serialhb/config"
)

type exampleCmd struct {
	Cluster string   `help:"The name of the cluster." default:"plant-7" placeholder:"NAME"`
	Nodes   []string `arg:"" optional:"" help:"The names of the nodes; alpha and bravo if left out."`
}

func (c *exampleCmd) Run(t *terminal) error {
	_, err := fmt.Fprint(t.out, config.Example(c.Cluster, c.Nodes...))
	return err
}
