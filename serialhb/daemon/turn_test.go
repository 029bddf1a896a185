package daemon

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

type setBell struct{ at atomic.Int64 }

func (b *setBell) Set(at time.Duration) { b.at.Store(int64(at)) }
func (b *setBell) Wait() bool           { return false }

// newTurns is a daemon that takes turns and does nothing else: what is due is due in an hour. The turn is free.
func newTurns() (*Daemon, *setBell) {
	bell := &setBell{}
	d := New(Options{Record: noRecord{}, Log: zerolog.Nop(), Bell: bell, Clock: func() time.Duration { return time.Second }})
	d.nextBeat, d.senseAt = time.Hour, time.Hour
	<-d.turn
	return d, bell
}

// judged says whether what was due has been looked at since the last time.
func (d *Daemon) judged() bool { return d.right.turned.Swap(0) != 0 }

func TestWhatHasArrivedComesBeforeWhatIsJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, bell := newTurns()
		waits := make(chan bool)
		d.enter(nil)
		go func() { waits <- d.enter(nil) }()
		synctest.Wait()
		d.leave()
		if !<-waits {
			t.Fatal("who waited got no turn")
		}
		if d.judged() {
			t.Error("judged while somebody waited with something in hand")
		}
		d.leave()
		if !d.judged() {
			t.Error("the last of them did not judge")
		}
		if at := time.Duration(bell.at.Load()); at != time.Second+idle {
			t.Errorf("the bell rings at %s", at)
		}
	})
}

// Whoever floods a line must not keep the verdicts away.
func TestACrowdDoesNotPutOffWhatIsDue(t *testing.T) {
	d, _ := newTurns()
	d.coming.Add(1) // somebody always waits
	turns := 0
	for !d.judged() {
		if turns++; turns > crowdMost {
			t.Fatalf("nothing was judged in %d turns", turns)
		}
		d.enter(nil)
		d.leave()
	}
	if turns != crowdMost {
		t.Errorf("judged after %d turns", turns)
	}
}

func TestNobodyEntersAfterTheEnd(t *testing.T) {
	d, _ := newTurns()
	gaveUp := make(chan struct{})
	close(gaveUp)
	d.enter(nil)
	if d.enter(gaveUp) {
		t.Error("two have the turn")
	}
	d.exited = true
	d.leave()
	for range 100 {
		if d.enter(nil) {
			t.Fatal("a turn after the last one")
		}
	}
}
