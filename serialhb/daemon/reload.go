package daemon

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Reload reads the configuration again, as SIGHUP asks. It answers within seconds, also if the file's disk does not.
// Safe from any goroutine.
func (d *Daemon) Reload() control.Result {
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	fresh, unread := d.readAgain(ctx)
	if errors.Is(unread, errReadHangs) {
		return control.Result{Exit: 5, Text: unread.Error()}
	}
	r := control.Result{Exit: 5, Text: errNoAnswer.Error()}
	d.visit(ctx.Done(), func() { r = d.reload(fresh, unread) })
	return r
}

var errReadHangs = errors.New("the configuration file cannot be read in time; look at its disk")

// readAgain reads the file beside the turns, for a disk may take any time. A read that hangs keeps the next one away.
func (d *Daemon) readAgain(ctx context.Context) (Reloaded, error) {
	if d.o.Reload == nil {
		return Reloaded{}, errors.New("this daemon was started without a file to read again")
	}
	select {
	case d.reading <- struct{}{}:
	case <-ctx.Done():
		return Reloaded{}, errReadHangs
	}
	type read struct {
		fresh Reloaded
		err   error
	}
	done := make(chan read, 1)
	go func() {
		defer func() { <-d.reading }()
		fresh, err := d.o.Reload()
		done <- read{fresh, err}
	}()
	select {
	case r := <-done:
		return r.fresh, r.err
	case <-ctx.Done():
		return Reloaded{}, errReadHangs
	}
}

// reload takes over what may change while services run. Members, groups, links and devices may not: they are named. A
// first key that a heard peer has not listed in this session is refused, for the peer could not read it (rule 3).
func (d *Daemon) reload(fresh Reloaded, unread error) control.Result {
	refuse := func(text string) control.Result {
		d.book.say("reload-refused", "reload refused: "+text, subject{})
		return control.Result{Exit: 1, Text: text}
	}
	if unread != nil {
		return refuse(unread.Error())
	}
	if fresh.Decision.Core != d.o.Decision.Core || fresh.Decision.N != d.o.Decision.N || fresh.Decision.G != d.o.Decision.G {
		return refuse("nodes and groups cannot change while the daemon runs; use `serialhb restart` on one node after the other")
	}
	if who := d.cannotRead(fresh.Keys.IDs()[0]); who != "" {
		return refuse(who + " has not listed the new first key yet; put it second on both nodes, reload both, then make it first")
	}
	old := d.o.Decision
	d.o.Decision = fresh.Decision
	d.o.Decision.Me, d.o.Decision.Boot = old.Me, old.Boot
	d.o.Decision.IntervalMS, d.o.Decision.DetectTime = old.IntervalMS, old.DetectTime
	d.o.Decision.Members = old.Members
	d.o.Keys, d.o.Digests, d.o.Failback, d.o.Prefer = fresh.Keys, fresh.Digests, fresh.Failback, fresh.Prefer
	if fresh.Taken != nil {
		fresh.Taken()
	}
	for i := range d.o.Links {
		d.o.Links[i].Link.SetKeys(fresh.Keys.Clone())
	}
	d.sideAt = 0
	d.step(failover.Event{Kind: failover.Reloaded})
	if len(fresh.Fixed) > 0 {
		return control.Result{OK: true, Text: "reloaded; these need `serialhb restart`: " + strings.Join(fresh.Fixed, ", "), Lines: fresh.Fixed}
	}
	return control.Result{OK: true, Text: "reloaded"}
}

// cannotRead names a heard peer that has not listed a key.
func (d *Daemon) cannotRead(id pulse.KeyID) string {
	if id == d.o.Keys.IDs()[0] {
		return ""
	}
	for p := range d.o.Decision.N {
		if p != d.o.Decision.Me && d.state.Peers[p].Presence == failover.Present && !slices.Contains(d.peerKey[p], id) {
			return d.member(p)
		}
	}
	return ""
}
