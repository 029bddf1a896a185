package link

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// patience is how long a test waits for what must come. Nothing is measured by it.
const patience = 20 * time.Second

func testClock() Clock {
	start := time.Now()
	return func() time.Duration { return time.Since(start) + time.Hour }
}

func ring(t testing.TB, cluster string, keys ...string) *pulse.Keyring {
	t.Helper()
	raw := make([][]byte, len(keys))
	for i, k := range keys {
		raw[i] = []byte(k + "................")
	}
	k, err := pulse.NewKeyring(cluster, raw...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func aPulse(from, to uint8, session, seq uint32) *pulse.Pulse {
	return &pulse.Pulse{From: from, To: to, Session: session, Seq: seq, IntervalMS: 100, N: 1}
}

func pulseFrame(k *pulse.Keyring, from, to uint8, session, seq uint32) []byte {
	return k.AppendPulse(nil, aPulse(from, to, session, seq))
}

func sideFrame(k *pulse.Keyring, seq uint32) []byte {
	s := pulse.Side{Kind: pulse.SideNews, From: 0, To: 1, Session: 7, Seq: seq, Len: pulse.MaxPayload}
	return k.AppendSide(nil, &s)
}

func online(frame []byte) []byte { return pulse.AppendLine(nil, frame) }

type heard struct {
	link    int
	at      time.Duration
	frame   pulse.Frame
	verdict pulse.Verdict
}

// recorder is a sink that keeps everything.
type recorder struct {
	frames  chan heard
	changes chan Status
	noise   chan int

	mu    sync.Mutex
	inUse bool
	twice bool
}

func newRecorder() *recorder {
	return &recorder{frames: make(chan heard, 1<<16), changes: make(chan Status, 1<<10), noise: make(chan int, 1<<10)}
}

func (r *recorder) enter() func() {
	r.mu.Lock()
	r.twice = r.twice || r.inUse
	r.inUse = true
	r.mu.Unlock()
	return func() {
		r.mu.Lock()
		r.inUse = false
		r.mu.Unlock()
	}
}

func (r *recorder) Frame(link int, at time.Duration, f *pulse.Frame, v pulse.Verdict) {
	defer r.enter()()
	r.frames <- heard{link, at, *f, v}
}

func (r *recorder) Change(_ int, _ time.Duration, s Status) {
	defer r.enter()()
	r.changes <- s
}

func (r *recorder) Noise(_ int, _ time.Duration, n int) {
	defer r.enter()()
	r.noise <- n
}

func next[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s came", what)
		panic("unreachable")
	}
}

func (r *recorder) mustUp(t testing.TB) {
	t.Helper()
	if s := next(t, r.changes, "change"); !s.Up || s.DeviceLost || s.Reason != "" {
		t.Fatalf("status %+v, want up", s)
	}
}

func (r *recorder) mustDown(t testing.TB, words ...string) Status {
	t.Helper()
	s := next(t, r.changes, "change")
	if s.Up || !s.DeviceLost {
		t.Fatalf("status %+v, want device lost", s)
	}
	for _, w := range words {
		if !strings.Contains(s.Reason, w) {
			t.Fatalf("reason %q does not say %q", s.Reason, w)
		}
	}
	if strings.Contains(s.Reason, "\n") {
		t.Fatalf("reason %q is not one sentence", s.Reason)
	}
	return s
}

func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// noSys is a sysfs without consoles.
func noSys(t testing.TB) string { return t.TempDir() }

// device is a pty behind a stable name.
type device struct {
	t      testing.TB
	name   string
	master *os.File
}

func newDevice(t testing.TB) *device {
	d := &device{t: t, name: filepath.Join(t.TempDir(), "serialhb0")}
	d.plug()
	t.Cleanup(func() { d.master.Close() })
	return d
}

func (d *device) plug() {
	d.t.Helper()
	m, s, err := pty.Open()
	if err != nil {
		d.t.Fatal(err)
	}
	slave := s.Name()
	s.Close()
	d.master = m
	os.Remove(d.name)
	if err := os.Symlink(slave, d.name); err != nil {
		d.t.Fatal(err)
	}
}

func (d *device) unplug() {
	os.Remove(d.name)
	d.master.Close()
}

func (d *device) write(b []byte) {
	d.t.Helper()
	if _, err := d.master.Write(b); err != nil {
		d.t.Fatal(err)
	}
}

// cable joins two devices until the test ends.
func cable(t testing.TB, a, b *device) {
	var wg sync.WaitGroup
	for _, way := range [][2]*os.File{{a.master, b.master}, {b.master, a.master}} {
		wg.Go(func() {
			for buf := make([]byte, 4096); ; {
				n, err := way[0].Read(buf)
				if errors.Is(err, os.ErrClosed) {
					return
				}
				if err != nil { // EIO while nobody has the other side open
					time.Sleep(time.Millisecond)
				}
				way[1].Write(buf[:n])
			}
		})
	}
	t.Cleanup(func() {
		a.master.Close()
		b.master.Close()
		wg.Wait()
	})
}

func serialConfig(t testing.TB, d *device, r Sink) SerialConfig {
	return SerialConfig{
		Index: 3, Name: "cable", Device: d.name, Baud: 115200, Keys: ring(t, "c", "key"), Sink: r,
		Clock: testClock(), ReopenEvery: 5 * time.Millisecond, Sys: noSys(t),
	}
}

func newSerial(t testing.TB, c SerialConfig) *Serial {
	t.Helper()
	l, err := NewSerial(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// run runs a link; the function that it returns ends it, and checks that nothing is left.
func run(t testing.TB, l Link) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := next(t, done, "end of Run"); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// mustJoin checks that no goroutine is left of those that a test began.
func mustJoin(t testing.TB) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for end := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				buf := make([]byte, 1<<16)
				t.Fatalf("%d goroutines, were %d\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			}
		}
	})
}
