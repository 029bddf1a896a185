package museum

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Museum is the source that mutants are made of, and what the rings say of that itself. Several hunts may run at once.
type Museum struct {
	Root   string        // of the module
	Budget time.Duration // for each ring

	mu       sync.Mutex
	controls map[Ring]func() error
}

// Catch is what became of a mutant.
type Catch struct {
	Ring  Ring          // that caught it; the zero value is none
	Took  time.Duration // of the ring, without the build
	Why   string        // what the ring said
	Path  string        // the way to it, as the model checker prints it, or ""
	Tried int           // rings
}

// Caught says whether a ring caught it.
func (c *Catch) Caught() bool { return c.Ring.Run != "" }

// Hunt lets some of the rings of a mutant look for it, one after the other. The error is one of the hunt, not of the mutant: it
// does not build, its lines are gone, ctx is over, or a ring complains of the source itself.
func (m *Museum) Hunt(ctx context.Context, mutant *Mutant, rings []Ring) (c Catch, err error) {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return c, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := mutant.Overlay(m.Root, dir)
	if err != nil {
		return c, err
	}
	built := map[string]string{}
	for _, ring := range rings {
		if err := m.control(ctx, ring); err != nil {
			return c, err
		}
		program := built[ring.Package]
		if program == "" {
			if program, err = m.build(ctx, ring.Package, dir, "-overlay", overlay); err != nil {
				return c, fmt.Errorf("mutant %s: %w", mutant.Name, err)
			}
			built[ring.Package] = program
		}
		c.Tried++
		began := time.Now()
		said, err := m.look(ctx, program, ring)
		if err != nil && !errors.Is(err, errTimeOver) { // whose time is over has found nothing
			return c, err
		}
		if said != "" {
			c.Ring, c.Took, c.Why, c.Path = ring, time.Since(began), complaint(said), path(said)
			return c, nil
		}
	}
	return c, nil
}

// control asks a ring about the source as it is, once: a ring that complains of that catches nothing, and of one that was not
// through with it nobody knows.
func (m *Museum) control(ctx context.Context, ring Ring) error {
	m.mu.Lock()
	if m.controls == nil {
		m.controls = map[Ring]func() error{}
	}
	once := m.controls[ring]
	if once == nil {
		once = sync.OnceValue(func() error { return m.mustHold(ctx, ring) })
		m.controls[ring] = once
	}
	m.mu.Unlock()
	return once()
}

func (m *Museum) mustHold(ctx context.Context, ring Ring) error {
	dir, err := os.MkdirTemp("", "control-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program, err := m.build(ctx, ring.Package, dir)
	if err != nil {
		return err
	}
	return m.holds(ctx, program, ring)
}

// holds asks a ring about a program without a mutant. One that was not through in time did not say that all is well.
func (m *Museum) holds(ctx context.Context, program string, ring Ring) error {
	said, err := m.look(ctx, program, ring)
	switch {
	case errors.Is(err, errTimeOver):
		return fmt.Errorf("%s was not run: of the source itself it said nothing within %v, so give it a longer --budget", ring, m.Budget)
	case err == nil && said != "":
		return fmt.Errorf("%s complains of the source itself: %s", ring, complaint(said))
	}
	return err
}

// errTimeOver is a ring that was not through when its time was over.
var errTimeOver = errors.New("its time was over")

func (m *Museum) build(ctx context.Context, pkg, dir string, flags ...string) (program string, err error) {
	program = filepath.Join(dir, strings.ReplaceAll(pkg, "/", "-")+".test")
	build := exec.CommandContext(ctx, "go", append(append([]string{"test", "-c", "-o", program}, flags...), "./"+pkg)...)
	build.Dir = m.Root
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s does not build: %w\n%s", pkg, err, said)
	}
	return program, nil
}

// look runs one ring, and gives what it said if it complained, or "". The error is errTimeOver if it was not through in time. One
// that ends without a complaint of its own, killed for its memory for example, is an error, too.
func (m *Museum) look(ctx context.Context, program string, ring Ring) (string, error) {
	bounded, stop := context.WithTimeout(ctx, m.Budget)
	defer stop()
	var said bytes.Buffer
	args := append([]string{"-test.run", anchored(ring.Run), "-test.failfast", "-test.v"}, strings.Fields(ring.Flags)...)
	test := exec.CommandContext(bounded, program, args...)
	test.Dir = filepath.Join(m.Root, filepath.FromSlash(ring.Package))
	test.Stdout, test.Stderr = &said, &said
	err := test.Run()
	text := said.String()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case bounded.Err() != nil:
		return "", errTimeOver
	case err != nil && (strings.Contains(text, "--- FAIL") || strings.Contains(text, "\npanic: ") || strings.HasPrefix(text, "panic: ")):
		return text, nil
	case err != nil:
		return "", fmt.Errorf("%s ended without a word of its own: %w", ring, err)
	case !strings.Contains(text, "--- PASS: "+ring.Run+" ("):
		return "", fmt.Errorf("there is no test %s in %s", ring.Run, ring.Package)
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
		where, what, ok := strings.Cut(line, ".go:")
		if _, what, _ = strings.Cut(what, ": "); ok && !strings.Contains(where, " ") && what != "" {
			return strings.TrimSuffix(what, ":")
		}
		if strings.HasPrefix(line, "panic: ") {
			return line
		}
	}
	return "it failed"
}

// path is the first path of the model checker in what a test said, or "".
func path(said string) string {
	var out strings.Builder
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		switch {
		case out.Len() == 0 && !strings.HasPrefix(line, "scope "):
		case line == "" || strings.Contains(line, ".go:") || strings.HasPrefix(line, "---"):
			if out.Len() > 0 {
				return out.String()
			}
		default:
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}
