package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// program is the serialhb that the real processes run.
type program struct {
	Serialhb string `help:"The program; without it, it is built from the source around." placeholder:"FILE"`
}

// binary builds serialhb unless one is given; clean takes it away again.
func (c *program) binary(ctx context.Context) (path string, clean func(), err error) {
	if c.Serialhb != "" {
		path, err := filepath.Abs(c.Serialhb)
		return path, func() {}, err
	}
	dir, err := os.MkdirTemp("", "hbsim")
	if err != nil {
		return "", nil, fmt.Errorf("hbsim: make folder: %w", err)
	}
	clean = func() { os.RemoveAll(dir) }
	path = filepath.Join(dir, "serialhb")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "github.com/serialhb/serialhb/cmd/serialhb")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		clean()
		return "", nil, errors.Join(fmt.Errorf("hbsim: build serialhb: %w; run it where the source is, or name the program with --serialhb", err), errors.New(string(said)))
	}
	return path, clean, os.Chmod(path, 0o755)
}
