package link

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

func takeAll(o *outbox, now time.Duration) (got []string) {
	var buf [pulse.MaxFrame]byte
	for {
		frame, to, kind := o.take(now, buf[:])
		if frame == nil {
			return got
		}
		got = append(got, kind.String()+" "+string('0'+rune(to))+" "+string(frame))
	}
}

func TestNewestPulseWins(t *testing.T) {
	o := newOutbox(1000, 0, time.Second)
	for _, s := range []string{"a", "b", "c"} {
		o.put(1, []byte(s), 0)
	}
	o.put(2, []byte("d"), 0)
	if got := takeAll(o, 0); !slices.Equal(got, []string{"pulse 1 c", "pulse 2 d"}) {
		t.Fatalf("%q", got)
	}
	if n := o.tally.snapshot().DroppedStale; n != 2 {
		t.Fatalf("%d dropped", n)
	}
	if o.due(0) != nothing {
		t.Fatal("something is due")
	}
}

func TestNoMemberStarves(t *testing.T) {
	o := newOutbox(1000, 0, time.Second)
	var buf [pulse.MaxFrame]byte
	var got []uint8
	for range 6 {
		for to := range uint8(3) {
			o.put(to, []byte("x"), 0)
		}
		_, to, _ := o.take(0, buf[:])
		got = append(got, to)
	}
	if !slices.Equal(got, []uint8{0, 1, 2, 0, 1, 2}) {
		t.Fatalf("%v", got)
	}
}

func TestStalePulseIsNotSent(t *testing.T) {
	o := newOutbox(1000, 0, time.Second)
	o.put(1, []byte("old"), 0)
	o.put(2, []byte("just"), 1)
	if got := takeAll(o, time.Second+1); !slices.Equal(got, []string{"pulse 2 just"}) {
		t.Fatalf("%q", got)
	}
	if n := o.tally.snapshot().DroppedStale; n != 1 {
		t.Fatalf("%d dropped", n)
	}
}

func TestOldestOfFiveSideFramesGoes(t *testing.T) {
	o := newOutbox(100_000, 0, time.Second)
	for _, s := range []string{"a", "b", "c", "d", "e", "f"} {
		o.putSide(1, []byte(s), 0)
	}
	o.put(1, []byte("p"), 0)
	want := []string{"pulse 1 p", "side 1 c", "side 1 d", "side 1 e", "side 1 f"}
	if got := takeAll(o, 0); !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
	if n := o.tally.snapshot().SideDropped; n != 2 {
		t.Fatalf("%d dropped", n)
	}
}

// Whatever is asked for, side frames take no more than their rate and one bucket.
func TestSideBudget(t *testing.T) {
	const rate, seconds = 960, 100 // a tenth of 96000 baud
	o := newOutbox(rate, 3, time.Second)
	var buf [pulse.MaxFrame]byte
	frame, sent := bytes.Repeat([]byte{1}, 97), 0
	for now := time.Duration(0); now < seconds*time.Second; now += 7 * time.Millisecond {
		o.putSide(1, frame, now)
		if f, _, _ := o.take(now, buf[:]); f != nil {
			sent += len(f) + 3
		}
	}
	if most, least := rate*seconds+rate/4+100, rate*seconds*95/100; sent > most || sent < least {
		t.Fatalf("%d bytes in %d s, want %d..%d", sent, seconds, least, most)
	}
}

func TestSideWaitIsLongEnough(t *testing.T) {
	o := newOutbox(100, 0, time.Second)
	frame := make([]byte, 60)
	now := time.Duration(0)
	o.putSide(1, frame, now)
	o.putSide(1, frame, now)
	if got := takeAll(o, now); len(got) != 1 {
		t.Fatalf("%d frames at once", len(got))
	}
	wait := o.due(now)
	if wait <= 0 || wait > time.Second {
		t.Fatalf("wait %s", wait)
	}
	if got := takeAll(o, now+wait-1); len(got) != 0 {
		t.Fatal("sent before it was due")
	}
	if got := takeAll(o, now+wait); len(got) != 1 {
		t.Fatal("not sent when it was due")
	}
	o.putSide(1, frame, now)
	o.put(1, []byte("p"), now+wait)
	if o.due(now+wait) != 0 {
		t.Fatal("a pulse waits for the budget of side frames")
	}
}

func TestSendRefusesWhatIsNoFrame(t *testing.T) {
	for name, f := range map[string]func(*outbox){
		"member": func(o *outbox) { o.put(pulse.MaxMembers, []byte("x"), 0) },
		"empty":  func(o *outbox) { o.put(0, nil, 0) },
		"long":   func(o *outbox) { o.putSide(0, make([]byte, pulse.MaxFrame+1), 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f(newOutbox(1000, 0, time.Second))
		}()
	}
}

// A side frame that is on the line holds a pulse back for no longer than it takes itself.
func TestSidesYieldOnARealLine(t *testing.T) {
	d, r := newDevice(t), newRecorder()
	c := serialConfig(t, d, r)
	c.SideBytesPerSecond = 1_000_000
	l := newSerial(t, c)
	k := ring(t, "c", "key")
	for seq := range uint32(4) {
		l.SendSide(1, sideFrame(k, seq+1))
	}
	p, err := l.open()
	if err != nil {
		t.Fatal(err)
	}
	defer p.discard()
	w := newWriter(p, l.out, l.cfg.Clock, l.cfg.Baud)
	l.Send(1, pulseFrame(k, 0, 1, 7, 1))
	for range 5 {
		if _, err := w.step(); err != nil {
			t.Fatal(err)
		}
	}
	var kinds []pulse.FrameKind
	var decoder pulse.Decoder
	var frame pulse.Frame
	buf := make([]byte, 4096)
	for len(kinds) < 5 {
		n, err := d.master.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		for b := buf[:n]; len(b) > 0; {
			var raw []byte
			if raw, b = decoder.Next(b); raw != nil {
				if v := k.Open(raw, &frame); v != pulse.Good {
					t.Fatal(v)
				}
				kinds = append(kinds, frame.Kind)
			}
		}
	}
	if kinds[0] != pulse.FramePulse || slices.Contains(kinds[1:], pulse.FramePulse) {
		t.Fatalf("order %v", kinds)
	}
	if c := l.Counters().Out; c.Sent != 1 || c.SideSent != 4 {
		t.Fatalf("%+v", c)
	}
}
