package main

import (
	"fmt"
	"runtime"
)

type versionCmd struct {
	JSON bool `help:"Print JSON."`
}

func (c *versionCmd) Run(t *terminal) error {
	if c.JSON {
		return t.json(struct {
			Version string `json:"version"`
			Go      string `json:"go"`
			OS      string `json:"os"`
			Arch    string `json:"arch"`
		}{Version, runtime.Version(), runtime.GOOS, runtime.GOARCH})
	}
	return t.say(fmt.Sprintf("serialhb %s (%s, %s/%s)", Version, runtime.Version(), runtime.GOOS, runtime.GOARCH))
}
