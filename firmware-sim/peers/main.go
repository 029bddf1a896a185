// Command peers puts serialhb beside Linux-HA heartbeat and keepalived: each is given the same misfortunes, and what
// became of the service is read from a ledger. README.md has the results and says what they leave out.
//
// What belongs here: the scenarios, the arithmetic of the ledger, and for each program what starts a pair of it. Nodes
// of heartbeat and keepalived live in namespaces without names, which end with their last process: nothing is left on
// the host, whichever way this command ends.
//
// Exit codes: 0 everything was measured, 1 something could not be, 2 usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Hidden first arguments: what this program is when it starts itself.
const (
	argNode     = "in-namespace"
	argSwitch   = "as-switch"
	argResource = "as-resource"
)

type options struct {
	serialhb string
	only     string
	scenario string
	times    int
	jobs     int
	json     bool
	logs     string
}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case argNode:
			os.Exit(nodeMain(os.Args[2:]))
		case argSwitch:
			os.Exit(switchMain(os.Args[2:]))
		case argResource:
			os.Exit(resourceMain(os.Args[2:]))
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	var o options
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.StringVar(&o.serialhb, "serialhb", "", "the program `file`; without it, it is built from the source around")
	flags.StringVar(&o.only, "only", "", "only what has this in its `name`: serialhb, heartbeat or keepalived")
	flags.StringVar(&o.scenario, "scenario", "", "only the scenarios that have this in their `name`: "+strings.Join(scenarioNames(), ", "))
	flags.IntVar(&o.times, "times", 1, "how often each scenario is told")
	flags.IntVar(&o.jobs, "jobs", 1, "pairs at a time; all are nearly idle, but who waits for a processor is late")
	flags.BoolVar(&o.json, "json", false, "print results as JSON")
	flags.StringVar(&o.logs, "logs", "", "keep what heartbeat and keepalived wrote in this `folder`")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0 || o.times < 1 || o.jobs < 1:
		fmt.Fprintln(os.Stderr, "peers: write flags only; -times and -jobs are 1 or more")
		return 2
	}
	if err := compare(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// compare plays everything that can be played here, and prints it.
func compare(ctx context.Context, o options) error {
	var skipped []string
	var programs []program
	for _, p := range all() {
		if !strings.Contains(p.name(), o.only) {
			continue
		}
		if why := p.missing(); why != "" {
			skipped = append(skipped, why)
			continue
		}
		programs = append(programs, p)
	}
	slices.Sort(skipped)
	skipped = slices.Compact(skipped)
	if len(skipped) == 0 && len(plan(programs, o)) == 0 {
		return errors.New("peers: nothing is called that; -h lists the programs and the scenarios")
	}
	bench, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer bench.close()
	report := Report{Taken: time.Now().UTC().Format(time.RFC3339), Skipped: skipped}
	awake, sleep := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { report.LatenessMS = ms(lateness(awake)) })
	results := bench.play(ctx, plan(programs, o))
	sleep()
	watch.Wait()
	report.Results = collect(results)
	write := report.table
	if o.json {
		write = report.json
	}
	err = write(os.Stdout)
	for _, r := range results {
		if r.err != nil {
			err = errors.Join(err, fmt.Errorf("peers: %s, %s: %w", r.program.name(), r.scenario.name, r.err))
		}
	}
	return err
}
