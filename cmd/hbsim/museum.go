package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/museum"
)

// museumCmd shows that the checks find bugs.
type museumCmd struct {
	Names  []string      `arg:"" optional:"" help:"Which mutants; without any, all." name:"mutant"`
	Jobs   int           `help:"How many at once; 0 is one for each processor."`
	Budget time.Duration `help:"How long each ring may look." default:"2m"`
	Quick  bool          `help:"Let only the first ring of each look." xor:"rings"`
	Hunt   bool          `help:"Let all but the first ring look: they find it anew, and do not know the way." xor:"rings"`
	Keep   string        `help:"Write the ways that the model checker found into this directory." type:"existingdir" placeholder:"DIR"`
	List   bool          `help:"Say which mutants there are."`
}

func (c *museumCmd) Run(ctx context.Context) error {
	all, err := c.chosen()
	if err != nil {
		return err
	}
	if c.List {
		for i := range all {
			fmt.Printf("%-34s %-14s %s\n", all[i].Name, strings.Join(all[i].Rules, " "), all[i].About)
		}
		return nil
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	house := museum.Museum{Root: root, Budget: c.Budget}
	catches, errs := make([]museum.Catch, len(all)), make([]error, len(all))
	spread(c.Jobs, len(all), func(i int) {
		if all[i].Equal == "" {
			catches[i], errs[i] = house.Hunt(ctx, &all[i], c.rings(&all[i]))
		}
		fmt.Println(catchLine(&all[i], &catches[i], errs[i]))
	})
	for i := range all {
		if c.Keep != "" && catches[i].Path != "" {
			if err := os.WriteFile(filepath.Join(c.Keep, all[i].Name+".path"), []byte(catches[i].Path), 0o600); err != nil {
				return err
			}
		}
	}
	return verdict(all, catches, errs)
}

// rings are those that look. Who knows the way is no hunter, unless nobody else is there.
func (c *museumCmd) rings(m *museum.Mutant) []museum.Ring {
	switch {
	case c.Quick:
		return m.By[:1]
	case c.Hunt && len(m.By) > 1:
		return m.By[1:]
	}
	return m.By
}

func (c *museumCmd) chosen() ([]museum.Mutant, error) {
	all, err := museum.Mutants()
	if err != nil || len(c.Names) == 0 {
		return all, err
	}
	var out []museum.Mutant
	for _, name := range c.Names {
		found := false
		for _, m := range all {
			if m.Name == name {
				out, found = append(out, m), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no mutant %q: hbsim museum --list names them all", name)
		}
	}
	return out, nil
}

func catchLine(m *museum.Mutant, c *museum.Catch, err error) string {
	head := fmt.Sprintf("%-34s %-14s", m.Name, strings.Join(m.Rules, " "))
	switch {
	case err != nil:
		return fmt.Sprintf("%s error   %v", head, err)
	case m.Equal != "":
		return fmt.Sprintf("%s equal   %s", head, m.Equal)
	case !c.Caught():
		return fmt.Sprintf("%s missed  by %d checks", head, c.Tried)
	}
	return fmt.Sprintf("%s caught  %.1fs by %s: %s", head, c.Took.Seconds(), c.Ring, c.Why)
}

func verdict(all []museum.Mutant, catches []museum.Catch, errs []error) error {
	caught, equal, missed, unknown := 0, 0, 0, 0
	for i := range all {
		switch {
		case all[i].Equal != "":
			equal++
		case errs[i] != nil:
			unknown++
		case catches[i].Caught():
			caught++
		default:
			missed++
		}
	}
	fmt.Printf("%d mutants: %d caught, %d equal to the original, %d missed, %d of which nobody knows\n", len(all), caught, equal, missed, unknown)
	if missed+unknown > 0 {
		return fmt.Errorf("%d mutants live on: what should have caught them checks less than it says", missed+unknown)
	}
	return nil
}

// moduleRoot is where the source is, which mutants are made of.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	mod := strings.TrimSpace(string(out))
	if err != nil || mod == "" || mod == os.DevNull {
		return "", fmt.Errorf("mutants are made of the source: run this inside of it (%v)", err)
	}
	return filepath.Dir(mod), nil
}
