package daemon

import (
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/failover"
)

type setBell struct{ at atomic.Int64 }

func (b *setBell) Set(at time.Duration) { b.at.Store(int64(at)) }
func (b *setBell) Wait() bool           { return false }

// newTurns is a daemon that takes turns and does nothing else: what is due is due in an hour, and so is the verdict on its
// peer. The turn is free. It is one second after boot, until the clock is set.
func newTurns() (d *Daemon, bell *setBell, clock *atomic.Int64) {
	bell, clock = &setBell{}, &atomic.Int64{}
	clock.Store(int64(time.Second))
	d = New(Options{
		Record: noRecord{}, Log: zerolog.Nop(), Bell: bell, Clock: func() time.Duration { return time.Duration(clock.Load()) },
		Decision: failover.Config{N: 2}, Detection: detect.Config{N: 2, StartWindow: time.Hour, Stretch: 1, Extensions: 10},
		Links: []LinkInfo{{Peers: 1 << 1, Link: idleLink{}}},
	})
	d.nextBeat, d.senseAt, d.planned = time.Hour, time.Hour, time.Second
	d.watch.Link(0, 0, true)
	<-d.turn
	return d, bell, clock
}

type idleLink struct{ Link }

func (idleLink) Pending() int { return 0 }

// verdictAt is when the peer is silent if nothing is heard.
func (d *Daemon) verdictAt() time.Duration {
	at, _ := d.watch.Next()
	return at
}

// judged says whether what was due has been looked at since the last time.
func (d *Daemon) judged() bool { return d.right.turned.Swap(0) != 0 }

func TestWhatHasArrivedComesBeforeWhatIsJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, bell, _ := newTurns()
		waits := make(chan bool)
		d.enter(nil)
		go func() { waits <- d.bring() }()
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
	d, _, _ := newTurns()
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

// A person who asks brings nothing that could change a verdict.
func TestWhoAsksPutsNothingOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, _ := newTurns()
		d.enter(nil)
		for range 10 {
			go d.visit(nil, func() {})
		}
		synctest.Wait()
		d.leave()
		if !d.judged() {
			t.Error("questions put the verdicts off")
		}
		synctest.Wait()
	})
}

// Ten seconds of sleep are ten seconds, however many turns a crowd takes before it is judged.
func TestLatenessIsCountedOnce(t *testing.T) {
	d, _, clock := newTurns()
	d.nextBeat = time.Second
	d.coming.Add(1) // somebody always waits
	before := d.verdictAt()
	clock.Add(int64(10 * time.Second))
	for range crowdMost / 2 {
		d.enter(nil)
		clock.Add(int64(10 * time.Microsecond))
		d.leave()
	}
	if by := d.verdictAt() - before; by < 10*time.Second || by > 10*time.Second+crowdMost*10*time.Microsecond {
		t.Errorf("the verdict comes %v later", by)
	}
	if d.late < 10*time.Second || d.late > 11*time.Second {
		t.Errorf("the worst lateness was %v", d.late)
	}
}

// Who was stopped in the middle of a turn has not heard anybody either.
func TestSleepWithinATurnIsLateness(t *testing.T) {
	d, _, clock := newTurns()
	before := d.verdictAt()
	d.enter(nil)
	clock.Add(int64(10 * time.Second))
	d.leave()
	if by := d.verdictAt() - before; by != 10*time.Second {
		t.Errorf("the verdict comes %v later", by)
	}
}

// A panic in a turn is the end of the process, also where somebody would recover from it: a daemon that stays would hang,
// or go on from half a turn.
func TestPanicInATurnEndsTheProcess(t *testing.T) {
	const inside = "SERIALHB_TEST_PANIC"
	if os.Getenv(inside) != "" {
		d, _, _ := newTurns()
		func() {
			defer func() { _ = recover() }()
			d.visit(nil, func() { panic("an impossible state") })
		}()
		os.Exit(0)
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), inside+"=1")
	said, err := child.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "an impossible state") || !strings.Contains(string(said), t.Name()) {
		t.Errorf("it ended with %v and said %q", err, said)
	}
}

func TestNobodyEntersAfterTheEnd(t *testing.T) {
	d, _, _ := newTurns()
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

type fullLink struct{ Link }

func (fullLink) Pending() int { return 1 }

// A verdict waits for what the driver has, for a while and not for a number of turns: junk in front of a pulse takes many.
func TestVerdictWaitsForBytes(t *testing.T) {
	d, _, _ := newTurns()
	due := d.verdictAt()
	d.nextBeat, d.senseAt = 2*due, 2*due
	for _, x := range []struct {
		at    time.Duration
		link  Link
		waits bool
	}{
		{due - 1, fullLink{}, false}, // nothing is due
		{due, idleLink{}, false},
		{due, fullLink{}, true},
		{due + deferMost - 1, fullLink{}, true},
		{due + deferMost, fullLink{}, false},
	} {
		d.o.Links[0].Link = x.link
		for turn := range 100 {
			if got := d.bytesWait(x.at); got != x.waits {
				t.Fatalf("%v after it was due, turn %d: it waits %t, want %t", x.at-due, turn, got, x.waits)
			}
		}
		if next := d.nextDeadline(x.at); x.waits && next != x.at+time.Millisecond {
			t.Errorf("it is looked at again in %v", next-x.at)
		}
	}
}
