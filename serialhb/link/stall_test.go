package link

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// A pty whose master nobody reads takes about 20 kB and then nothing.
func TestBlockedLineBlocksNothing(t *testing.T) {
	mustJoin(t)
	d, r := newDevice(t), newRecorder()
	c := serialConfig(t, d, r)
	// Time runs fast on this link's clock, so that the stall is seen soon.
	real := c.Clock
	c.Clock = func() time.Duration { return 20 * real() }
	l := newSerial(t, c)
	stop := run(t, l)
	r.mustUp(t)
	k := ring(t, "c", "key")
	frame := pulseFrame(k, 0, 1, 7, 1)
	var slowest time.Duration
	eventually(t, "the line stalls", func() bool {
		for range 100 {
			start := time.Now()
			l.Send(1, frame)
			slowest = max(slowest, time.Since(start))
			runtime.Gosched()
		}
		return l.Counters().Out.WriteStalls > 0
	})
	if slowest > time.Second {
		t.Errorf("a Send took %s", slowest)
	}
	d.write(online(pulseFrame(k, 1, 0, 8, 1)))
	if h := next(t, r.frames, "frame"); h.verdict != pulse.Good {
		t.Errorf("the reader of a blocked line heard %v", h.verdict)
	}
	stop()
}

// A driver that takes only a part has cut the frame short: it was not sent, and the rest is not sent later.
func TestCutFrameIsDropped(t *testing.T) {
	var took [][]byte
	w := newWriter(&port{wire: &fakeWire{onWrite: func(b []byte) (int, error) {
		took = append(took, bytes.Clone(b))
		return len(b) - 1, nil
	}}, ctl: &control{fd: -1}}, newOutbox(1000, 3, time.Second), testClock(), 115200)
	frame := pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1)
	w.out.put(1, frame, w.clock())
	for range 3 {
		if _, err := w.step(); err != nil {
			t.Fatal(err)
		}
	}
	if c := w.out.tally.snapshot(); len(took) != 1 || !bytes.Equal(took[0], online(frame)) || c.Sent != 0 || c.SentBytes != 0 || c.DroppedStale != 1 {
		t.Fatalf("%d writes, %+v", len(took), c)
	}
}

// Nothing is queued behind a frame that the driver has not sent, and what waits there for too long is thrown away.
func TestStallByBacklogFlushes(t *testing.T) {
	d := newDevice(t)
	p, err := (&opener{device: d.name, baud: 115200, sys: noSys(t), proc: "/proc"}).open()
	if err != nil {
		t.Fatal(err)
	}
	defer p.discard()
	var now time.Duration
	w := newWriter(p, newOutbox(1000, 3, time.Hour), func() time.Duration { return now }, 115200)
	frame := pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1)
	for full := false; !full; _, full = p.ctl.backlog() {
		w.out.put(1, frame, now)
		if _, err := w.step(); err != nil {
			t.Fatal(err)
		}
	}
	w.out.put(1, frame, now)
	sent := w.out.tally.sent.Load()
	step := func() time.Duration {
		wait, err := w.step()
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	if wait := step(); wait <= 0 || w.out.tally.sent.Load() != sent {
		t.Fatalf("wrote to a full line, wait %s", wait)
	}
	now += w.stall
	if step(); w.out.tally.stalls.Load() != 0 {
		t.Fatal("a stall too early")
	}
	now++
	if step(); w.out.tally.stalls.Load() != 1 {
		t.Fatal("no stall")
	}
	if wait := step(); wait != 0 || w.out.tally.sent.Load() != sent+1 {
		t.Fatalf("the flush made no room, wait %s", wait)
	}
}

// fakeWire is a port whose driver misbehaves.
type fakeWire struct {
	onRead  func([]byte) (int, error) // nil waits until it is woken
	onWrite func([]byte) (int, error) // nil takes all
	onClose func()
	woken   chan struct{}
	wakes   sync.Once
	waits   chan time.Duration // what the reader is told to wait at most
}

func newFake() *fakeWire {
	return &fakeWire{woken: make(chan struct{}), waits: make(chan time.Duration, 100)}
}

func (f *fakeWire) read(b []byte) (int, error) {
	if f.onRead == nil {
		<-f.woken
		return 0, nil
	}
	return f.onRead(b)
}

func (f *fakeWire) write(b []byte) (int, error) {
	if f.onWrite == nil {
		return len(b), nil
	}
	return f.onWrite(b)
}

func (f *fakeWire) patience(d time.Duration) { f.waits <- d }
func (f *fakeWire) sleep(time.Duration)      {}
func (f *fakeWire) wake()                    { f.wakes.Do(func() { close(f.woken) }) }

func (f *fakeWire) close() error {
	if f.onClose != nil {
		f.onClose()
	}
	return nil
}

func (f *fakeWire) Close() error { return nil }

// fakeSerial is a link whose first open gives a fake, and the others fail.
func fakeSerial(t *testing.T, r Sink, f *fakeWire) *Serial {
	l := newSerial(t, SerialConfig{Name: "fake", Device: "/dev/fake", Baud: 9600, Keys: ring(t, "c", "key"), Sink: r, Clock: testClock()})
	var opens atomic.Int32
	l.open = func() (*port, error) {
		if opens.Add(1) > 1 {
			return nil, errors.New("gone for good")
		}
		return &port{wire: f, ctl: &control{fd: -1}, line: f}, nil
	}
	return l
}

// A tty that was hung up reads an end of the data for ever, without waiting.
func TestHungUpIsALostDevice(t *testing.T) {
	mustJoin(t)
	r, f := newRecorder(), newFake()
	f.onRead = func([]byte) (int, error) { return 0, io.EOF }
	run(t, fakeSerial(t, r, f))
	r.mustUp(t)
	r.mustDown(t, "the device is gone; plug it in again")
}

func TestWriteErrorIsALostDevice(t *testing.T) {
	mustJoin(t)
	r, f := newRecorder(), newFake()
	f.onWrite = func([]byte) (int, error) { return 0, io.ErrClosedPipe }
	l := fakeSerial(t, r, f)
	run(t, l)
	r.mustUp(t)
	l.Send(1, pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1))
	r.mustDown(t, "use /dev/fake", io.ErrClosedPipe.Error())
	if c := l.Counters(); c.Out.WriteErrors != 1 || c.Out.Sent != 0 {
		t.Fatalf("counters %+v", c.Out)
	}
}

func TestStuckDriverIsLeftBehind(t *testing.T) {
	r, f := newRecorder(), newFake()
	stuck, reading := make(chan struct{}), make(chan struct{}, 100)
	f.onRead = func(b []byte) (int, error) {
		select {
		case reading <- struct{}{}:
		default:
		}
		<-stuck
		return copy(b, online(pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1))), nil
	}
	l := fakeSerial(t, r, f)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	r.mustUp(t)
	next(t, reading, "read")
	cancel()
	if err := next(t, done, "end of Run"); err == nil {
		t.Fatal("no word of the driver that holds on")
	}
	close(stuck)
	eventually(t, "the reader goes on", func() bool { return l.Counters().In.Bytes > 0 })
	eventually(t, "it ends", func() bool { return l.ctl.Load() == nil })
	if len(r.frames) != 0 {
		t.Fatal("the sink heard a frame after Run had returned")
	}
}

// The end of a burst of noise is told although nothing comes after it.
func TestLastNoiseIsTold(t *testing.T) {
	mustJoin(t)
	d, r := newDevice(t), newRecorder()
	run(t, newSerial(t, serialConfig(t, d, r)))
	r.mustUp(t)
	burst := bytes.Repeat([]byte{0xA5}, 300)
	d.write(burst)
	told := next(t, r.noise, "noise")
	// It is told at most every 50 ms, so this one waits for its turn, with nothing behind it to bring it up.
	d.write(burst)
	for told < 600 {
		told += next(t, r.noise, "last noise")
	}
}

// A quiet line costs nothing: the reader's wait is bounded only while there is noise to tell.
func TestQuietLineIsNotPolled(t *testing.T) {
	mustJoin(t)
	r, f := newRecorder(), newFake()
	left := 3
	f.onRead = func(b []byte) (int, error) {
		if left--; left >= 0 {
			return copy(b, bytes.Repeat([]byte{0xA5}, 300)), nil
		}
		if left == -1 {
			return 0, nil // the time is over
		}
		<-f.woken
		return 0, nil
	}
	l := fakeSerial(t, r, f)
	now := new(atomic.Int64)
	l.cfg.Clock = func() time.Duration { return time.Duration(now.Add(int64(20 * time.Millisecond))) }
	run(t, l)
	r.mustUp(t)
	if d := next(t, f.waits, "bound"); d != noiseEvery {
		t.Fatalf("waits %s with noise to tell", d)
	}
	for d := noiseEvery; d != 0; d = next(t, f.waits, "end of the bound") {
		if d != noiseEvery {
			t.Fatalf("waits %s", d)
		}
	}
}

// A close may take the driver half a minute; the loss is told before.
func TestLossIsToldBeforeTheClose(t *testing.T) {
	mustJoin(t)
	r, f, release := newRecorder(), newFake(), make(chan struct{})
	f.onRead = func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
	f.onClose = func() { <-release }
	run(t, fakeSerial(t, r, f))
	r.mustUp(t)
	r.mustDown(t, "use /dev/fake")
	close(release)
	r.mustDown(t, "gone for good")
}
