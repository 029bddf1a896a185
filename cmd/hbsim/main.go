// Command hbsim is for developers and sceptics: it lets chance do its worst to the program, and counts.
//
// Exit codes: 0 everything held, 1 something did not, 2 usage; of guest, those of the command in it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/serialhb/serialhb/firmware-sim/boundary"
)

type cli struct {
	World      worldCmd      `cmd:"" help:"Play random stories in simulated time."`
	Rack       rackCmd       `cmd:"" help:"Play random stories with real processes."`
	Cost       costCmd       `cmd:"" help:"Measure what an idle pair costs."`
	Endure     endureCmd     `cmd:"" help:"Lose the owner again and again, and look whether the daemon grows."`
	Explore    exploreCmd    `cmd:"" help:"Go through everything that can happen to a few members, in every order."`
	Museum     museumCmd     `cmd:"" help:"Show that the checks find bugs: build each mutant of the source, and let them look."`
	Story      storyCmd      `cmd:"" help:"Write down the story of a seed."`
	Boundaries boundariesCmd `cmd:"" help:"Kill the survivor's daemon at every system call boundary of a takeover, and see the pair recover."`

	Guest guestCmd `cmd:"" help:"Run a story or a command in an emulated machine, whose clock may be set."`

	GuestInit guestInitCmd `cmd:"" hidden:"" help:"Be the first process of such a machine."`
}

// stories are what the commands that play them have in common.
type stories struct {
	Stories int    `help:"How many." default:"100"`
	Seed    uint64 `help:"The first seed; each story has the next." default:"1"`
	Orders  int    `help:"Orders in a story." default:"20"`
}

func main() {
	if exit, ok := boundary.Hidden(os.Args[1:]); ok {
		os.Exit(exit)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	parsed := kong.Parse(&c, kong.Name("hbsim"), kong.Description("Random stories of a pair, told by seed."), kong.BindTo(ctx, (*context.Context)(nil)),
		kong.UsageOnError(), kong.Exit(func(code int) { os.Exit(min(code, 2)) }))
	err := parsed.Run()
	var exit exitStatus
	switch {
	case errors.As(err, &exit):
		os.Exit(int(exit))
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
