package story

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack"
	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/serialhb/serialhb/serialhb/control"
	"golang.org/x/sys/unix"
)

// again is how soon a daemon that does not answer is asked again for its record.
const again = 10 * time.Millisecond

// recorder keeps what the board and the nodes tell, as they tell it.
type recorder struct {
	stopBoard func() error
	stopNodes context.CancelFunc
	wg        sync.WaitGroup

	mu    sync.Mutex
	board []board.Event
	told  []Told
	lost  bool // the board's stream has ended
}

// errLost ends a story: without the board nobody witnesses who owned what.
var errLost = errors.New("story: the board has stopped telling what happens: see its log")

func record(r *rack.Rack, clients map[string]*control.Client) (*recorder, error) {
	events, stop, err := r.Watch()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	rec := &recorder{stopBoard: stop, stopNodes: cancel}
	rec.wg.Go(func() {
		for e := range events {
			rec.mu.Lock()
			rec.board = append(rec.board, e)
			rec.mu.Unlock()
		}
		rec.mu.Lock()
		defer rec.mu.Unlock()
		rec.lost = true
	})
	for node, c := range clients {
		rec.wg.Go(func() { rec.follow(ctx, node, c) })
	}
	return rec, nil
}

// place is where an event stands in a node's record. A power cut may lose the last of a record, and the next boot then
// uses the numbers again.
type place struct {
	boot string
	seq  uint64
}

// shelf is what is there of one node's record.
type shelf map[place]bool

// isNew says whether an event was not there yet, and puts it there.
func (s shelf) isNew(e control.Event) bool {
	at := place{e.Boot, e.Seq}
	was := s[at]
	s[at] = true
	return !was
}

// follow takes over a node's record. When its daemon ends, the next one is asked for all it knows.
func (rec *recorder) follow(ctx context.Context, node string, c *control.Client) {
	known := shelf{}
	for ctx.Err() == nil {
		// Why the stream ended does not matter: a daemon that is gone is what stories are about.
		_ = c.Follow(ctx, 0, func(e control.Event) error {
			if !known.isNew(e) {
				return nil
			}
			t := Told{At: time.Duration(e.MonoNS) - suspended(), Node: node, Event: e}
			rec.mu.Lock()
			defer rec.mu.Unlock()
			rec.told = append(rec.told, t)
			return nil
		})
		if sleep(ctx, again) != nil {
			return
		}
	}
}

// suspended is by how much the boot-time clock, which nodes record, is ahead of the monotonic one, which the board and
// the client stamp: the time that this machine was suspended.
func suspended() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic(fmt.Sprintf("story: read boot-time clock: %v", err))
	}
	return (time.Duration(ts.Nano()) - mono.Now()).Round(time.Millisecond)
}

func (rec *recorder) into(v *View) error {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	// The lengths are also the capacities, so that a later append never writes where a view looks.
	v.Board, v.Told = rec.board[:len(rec.board):len(rec.board)], rec.told[:len(rec.told):len(rec.told)]
	if rec.lost {
		return errLost
	}
	return nil
}

func (rec *recorder) close() error {
	rec.stopNodes()
	err := rec.stopBoard()
	rec.wg.Wait()
	return err
}
