package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/failover/explore"
)

// exploreCmd goes through all that can happen within the limits of a scope.
type exploreCmd struct {
	Scopes   []string      `arg:"" optional:"" help:"Which scopes; without any, all of them, each only as deep as go test goes." name:"scope"`
	List     bool          `help:"Say which scopes there are, and what may happen in each."`
	Depth    int           `help:"Go so many moves deep at most."`
	Clusters uint64        `help:"Stop when so many clusters were met."`
	Workers  int           `help:"Look at so many at once; 0 is one for each processor."`
	For      time.Duration `help:"Stop after so long."`
	Saw      bool          `help:"Say how often members told what."`
}

func (c *exploreCmd) Run(ctx context.Context) error {
	if c.List {
		for i := range explore.Scopes {
			fmt.Printf("%-12s %s\n", explore.Scopes[i].Name, explore.Scopes[i].About)
		}
		return nil
	}
	shallow := len(c.Scopes) == 0
	if shallow {
		for i := range explore.Scopes {
			c.Scopes = append(c.Scopes, explore.Scopes[i].Name)
		}
	}
	scopes := make([]*explore.Scope, len(c.Scopes))
	for i, name := range c.Scopes {
		var err error
		if scopes[i], err = explore.ScopeNamed(name); err != nil {
			return err
		}
	}
	asked := ctx
	if c.For > 0 {
		var stop func()
		ctx, stop = context.WithTimeout(ctx, c.For)
		defer stop()
	}
	for _, s := range scopes {
		depth := c.Depth
		if shallow && depth == 0 {
			depth = s.Depth
		}
		began := time.Now()
		r := explore.Search(s, c.spread, func(r *explore.Result) bool {
			progress(s, r, time.Since(began))
			return ctx.Err() != nil || depth > 0 && r.Depth >= depth || c.Clusters > 0 && r.Clusters >= c.Clusters
		})
		clearLine()
		fmt.Println(summary(&r, time.Since(began), workersOr(c.Workers)))
		if c.Saw {
			for code, n := range r.Saw {
				if n > 0 {
					fmt.Printf("  %-22s %d\n", failover.Code(code), n)
				}
			}
		}
		if r.Bad != "" {
			return fmt.Errorf("%s\n%s# then: %s", "it is not always so:", r.Path, r.Bad)
		}
	}
	return asked.Err()
}

func (c *exploreCmd) spread(jobs int, job func(int)) { spread(c.Workers, jobs, job) }

// progress tells how far a search is, to people only.
func progress(s *explore.Scope, r *explore.Result, took time.Duration) {
	if !watched() {
		return
	}
	fmt.Fprintf(os.Stderr, "\r%-12s %3d deep, %d clusters, %d of them waiting, %.0f/s \x1b[K", s.Name, r.Depth, r.Clusters, r.Waiting,
		float64(r.Clusters)/took.Seconds())
}

func summary(r *explore.Result, took time.Duration, workers int) string {
	how := "exhausted"
	switch {
	case r.Bad != "":
		how = "BROKEN"
	case !r.Exhausted:
		how = "left before its end"
	}
	parts := []string{
		fmt.Sprintf("%-12s %s: %d clusters, %d moves, %d deep", r.Scope, how, r.Clusters, r.Moves, r.Depth),
		fmt.Sprintf("%s, %.0f clusters/s and worker", took.Round(time.Millisecond), float64(r.Clusters)/took.Seconds()/float64(workers)),
		fmt.Sprintf("%d bytes each, %d of them kept", r.Bytes/max(r.Clusters, 1), r.Kept/max(r.Clusters, 1)),
		fmt.Sprintf("one missed with a probability of %.1g at most", r.Omitted()),
	}
	return strings.Join(parts, "; ")
}
