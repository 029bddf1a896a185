package address

import (
	"context"
	"fmt"
	"time"
)

const (
	// mendEvery is how often what could not be opened is tried again.
	mendEvery = time.Second
	// claimsWaiting is how many claims may wait; of a storm the rest is dropped, since all say the same.
	claimsWaiting = 16
)

// keeper announces an address that is here, and hears what befalls it. Before every announcement it looks whether the
// address is still here: nobody is told of an address that is not.
type keeper struct {
	a      *Address
	again  chan struct{} // announce as after a start
	claims chan MAC
	stop   context.CancelFunc
	done   chan struct{}

	// What follows belongs to whoever opens the keeper, and from start on to its goroutine.
	wire   *wire   // nil: not open
	events *events // nil: not open
	seen   standing
	plan   schedule
	sent   int // announcements since the last reason to begin anew
	guard  defence
	deaf   bool // could not look
	mute   bool // could not send

	next   *time.Timer // announce
	defend *time.Timer // answer another claimant
	mend   *time.Timer // look, and open what is not open
}

// openKeeper opens what a keeper needs. That the interface is in trouble is no error here; it is told later.
func (a *Address) openKeeper(ctx context.Context) (*keeper, error) {
	k := &keeper{
		a: a, again: make(chan struct{}, 1), claims: make(chan MAC, claimsWaiting), done: make(chan struct{}),
		seen: standing{here: true}, // or about to be
		plan: schedule{a.cfg.Announcements, a.cfg.Spacing, a.cfg.Refresh},
		next: stopped(), defend: stopped(), mend: stopped(),
	}
	if _, err := k.survey(ctx); err != nil {
		k.close()
		return nil, err
	}
	return k, nil
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func (k *keeper) start() {
	ctx, stop := context.WithCancel(context.Background())
	k.stop = stop
	go k.run(ctx)
}

func (k *keeper) end() {
	k.stop()
	<-k.done
}

// close closes what is open, of a keeper that does not run.
func (k *keeper) close() {
	if k.wire != nil {
		_ = k.wire.Close()
		k.wire = nil
	}
	if k.events != nil {
		_ = k.events.Close()
		k.events = nil
	}
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.again:
			k.look(ctx)
			k.sent = 0
			k.sendIfRightful()
		case <-k.next.C:
			k.repeat(ctx)
		case by := <-k.claims:
			k.claimed(ctx, by)
		case <-k.defend.C:
			k.answer(ctx)
		case <-k.mend.C:
			k.react(ctx)
		case _, open := <-k.events.changes():
			if !open {
				_ = k.events.Close()
				k.events = nil
			}
			k.react(ctx)
		}
	}
}

// announce begins the announcements anew.
func (k *keeper) announce(ctx context.Context) {
	k.look(ctx)
	k.sent = 0
	k.send()
}

// repeat makes the next announcement that nobody called for.
func (k *keeper) repeat(ctx context.Context) {
	if k.look(ctx) {
		k.sent = 0
	}
	k.sendIfRightful()
}

// react looks at what changed, and announces if the network may have forgotten the address.
func (k *keeper) react(ctx context.Context) {
	if k.look(ctx) {
		k.sent = 0
		k.sendIfRightful()
	}
}

func (k *keeper) sendIfRightful() {
	if k.a.cfg.Rightful() {
		k.send()
	} else {
		k.schedule()
	}
}

// send announces the address if it is here, asks for duplicates, and says when to do so again.
func (k *keeper) send() {
	defer k.schedule()
	if !k.ready() {
		return
	}
	frames, err := announcement(k.a.ip, k.wire.link.mac, k.seen.link.router)
	if err == nil && k.seen.answers.IsValid() {
		var q frame
		q, err = quietQuestion(k.a.ip, k.wire.link.mac, k.seen.answers)
		frames = append([]frame{q}, frames...)
	}
	if err == nil {
		err = k.wire.send(frames...)
	}
	k.tellSent(err)
	if err == nil {
		k.sent++
	}
}

// ready says whether the last look found the address where others can reach it.
func (k *keeper) ready() bool { return !k.deaf && k.seen.reachable() && k.wire != nil }

func (k *keeper) tellSent(err error) {
	switch {
	case err != nil && !k.mute:
		k.mute = true
		k.tell(Unannounced, "%s could not be announced: %v: it is tried again", k.a.ip, err)
	case err == nil && k.mute:
		k.mute = false
		k.tell(Announced, "%s was announced after all", k.a.ip)
	}
}

func (k *keeper) schedule() {
	pause, more := k.plan.after(max(k.sent, 1))
	if k.mute {
		pause, more = k.plan.spacing, true
	}
	if more {
		k.next.Reset(pause)
	} else {
		k.next.Stop()
	}
}

// claimed raises the alarm about another claimant and says when it is answered.
func (k *keeper) claimed(ctx context.Context, by MAC) {
	now := time.Now()
	if !k.guard.known(now, by) {
		limited, cancel := k.a.limit(ctx)
		defer cancel()
		// The wire knows the interfaces as they were when it was opened.
		if own, err := ask(limited, k.a, ownMACs); err == nil && own[by] {
			return
		}
	}
	at, alarm := k.guard.claimed(now, by)
	if alarm {
		k.tell(SecondOwner, "%s is claimed by %s on %s too: find that machine and take the address from it", k.a.ip, by, k.a.cfg.Interface)
	}
	k.defend.Reset(at.Sub(now))
}

// answer tells everybody, after another claimant, where the address is.
func (k *keeper) answer(ctx context.Context) {
	k.look(ctx)
	if !k.ready() {
		return // once it is reachable everybody is told
	}
	if !k.a.cfg.Rightful() {
		k.defend.Reset(firstGap) // the claim was heard by others too, and who has the right to it may know soon
		return
	}
	k.guard.answered(time.Now())
	frames, err := announcement(k.a.ip, k.wire.link.mac, k.seen.link.router)
	if err == nil {
		err = k.wire.send(frames...)
	}
	k.tellSent(err)
	if err != nil {
		k.schedule() // the next announcement is the next try
	}
}

func (k *keeper) tell(kind Kind, format string, args ...any) {
	k.a.cfg.Tell(Event{kind, fmt.Sprintf(format, args...)})
}
