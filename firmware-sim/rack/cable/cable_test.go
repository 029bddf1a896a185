package cable

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const patience = 10 * time.Second

func build(t *testing.T, baud int) *Cable {
	t.Helper()
	c, err := New(Config{Ends: [2]string{"alpha", "bravo"}, Dir: t.TempDir(), Baud: baud, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// open opens an end as a daemon does and waits until the cable has noticed.
func open(t *testing.T, c *Cable, end string) *os.File {
	t.Helper()
	f, err := os.OpenFile(c.Path(end), os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	until(t, "the cable notices the open port", func() bool { return !c.vacant(end) })
	return f
}

func (c *Cable) vacant(end string) bool {
	p := c.ports[c.index(end)]
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pty == nil || p.pty.vacant.Load()
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func read(t *testing.T, f *os.File, n int) []byte {
	t.Helper()
	if err := f.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n)
	if m, err := io.ReadFull(f, b); err != nil {
		t.Fatalf("read %d of %d bytes: %v", m, n, err)
	}
	return b
}

func write(t *testing.T, f *os.File, b []byte) {
	t.Helper()
	if err := f.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
}

func ramp(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func TestEveryByteValuePassesBothWays(t *testing.T) {
	c := build(t, 921600)
	a, b := open(t, c, "alpha"), open(t, c, "bravo")
	all := ramp(256)
	write(t, a, all)
	if got := read(t, b, 256); !bytes.Equal(got, all) {
		t.Errorf("alpha to bravo: got %x", got)
	}
	write(t, b, all)
	if got := read(t, a, 256); !bytes.Equal(got, all) {
		t.Errorf("bravo to alpha: got %x", got)
	}
}

func TestAFrameTakesItsLineTime(t *testing.T) {
	for _, baud := range []int{9600, 115200} {
		c := build(t, baud)
		a, b := open(t, c, "alpha"), open(t, c, "bravo")
		for _, n := range []int{1, 46, 400} {
			want := time.Duration(n) * 10 * time.Second / time.Duration(baud)
			start := time.Now()
			write(t, a, ramp(n))
			read(t, b, n)
			took := time.Since(start)
			t.Logf("%d baud, %d bytes: %s, line time %s", baud, n, took, want)
			if took < want {
				t.Errorf("%d bytes at %d baud arrived after %s, which is less than their line time %s", n, baud, took, want)
			}
			if took > want+2*time.Second {
				t.Errorf("%d bytes at %d baud took %s instead of %s", n, baud, took, want)
			}
		}
	}
}

func TestALongTransferDoesNotDrift(t *testing.T) {
	c := build(t, 115200)
	a, b := open(t, c, "alpha"), open(t, c, "bravo")
	const n = 11520 // one second of line time
	start := time.Now()
	sent := make(chan error, 1)
	go func() {
		_, err := a.Write(ramp(n))
		sent <- err
	}()
	got := read(t, b, n)
	took := time.Since(start)
	t.Logf("%d bytes took %s", n, took)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, ramp(n)) {
		t.Error("bytes were lost or changed")
	}
	// 1000 portions: a cable that waited from wake-up to wake-up would lose some 60 us at each on an idle machine.
	if took < time.Second || took > 3*time.Second {
		t.Errorf("one second of line time took %s", took)
	}
}

func TestOneWayCut(t *testing.T) {
	c := build(t, 921600)
	a, b := open(t, c, "alpha"), open(t, c, "bravo")
	c.From("alpha").Cut()
	write(t, a, []byte("lost"))
	until(t, "the cut wire swallows four bytes", func() bool { return c.From("alpha").Stats().Cut == 4 })
	write(t, b, []byte("heard"))
	if got := read(t, a, 5); string(got) != "heard" {
		t.Errorf("other direction: got %q", got)
	}
	c.From("alpha").Mend()
	write(t, a, []byte("again"))
	if got := read(t, b, 5); string(got) != "again" {
		t.Errorf("after mending: got %q", got)
	}
}

func TestALoopGivesTheSenderItsOwnBytes(t *testing.T) {
	c := build(t, 921600)
	a, b := open(t, c, "alpha"), open(t, c, "bravo")
	c.From("alpha").Loop()
	write(t, a, []byte("mine"))
	if got := read(t, a, 4); string(got) != "mine" {
		t.Errorf("looped: got %q", got)
	}
	c.From("alpha").Mend()
	write(t, a, []byte("yours"))
	if got := read(t, b, 5); string(got) != "yours" {
		t.Errorf("after mending bravo got %q", got)
	}
}

func TestTheWriterNeverWaitsForTheReader(t *testing.T) {
	c := build(t, 4_000_000)
	a, b := open(t, c, "alpha"), open(t, c, "bravo")
	const n = 200_000
	write(t, a, make([]byte, n)) // far more than all buffers; bravo does not read
	until(t, "all is sent", func() bool { return c.From("alpha").Stats().Sent == n })
	until(t, "all is accounted for", func() bool {
		s := c.From("alpha").Stats()
		return s.Delivered+s.Full == n
	})
	if s := c.From("alpha").Stats(); s.Full == 0 {
		t.Errorf("nothing was dropped: %+v", s)
	}
	write(t, b, []byte("x"))
	read(t, a, 1)
}

func TestAClosedPortLosesItsBytes(t *testing.T) {
	c := build(t, 921600)
	a, b := open(t, c, "alpha"), open(t, c, "bravo")
	write(t, a, []byte("unread"))
	until(t, "delivery", func() bool { return c.From("alpha").Stats().Delivered == 6 })
	b.Close()
	until(t, "the cable notices the closed port", func() bool { return c.vacant("bravo") })
	write(t, a, []byte("into the void"))
	until(t, "the bytes are lost", func() bool { return c.From("alpha").Stats().Vacant == 13 })
	time.Sleep(3 * vacantPoll) // more than one look at the vacant port
	b = open(t, c, "bravo")
	write(t, a, []byte("fresh"))
	if got := read(t, b, 5); string(got) != "fresh" {
		t.Errorf("after reopening: got %q, which is older than the open", got)
	}
}

func TestByteErrorsChangeBytesAndNothingElse(t *testing.T) {
	damage := func() []byte {
		c := build(t, 921600)
		a, b := open(t, c, "alpha"), open(t, c, "bravo")
		c.From("alpha").ByteErrors(0.1)
		sent := make([]byte, 2000)
		write(t, a, sent)
		got := read(t, b, len(sent))
		wrong := len(got) - bytes.Count(got, []byte{0})
		if wrong < 100 || wrong > 300 || uint64(wrong) != c.From("alpha").Stats().Damaged {
			t.Errorf("%d of 2000 bytes wrong at a rate of 0.1, counted %d", wrong, c.From("alpha").Stats().Damaged)
		}
		return got
	}
	if !bytes.Equal(damage(), damage()) {
		t.Error("the same seed gave different damage")
	}
}

func TestNoiseBabblesOnAnIdleLineUntilEnded(t *testing.T) {
	c := build(t, 115200)
	open(t, c, "alpha")
	b := open(t, c, "bravo")
	c.From("alpha").Noise(2000)
	read(t, b, 100)
	c.From("alpha").Noise(0)
	before := c.From("alpha").Stats().Noise
	time.Sleep(50 * time.Millisecond)
	if after := c.From("alpha").Stats().Noise; after > before+1 {
		t.Errorf("noise went on: %d, then %d bytes", before, after)
	}
	if n := c.From("bravo").Stats().Noise; n != 0 {
		t.Errorf("%d bytes of noise on the other wire", n)
	}
}

func TestIdleCostsNothing(t *testing.T) {
	c := build(t, 115200)
	open(t, c, "alpha")
	open(t, c, "bravo")
	var before, after unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &before)
	time.Sleep(300 * time.Millisecond)
	unix.Getrusage(unix.RUSAGE_SELF, &after)
	cpu := time.Duration(unix.TimevalToNsec(after.Utime) + unix.TimevalToNsec(after.Stime) - unix.TimevalToNsec(before.Utime) - unix.TimevalToNsec(before.Stime))
	if cpu > 100*time.Millisecond {
		t.Errorf("an idle cable used %s of processor time in 300 ms", cpu)
	}
}

func TestRefusals(t *testing.T) {
	if _, err := New(Config{Ends: [2]string{"alpha", "bravo"}, Dir: t.TempDir()}); err == nil {
		t.Error("a cable without a baud rate was built")
	}
	if _, err := New(Config{Ends: [2]string{"alpha", "alpha"}, Dir: t.TempDir(), Baud: 9600}); err == nil {
		t.Error("a cable with two equal ends was built")
	}
	if _, err := New(Config{Ends: [2]string{"alpha", "bravo"}, Dir: "/does/not/exist", Baud: 9600}); err == nil {
		t.Error("a cable in a missing folder was built")
	}
}
