package link

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

func TestWhatArrivesReachesTheSink(t *testing.T) {
	mine, other, foreign := ring(t, "c", "key"), ring(t, "c", "other"), ring(t, "elsewhere", "key")
	good := func(seq uint32) []byte { return pulseFrame(mine, 0, 1, 7, seq) }
	flipped := good(9)
	flipped[5] ^= 1
	noise := make([]byte, 400)
	for i := range noise {
		noise[i] = 0xA5
	}
	for _, row := range []struct {
		name  string
		bytes []byte
		want  []pulse.Verdict
		count func(In) uint64
		n     uint64
	}{
		{"good", online(good(1)), []pulse.Verdict{pulse.Good}, func(c In) uint64 { return c.Frames }, 1},
		{"own echo", online(pulseFrame(mine, 1, 0, 8, 5)), []pulse.Verdict{pulse.Good}, func(c In) uint64 { return c.Replays }, 0},
		{"replay", append(online(good(2)), online(good(2))...), []pulse.Verdict{pulse.Good, pulse.Good}, func(c In) uint64 { return c.Replays }, 1},
		{"older", append(online(good(4)), online(good(3))...), []pulse.Verdict{pulse.Good, pulse.Good}, func(c In) uint64 { return c.Replays }, 1},
		{"side frame", online(sideFrame(mine, 1)), []pulse.Verdict{pulse.Good}, func(c In) uint64 { return c.Replays }, 0},
		{"bit flip", online(flipped), []pulse.Verdict{pulse.BadCheck}, func(c In) uint64 { return c.CheckErrors }, 1},
		{"foreign key", online(pulseFrame(other, 0, 1, 7, 1)), []pulse.Verdict{pulse.WrongKey}, func(c In) uint64 { return c.KeyErrors }, 1},
		{"foreign cluster", online(pulseFrame(foreign, 0, 1, 7, 1)), []pulse.Verdict{pulse.WrongCluster}, func(c In) uint64 { return c.WrongCluster }, 1},
		{"too short", online([]byte("abc")), []pulse.Verdict{pulse.Short}, func(c In) uint64 { return c.Short }, 1},
		{"half a frame, then a whole one", append(online(good(1))[:20], online(good(2))...), []pulse.Verdict{pulse.Good}, func(c In) uint64 { return c.Frames }, 1},
		{"noise", append(noise, 0), nil, func(c In) uint64 { return c.NoiseBytes }, 400},
		{"noise, resync", append(noise, online(good(1))...), []pulse.Verdict{pulse.Good}, func(c In) uint64 { return c.Resyncs }, 1},
	} {
		for _, chunk := range []int{1, 7, 4096} {
			r := newRecorder()
			l := newSerial(t, SerialConfig{Device: "/dev/none", Baud: 9600, Keys: mine, Sink: r, Clock: testClock()})
			for part := range slices.Chunk(row.bytes, chunk) {
				l.take(time.Second, part)
			}
			var got []pulse.Verdict
			for len(r.frames) > 0 {
				got = append(got, (<-r.frames).verdict)
			}
			// A frame whose head was cut off is a short frame or noise; either way it must not cost the next.
			if row.name == "half a frame, then a whole one" {
				got = slices.DeleteFunc(got, func(v pulse.Verdict) bool { return v == pulse.Short || v == pulse.BadCheck })
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("%s in chunks of %d: %v, want %v", row.name, chunk, got, row.want)
			}
			c := l.Counters().In
			if n := row.count(c); n != row.n {
				t.Errorf("%s in chunks of %d: counted %d, want %d: %+v", row.name, chunk, n, row.n, c)
			}
			if c.Bytes != uint64(len(row.bytes)) {
				t.Errorf("%s: %d bytes, want %d", row.name, c.Bytes, len(row.bytes))
			}
		}
	}
}

func TestNoiseIsToldAtMostEvery50ms(t *testing.T) {
	r := newRecorder()
	c := NewReceiver(0, ring(t, "c", "key"), r)
	for _, in := range []struct {
		at    time.Duration
		bytes int
	}{{0, 3}, {10, 4}, {49, 5}, {50, 0}, {60, 6}, {99, 0}, {100, 0}, {500, 0}} {
		c.Noise(in.at*time.Millisecond, in.bytes)
	}
	close(r.noise)
	var got []int
	for n := range r.noise {
		got = append(got, n)
	}
	if !slices.Equal(got, []int{3, 9, 6}) {
		t.Fatalf("told %v", got)
	}
	if n := c.Counters().NoiseBytes; n != 18 {
		t.Fatalf("counted %d", n)
	}
}

func TestSequenceCounts(t *testing.T) {
	k := ring(t, "c", "key")
	r := NewReceiver(0, k, newRecorder())
	quiet := aPulse(0, 1, 8, 3)
	quiet.Flags = pulse.Quiet
	for _, in := range []struct {
		at time.Duration
		p  *pulse.Pulse
	}{
		{0, aPulse(0, 1, 7, 10)},
		{100, aPulse(0, 1, 7, 11)}, // exact
		{230, aPulse(0, 1, 7, 12)}, // 30 off
		{320, aPulse(0, 1, 7, 13)}, // 10 off
		{520, aPulse(0, 1, 7, 15)}, // one lost, exactly twice the interval: not late
		{521, aPulse(1, 0, 7, 40)}, // another sender
		{721, aPulse(0, 1, 7, 16)}, // late by 1, and 101 off
		{730, aPulse(0, 1, 8, 2)},  // a new session begins anew
		{735, aPulse(0, 1, 8, 2)},  // replay
		{830, quiet},
		{9000, aPulse(0, 1, 8, 4)}, // after a quiet time: neither late nor jitter
	} {
		r.Frame(in.at*time.Millisecond, k.AppendPulse(nil, in.p))
	}
	c := r.Counters()
	// 0, 30, 10, 101 and 0 ms off.
	if c.Lost != 1 || c.Late != 1 || c.Replays != 1 || c.JitterSamples != 5 || c.JitterMax != 101*time.Millisecond || c.JitterMean != 141*time.Millisecond/5 {
		t.Fatalf("%+v", c)
	}
}

func TestSetKeys(t *testing.T) {
	first, second := ring(t, "c", "first"), ring(t, "c", "second")
	sink := newRecorder()
	r := NewReceiver(0, first, sink)
	frame := pulseFrame(second, 0, 1, 7, 1)
	r.Frame(0, frame)
	r.SetKeys(second)
	r.Frame(0, frame)
	if a, b := (<-sink.frames).verdict, (<-sink.frames).verdict; a != pulse.WrongKey || b != pulse.Good {
		t.Fatalf("%v, %v", a, b)
	}
}

func TestChangeIsToldOnChangeOnly(t *testing.T) {
	sink := newRecorder()
	r := NewReceiver(0, ring(t, "c", "key"), sink)
	down := Status{Reason: "x", DeviceLost: true}
	for _, s := range []Status{down, down, {Up: true}, {Up: true}, down} {
		r.Change(0, s)
	}
	r.Close()
	r.Change(0, Status{Up: true})
	if n := len(sink.changes); n != 3 {
		t.Fatalf("%d changes", n)
	}
}

func TestCountersInJSON(t *testing.T) {
	b, err := json.Marshal(Counters{Line: &LineErrors{}})
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`"([^"]+)":`).FindAllStringSubmatch(string(b), -1)
	if len(keys) < 30 {
		t.Fatalf("%d keys: %s", len(keys), b)
	}
	for _, k := range keys {
		if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(k[1]) {
			t.Errorf("key %q", k[1])
		}
	}
}

// silent is a sink that keeps nothing.
type silent struct{ frames chan struct{} }

func (s silent) Frame(int, time.Duration, *pulse.Frame, pulse.Verdict) {
	select {
	case s.frames <- struct{}{}:
	default:
	}
}
func (silent) Change(int, time.Duration, Status) {}
func (silent) Noise(int, time.Duration, int)     {}

func TestReceiveDoesNotAllocate(t *testing.T) {
	k := ring(t, "c", "key")
	l := newSerial(t, SerialConfig{Device: "/dev/none", Baud: 9600, Keys: k, Sink: silent{}, Clock: testClock()})
	bytes := append(online(pulseFrame(k, 0, 1, 7, 1)), online(sideFrame(k, 1))...)
	bytes = append(bytes, "noise\x00"...)
	if n := testing.AllocsPerRun(1000, func() { l.take(l.cfg.Clock(), bytes) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// The whole way: Send, queue, driver, pty, driver, read, decode, verify, sink.
func TestWholeWayDoesNotAllocate(t *testing.T) {
	da, db := newDevice(t), newDevice(t)
	cable(t, da, db)
	k := ring(t, "c", "key")
	arrived := silent{make(chan struct{}, 1)}
	up := newRecorder()
	a, b := newSerial(t, serialConfig(t, da, up)), newSerial(t, serialConfig(t, db, arrived))
	run(t, a)
	run(t, b)
	up.mustUp(t)
	eventually(t, "b is open", func() bool { return b.ctl.Load() != nil })
	frame := pulseFrame(k, 0, 1, 7, 1)
	timeout := time.NewTimer(patience)
	hop := func() {
		a.Send(1, frame)
		select {
		case <-arrived.frames:
		case <-timeout.C:
			t.Fatal("nothing arrived")
		}
	}
	hop()
	// The run time itself allocates now and then; a path that allocates would do so each time.
	if n := testing.AllocsPerRun(500, hop); n != 0 {
		t.Fatalf("%v allocations per frame", n)
	}
}

func BenchmarkReceive(b *testing.B) {
	k := ring(b, "c", "key")
	l, err := NewSerial(SerialConfig{Device: "/dev/none", Baud: 9600, Keys: k, Sink: silent{}, Clock: testClock()})
	if err != nil {
		b.Fatal(err)
	}
	line := online(pulseFrame(k, 0, 1, 7, 1))
	b.ReportAllocs()
	for b.Loop() {
		l.take(l.cfg.Clock(), line)
	}
}

func BenchmarkSerialHop(b *testing.B) {
	da, db := newDevice(b), newDevice(b)
	cable(b, da, db)
	arrived := silent{make(chan struct{}, 1)}
	up := newRecorder()
	x, y := serialConfig(b, da, up), serialConfig(b, db, arrived)
	l, err := NewSerial(x)
	if err != nil {
		b.Fatal(err)
	}
	m, err := NewSerial(y)
	if err != nil {
		b.Fatal(err)
	}
	run(b, l)
	run(b, m)
	up.mustUp(b)
	eventually(b, "b is open", func() bool { return m.ctl.Load() != nil })
	frame := pulseFrame(ring(b, "c", "key"), 0, 1, 7, 1)
	b.ReportAllocs()
	for b.Loop() {
		l.Send(1, frame)
		<-arrived.frames
	}
}
