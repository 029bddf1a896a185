package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// cli is the command line: one field and one file per command.
type cli struct {
	where

	Lab     labCmd     `cmd:"" group:"first" help:"The whole pair on this machine, without hardware: a story with measured times."`
	Check   checkCmd   `cmd:"" group:"first" help:"Check the configuration, and what this machine has of it."`
	Keygen  keygenCmd  `cmd:"" group:"first" help:"Make a key."`
	Example exampleCmd `cmd:"" group:"first" help:"Print a commented configuration."`
	Version versionCmd `cmd:"" group:"first" help:"Print the version."`

	Run runCmd `cmd:"" group:"run" help:"Run the daemon."`

	Status statusCmd `cmd:"" group:"see" help:"How things stand, in words."`
	Why    whyCmd    `cmd:"" group:"see" help:"What happened in an incident and what stands in the way now."`
	Events eventsCmd `cmd:"" group:"see" help:"The record, line by line."`

	Switchover switchoverCmd `cmd:"" group:"move" help:"Move a group to another node."`
	Failback   failbackCmd   `cmd:"" group:"move" help:"Move a group back to the node that it prefers."`
	Leave      leaveCmd      `cmd:"" group:"move" help:"Hand over everything and stop the daemon."`
	Restart    restartCmd    `cmd:"" group:"move" help:"Restart the daemon; nothing moves."`

	Approve    approveCmd    `cmd:"" group:"decide" help:"Answer the question of an incident with yes."`
	Deny       denyCmd       `cmd:"" group:"decide" help:"Answer the question of an incident with no."`
	ConfirmOff confirmOffCmd `cmd:"" group:"decide" help:"Say that you have seen that a node is off."`
	Withdraw   withdrawCmd   `cmd:"" group:"decide" help:"Say that a node is off and away for repair."`
	Clear      clearCmd      `cmd:"" group:"decide" help:"Say that you have looked: ends lock-out, failures and doubts about senses."`

	Arm         armCmd         `cmd:"" group:"mode" help:"Let this node drive relays."`
	Disarm      disarmCmd      `cmd:"" group:"mode" help:"Forbid this node to drive relays."`
	Standby     standbyCmd     `cmd:"" group:"mode" help:"Standby mode: this node owns nothing."`
	Maintenance maintenanceCmd `cmd:"" group:"mode" help:"Maintenance: this node does nothing by itself."`
	Fence       fenceCmd       `cmd:"" group:"mode" help:"The power of another node."`
}

var groups = kong.Groups{
	"first":  "Before it runs",
	"run":    "Run",
	"see":    "See",
	"move":   "Move",
	"decide": "Decide",
	"mode":   "Modes and power",
}

// ended is how kong's wish to exit (after --help) reaches [program], which alone decides.
type ended int

// program runs one command line and gives the exit code.
func program(args []string, t *terminal) (code int) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case ended:
			code = int(p)
		default:
			panic(p)
		}
	}()
	var c cli
	parser := kong.Must(&c, groups,
		kong.Name("serialhb"),
		kong.Description("Two servers watch each other over a serial cable; the standby cuts the power of a silent owner, proves it, and takes over."),
		kong.Writers(t.out, t.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Exit(func(code int) { panic(ended(code)) }),
	)
	ctx, err := parser.Parse(args)
	if err != nil {
		err = usage(fmt.Errorf("%w; `serialhb --help` shows what there is", err))
	} else {
		err = ctx.Run(t, &c.where)
	}
	if text := message(err); text != "" {
		fmt.Fprintf(t.err, "serialhb: %s\n", text)
	}
	return exitCode(err)
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
