package link

import (
	"context"
	"errors"
	"io"
	"runtime"
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

func TestBlockedWriteIsFreed(t *testing.T) {
	for _, way := range []string{"watch", "end"} {
		t.Run(way, func(t *testing.T) {
			mustJoin(t)
			d := newDevice(t)
			p, err := (&opener{device: d.name, baud: 115200, sys: noSys(t), proc: "/proc"}).open()
			if err != nil {
				t.Fatal(err)
			}
			w := newWriter(p, newOutbox(1000, 3, time.Second), testClock(), 115200)
			w.inWrite.Store(1)
			go func() {
				defer close(w.done)
				writeAll(p.line, make([]byte, 200_000))
			}()
			eventually(t, "the driver is full", func() bool { _, full := p.ctl.backlog(); return full })
			if way == "end" {
				w.end()
			} else {
				w.watch(w.stall / 2)
				if w.out.tally.stalls.Load() != 0 {
					t.Fatal("a write that has just begun counts as a stall")
				}
				for now := time.Duration(1); ; {
					select {
					case <-w.done:
						if w.out.tally.stalls.Load() < 2 {
							t.Fatalf("%d stalls", w.out.tally.stalls.Load())
						}
						if err := p.discard(); err != nil {
							t.Fatal(err)
						}
						return
					case <-time.After(time.Millisecond):
						now += 2 * w.stall
						w.watch(now)
					}
				}
			}
			if err := p.discard(); err != nil {
				t.Fatal(err)
			}
		})
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
		w.inWrite.Store(0)
		done := make(chan error, 1)
		go func() { _, err := w.step(); done <- err }()
		select {
		case <-done:
		case <-time.After(time.Second): // the last one filled it and hangs
			p.ctl.unblock()
			next(t, done, "end of step")
			for full := false; !full; _, full = p.ctl.backlog() {
				p.line.Write([]byte{0})
			}
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

// fakeLine is a port whose driver misbehaves.
type fakeLine struct {
	read  func([]byte) (int, error)
	write func([]byte) (int, error)
	close func() error
}

func (f fakeLine) Read(b []byte) (int, error)  { return f.read(b) }
func (f fakeLine) Write(b []byte) (int, error) { return f.write(b) }
func (f fakeLine) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// fakeSerial is a link whose first open gives a fake, and the others fail.
func fakeSerial(t *testing.T, r Sink, f fakeLine) *Serial {
	l := newSerial(t, SerialConfig{Name: "fake", Device: "/dev/fake", Baud: 9600, Keys: ring(t, "c", "key"), Sink: r, Clock: testClock()})
	var opens atomic.Int32
	l.open = func() (*port, error) {
		if opens.Add(1) > 1 {
			return nil, errors.New("gone for good")
		}
		return &port{line: f, ctl: &control{fd: -1}}, nil
	}
	return l
}

func TestReadsThatDoNotWaitAreALostDevice(t *testing.T) {
	mustJoin(t)
	r := newRecorder()
	var reads atomic.Int64
	l := fakeSerial(t, r, fakeLine{read: func([]byte) (int, error) { reads.Add(1); return 0, nil }})
	run(t, l)
	r.mustUp(t)
	r.mustDown(t, "does not wait")
	if n := reads.Load(); n > 100*spinning {
		t.Fatalf("%d reads", n)
	}
}

func TestWriteErrorIsALostDevice(t *testing.T) {
	mustJoin(t)
	r := newRecorder()
	l := fakeSerial(t, r, fakeLine{
		read:  func([]byte) (int, error) { time.Sleep(readWait); return 0, nil },
		write: func([]byte) (int, error) { return 0, io.ErrClosedPipe },
	})
	run(t, l)
	r.mustUp(t)
	l.Send(1, pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1))
	r.mustDown(t, "use /dev/fake", io.ErrClosedPipe.Error())
	if c := l.Counters(); c.Out.WriteErrors != 1 || c.Out.Sent != 0 {
		t.Fatalf("counters %+v", c.Out)
	}
}

func TestStuckDriverIsLeftBehind(t *testing.T) {
	r := newRecorder()
	stuck, reading := make(chan struct{}), make(chan struct{}, 100)
	l := fakeSerial(t, r, fakeLine{read: func(b []byte) (int, error) {
		select {
		case reading <- struct{}{}:
		default:
		}
		<-stuck
		return copy(b, online(pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1))), nil
	}})
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

// The reader of a link watches its writer.
func TestHungWriteIsSeen(t *testing.T) {
	mustJoin(t)
	r, release := newRecorder(), make(chan struct{})
	l := fakeSerial(t, r, fakeLine{
		read:  func([]byte) (int, error) { time.Sleep(readWait); return 0, nil },
		write: func(b []byte) (int, error) { <-release; return len(b), nil },
	})
	real := l.cfg.Clock
	l.cfg.Clock = func() time.Duration { return 20 * real() }
	run(t, l)
	r.mustUp(t)
	l.Send(1, pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1))
	eventually(t, "a stall", func() bool { return l.Counters().Out.WriteStalls > 0 })
	close(release)
	eventually(t, "it is sent", func() bool { return l.Counters().Out.Sent == 1 })
}

// The end of a burst of noise is told although nothing comes after it.
func TestLastNoiseIsTold(t *testing.T) {
	mustJoin(t)
	r := newRecorder()
	burst := make([]byte, 300)
	for i := range burst {
		burst[i] = 0xA5
	}
	left := 2
	l := fakeSerial(t, r, fakeLine{read: func(b []byte) (int, error) {
		if left--; left >= 0 {
			return copy(b, burst), nil
		}
		time.Sleep(readWait)
		return 0, nil
	}})
	now := new(atomic.Int64)
	l.cfg.Clock = func() time.Duration { return time.Duration(now.Add(int64(time.Millisecond))) }
	run(t, l)
	if n := next(t, r.noise, "noise"); n != 300 {
		t.Fatalf("first %d bytes", n)
	}
	if n := next(t, r.noise, "last noise"); n != 300 {
		t.Fatalf("then %d bytes", n)
	}
}

// A close may take the driver half a minute; the loss is told before.
func TestLossIsToldBeforeTheClose(t *testing.T) {
	mustJoin(t)
	r, release := newRecorder(), make(chan struct{})
	l := fakeSerial(t, r, fakeLine{
		read:  func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF },
		close: func() error { <-release; return nil },
	})
	run(t, l)
	r.mustUp(t)
	r.mustDown(t, "use /dev/fake")
	close(release)
	r.mustDown(t, "gone for good")
}
