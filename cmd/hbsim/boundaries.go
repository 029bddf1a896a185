package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/boundary"
)

// boundariesCmd kills the survivor of a takeover at every system call that changes something.
type boundariesCmd struct {
	program
	By      string `help:"How the owner is lost: ${enum}." enum:"power-off,freeze,both" default:"both"`
	Every   int    `help:"Only every so many-th." default:"1"`
	Only    string `help:"Only those whose name has this in it." placeholder:"TEXT"`
	List    bool   `help:"List the boundaries and kill nobody."`
	Surveys int    `help:"Takeovers that are watched for the list; each sees some that another does not." default:"3"`
	Tries   int    `help:"Runs for a boundary that does not come." default:"5"`
	Jobs    int    `help:"Racks at a time; 0 is one for each processor." default:"0"`
}

func (c *boundariesCmd) Run(ctx context.Context) error {
	binary, clean, err := c.binary(ctx)
	if err != nil {
		return err
	}
	defer clean()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("hbsim: find this program: %w", err)
	}
	if err := boundary.Possible(self); err != nil {
		return err
	}
	t := boundary.Tour{Program: boundary.Program{Binary: binary, Self: self}, Losses: boundary.Losses,
		Surveys: max(1, c.Surveys), Only: c.Only, Every: c.Every, Jobs: workersOr(c.Jobs), Tries: c.Tries}
	if c.By != "both" {
		t.Losses = []string{c.By}
	}
	list, err := t.List(ctx)
	if err != nil {
		return err
	}
	if c.List {
		for _, s := range list {
			fmt.Printf("%s, in %d of %d takeovers\n", s.Name(), s.Seen, t.Surveys)
		}
		fmt.Printf("%d boundaries\n", len(list))
		return nil
	}
	began, told := time.Now(), 0
	done := t.Go(ctx, list, func(s boundary.Stop) {
		told++
		fmt.Printf("%4d/%d %s\n", told, len(list), s)
		if s.Result() == "FAILED" {
			fmt.Println(s.Err)
			fmt.Println(s.Report)
		}
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	sum := boundary.Count(done)
	fmt.Printf("%s, in %s\n", sum, time.Since(began).Round(time.Second))
	return sum.Err()
}
