package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"sync"
	"syscall"

	"github.com/rs/zerolog"

	"github.com/serialhb/serialhb/serialhb/clock"
	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/journal"
)

// Version is set at link time by releases.
var Version = "0.1.0-dev"

// runCmd is the daemon.
type runCmd struct {
	BootID string `help:"Where this boot's id is read; a container may need another file." default:"/proc/sys/kernel/random/boot_id" env:"SERIALHB_BOOT_ID_FILE" placeholder:"FILE"`
}

func (c *runCmd) Run(t *terminal, w *where) error {
	code, err := runDaemon(t, w, c.BootID)
	if err != nil || code != exitDone {
		return &exitError{code: code, cause: err}
	}
	return nil
}

// runDaemon is `serialhb run`: it returns the process's exit code.
func runDaemon(t *terminal, w *where, bootIDFile string) (int, error) {
	file, all := config.Load(w.Config)
	if err := findings(w.Config, all); err != nil {
		return 1, err
	}
	node, err := w.thisNode(t, file)
	if err != nil {
		return exitCode(err), err
	}
	c, all := file.For(node)
	if err := findings(w.Config, all); err != nil {
		return 1, err
	}
	if err := findings(w.Config, c.CheckKeys()); err != nil {
		return 1, err
	}
	signals := listen() // before anything is held: a signal that comes early waits its turn
	defer signals.end()
	log, flush := newLog(os.Stderr, c.Log)
	defer flush()
	bell, err := clock.NewAlarm()
	if err != nil {
		return 1, fmt.Errorf("serialhb: %w; this kernel is too old, or the process may open no more files", err)
	}
	defer bell.Close()
	sup := newSupervisor()
	people := &backend{}
	o := daemon.Options{Version: Version, Log: log, Clock: clock.Boot, Bell: bell}
	o.Notify = func(state string) { people.began.notify(state); sup.notify(state) }
	o.Reload = func() (daemon.Reloaded, error) { return readAgain(w.Config, node, c) }
	if o.BootID, err = journal.BootID(bootIDFile); err != nil {
		return exitRefused, err
	}
	at, err := openPlaces(c, &o)
	if err != nil {
		return exitRefused, err
	}
	defer at.close()
	commands := func() error { return findings(w.Config, c.CheckCommands()) }
	if err := commands(); err != nil && !owned(&o) {
		return exitRefused, err
	}
	d, end, err := build(c, o)
	if err != nil {
		return exitRefused, err
	}
	defer end()
	people.Daemon = d
	door, err := control.Listen(c.Socket(), 0o660, operators())
	if err != nil {
		return exitRefused, err
	}
	return live(people, at, door, commands, signals, log, sup)
}

// live is the daemon's life, from its first pulse to its exit code.
func live(people *backend, at *places, door *control.Server, commands func() error, from signals, log zerolog.Logger, sup *supervisor) (int, error) {
	ctx, quit := context.WithCancel(context.Background())
	defer quit()
	var background sync.WaitGroup
	background.Go(func() {
		if err := door.Serve(people); err != nil {
			people.Trouble("control-failed", "nobody can ask this daemon any more; restart it: "+err.Error())
		}
	})
	beside, stop := context.WithCancel(ctx)
	defer stop()
	background.Go(func() { obey(beside, from, people, log) })
	k := &keeper{at: at, door: door, people: people, quit: quit}
	background.Go(func() { k.run(beside) })
	for code, look := range map[string]func() error{
		"save-failed":   saves(at.volatile, "the run directory cannot be written, so nothing can be granted or taken over"),
		"keep-failed":   saves(at.durable, "the state directory cannot be written"),
		"command-unfit": commands,
	} {
		go k.try(beside, code, look) // not joined: a disk may never answer
	}
	how, err := people.Run(ctx)
	stop()
	door.Close()
	background.Wait()
	sup.notify("STOPPING=1")
	if err != nil {
		return exitRefused, err
	}
	return ending(how, at.lost.why(), people.toldToLeave.Load())
}

// ending is the exit code of a daemon that ended so, and its last words.
func ending(how uint32, lost error, toldToLeave bool) (int, error) {
	switch {
	case lost != nil:
		return exitStay, lost
	case how == daemon.Quiet && toldToLeave:
		return exitStay, errNoGoodbye
	case how == daemon.Quiet:
		return exitQuiet, nil
	}
	return exitDone, nil
}

// errNoGoodbye: whoever is not sure to have forgotten its permits must not say that it left.
var errNoGoodbye = errors.New("this node has stopped its services and ended without a goodbye, for the run directory cannot be written: its peer will find it silent and cut its power before it takes over; mend the run directory before you start it again")

// operators is the group whose members may ask the daemon, "" where this host has none of that name.
func operators() string {
	const group = "serialhb"
	if _, err := user.LookupGroup(group); err != nil {
		return ""
	}
	return group
}

// signals has a place of its own for each meaning: however many reloads wait, a stop is not lost.
type signals struct{ stop, reload chan os.Signal }

func listen() signals {
	s := signals{stop: make(chan os.Signal, 1), reload: make(chan os.Signal, 1)}
	signal.Notify(s.stop, syscall.SIGTERM, syscall.SIGINT)
	signal.Notify(s.reload, syscall.SIGHUP)
	return s
}

func (s signals) end() {
	signal.Stop(s.stop)
	signal.Stop(s.reload)
}

// obey turns signals into commands: SIGTERM and SIGINT leave in order, SIGHUP reloads.
func obey(ctx context.Context, from signals, d *backend, log zerolog.Logger) {
	for {
		var s os.Signal
		var r control.Result
		select {
		case <-ctx.Done():
			return
		case s = <-from.stop:
			r = d.Command(ctx, "signal "+s.String(), control.Request{Command: "leave"})
		case s = <-from.reload:
			r = d.Reload()
		}
		log.Info().Str("signal", s.String()).Bool("ok", r.OK).Msg(r.Text)
	}
}

// readAgain reads the file for a reload and says what in it needs a restart.
func readAgain(path, node string, old *config.Config) (daemon.Reloaded, error) {
	file, all := config.Load(path)
	if err := findings(path, all); err != nil {
		return daemon.Reloaded{}, err
	}
	c, all := file.For(node)
	if err := findings(path, all); err != nil {
		return daemon.Reloaded{}, err
	}
	if err := findings(path, c.CheckKeys()); err != nil {
		return daemon.Reloaded{}, err
	}
	keys, err := keyring(c)
	if err != nil {
		return daemon.Reloaded{}, err
	}
	r := daemon.Reloaded{Decision: c.Decision, Keys: keys, Digests: [2]uint64{c.CoreDigest, c.RestDigest}, Taken: func() { setLevel(c.Log.Level) }}
	r.Prefer, r.Failback = preferences(c)
	r.Fixed = c.Changed(old)
	return r, nil
}
