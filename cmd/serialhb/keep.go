package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/journal"
)

// keepEvery is how often it is looked whether the daemon still has its place in the run directory. A second daemon that
// comes in between hears nobody before its start window is over, and has no port.
const keepEvery = 3 * time.Second

// keeper keeps what the daemon has in the run directory: somebody may remove it while the daemon runs, and then nobody
// would find the daemon, nor be kept from starting a second one.
type keeper struct {
	at     *places
	door   *control.Server
	people *backend
	// quit ends the daemon at once and leaves everything as it is.
	quit context.CancelFunc
}

// run looks until ctx is done. A disk may take any time, so it has a goroutine of its own.
func (k *keeper) run(ctx context.Context) {
	for every(ctx, keepEvery) {
		if !k.look() {
			return
		}
	}
}

// every waits for a while. false is that ctx ended.
func every(ctx context.Context, t time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(t):
		return true
	}
}

// look takes again what was lost. false is that another daemon has this node now: two of one name that write the same
// files and start the same services must not be, and the other one has the lock. This one ends as if it were killed, with
// the services as they are, which is always safe; the other one finds them and asks the peer for them.
func (k *keeper) look() bool {
	again, err := k.at.lock.Renew()
	if errors.Is(err, journal.ErrTaken) {
		err = fmt.Errorf("another daemon of this node took its place after the run directory was removed, so this one ends and leaves the services as they are; see with `serialhb status` that the other one goes on: %w", err)
		k.people.judge("lock-lost", err)
		k.at.lost.mark(err)
		k.quit()
		return false
	}
	if err != nil {
		err = fmt.Errorf("nothing keeps a second daemon of this node away, for the run directory was removed and cannot be made again; make it again: %w", err)
	}
	k.people.judge("lock-missing", err)
	if again {
		k.people.Trouble("lock-again", "the run directory was removed while the daemon runs: the lock of this node is taken again; find out who removes it")
		if err := k.at.volatile.again(); err != nil {
			k.people.Trouble("save-failed", "what was in the run directory is not there again: "+sentence(err))
		}
	}
	listens, err := k.door.Renew()
	if listens {
		k.people.Trouble("socket-again", "the control socket had gone: it is there again")
	}
	k.people.judge("control-failed", err)
	return true
}

// tryEvery is how often what was not well at the start is looked at again.
const tryEvery = 10 * time.Second

// try finds out what would only be noticed at the next move, such as a full disk, and tells it until it is mended. From
// then on those who need it tell.
func (k *keeper) try(ctx context.Context, code string, look func() error) {
	for {
		err := look()
		k.people.judge(code, err)
		if err == nil || !every(ctx, tryEvery) {
			return
		}
	}
}

// saves says whether facts could be saved now.
func saves(f *facts, what string) func() error {
	return func() error {
		if err := f.Try(); err != nil {
			return fmt.Errorf("%s; free or mend it: %w", what, err)
		}
		return nil
	}
}
