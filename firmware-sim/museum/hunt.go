package museum

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Catch is what became of a mutant.
type Catch struct {
	Mutant *Mutant
	Ring   Ring          // that caught it
	Took   time.Duration // of the ring, without the build
	Built  time.Duration
	Why    string // what the ring said
	Tried  int    // rings
}

// Caught says whether a ring caught it.
func (c *Catch) Caught() bool { return c.Why != "" }

// Hunt lets the rings of a mutant look for it, one after the other, each for so long. The error is one of the hunt, not of
// the mutant: it does not build, or its lines are gone. Several hunts may run at once.
func Hunt(ctx context.Context, root string, m *Mutant, budget time.Duration) (Catch, error) {
	c := Catch{Mutant: m}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return c, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := m.Overlay(root, dir)
	if err != nil {
		return c, err
	}
	built := map[string]string{}
	for _, ring := range m.By {
		program := built[ring.Package]
		if program == "" {
			program = filepath.Join(dir, fmt.Sprintf("ring%d.test", len(built)))
			began := time.Now()
			build := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay, "-o", program, "./"+ring.Package)
			build.Dir = root
			if said, err := build.CombinedOutput(); err != nil {
				return c, fmt.Errorf("mutant %s does not build: %w\n%s", m.Name, err, said)
			}
			built[ring.Package] = program
			c.Built += time.Since(began)
		}
		c.Tried++
		began := time.Now()
		why, err := look(ctx, program, filepath.Join(root, filepath.FromSlash(ring.Package)), ring, budget)
		if err != nil {
			return c, fmt.Errorf("mutant %s: %w", m.Name, err)
		}
		if why != "" {
			c.Ring, c.Took, c.Why = ring, time.Since(began), why
			return c, nil
		}
	}
	return c, nil
}

// look runs one ring, and gives the first thing that it complained of, or "".
func look(ctx context.Context, program, dir string, ring Ring, budget time.Duration) (string, error) {
	ctx, stop := context.WithTimeout(ctx, budget)
	defer stop()
	var said bytes.Buffer
	args := append([]string{"-test.run", anchored(ring.Run), "-test.failfast", "-test.v"}, strings.Fields(ring.Flags)...)
	test := exec.CommandContext(ctx, program, args...)
	test.Dir, test.Stdout, test.Stderr = dir, &said, &said
	err := test.Run()
	switch {
	case ctx.Err() != nil:
		return "", nil // its time is over, and it had found nothing
	case err != nil:
		return complaint(said.String()), nil
	case !strings.Contains(said.String(), "--- PASS"):
		return "", fmt.Errorf("there is no test %s in %s", ring.Run, dir)
	}
	return "", nil
}

func anchored(run string) string {
	parts := strings.Split(run, "/")
	for i := range parts {
		parts[i] = "^" + regexp.QuoteMeta(parts[i]) + "$"
	}
	return strings.Join(parts, "/")
}

// complaint is the first line of a failed test that says what is wrong.
func complaint(said string) string {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if where, what, ok := strings.Cut(line, ".go:"); ok && !strings.Contains(where, " ") {
			_, what, _ = strings.Cut(what, ": ")
			return what
		}
		if strings.HasPrefix(line, "panic: ") {
			return line
		}
	}
	return "it failed"
}
